"""What goes by itself: asked of every room, hourly."""

from __future__ import annotations

from django.db.models import Exists, OuterRef

from reviewapp.access.erasure import drop_expired as drop_access
from reviewapp.exports.erasure import drop_expired as drop_files
from reviewapp.ingest.erasure import drop_expired as drop_texts
from reviewapp.judge.models import RunItem
from reviewapp.queues.erasure import drop_expired as close_seats
from reviewapp.queues.models import QueueItem

# Somebody put it into a queue, alone or in a pair, or a judge has yet to read it.
IN_USE = (
    Exists(QueueItem.objects.filter(output=OuterRef("pk"))),
    Exists(QueueItem.objects.filter(pair__a=OuterRef("pk"))),
    Exists(QueueItem.objects.filter(pair__b=OuterRef("pk"))),
    Exists(RunItem.objects.filter(output=OuterRef("pk"), finished_at=None)),
)


def drop_expired() -> dict[str, int]:
    """How many rows, seats and files went, by kind. Each room records an event with its counts."""
    return {
        "texts": drop_texts(keep=IN_USE),
        "sessions and kept answers": drop_access(),
        "seats": close_seats(),
        "files": drop_files(),
    }
