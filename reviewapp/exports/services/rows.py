"""What stands in the files, read row by row through server-side cursors: memory does not grow with the dataset.

JSON columns are taken as the text that PostgreSQL writes for them: nothing is parsed to be written again.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Case, Count, Exists, OuterRef, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Cast, Concat

from reviewapp.agreement.selectors import SettledLabel, settled_labels
from reviewapp.agreement.selectors.entering import enters
from reviewapp.agreement.selectors.settled import Policy
from reviewapp.exports.models import Dataset
from reviewapp.exports.services.definition import SPLITS
from reviewapp.grading.models import Grade, Preference, Review
from reviewapp.ingest.filters import Where, outputs_where
from reviewapp.queues.models import Queue, QueueItem

CHUNK = 2_000
OVERALL = "preference"  # the criterion that every pairwise rubric has
Labels = Mapping[str, SettledLabel]


class Side(NamedTuple):
    """One answer: configuration id, and JSON texts."""

    configuration: UUID | None
    output: str | None
    context: str | None


class Item(NamedTuple):
    """One item of a queue. `input` is a JSON text; `b` is set for pairs only."""

    id: UUID
    source: str
    matches: bool
    probability: float | None
    correction: str | None
    external_id: str
    input_sha256: str
    session_id: str | None
    end_user_id: str | None
    input: str | None
    a: Side
    b: Side | None

    @property
    def has_text(self) -> bool:
        """Whether retention left what there is to learn from."""
        texts = [self.input, self.a.output, *([self.b.output] if self.b else [])]
        return all(text is not None and text != "null" for text in texts)


class RawRow(NamedTuple):
    """One answer of one reviewer on one criterion. `value` is a JSON text; `seat` is null for imported ones."""

    external_id: str
    reviewer: str
    criterion: str
    value: str
    attempt: int
    submitted_at: Any
    is_imported: bool
    seat: str | None
    item_source: str
    matches: bool


@dataclass(frozen=True)
class Votes:
    """How the reviewers of a pair answered."""

    counts: Mapping[str, int]

    @property
    def n(self) -> int:
        """How many of them."""
        return sum(self.counts.values())

    @property
    def most(self) -> str | None:
        """The one answer that most gave; None when two share the first place."""
        ranked = sorted(self.counts.items(), key=lambda pair: -pair[1])
        if not ranked or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
            return None
        return ranked[0][0]


def queues_of(dataset: Dataset) -> list[Queue]:
    """The queues in the order in which the files hold them."""
    return list(dataset.queues.order_by("slug").select_related("rubric"))


def matches(dataset: Dataset, way: str) -> Exists | Value:
    """Whether the dataset's filter lets an output through; `way` leads to its key."""
    if not dataset.where:
        return Value(True)
    return Exists(outputs_where(dataset.project, Where.model_validate(dataset.where)).filter(pk=OuterRef(way)))


def items_of(dataset: Dataset, queue: Queue) -> Iterator[Item]:
    """Every item of the queue, oldest first."""
    is_pair = queue.kind == "pairwise"
    side = "pair__a" if is_pair else "output"
    rows = (
        QueueItem.objects.filter(queue=queue)
        .annotate(
            matches_=matches(dataset, f"{side}__pk"),
            correction_=_correction(),
            input_=Cast(f"{side}__input", TextField()),
            a_output=Cast(f"{side}__output", TextField()),
            a_context=Cast(f"{side}__context", TextField()),
        )
        .order_by("pk")
    )
    fields = [
        "pk", "source", "matches_", "inclusion_probability", "correction_",
        "pair__external_id" if is_pair else "output__external_id",
        f"{side}__input_sha256", f"{side}__session_id", f"{side}__end_user_id", "input_",
        f"{side}__configuration_id", "a_output", "a_context",
    ]  # fmt: skip
    if is_pair:
        rows = rows.annotate(
            b_output=Cast("pair__b__output", TextField()), b_context=Cast("pair__b__context", TextField())
        )
        fields += ["pair__b__configuration_id", "b_output", "b_context"]
    for row in rows.values_list(*fields).iterator(chunk_size=CHUNK):
        yield Item._make([*row[:10], Side._make(row[10:13]), Side._make(row[13:16]) if is_pair else None])


def _correction() -> Subquery:
    # The adjudicator's own wording, else the newest of the reviewers'.
    found = Review.objects.filter(item=OuterRef("pk"), ended_at=None, correction__isnull=False)
    is_settling = Case(When(adjudication__isnull=False, then=Value(0)), default=Value(1))
    return Subquery(found.order_by(is_settling, "-submitted_at", "-pk").values("correction")[:1])


def labels_of(dataset: Dataset, queue: Queue) -> Mapping[UUID, Labels]:
    """The labels of the dataset's criteria under its policy, by item; without the unsettled ones."""
    policy: Policy = "adjudicated" if dataset.labels == "adjudicated" else "settled"
    wanted = set(dataset.criteria)
    return {
        item: {key: label for key, label in labels.items() if label.is_settled and (not wanted or key in wanted)}
        for item, labels in settled_labels(queue=queue, policy=policy).items()
    }


def votes_of(queue: Queue) -> dict[UUID, Votes]:
    """The overall preferences of the reviewers (not of adjudicators, gold or repeats), by item."""
    counted = (
        Preference.objects.filter(review__item__queue=queue, criterion__key=OVERALL)
        .filter(enters("review__"))
        .values_list("review__item_id", "winner")
        .annotate(n=Count("pk"))
        .order_by("review__item_id", "winner")
    )
    found: dict[UUID, Counter[str]] = {}
    for item, winner, n in counted.iterator(chunk_size=CHUNK):
        found.setdefault(item, Counter())[winner] = n
    return {item: Votes(counts) for item, counts in found.items()}


def raw_rows_of(dataset: Dataset, queue: Queue) -> Iterator[RawRow]:
    """Every current answer in the queue on the dataset's criteria, grades first, then preferences."""
    for row in _raw(Grade.objects.annotate(answer=Cast("value", TextField())), dataset, queue, "answer"):
        yield RawRow._make([row[0], row[1] or row[2], *row[3:]])
    for row in _raw(Preference.objects.annotate(answer=_preference_text()), dataset, queue, "answer"):
        yield RawRow._make([row[0], row[1] or row[2], *row[3:]])


def _preference_text() -> Any:
    # The shape that a preference has in `grades`; `strength` only where it was given.
    winner, strength = Cast("winner", TextField()), Cast("strength", TextField())
    text = TextField()
    with_strength = Concat(
        Value('{"winner":"'), winner, Value('","strength":'), strength, Value("}"), output_field=text
    )
    without = Concat(Value('{"winner":"'), winner, Value('"}'), output_field=text)
    return Case(When(strength__isnull=True, then=without), default=with_strength, output_field=text)


def _raw(rows: QuerySet[Any], dataset: Dataset, queue: Queue, value: str) -> Iterator[tuple[Any, ...]]:
    side = "pair__a" if queue.kind == "pairwise" else "output"
    name = "pair" if queue.kind == "pairwise" else "output"
    rows = rows.filter(review__item__queue=queue, review__ended_at=None)
    if dataset.criteria:
        rows = rows.filter(criterion__key__in=dataset.criteria)
    fields = [
        f"review__item__{name}__external_id", "review__reviewer__imported_name", "review__reviewer__username",
        "criterion__key", value, "review__attempt", "review__submitted_at", "review__is_imported",
        "review__seat__kind", "review__item__source", "matches_",
    ]  # fmt: skip
    ordered = rows.annotate(matches_=matches(dataset, f"review__item__{side}__pk")).order_by(
        "review__item_id", "review__submitted_at", "review_id", "criterion__position", "pk"
    )
    yield from ordered.values_list(*fields).iterator(chunk_size=CHUNK)


def split_of(item: Item, split: Mapping[str, Any] | None) -> str | None:
    """The side an item falls on: the hash of its input (session, end user) against the cumulated shares.

    An item without session or end user is split by its input.
    """
    if split is None:
        return None
    value = {"session": item.session_id, "end_user": item.end_user_id}.get(split["by"])
    kind = split["by"] if value else "input"
    digest = hashlib.sha256(f"reviewapp split by {kind}\n{value or item.input_sha256}".encode()).digest()
    unit = int.from_bytes(digest[:8], "big") / 2**64
    reached = 0.0
    sides = [side for side in SPLITS if split[side] > 0]
    for side in sides:
        reached += split[side]
        if unit < reached:
            return side
    return sides[-1]
