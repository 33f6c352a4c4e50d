"""Seats of an item: how many, and in which order they are handed out."""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID

from django.db.models import Max

from reviewapp.queues.models import Queue, QueueItem, Seat

# One step of priority outweighs any age: 31 years in seconds, and still exact to a tenth of a millisecond at 1000.
_PRIORITY_STEP = 1e9


def unit_of(*parts: object) -> float:
    """A number in [0, 1) that depends on the parts alone. 53 bits of SHA-256."""
    digest = hashlib.sha256("\n".join(str(part) for part in parts).encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2.0**53


def rank_of(*, queue: Queue, item_id: UUID, priority: int, created_at: datetime) -> float:
    """The place of an item in its queue, smallest first: priority then age, age alone, or a number drawn by hash."""
    if queue.order == "random":
        return unit_of("order", queue.pk, item_id)
    age = created_at.timestamp()
    return age if queue.order == "oldest" else age - priority * _PRIORITY_STEP


def seats_for(*, queue: Queue, item_id: UUID, is_assigned: bool) -> int:
    """How many people review the item: a share of items, drawn by hash, gets the full number, the others one.

    An item assigned to one person has one seat.
    """
    if is_assigned or queue.reviewers_per_item == 1:
        return 1
    return queue.reviewers_per_item if unit_of("overlap", queue.pk, item_id) < queue.overlap_share else 1


def place_seats(*, queue: Queue, item: QueueItem) -> list[Seat]:
    """The unsaved place seats of a new item."""
    rank = rank_of(queue=queue, item_id=item.pk, priority=item.priority, created_at=item.created_at)
    count = seats_for(queue=queue, item_id=item.pk, is_assigned=item.assigned_to_id is not None)
    return [
        Seat(queue=queue, item=item, kind="place", number=number, rank=rank, assigned_to_id=item.assigned_to_id)
        for number in range(1, count + 1)
    ]


def add_seat(*, item: QueueItem, kind: str) -> Seat:
    """One more seat of a kind at an item, inside the caller's transaction, which holds the item's row."""
    newest = Seat.objects.filter(item=item, kind=kind).aggregate(newest=Max("number"))["newest"] or 0
    rank = rank_of(queue=item.queue, item_id=item.pk, priority=item.priority, created_at=item.created_at)
    return Seat.objects.create(queue_id=item.queue_id, item=item, kind=kind, number=newest + 1, rank=rank)
