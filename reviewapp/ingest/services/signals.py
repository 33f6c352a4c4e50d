"""What is learned about an output after it arrived: signals of end users, and facts of upper rooms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from reviewapp.access.actors import Actor, system_actor
from reviewapp.access.models import Project
from reviewapp.access.roles import require
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.ingest.models import Fact, Output
from reviewapp.ingest.records import LateSignalIn
from reviewapp.ingest.services.chunks import Checked, checked_records, chunks, reject
from reviewapp.ingest.services.landing import known_outputs
from reviewapp.ingest.services.rows import encode_json
from reviewapp.ingest.services.selecting import active_rules, keep, picked_again
from reviewapp.lib.api import BulkAnswer
from reviewapp.lib.bodies import Line
from reviewapp.lib.clock import utc_now
from reviewapp.lib.errors import FieldError
from reviewapp.lib.ids import new_id
from reviewapp.lib.subjects import hold_off_erasures

_INSERT = """
INSERT INTO reviewapp_signal (id, output_id, kind, value, occurred_at, received_at)
SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::jsonb[], %s::timestamptz[], %s::timestamptz[])
ON CONFLICT (output_id, kind, occurred_at) DO NOTHING
RETURNING output_id
"""
ERASED_OUTPUT = "was erased on request; nothing more is taken about it"
Moment = tuple[UUID, str, datetime | None]
_BEFORE_ALL = datetime.fromisoformat("0001-01-01T00:00:00+00:00")


def ingest_signals(*, actor: Actor, project: Project, lines: Iterable[Line]) -> BulkAnswer:
    """Late signals; the rules run again on the outputs that got one. Raises AccessDenied before anything is read."""
    require(actor, "outputs.ingest", project)
    answer = BulkAnswer()
    for chunk in chunks(lines):
        entries = list(checked_records(chunk, LateSignalIn, answer))
        if entries:
            _land_chunk(actor=actor, project=project, entries=entries, answer=answer)
    return answer


@transaction.atomic
def _land_chunk(
    *, actor: Actor, project: Project, entries: Sequence[Checked[LateSignalIn]], answer: BulkAnswer
) -> None:
    hold_off_erasures()
    known = known_outputs(project, {entry.record.external_id for entry in entries})
    signals: dict[Moment, LateSignalIn] = {}
    right = 0
    for entry in entries:
        output = known.get(entry.record.external_id)
        if output is None:
            problem = FieldError("/external_id", "is not an output of this project; send the output first")
            reject(answer, entry.line, problem, value=entry.raw)
            continue
        if output.is_erased:
            reject(answer, entry.line, FieldError("/external_id", ERASED_OUTPUT), value=entry.raw)
            continue
        right += 1
        signals.setdefault((output.id, entry.record.kind, entry.record.occurred_at), entry.record)
    touched = _insert(signals)
    answer.accepted += len(touched)
    answer.duplicates += right - len(touched)
    if not touched:
        return
    picked = picked_again(project, active_rules(project), set(touched))
    event = record(
        actor=actor,
        event=Event.SIGNALS_INGESTED,
        subject=Subject("project", str(project.pk), project=project.slug),
        change=Change(more={"accepted": len(touched), "duplicates": right - len(touched), "selected": len(picked)}),
    )
    keep(picked, event)


def _insert(signals: Mapping[Moment, LateSignalIn]) -> list[UUID]:
    """Write what is new; the outputs of the written ones, one entry a signal. Sorted, so that senders make no ring."""
    ordered = sorted(signals, key=lambda moment: (moment[0], moment[1], moment[2] or _BEFORE_ALL))
    if not ordered:
        return []
    values = [signals[moment].value for moment in ordered]
    columns: list[Any] = [
        [new_id() for _ in ordered],
        [output_id for output_id, _, _ in ordered],
        [kind for _, kind, _ in ordered],
        [None if value is None else encode_json(value) for value in values],
        [occurred_at for _, _, occurred_at in ordered],
        [utc_now()] * len(ordered),
    ]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, columns)
        return [row[0] for row in cursor.fetchall()]


def record_fact(*, output: Output, name: str, value: float) -> None:
    """Keep a named number about an output, in the caller's transaction; a later value replaces it.

    Rules that look at it run again, unless the output's text was dropped.
    """
    record_facts(project=output.project, facts={(output.pk, name): value})


@transaction.atomic
def record_facts(*, project: Project, facts: Mapping[tuple[UUID, str], float]) -> None:
    """The same for many: `{(output id, name): value}`, all outputs of this project."""
    if not facts:
        return
    Fact.objects.bulk_create(
        [Fact(output_id=output_id, name=name, value=facts[output_id, name]) for output_id, name in sorted(facts)],
        update_conflicts=True,
        unique_fields=["output", "name"],
        update_fields=["value", "recorded_at"],
        batch_size=2_000,
    )
    rules = active_rules(project)
    names = {name for _, name in facts}
    if not any(rule.where.judge_below and rule.where.judge_below.fact in names for rule in rules):
        return
    picked = picked_again(project, rules, {output_id for output_id, _ in facts})
    if not picked:
        return
    event = record(
        actor=system_actor("ingest"),
        event=Event.OUTPUTS_SELECTED,
        subject=Subject("project", str(project.pk), project=project.slug),
        change=Change(more={"selected": len(picked), "because": sorted(names)}),
    )
    keep(picked, event)
