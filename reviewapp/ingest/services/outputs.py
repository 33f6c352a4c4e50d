"""Outputs in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from reviewapp.access.actors import Actor
from reviewapp.access.models import Project
from reviewapp.access.roles import require
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.ingest.records import OutputIn, problem_of
from reviewapp.ingest.services.chunks import Checked, checked_records, chunks, reject
from reviewapp.ingest.services.landing import land
from reviewapp.ingest.services.rows import Row, row_of
from reviewapp.ingest.services.selecting import Picked, active_rules, keep, picked_among
from reviewapp.lib.api import BulkAnswer
from reviewapp.lib.bodies import Line
from reviewapp.lib.errors import FieldError

OTHER_CONTENT = FieldError("/external_id", "is known with other content; nothing was overwritten")
ERASED_CONTENT = FieldError("/external_id", "was erased on request; it is not taken in again under this id")


def ingest_outputs(*, actor: Actor, project: Project, lines: Iterable[Line]) -> BulkAnswer:
    """Good records land, bad ones are counted with their line. Each chunk of 1,000 is a transaction with one event.

    Raises AccessDenied before anything is read, and whatever the reader of the body raises between chunks; then the
    chunks before stay, and sending all of it again only makes duplicates of them.
    """
    require(actor, "outputs.ingest", project)
    answer = BulkAnswer()
    for chunk in chunks(lines):
        rows = _rows(chunk, project.sampling_seed, answer)
        if rows:
            _land_chunk(actor=actor, project=project, rows=rows, answer=answer)
    return answer


def _rows(lines: Sequence[Line], seed: str, answer: BulkAnswer) -> list[tuple[Checked[OutputIn], Row]]:
    found = []
    for entry in checked_records(lines, OutputIn, answer):
        problem = problem_of(entry.record, entry.raw["input"])
        if problem is not None:
            reject(answer, entry.line, problem, value=entry.raw)
            continue
        found.append((entry, row_of(entry.record, entry.raw, external_id=entry.record.external_id, seed=seed)))
    return found


@transaction.atomic
def _land_chunk(
    *, actor: Actor, project: Project, rows: Sequence[tuple[Checked[OutputIn], Row]], answer: BulkAnswer
) -> None:
    first: dict[str, Row] = {}
    for _, row in rows:
        first.setdefault(row.external_id, row)
    landed = land(project, list(first.values()))
    hashes = {external_id: known.content_sha256 for external_id, known in landed.known.items()}
    new = {row.external_id: row for row in landed.new}
    duplicates = rejected = 0
    for entry, row in rows:
        if new.get(row.external_id) is row:
            continue
        there = new.get(row.external_id)
        if row.content_sha256 == (there.content_sha256 if there else hashes[row.external_id]):
            duplicates += 1
        else:
            rejected += 1
            is_erased = there is None and landed.known[row.external_id].is_erased
            reject(answer, entry.line, ERASED_CONTENT if is_erased else OTHER_CONTENT, value=entry.raw)
    answer.accepted += len(landed.new)
    answer.duplicates += duplicates
    if landed.new:
        counts = {"accepted": len(landed.new), "duplicates": duplicates, "other_content": rejected}
        record_arrival(actor=actor, project=project, event=Event.OUTPUTS_INGESTED, rows=landed.new, counts=counts)


def record_arrival(
    *, actor: Actor, project: Project, event: Event, rows: Sequence[Row], counts: dict[str, int]
) -> None:
    """Beat three of a chunk: run the rules on the new rows, record one event, keep the selections under it."""
    picked = picked_among(active_rules(project), rows)
    recorded = record(
        actor=actor,
        event=event,
        subject=Subject("project", str(project.pk), project=project.slug),
        change=Change(more={**counts, "selected": _selected_ids(rows, picked)}),
    )
    keep(picked, recorded)


def _selected_ids(rows: Sequence[Row], picked: Sequence[Picked]) -> list[Any]:
    taken = {one.output_id for one in picked}
    return [row.external_id for row in rows if row.id in taken]
