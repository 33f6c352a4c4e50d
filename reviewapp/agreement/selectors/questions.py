"""Which questions of a queue's rubric the figures are about."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from reviewapp.agreement.selectors.entering import entering_reviews
from reviewapp.queues.models import Queue
from reviewapp.rubrics.models import Criterion
from reviewapp.rubrics.selectors import published_version


@dataclass(frozen=True)
class Question:
    """A criterion and, in `criterion_ids`, the rows of every rubric version that asked the same, word for word.

    `criterion` is that of the newest version with reviews.
    """

    criterion: Criterion
    criterion_ids: tuple[UUID, ...]

    @property
    def key(self) -> str:
        """The key in the rubric."""
        return self.criterion.key

    @property
    def kind(self) -> str:
        """The kind of answer."""
        return self.criterion.kind


def questions_of(queue: Queue) -> list[Question]:
    """The criteria of the newest rubric version with reviews in this queue (else the published one), in its order.

    Answers to an older version count where it asked the same; a question that was reworded starts anew.
    """
    used = set(entering_reviews(queue).order_by().values_list("rubric_version_id", flat=True).distinct())
    asked = list(Criterion.objects.filter(version__in=used).select_related("version"))
    if asked:
        newest = max(criterion.version.number for criterion in asked)
        base = [criterion for criterion in asked if criterion.version.number == newest]
    else:
        version = published_version(queue.rubric)
        base = asked = list(Criterion.objects.filter(version=version)) if version else []
    same: dict[Hashable, list[UUID]] = {}
    for criterion in asked:
        same.setdefault(_wording(criterion), []).append(criterion.pk)
    return [
        Question(criterion, tuple(same[_wording(criterion)]))
        for criterion in sorted(base, key=lambda one: one.position)
    ]


def _wording(criterion: Criterion) -> Hashable:
    asked: tuple[Any, ...] = (
        *(criterion.key, criterion.kind, criterion.title, criterion.help),
        *(repr(criterion.levels), criterion.minimum, criterion.maximum),
    )
    return asked
