"""What this room holds about an end user: the texts of their outputs and what they did with them.

Numbers, times, configuration and probabilities stay, so that no estimate moves. `external_id` stays too, because
everything else hangs on it and by it a record that is sent again is known; only one that names the subject is replaced.
`feature`, and a guardrail's name and category, are words of the application, not of its users. The two hashes are
replaced by random ones: a short text can be found from its SHA-256 by guessing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from reviewapp.access.actors import system_actor
from reviewapp.access.models import Project
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.ingest.models import GuardrailHit, Output, Pair, Selection, Signal
from reviewapp.lib.subjects import ERASED, DataSubject, Held, mention_pattern

WORKER = system_actor("retention")
BATCH = 1_000
# The other side of a pair has the same input. It is the subject's too, unless the sender says that it is another's.
_WITH_PARTNERS = """
WITH RECURSIVE mine AS (
    SELECT unnest(%s::uuid[]) AS id
    UNION
    SELECT o.id FROM mine
    JOIN reviewapp_pair p ON mine.id IN (p.a_id, p.b_id)
    JOIN reviewapp_output o ON o.id IN (p.a_id, p.b_id) AND o.id <> mine.id
    WHERE o.end_user_id IS NULL AND o.erased_at IS NULL
)
SELECT id FROM mine ORDER BY id
"""
_ERASE = """
UPDATE reviewapp_output SET
    input = NULL, output = NULL, context = NULL, steps = NULL, metadata = '{}', session_id = NULL, end_user_id = NULL,
    error = CASE WHEN error IS NOT NULL THEN %(erased)s END,
    external_id = CASE WHEN to_json(external_id)::text ~ %(mention)s THEN 'erased-' || id ELSE external_id END,
    content_sha256 = encode(sha256(gen_random_uuid()::text::bytea), 'hex'),
    input_sha256 = encode(sha256(gen_random_uuid()::text::bytea), 'hex'),
    text_dropped_at = coalesce(text_dropped_at, %(at)s), erased_at = %(at)s
WHERE id = ANY(%(outputs)s) AND erased_at IS NULL
"""
_RENAME_PAIRS = """
UPDATE reviewapp_pair SET external_id = 'erased-' || id
WHERE (a_id = ANY(%(outputs)s) OR b_id = ANY(%(outputs)s)) AND to_json(external_id)::text ~ %(mention)s
"""


def outputs_of_end_user(*, project: Project, end_user_id: str) -> list[UUID]:
    """The outputs that the sender names this end user on, oldest first; erased ones carry no name any more."""
    found = Output.objects.filter(project=project, end_user_id=end_user_id)
    return list(found.order_by("pk").values_list("pk", flat=True))


def with_partners(outputs: list[UUID]) -> list[UUID]:
    """These outputs and those that stand in a pair with them, unless another end user's."""
    with connection.cursor() as cursor:
        cursor.execute(_WITH_PARTNERS, [outputs])
        return [row[0] for row in cursor.fetchall()]


def find_subject(subject: DataSubject) -> list[Held]:
    """Outputs, their signals and guardrail decisions, and the pairs that they stand in."""
    mine = Output.objects.filter(pk__in=subject.outputs).order_by("pk")
    texts = ("input", "output", "context", "steps", "metadata", "error")
    names = ("external_id", "occurred_at", "session_id", "end_user_id", "feature")
    signals = Signal.objects.filter(output__in=subject.outputs).order_by("pk")
    hits = GuardrailHit.objects.filter(output__in=subject.outputs).order_by("pk")
    pairs = Pair.objects.filter(Q(a__in=subject.outputs) | Q(b__in=subject.outputs)).order_by("pk")
    return [
        Held("outputs", mine, (*names, *texts), texts),
        Held("signals", signals, ("output__external_id", "kind", "value", "occurred_at"), ("value",)),
        Held("guardrail decisions", hits, ("output__external_id", "name", "version", "action", "spans")),
        Held("pairs", pairs, ("external_id", "a__external_id", "b__external_id")),
    ]


def erase_subject(subject: DataSubject) -> Counter[str]:
    """Clear the texts; the rows and their numbers stay. Last of all rooms: by these rows the others find theirs."""
    counts: Counter[str] = Counter()
    if not subject.outputs:
        return counts
    values: dict[str, Any] = {
        "outputs": list(subject.outputs),
        "mention": mention_pattern(subject.names),
        "at": subject.at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RENAME_PAIRS, values)
        cursor.execute(_ERASE, {**values, "erased": ERASED})
        counts["outputs"] = cursor.rowcount
    told = Signal.objects.filter(output__in=subject.outputs, value__isnull=False)
    counts["signals"] = told.update(value=None)
    GuardrailHit.objects.filter(output__in=subject.outputs).update(spans=[])
    return counts


def drop_expired(*, keep: Sequence[Exists]) -> int:
    """Drop the text of outputs that no rule selected and that arrived before their project's retention; how many.

    keep: conditions of upper rooms under which an output is in use (`OuterRef("pk")` is the output). One event per
    project and batch, with the count; the rows, their numbers and metadata stay.
    """
    return sum(_drop_of(project, keep) for project in Project.objects.order_by("pk"))


def _drop_of(project: Project, keep: Sequence[Exists]) -> int:
    end = Now() - timedelta(days=project.retention_days)
    old = Output.objects.filter(project=project, text_dropped_at=None, received_at__lt=end)
    for condition in (Exists(Selection.objects.filter(output=OuterRef("pk"))), *keep):
        old = old.exclude(condition)
    total = 0
    while outputs := list(old.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        total += _drop(project, outputs)
    return total


@transaction.atomic
def _drop(project: Project, outputs: list[UUID]) -> int:
    rows = Output.objects.filter(pk__in=outputs, text_dropped_at=None)
    dropped = rows.update(input=None, output=None, context=None, steps=None, text_dropped_at=Now())
    Signal.objects.filter(output__in=outputs, value__isnull=False).update(value=None)
    record(
        actor=WORKER,
        event=Event.TEXTS_DROPPED,
        subject=Subject("project", str(project.pk), project=project.slug),
        change=Change(more={"outputs": dropped, "retention_days": project.retention_days}),
    )
    return dropped
