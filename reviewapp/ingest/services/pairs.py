"""Pairs in: two outputs with the same input."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from reviewapp.access.actors import Actor
from reviewapp.access.models import Project
from reviewapp.access.roles import require
from reviewapp.audit.events import Event
from reviewapp.ingest.models import Output, Pair
from reviewapp.ingest.records import Answered, PairIn, problem_of
from reviewapp.ingest.services.chunks import Checked, checked_records, chunks, reject
from reviewapp.ingest.services.landing import Known, known_outputs, land
from reviewapp.ingest.services.outputs import OTHER_CONTENT, record_arrival
from reviewapp.ingest.services.rows import Row, row_of
from reviewapp.lib.api import BulkAnswer
from reviewapp.lib.bodies import Line
from reviewapp.lib.clock import utc_now
from reviewapp.lib.errors import Conflict, FieldError
from reviewapp.lib.ids import new_id

_INSERT = """
INSERT INTO reviewapp_pair (id, project_id, external_id, a_id, b_id, created_at)
SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::uuid[], %s::uuid[], %s::timestamptz[])
ON CONFLICT (project_id, external_id) DO NOTHING
"""
OVERTAKEN = "Another sender gave one of these pairs other content meanwhile; send them again to see which."


@dataclass(slots=True)
class Wanted:
    """A pair on its way: the ids of its sides, and their rows when they came inline."""

    entry: Checked[PairIn]
    a_id: str
    b_id: str
    rows: tuple[Row, ...] = ()

    @property
    def external_id(self) -> str:
        return self.entry.record.external_id


def ingest_pairs(*, actor: Actor, project: Project, lines: Iterable[Line]) -> BulkAnswer:
    """Pairs; sides given inline become outputs, which sampling rules see like any other. Raises AccessDenied before
    anything is read.
    """
    require(actor, "pairs.ingest", project)
    answer = BulkAnswer()
    for chunk in chunks(lines):
        wanted = [
            found
            for entry in checked_records(chunk, PairIn, answer)
            if (found := _wanted(entry, project.sampling_seed, answer)) is not None
        ]
        if wanted:
            _land_chunk(actor=actor, project=project, wanted=wanted, answer=answer)
    return answer


def _wanted(entry: Checked[PairIn], seed: str, answer: BulkAnswer) -> Wanted | None:
    pair = entry.record
    if pair.a is None or pair.b is None:
        return Wanted(entry, pair.a_id or "", pair.b_id or "")
    rows = []
    for side, answered in (("a", pair.a), ("b", pair.b)):
        problem = problem_of(answered, entry.raw["input"])
        if problem is not None:
            reject(answer, entry.line, FieldError(f"/{side}{problem.pointer}", problem.detail), value=entry.raw)
            return None
        rows.append(_side_row(entry, side, answered, seed))
    return Wanted(entry, rows[0].external_id, rows[1].external_id, tuple(rows))


def _side_row(entry: Checked[PairIn], side: str, answered: Answered, seed: str) -> Row:
    external_id = f"{entry.record.external_id}#{side}"
    raw = {**entry.raw[side], "external_id": external_id, "input": entry.raw["input"]}
    return row_of(answered, raw, external_id=external_id, seed=seed)


@transaction.atomic
def _land_chunk(*, actor: Actor, project: Project, wanted: Sequence[Wanted], answer: BulkAnswer) -> None:
    """All or nothing per pair: a side lands only when its pair can."""
    known = known_outputs(project, {one for pair in wanted for one in (pair.a_id, pair.b_id)})
    sides = _sides_there(project, wanted)
    rows: dict[str, Row] = {}
    right: list[Wanted] = []
    rejected = 0
    for pair in wanted:
        problem = _problem(pair, sides=sides, known=known, arriving=rows)
        if problem is not None:
            rejected += 1
            reject(answer, pair.entry.line, problem, value=pair.entry.raw)
            continue
        sides.setdefault(pair.external_id, (pair.a_id, pair.b_id))
        rows.update({row.external_id: row for row in pair.rows if row.external_id not in known})
        right.append(pair)
    landed = land(project, list(rows.values()))
    if any(one.content_sha256 != rows[name].content_sha256 for name, one in landed.known.items()):
        raise Conflict(OVERTAKEN)
    ids = {name: one.id for name, one in (known | landed.known).items()} | {
        row.external_id: row.id for row in landed.new
    }
    accepted = _insert(project, right, ids)
    answer.accepted += accepted
    answer.duplicates += len(right) - accepted
    if accepted or landed.new:
        counts = {"accepted": accepted, "duplicates": len(right) - accepted, "other_content_or_unknown": rejected}
        record_arrival(actor=actor, project=project, event=Event.PAIRS_INGESTED, rows=landed.new, counts=counts)


def _pairs_there(project: Project, wanted: Sequence[Wanted]) -> dict[str, tuple[UUID, UUID]]:
    """The keys of both sides of the pairs that are in the table, by the pair's id."""
    there = Pair.objects.filter(project=project, external_id__in=[pair.external_id for pair in wanted])
    return {name: (a, b) for name, a, b in there.values_list("external_id", "a_id", "b_id")}


def _sides_there(project: Project, wanted: Sequence[Wanted]) -> dict[str, tuple[str, str]]:
    """The same by the outputs' own ids. Two look-ups by key: a join of fresh tables is planned for few rows."""
    there = _pairs_there(project, wanted)
    keys = {key for pair in there.values() for key in pair}
    names = dict(Output.objects.filter(pk__in=keys).values_list("pk", "external_id"))
    return {name: (names[a], names[b]) for name, (a, b) in there.items()}


def _problem(
    pair: Wanted, *, sides: dict[str, tuple[str, str]], known: dict[str, Known], arriving: dict[str, Row]
) -> FieldError | None:
    """Why this pair cannot land, given what is there and what arrives before it in this chunk."""
    if sides.get(pair.external_id, (pair.a_id, pair.b_id)) != (pair.a_id, pair.b_id):
        return OTHER_CONTENT
    for row in pair.rows:
        there = known.get(row.external_id) or arriving.get(row.external_id)
        if there is not None and there.content_sha256 != row.content_sha256:
            return FieldError("/" + row.external_id[-1], "is known with other content; nothing was overwritten")
    if pair.rows:
        return None
    named = [known.get(name) or arriving.get(name) for name in (pair.a_id, pair.b_id)]
    for field, output in zip(("/a_id", "/b_id"), named, strict=True):
        if output is None:
            return FieldError(field, "is not an output of this project; send the output first")
    if len({output.input_sha256 for output in named if output}) > 1:
        return FieldError("/b_id", "has another input than a_id; a pair answers one input twice")
    return None


def _insert(project: Project, pairs: Sequence[Wanted], ids: dict[str, UUID]) -> int:
    """Write the pairs that are not there; how many.

    Raises Conflict when another sender gave one of them other sides meanwhile.
    """
    rows = {pair.external_id: pair for pair in pairs}
    names = sorted(rows)
    columns: list[Any] = [
        [new_id() for _ in names],
        [project.pk] * len(names),
        names,
        [ids[rows[name].a_id] for name in names],
        [ids[rows[name].b_id] for name in names],
        [utc_now()] * len(names),
    ]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, columns)
        written = int(cursor.rowcount)
    there = _pairs_there(project, pairs)
    if any(there[name] != (ids[rows[name].a_id], ids[rows[name].b_id]) for name in names):
        raise Conflict(OVERTAKEN)
    return written
