"""Items of a queue: which are there, and adding more. One writer at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Model

from reviewapp.access.actors import Actor
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.ingest.services.landing import copy_rows
from reviewapp.lib.clock import utc_now
from reviewapp.lib.ids import new_id
from reviewapp.queues.models import Queue, QueueItem, Seat
from reviewapp.queues.services.seats import place_seats

_ITEM = (
    "id", "queue_id", "output_id", "pair_id", "hit_id", "source", "reason", "priority", "inclusion_probability",
    "assigned_to_id", "created_at",
)  # fmt: skip
_SEAT = ("id", "queue_id", "item_id", "kind", "number", "rank", "assigned_to_id")


@dataclass(frozen=True)
class ImportSubject:
    """What an imported review is about: an output, one decision on it, or a pair."""

    output_id: UUID | None = None
    pair_id: UUID | None = None
    hit_id: UUID | None = None


@dataclass(frozen=True)
class NewItem:
    """An item to add; `line` is the record that asked for it."""

    subject: ImportSubject
    reason: str
    probability: float | None = None
    line: int = 0


def locked(queue: Queue, *, skip_locked: bool = False) -> Queue | None:
    """The queue with its row locked until the end of the transaction; None when another has it and `skip_locked`."""
    # One writer adds items at a time, so no unique constraint is hit half-way through a bulk insert. Leases refer to
    # the row with a weaker lock and do not wait.
    return Queue.objects.select_for_update(no_key=True, skip_locked=skip_locked).filter(pk=queue.pk).first()


def known_items(queue: Queue, subjects: Iterable[ImportSubject]) -> dict[ImportSubject, UUID]:
    """The items that the queue holds of these outputs or pairs."""
    outputs, pairs = set(), set()
    for subject in subjects:
        outputs.add(subject.output_id)
        pairs.add(subject.pair_id)
    rows = QueueItem.objects.filter(queue=queue)
    rows = (
        rows.filter(pair__in=pairs - {None}) if queue.kind == "pairwise" else rows.filter(output__in=outputs - {None})
    )
    return {
        ImportSubject(output_id, pair_id, hit_id): pk
        for output_id, pair_id, hit_id, pk in rows.values_list("output_id", "pair_id", "hit_id", "pk")
    }


def add_items(
    queue: Queue,
    new: Sequence[NewItem],
    *,
    source: str,
    priority: int = 0,
    assigned_to: UUID | None = None,
    is_seated: bool = True,
) -> list[QueueItem]:
    """Insert items and their place seats. Gold and imported items get none. The caller holds the queue's row."""
    now = utc_now()
    items = [
        QueueItem(
            id=new_id(), queue=queue, source=source, reason=one.reason, priority=priority, assigned_to_id=assigned_to,
            inclusion_probability=one.probability, output_id=one.subject.output_id, pair_id=one.subject.pair_id,
            hit_id=one.subject.hit_id,
            # A microsecond apart, so that items of one call keep the order of the call.
            created_at=now + timedelta(microseconds=place),
        )
        for place, one in enumerate(new)
    ]  # fmt: skip
    copy_rows(QueueItem, _ITEM, (_texts(item, _ITEM) for item in items))
    if is_seated and source != "gold":
        seats = (seat for item in items for seat in place_seats(queue=queue, item=item))
        copy_rows(Seat, _SEAT, (_texts(seat, _SEAT) for seat in seats))
    return items


def _texts(row: Model, columns: Sequence[str]) -> tuple[str | None, ...]:
    values = (getattr(row, column) for column in columns)
    return tuple(None if value is None else str(value) for value in values)


def record_items(actor: Actor, queue: Queue, what: dict[str, Any]) -> None:
    """The event of items added."""
    record(
        actor=actor,
        event=Event.ITEMS_ENQUEUED,
        subject=Subject("queue", str(queue.pk), project=queue.project.slug),
        change=Change(after=what),
    )
