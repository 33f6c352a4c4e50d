"""What this room holds about a person: their name beside the figures of stored reports. The figures stay."""

from __future__ import annotations

import json
from collections import Counter

from django.db import connection
from django.db.models import QuerySet

from reviewapp.agreement.models import AgreementReport
from reviewapp.grading.models import Review
from reviewapp.lib.subjects import DataSubject, Held

_RENAME = """
UPDATE reviewapp_agreementreport SET document = replace(document::text, %(name)s, %(pseudonym)s)::jsonb
WHERE id = ANY(%(reports)s) AND strpos(document::text, %(name)s) > 0
"""


def find_subject(subject: DataSubject) -> list[Held]:
    """Reports of the queues in which the person reviewed; a report names reviewers pair by pair."""
    return [Held("agreement reports", _reports(subject), ("queue__slug", "computed_at"))] if subject.person else []


def erase_subject(subject: DataSubject) -> Counter[str]:
    """Put the pseudonym in the name's place. Only whole JSON texts are replaced, as PostgreSQL writes them."""
    counts: Counter[str] = Counter()
    if subject.person is None:
        return counts
    reports = list(_reports(subject).values_list("pk", flat=True))
    pseudonym = json.dumps(subject.pseudonym)
    with connection.cursor() as cursor:
        for name in subject.names:
            spelled = json.dumps(name, ensure_ascii=False)
            cursor.execute(_RENAME, {"name": spelled, "pseudonym": pseudonym, "reports": reports})
            counts["agreement reports"] += cursor.rowcount
    return counts


def _reports(subject: DataSubject) -> QuerySet[AgreementReport]:
    queues = Review.objects.filter(reviewer=subject.person).values("item__queue")
    return AgreementReport.objects.filter(queue__in=queues).order_by("pk")
