"""What a frozen dataset version does to the reviews in it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import connection, transaction

from reviewapp.queues.models import Queue

_FREEZE = """
INSERT INTO reviewapp_frozenitem (item_id, frozen_at)
SELECT DISTINCT r.item_id, now() FROM reviewapp_review r JOIN reviewapp_queueitem i ON i.id = r.item_id
WHERE i.queue_id = ANY(%s) AND r.submitted_at <= %s AND r.ended_at IS NULL
ON CONFLICT DO NOTHING
"""


@transaction.atomic
def freeze_items(*, queues: Iterable[Queue], taken_at: datetime) -> int:
    """Hold the items of these queues that had a review at `taken_at`, by the database's clock; how many are new.

    No event of its own: it runs in the transaction of the version that freezes them, whose event names the version.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FREEZE, [[queue.pk for queue in queues], taken_at])
        return int(cursor.rowcount)
