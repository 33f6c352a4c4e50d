"""Filling a queue by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from django.db import transaction
from pydantic import Field, model_validator

from reviewapp.access.actors import Actor
from reviewapp.access.models import User
from reviewapp.access.roles import require, roles_on
from reviewapp.ingest.filters import Where, outputs_where
from reviewapp.ingest.models import GuardrailHit, Output, Pair
from reviewapp.lib.api import BulkAnswer, Strict
from reviewapp.lib.errors import FieldError, Unprocessable
from reviewapp.queues.errors import NothingPublished, QueueClosed
from reviewapp.queues.models import GoldAnswer, Queue
from reviewapp.queues.services.items import ImportSubject, NewItem, add_items, known_items, locked, record_items
from reviewapp.rubrics.answers import check_answers
from reviewapp.rubrics.selectors import criteria_of, published_version


class EnqueueIn(Strict):
    """What to enqueue by hand, and how."""

    external_ids: Annotated[list[str], Field(max_length=100_000)] | None = None
    where: Where | None = None
    limit: Annotated[int, Field(ge=1, le=100_000)] = 1000
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    assigned_to: str | None = None
    guardrail: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    gold: Annotated[dict[str, Any], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> EnqueueIn:
        if (self.external_ids is None) == (self.where is None):
            raise ValueError("needs either external_ids or where")
        return self


@transaction.atomic
def enqueue(*, actor: Actor, queue: Queue, body: EnqueueIn) -> BulkAnswer:
    """Add items by hand: by external id, or the newest outputs that match a filter. They have no probability.

    Raises AccessDenied, QueueClosed, Unprocessable for a person who does not review here or a wrong gold answer.
    """
    require(actor, "queues.enqueue", queue)
    if queue.closed_at is not None:
        raise QueueClosed("This queue is closed; nothing is added to it.")
    person = _assignee(queue, body.assigned_to)
    gold = _gold(queue, body.gold)
    answer = BulkAnswer()
    wanted = _wanted(queue, body, answer)
    held = locked(queue) or queue
    new = _unknown(held, wanted, answer)
    items = add_items(
        held,
        new,
        source="gold" if gold else "manual",
        priority=body.priority,
        assigned_to=person.pk if person else None,
    )
    if gold:
        GoldAnswer.objects.bulk_create(
            [GoldAnswer(item=item, key=key, value=value) for item in items for key, value in gold.items()]
        )
    answer.accepted += len(new)
    if new:
        record_items(
            actor,
            held,
            {
                "source": "manual",
                "items": len(new),
                **body.model_dump(mode="json", exclude={"external_ids", "gold"}, exclude_none=True),
            },
        )
    return answer


def _wrong(pointer: str, detail: str) -> Unprocessable:
    return Unprocessable(f"{pointer} {detail}", errors=(FieldError(pointer, detail),))


def _assignee(queue: Queue, username: str | None) -> User | None:
    if username is None:
        return None
    person = User.objects.filter(username=username, is_active=True).first()
    if person is None or "reviewer" not in roles_on(person, queue):
        raise _wrong("/assigned_to", "must be the username of somebody who reviews this queue")
    return person


def _gold(queue: Queue, gold: dict[str, Any] | None) -> dict[str, Any] | None:
    if gold is None:
        return None
    version = published_version(queue.rubric)
    if version is None:
        raise NothingPublished(
            "The rubric of this queue has no published version, so a known answer cannot be checked."
        )
    try:
        return check_answers(criteria_of(version), gold, is_import=True)
    except Unprocessable as error:
        moved = tuple(FieldError(part.pointer.replace("/grades", "/gold", 1), part.detail) for part in error.errors)
        raise Unprocessable(error.detail.replace("/grades", "/gold", 1), errors=moved) from error


def _wanted(queue: Queue, body: EnqueueIn, answer: BulkAnswer) -> list[NewItem]:
    """What the body names, in its order; unknown ids are refused line by line."""
    if queue.kind == "pairwise":
        if body.external_ids is None:
            raise _wrong("/where", "selects outputs; a pairwise queue takes the external_ids of pairs")
        return _named_pairs(queue, body.external_ids, answer)
    if body.guardrail is not None and queue.kind != "guardrail":
        raise _wrong("/guardrail", "is for guardrail queues")
    if body.external_ids is None:
        chosen = outputs_where(queue.project, body.where).filter(text_dropped_at=None)  # type: ignore[arg-type] # EnqueueIn has one of the two
        ids = list(chosen.order_by("-occurred_at", "-pk").values_list("pk", flat=True)[: body.limit])
        named = [(line, pk) for line, pk in enumerate(ids, start=1)]
    else:
        named = _named_outputs(queue, body.external_ids, answer)
    if queue.kind == "guardrail":
        return _decisions(named, body, answer)
    return [NewItem(ImportSubject(output_id=pk), "added by hand", line=line) for line, pk in named]


def _named_pairs(queue: Queue, names: Sequence[str], answer: BulkAnswer) -> list[NewItem]:
    known = dict(Pair.objects.filter(project=queue.project, external_id__in=names).values_list("external_id", "pk"))
    found = []
    for line, name in enumerate(names, start=1):
        if name in known:
            found.append(NewItem(ImportSubject(pair_id=known[name]), "added by hand", line=line))
        else:
            answer.reject(line, "is no pair of this project", external_id=name, pointer=f"/external_ids/{line - 1}")
    return found


def _named_outputs(queue: Queue, names: Sequence[str], answer: BulkAnswer) -> list[tuple[int, UUID]]:
    rows = Output.objects.filter(project=queue.project, external_id__in=names).values_list(
        "external_id", "pk", "text_dropped_at"
    )
    known = {name: (pk, dropped) for name, pk, dropped in rows}
    found = []
    for line, name in enumerate(names, start=1):
        pk, dropped = known.get(name, (None, None))
        if pk is None or dropped is not None:
            why = (
                "is no output of this project"
                if pk is None
                else "has no text any more: it was dropped by retention, or erased"
            )
            answer.reject(line, why, external_id=name, pointer=f"/external_ids/{line - 1}")
        else:
            found.append((line, pk))
    return found


def _decisions(named: list[tuple[int, UUID]], body: EnqueueIn, answer: BulkAnswer) -> list[NewItem]:
    hits = GuardrailHit.objects.filter(output__in=[pk for _, pk in named]).order_by("position")
    if body.guardrail is not None:
        hits = hits.filter(name=body.guardrail)
    by_output: dict[UUID, list[UUID]] = {}
    for output_id, pk in hits.values_list("output_id", "pk"):
        by_output.setdefault(output_id, []).append(pk)
    found = []
    for line, output_id in named:
        if output_id not in by_output and body.external_ids is not None:
            name = body.external_ids[line - 1]
            answer.reject(line, "has no such guardrail decision", external_id=name, pointer=f"/external_ids/{line - 1}")
        found += [
            NewItem(ImportSubject(output_id=output_id, hit_id=pk), "added by hand", line=line)
            for pk in by_output.get(output_id, [])
        ]
    return found


def _unknown(queue: Queue, wanted: list[NewItem], answer: BulkAnswer) -> list[NewItem]:
    """Those that the queue does not hold yet, once each; the others are counted as duplicates."""
    seen = set(known_items(queue, [new.subject for new in wanted]))
    found = []
    for new in wanted:
        if new.subject in seen:
            answer.duplicates += 1
        else:
            seen.add(new.subject)
            found.append(new)
    return found
