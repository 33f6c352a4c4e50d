"""Writes of this room: making a queue, filling it, handing out its seats."""

from reviewapp.queues.services.create import QueueIn, create_queue
from reviewapp.queues.services.hand import EnqueueIn, enqueue
from reviewapp.queues.services.imports import item_for_import, items_for_import
from reviewapp.queues.services.items import ImportSubject
from reviewapp.queues.services.leases import close_lease, lease_next, release, reopen_seat, skip, view_lease
from reviewapp.queues.services.pull import pull_all, pull_selections
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
