"""What this room holds about a subject: what reviewers typed about an output, and what a person typed anywhere.

What was chosen from a rubric stays, with its numbers, so that agreement and estimates do not move.
"""

from __future__ import annotations

from collections import Counter

from django.db import connection
from django.db.models import QuerySet

from reviewapp.grading.models import Adjudication, Draft, Grade, Review
from reviewapp.lib.subjects import ERASED, DataSubject, Held
from reviewapp.queues.erasure import items_of


def reviews_of(subject: DataSubject) -> QuerySet[Review]:
    """The reviews on an end user's items, or those that a person made; also ended ones."""
    if subject.person is not None:
        return Review.objects.filter(reviewer=subject.person)
    return Review.objects.filter(item__in=items_of(subject))


def drafts_of(subject: DataSubject) -> QuerySet[Draft]:
    """The same for unfinished answers."""
    if subject.person is not None:
        return Draft.objects.filter(reviewer=subject.person)
    return Draft.objects.filter(item__in=items_of(subject))


def find_subject(subject: DataSubject) -> list[Held]:
    """Reviews, their grades, drafts and the reasons of settlements; never another person's name."""
    reviews = reviews_of(subject).order_by("pk")
    # A value that is a text or a list may quote the output; the others are levels of the rubric.
    grades = Grade.objects.filter(review__in=reviews).order_by("pk")
    settled = Adjudication.objects.filter(review__in=reviews).order_by("pk")
    shown = ("item_id", "submitted_at", "ended_at", "comment", "correction")
    return [
        Held("reviews", reviews, shown, ("comment", "correction")),
        Held("grades", grades, ("review_id", "criterion__key", "value"), ("value",)),
        Held("drafts", drafts_of(subject).order_by("pk"), ("item_id", "updated_at", "answer"), ("answer",)),
        Held("settlements", settled, ("item_id", "reason"), ("reason",)),
    ]


def erase_subject(subject: DataSubject) -> Counter[str]:
    """Clear texts and drafts inside the caller's transaction; `queues` has ended the leases before."""
    counts: Counter[str] = Counter()
    reasons = Adjudication.objects.filter(review__in=reviews_of(subject)).exclude(reason=ERASED)
    counts["settlements"] = reasons.update(reason=ERASED)
    counts["drafts"] = drafts_of(subject).delete()[0]
    items = list(items_of(subject).values_list("pk", flat=True)) if subject.person is None else []
    with connection.cursor() as cursor:
        cursor.execute("SELECT reviewapp_erase_answers(%s::uuid[], %s)", [items, subject.person])
        counts["reviews and grades"] = cursor.fetchone()[0]
    return counts
