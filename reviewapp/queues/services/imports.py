"""Items of imported reviews."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from reviewapp.ingest.models import Output, Pair
from reviewapp.lib.errors import Conflict
from reviewapp.queues.models import Queue, QueueItem
from reviewapp.queues.services.items import ImportSubject, NewItem, add_items, known_items, locked


def items_for_import(*, queue: Queue, subjects: Iterable[ImportSubject]) -> dict[ImportSubject, UUID]:
    """The items of what imported reviews are about, inside the caller's transaction.

    What is not in the queue yet becomes an item without seats and without probability.
    """
    wanted = list(dict.fromkeys(subjects))
    held = locked(queue) or queue
    known = known_items(held, wanted)
    missing = [NewItem(subject, "imported review") for subject in wanted if subject not in known]
    for item in add_items(held, missing, source="import", is_seated=False):
        known[ImportSubject(item.output_id, item.pair_id, item.hit_id)] = item.pk
    return known


@transaction.atomic
def item_for_import(*, queue: Queue, output: Output | None = None, pair: Pair | None = None) -> QueueItem:
    """The item of one output or pair, made without seats and probability when it is not there."""
    if (output is None) == (pair is None) or (pair is None) == (queue.kind == "pairwise"):
        raise Conflict("A pairwise queue holds pairs, the others outputs.")
    subject = ImportSubject(output.pk if output else None, pair.pk if pair else None)
    return QueueItem.objects.get(pk=items_for_import(queue=queue, subjects=[subject])[subject])
