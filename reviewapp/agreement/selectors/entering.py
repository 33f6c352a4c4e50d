"""Which reviews enter agreement and settled labels."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from reviewapp.grading.models import Review
from reviewapp.queues.models import Queue

PLACES = ("place", "extra")


def enters(prefix: str = "") -> Q:
    """Current first attempts on `place` and `extra` seats, and imported ones; gold, repeats and adjudication do not.

    prefix: the way to the review, such as `review__`.
    """
    of_people = Q(**{f"{prefix}is_imported": True}) | Q(**{f"{prefix}seat__kind__in": PLACES})
    return of_people & Q(**{f"{prefix}ended_at": None, f"{prefix}attempt": 1})


def entering_reviews(queue: Queue) -> QuerySet[Review]:
    """The reviews of one queue that enter."""
    return Review.objects.filter(enters(), item__queue=queue)
