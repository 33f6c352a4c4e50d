"""The rows that calibration compares: what people settled, and what the judge said, per item and criterion."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet

from reviewapp.agreement.selectors import settled_labels
from reviewapp.agreement.selectors.labels import check_slice
from reviewapp.ingest.models import Configuration, Output
from reviewapp.judge.models import JudgeVersion, Verdict
from reviewapp.queues.models import Queue, QueueItem
from reviewapp.rubrics.models import Criterion

BETWEEN = " vs "


@dataclass(frozen=True)
class Said:
    """What the judge said on one subject: a value (of a pair its winner), or nothing but an error."""

    value: Any
    confidence: float | None
    is_error: bool


@dataclass(frozen=True)
class Row:
    """One labelled item that the judge was asked about."""

    item: UUID
    label: Any
    said: Said


@dataclass(frozen=True)
class Orders:
    """Pairs that were judged in both orders without error: how often which thing happened."""

    n: int
    first_twice: int
    second_twice: int
    consistent: int


@dataclass(frozen=True)
class Items:
    """A queue's items in the order of their external ids, with what they may be grouped by."""

    queue: Queue
    rows: list[QueueItem]

    @property
    def is_pairwise(self) -> bool:
        """Whether the items are pairs."""
        return self.queue.kind == "pairwise"

    def subject(self, item: QueueItem) -> UUID:
        """The output or pair."""
        subject = item.pair_id if self.is_pairwise else item.output_id
        if subject is None:
            raise RuntimeError("an item is an output or a pair")
        return subject


def items_of(queue: Queue) -> Items:
    """All items. Texts are not fetched."""
    rows: QuerySet[QueueItem] = QueueItem.objects.filter(queue=queue)
    if queue.kind == "pairwise":
        fields = [f"pair__{side}__{name}" for side in "ab" for name in ("feature", "metadata", "configuration__model")]
        rows = rows.select_related("pair__a__configuration", "pair__b__configuration").only(
            "pair__external_id", *fields
        )
        return Items(queue, sorted(rows, key=lambda item: _external_id(item.pair)))
    wanted = ("output__external_id", "output__feature", "output__metadata", "output__configuration__model")
    rows = rows.select_related("output__configuration").only(*wanted)
    return Items(queue, sorted(rows, key=lambda item: _external_id(item.output)))


def _external_id(subject: Any) -> str:
    return str(subject.external_id)


def criterion_rows(items: Items, labels: dict[UUID, Any], said: dict[UUID, Said]) -> list[Row]:
    """The items with a label that the judge was asked about, in the order of their ids."""
    return [
        Row(item.pk, labels[item.pk], said[items.subject(item)])
        for item in items.rows
        if item.pk in labels and items.subject(item) in said
    ]


def labels_by_key(queue: Queue, policy: Any) -> dict[str, dict[UUID, Any]]:
    """criterion key -> item -> value. Labels that a verdict settled are left out: no judge measures itself."""
    found: dict[str, dict[UUID, Any]] = {}
    for item, labels in settled_labels(queue=queue, policy=policy).items():
        for key, label in labels.items():
            if label.source in ("consensus", "adjudication"):
                found.setdefault(key, {})[item] = label.value
    return found


def verdicts_on(
    version: JudgeVersion, criterion: Criterion, items: Items | None
) -> tuple[dict[UUID, Said], Orders | None]:
    """What the version said, on the queue's items or (without items) on everything."""
    is_preference = criterion.kind == "preference"
    on = "pair_id" if (items.is_pairwise if items is not None else is_preference) else "output_id"
    verdicts = Verdict.objects.filter(version=version, criterion=criterion, **{f"{on}__isnull": False})
    if items is not None:
        verdicts = verdicts.filter(**{f"{on}__in": {items.subject(item) for item in items.rows}})
    # Errors first: a value of a later run stands for the question, an error only when nothing else was said.
    verdicts = verdicts.order_by(F("error").asc(nulls_last=True), "created_at")
    rows = verdicts.values_list(on, "order", "value", "preference", "confidence", "error")
    by_subject: dict[UUID, dict[str | None, Said]] = {}
    for subject, order, value, preference, confidence, error in rows:
        answer = preference if is_preference else value
        by_subject.setdefault(subject, {})[order] = Said(answer, confidence, error is not None)
    said = {subject: _both(orders) for subject, orders in by_subject.items()}
    return said, _orders(by_subject.values()) if is_preference else None


def _both(orders: dict[str | None, Said]) -> Said:
    """One verdict of the two orders: what both said, else a tie, of which no confidence is known."""
    one, *others = orders.values()
    if not others:
        return one
    if any(said.is_error for said in orders.values()):
        return Said(None, None, is_error=True)
    if any(said.value != one.value for said in others):
        return Said("tie", None, is_error=False)
    stated = [said.confidence for said in orders.values() if said.confidence is not None]
    return Said(one.value, sum(stated) / len(stated) if len(stated) == len(orders) else None, is_error=False)


def _orders(found: Iterable[dict[str | None, Said]]) -> Orders:
    both = [
        (orders["ab"].value, orders["ba"].value)
        for orders in found
        if {"ab", "ba"} <= orders.keys() and not (orders["ab"].is_error or orders["ba"].is_error)
    ]
    return Orders(
        n=len(both),
        first_twice=both.count(("a", "b")),
        second_twice=both.count(("b", "a")),
        consistent=sum(ab == ba for ab, ba in both),
    )


def cut_of(items: Items, name: str) -> dict[UUID, str | None]:
    """item -> the slice that it belongs to; null is what states none. Raises Malformed for an unknown slice."""
    check_slice(name)
    return {item.pk: _cut(item, name) for item in items.rows}


def _cut(item: QueueItem, name: str) -> str | None:
    if item.pair is not None and name in ("configuration", "model"):
        sides = sorted(_named(side, name) or "" for side in (item.pair.a, item.pair.b))
        return BETWEEN.join(side or "not stated" for side in sides) if any(sides) else None
    output = item.pair.a if item.pair is not None else item.output
    return None if output is None else _named(output, name)


def _named(output: Output, name: str) -> str | None:
    if name in ("configuration", "model"):
        configuration: Configuration | None = output.configuration
        if configuration is None:
            return None
        return configuration.model or None if name == "model" else configuration.label
    if name == "feature":
        return output.feature or None
    value = output.metadata.get(name.removeprefix("metadata."))
    return None if value is None else value if isinstance(value, str) else str(value)


def group_of(items: Items, unit: str) -> dict[UUID, str]:
    """item -> its model, or the id of its configuration. Items that state none are left out."""
    found: dict[UUID, str] = {}
    for item in items.rows:
        configuration = item.output.configuration if item.output is not None else None
        if configuration is not None and (unit == "configuration" or configuration.model):
            found[item.pk] = str(configuration.pk) if unit == "configuration" else configuration.model
    return found
