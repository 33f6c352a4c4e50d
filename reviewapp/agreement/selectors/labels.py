"""Labels of one question, counted by the database.

A label is one reviewer's answer on one item. The database groups; Python sees compositions, pairs and moments, whose
number does not grow with the labels. Only Conger's kappa and the intraclass correlations need every label.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Expression, F, Q, QuerySet, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Concat, Greatest, Least, NullIf

from reviewapp.agreement.selectors.entering import enters
from reviewapp.agreement.selectors.questions import Question
from reviewapp.grading.models import Grade, Preference
from reviewapp.lib.errors import Malformed
from reviewapp.queues.models import Queue

SLICES = ("configuration", "model", "feature", "language")
# Stands between the two sides of a pair while the database groups; no name holds it.
BETWEEN = "\x1f"
EMPTY = Value("", output_field=TextField())

_SIZES = """
SELECT slice, n, count(*) FROM (SELECT slice, item, count(*) AS n FROM label GROUP BY slice, item) sized
GROUP BY slice, n"""
_REVIEWERS = "SELECT slice, reviewer, count(*) FROM label GROUP BY slice, reviewer"
_COMPOSITIONS = """
SELECT slice, composition::text, count(*) FROM (
    SELECT slice, jsonb_object_agg(value, n) AS composition
    FROM (SELECT slice, item, value, count(*) AS n FROM label GROUP BY slice, item, value) counted
    GROUP BY slice, item) composed
GROUP BY slice, composition"""
# No join of the labels with themselves: right after an import the planner expects one row and would go through all
# labels for each of them. Equal rows are counted here, their pairs are taken apart in Python.
_PAIRS = """
SELECT slice, who, said, count(*) FROM (
    SELECT slice, array_agg(reviewer ORDER BY reviewer) AS who, array_agg(value ORDER BY reviewer) AS said
    FROM label GROUP BY slice, item HAVING count(*) > 1) together
GROUP BY slice, who, said"""
# The mean is taken off first: it changes no distance and keeps the digits.
_MOMENTS = """
SELECT slice, count(*), sum(v), sum(v * v) FROM (
    SELECT slice, item, value::float8 - avg(value::float8) OVER () AS v FROM label) centred
GROUP BY slice, item"""
_LONG = """
SELECT slice, dense_rank() OVER (PARTITION BY slice ORDER BY item) - 1,
    dense_rank() OVER (PARTITION BY slice ORDER BY reviewer) - 1, value
FROM label"""


@dataclass(frozen=True)
class Scope:
    """Which labels: of one queue, cut by `slice` (null: in one piece), of some configurations only (null: of all)."""

    queue: Queue
    slice: str | None = None
    configurations: tuple[UUID, ...] | None = None


@dataclass
class Tables:
    """Counted labels of one question in one slice.

    sizes: labels per item -> items. reviewers: id -> labels. compositions: ({answer: n}, items).
    pairs: (reviewer, reviewer) -> {(answer, answer): items}. moments: per item (n, sum, sum of squares), numbers only.
    """

    sizes: dict[int, int] = field(default_factory=dict)
    reviewers: dict[UUID, int] = field(default_factory=dict)
    compositions: list[tuple[dict[Hashable, int], int]] = field(default_factory=list)
    pairs: dict[tuple[UUID, UUID], dict[tuple[Hashable, Hashable], int]] = field(default_factory=dict)
    moments: list[tuple[int, float, float]] = field(default_factory=list)

    @property
    def n_items(self) -> int:
        """Items with a label."""
        return sum(self.sizes.values())

    @property
    def n_labels(self) -> int:
        """Labels, one a review."""
        return sum(size * items for size, items in self.sizes.items())

    @property
    def n_pairable(self) -> int:
        """Items with two labels or more."""
        return sum(items for size, items in self.sizes.items() if size >= 2)


def read_tables(question: Question, scope: Scope) -> dict[str | None, Tables]:
    """The counted labels per slice, under null when the scope is not cut; a slice without labels is absent."""
    found: dict[str | None, Tables] = {}

    def of(cut: str | None) -> Tables:
        return found.setdefault(cut, Tables())

    for cut, size, items in _grouped(question, scope, _SIZES):
        of(cut).sizes[size] = items
    for cut, reviewer, count in _grouped(question, scope, _REVIEWERS):
        of(cut).reviewers[reviewer] = count
    if question.kind in ("text", "highlight"):
        return found
    decode = decoder(question)
    for cut, who, said, items in _grouped(question, scope, _PAIRS):
        answers = [(reviewer, decode(text)) for reviewer, text in zip(who, said, strict=True)]
        for (left, one), (right, other) in combinations(answers, 2):
            cells = of(cut).pairs.setdefault((left, right), {})
            cells[one, other] = cells.get((one, other), 0) + items
    if question.kind == "numeric":
        for cut, size, total, squares in _grouped(question, scope, _MOMENTS):
            of(cut).moments.append((size, total, squares))
        return found
    for cut, composition, items in _grouped(question, scope, _COMPOSITIONS):
        of(cut).compositions.append((_decoded(json.loads(composition), decode), items))
    return found


def read_long(question: Question, scope: Scope) -> dict[str | None, list[tuple[int, int, str]]]:
    """Every label per slice as (item, reviewer, answer as text); items and reviewers are numbered from 0 per slice."""
    found: dict[str | None, list[tuple[int, int, str]]] = {}
    for cut, item, reviewer, value in _grouped(question, scope, _LONG):
        found.setdefault(cut, []).append((item, reviewer, value))
    return found


def decoder(question: Question) -> Callable[[str], Hashable]:
    """From the text of an answer to a value that can be counted: sets of options become frozensets."""
    if question.kind == "preference":
        return lambda text: text
    if question.kind == "multiselect":
        return lambda text: frozenset(json.loads(text))
    return json.loads


def _decoded(composition: dict[str, int], decode: Callable[[str], Hashable]) -> dict[Hashable, int]:
    counted: dict[Hashable, int] = {}
    for text, n in composition.items():
        # Two texts can be one value: [1, 2] and [2, 1] are the same set, 3 and 3.0 the same number.
        value = decode(text)
        counted[value] = counted.get(value, 0) + n
    return counted


def labels(question: Question, scope: Scope) -> QuerySet[Any]:
    """(item id, reviewer id, answer as text, slice) of every label that enters."""
    rows: QuerySet[Any]
    if question.kind == "preference":
        rows = Preference.objects.annotate(text=F("winner"))
    else:
        rows = Grade.objects.exclude(value=Value(None, output_field=Grade._meta.get_field("value")))
        rows = rows.annotate(text=Cast("value", TextField()))
    rows = rows.filter(enters("review__"), criterion__in=question.criterion_ids, review__item__queue=scope.queue)
    if scope.configurations is not None:
        rows = rows.filter(_of_configurations(scope))
    rows = rows.annotate(slice=slice_expression(scope))
    return rows.order_by().values_list("review__item_id", "review__reviewer_id", "text", "slice")


def grouped(rows: QuerySet[Any], tail: str, *more: Any) -> list[tuple[Any, ...]]:
    """The rows of `tail`, a SELECT over `label(item, reviewer, value, slice)`."""
    inner, parameters = rows.query.sql_with_params()
    # Both halves are ours: `inner` is compiled by Django with its parameters apart, `tail` is a constant above.
    statement = f"WITH label (item, reviewer, value, slice) AS ({inner}) {tail}"
    with connection.cursor() as cursor:
        cursor.execute(statement, [*parameters, *more])
        rows_found: list[tuple[Any, ...]] = cursor.fetchall()
    return rows_found


def _grouped(question: Question, scope: Scope, tail: str) -> list[tuple[Any, ...]]:
    return grouped(labels(question, scope), tail)


def check_slice(name: str) -> str:
    """A slice that can be cut by. Raises Malformed."""
    if name in SLICES or (name.startswith("metadata.") and len(name) > len("metadata.")):
        return name
    raise Malformed(f"slice must be one of {', '.join(SLICES)} or metadata.<key>.")


def slice_expression(scope: Scope) -> Expression | Value:
    """What the labels are cut by, as text; null where the output states nothing.

    Both sides of a pair answer the same input, so feature, language and metadata are those of side a; configuration
    and model are of both sides, in alphabetical order.
    """
    if scope.slice is None:
        return Value(None, output_field=TextField())
    is_pair = scope.queue.kind == "pairwise"
    one = "review__item__pair__a__" if is_pair else "review__item__output__"
    if scope.slice == "feature":
        return NullIf(F(f"{one}feature"), EMPTY)
    if scope.slice not in ("configuration", "model"):
        key = "language" if scope.slice == "language" else scope.slice.removeprefix("metadata.")
        return KeyTextTransform(key, F(f"{one}metadata"))
    name = "configuration_id" if scope.slice == "configuration" else "configuration__model"
    if not is_pair:
        return NullIf(Cast(F(one + name), TextField()), EMPTY)
    sides = [Coalesce(Cast(F(f"review__item__pair__{side}__{name}"), TextField()), EMPTY) for side in "ab"]
    return Concat(Least(*sides), Value(BETWEEN, output_field=TextField()), Greatest(*sides), output_field=TextField())


def _of_configurations(scope: Scope) -> Q:
    wanted = scope.configurations
    if scope.queue.kind == "pairwise":
        sides = [f"review__item__pair__{side}__configuration__in" for side in "ab"]
        return Q(**{sides[0]: wanted}) | Q(**{sides[1]: wanted})
    return Q(review__item__output__configuration__in=wanted)
