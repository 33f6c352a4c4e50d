"""Where reviewers differ most: what an adjudicator or the writer of the rubric looks at first."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from reviewapp.access.actors import Actor
from reviewapp.access.roles import can
from reviewapp.agreement.selectors.labels import Scope, grouped, labels
from reviewapp.agreement.selectors.questions import questions_of
from reviewapp.queues.models import Queue, QueueItem

MOST = 10
# The share of pairs of reviewers who differ on an item; more reviewers weigh more at the same share.
_DISPUTED = """
SELECT item, sum(n), 1 - sum(n * (n - 1)) / (sum(n) * (sum(n) - 1)) AS differing, jsonb_object_agg(value, n)::text
FROM (SELECT item, value, count(*) AS n FROM label GROUP BY item, value) counted
GROUP BY item HAVING sum(n) > 1 AND count(*) > 1
ORDER BY differing DESC, sum(n) DESC, item LIMIT %s"""


@dataclass(frozen=True)
class DisputedItem:
    """One item and criterion. differing: share of pairs of reviewers who differ, 0..1. answers: (answer, how many)."""

    item_id: UUID
    external_id: str
    criterion: str
    title: str
    n_reviews: int
    differing: float
    answers: tuple[tuple[str, int], ...]
    is_settled: bool


def disputed_items(*, viewer: Actor, queue: Queue, most: int = MOST) -> list[DisputedItem]:
    """The items with the largest disagreement over all comparable criteria; none for who may not read reviews."""
    if not can(viewer, "reviews.view", queue):
        return []
    rows: list[tuple[Any, ...]] = []
    for question in questions_of(queue):
        if question.kind in ("text", "highlight", "numeric"):
            continue
        found = grouped(labels(question, Scope(queue)), _DISPUTED, most)
        rows += [(float(row[2]), int(row[1]), row[0], question, json.loads(row[3])) for row in found]
    rows.sort(key=lambda row: (-row[0], -row[1], str(row[2])))
    rows = rows[:most]
    items = QueueItem.objects.filter(pk__in={row[2] for row in rows}).select_related("output", "pair", "adjudication")
    by_id = {item.pk: item for item in items}
    return [
        DisputedItem(
            item_id=item,
            external_id=_external_id(by_id[item]),
            criterion=question.key,
            title=question.criterion.title,
            n_reviews=n_reviews,
            differing=differing,
            answers=tuple(sorted(_answers(question.kind, counted).items(), key=lambda answer: (-answer[1], answer[0]))),
            is_settled=hasattr(by_id[item], "adjudication"),
        )
        for differing, n_reviews, item, question, counted in rows
    ]


def _external_id(item: QueueItem) -> str:
    subject = item.pair or item.output
    return subject.external_id if subject else str(item.pk)


def _answers(kind: str, counted: dict[str, int]) -> dict[str, int]:
    if kind == "preference":
        return counted
    return {_as_text(json.loads(text)): n for text, n in counted.items()}


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " + ".join(str(option) for option in value) or "none"
    return str(value)
