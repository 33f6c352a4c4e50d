"""Writes of this room: making a queue, filling it, handing out its seats."""

from reviewapp.queues.services.create import QueueIn, create_queue
from reviewapp.queues.services.fill import (
    EnqueueIn,
    ImportSubject,
    enqueue,
    item_for_import,
    items_for_import,
    pull_all,
    pull_selections,
)
from reviewapp.queues.services.leases import close_lease, lease_next, release, reopen_seat, skip, view_lease
from reviewapp.queues.services.seats import add_seat, rank_of, seats_for

__all__ = [
    "EnqueueIn",
    "ImportSubject",
    "QueueIn",
    "add_seat",
    "close_lease",
    "create_queue",
    "enqueue",
    "item_for_import",
    "items_for_import",
    "lease_next",
    "pull_all",
    "pull_selections",
    "rank_of",
    "release",
    "reopen_seat",
    "seats_for",
    "skip",
    "view_lease",
]
