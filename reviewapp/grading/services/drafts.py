"""What a reviewer typed and did not submit yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

from reviewapp.access.actors import Actor
from reviewapp.access.errors import Hidden
from reviewapp.access.roles import require
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.lib.canonical import canonical_bytes
from reviewapp.lib.errors import Conflict, TooLarge
from reviewapp.lib.ids import new_id
from reviewapp.queues.models import Lease
from reviewapp.queues.selectors import act_of

MAX_DRAFT = 1024 * 1024
# The lease's row is locked against the submit that deletes the draft: a late autosave cannot bring it back.
_UPSERT = """
WITH mine AS (
    SELECT l.item_id, l.reviewer_id FROM reviewapp_lease l
    WHERE l.id = %(lease)s AND (l.ended_at IS NULL OR l.outcome IN ('expired', 'released'))
    FOR SHARE OF l
)
INSERT INTO reviewapp_draft (id, item_id, reviewer_id, answer, updated_at)
SELECT %(id)s, mine.item_id, mine.reviewer_id, %(answer)s::jsonb, now() FROM mine
ON CONFLICT (item_id, reviewer_id) DO UPDATE SET answer = excluded.answer, updated_at = excluded.updated_at
"""


@transaction.atomic
def save_draft(*, actor: Actor, lease: Lease, answer: Mapping[str, Any]) -> None:
    """Keep an unfinished answer, in the form of the submit body; also after the lease ran out, so that nothing is lost.

    Raises AccessDenied, Hidden for another's lease, Conflict once the lease was submitted or skipped, TooLarge.
    """
    require(actor, act_of(lease), lease.queue)
    if lease.reviewer_id != actor.person.pk:
        raise Hidden("There is no such lease, or it is not yours.")
    packed = canonical_bytes(dict(answer))
    size = len(packed)
    if size > MAX_DRAFT:
        raise TooLarge("A draft may have at most 1 MiB.")
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, {"lease": lease.pk, "id": new_id(), "answer": packed.decode()})
        if cursor.rowcount != 1:
            raise Conflict("This lease was submitted or skipped; there is nothing to draft any more.")
    record(
        actor=actor,
        event=Event.DRAFT_SAVED,
        subject=Subject("item", str(lease.item_id), project=lease.queue.project.slug),
        change=Change(more={"lease": str(lease.pk), "bytes": str(size)}),
    )
