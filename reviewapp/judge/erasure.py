"""What this room holds about an end user: what judges wrote about their outputs, and the raw answers of models.

Verdicts, confidence and cost stay. A call under way is not stopped; its item is finished here, so its answer is thrown
away when it comes.
"""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from reviewapp.ingest.models import Pair
from reviewapp.judge.models import RunItem, Verdict
from reviewapp.lib.subjects import DataSubject, Held


def find_subject(subject: DataSubject) -> list[Held]:
    """Verdicts on the outputs and on pairs with them."""
    found = Verdict.objects.filter(_on(subject)).order_by("pk")
    shown = ("version__judge__slug", "criterion__key", "value", "preference", "created_at", "rationale", "raw")
    return [Held("verdicts", found, shown, ("value", "rationale", "raw"))]


def erase_subject(subject: DataSubject) -> Counter[str]:
    """Clear them inside the caller's transaction."""
    counts: Counter[str] = Counter()
    if not subject.outputs:
        return counts
    # Waits for a worker that is storing an answer now; whoever comes later finds the item finished.
    RunItem.objects.filter(_on(subject), finished_at=None).update(finished_at=Now())
    pairs: list[UUID] = list(_pairs(subject).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute("SELECT reviewapp_erase_verdicts(%s::uuid[], %s::uuid[])", [list(subject.outputs), pairs])
        counts["verdicts"] = cursor.fetchone()[0]
    return counts


def _pairs(subject: DataSubject) -> QuerySet[Pair]:
    return Pair.objects.filter(Q(a__in=subject.outputs) | Q(b__in=subject.outputs))


def _on(subject: DataSubject) -> Q:
    return Q(output__in=subject.outputs) | Q(pair__in=_pairs(subject))
