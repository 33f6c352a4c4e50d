"""Outputs into their tables: what is known is looked up, what is new is copied, the unique constraint decides races."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from psycopg import errors, sql

from reviewapp.access.models import Project
from reviewapp.ingest.models import Configuration, GuardrailHit, Output, Signal
from reviewapp.ingest.services.rows import (
    HIT_COLUMNS,
    OUTPUT_COLUMNS,
    SIGNAL_COLUMNS,
    Row,
    hit_lines,
    output_line,
    signal_lines,
)
from reviewapp.lib.canonical import canonical_sha256
from reviewapp.lib.clock import rfc3339, utc_now
from reviewapp.lib.errors import Conflict

# Every round but the last was stopped by a sender who committed the same id: 50 at once take two rounds.
MAX_ROUNDS = 20
_KNOWN = """
SELECT external_id, id, content_sha256, input_sha256, erased_at IS NOT NULL FROM reviewapp_output
WHERE project_id = %s AND external_id = ANY(%s::text[])
"""


@dataclass(frozen=True)
class Known:
    """An output that is in the table: enough to tell a duplicate from other content and to pair it."""

    id: UUID
    content_sha256: str
    input_sha256: str
    is_erased: bool


@dataclass
class Landed:
    """`new` rows were written now; `known` were there before, by `external_id`."""

    new: list[Row] = field(default_factory=list)
    known: dict[str, Known] = field(default_factory=dict)


def known_outputs(project: Project, external_ids: Iterable[str]) -> dict[str, Known]:
    """The outputs among these ids that are in the table."""
    with connection.cursor() as cursor:
        # One array, not a thousand parameters: PostgreSQL and the driver read those for longer than they search.
        cursor.execute(_KNOWN, [project.pk, list(external_ids)])
        return {row[0]: Known(*row[1:]) for row in cursor.fetchall()}


def land(project: Project, rows: Sequence[Row]) -> Landed:
    """Write what is new, in the caller's transaction. `external_id` must be unique among the rows.

    Raises Conflict when other senders keep landing the same ids.
    """
    ordered = sorted(rows, key=lambda row: row.external_id)
    for _ in range(MAX_ROUNDS):
        known = known_outputs(project, (row.external_id for row in ordered))
        new = [row for row in ordered if row.external_id not in known]
        try:
            with transaction.atomic():
                _copy_all(project, new)
        except errors.UniqueViolation:
            continue
        return Landed(new=new, known=known)
    raise Conflict("Others keep sending the same records; send them again.")


def _copy_all(project: Project, rows: Sequence[Row]) -> None:
    if not rows:
        return
    configurations = _configuration_ids(project, rows)
    received_at = rfc3339(utc_now())
    key = str(project.pk)
    lines: list[tuple[str | None, ...]] = [
        output_line(
            row,
            project=key,
            configuration=configurations[row.configuration_key] if row.configuration_key else None,
            received_at=received_at,
        )
        for row in rows
    ]
    copy_rows(Output, OUTPUT_COLUMNS, lines)
    copy_rows(GuardrailHit, HIT_COLUMNS, (line for row in rows for line in hit_lines(row, project=key)))
    copy_rows(Signal, SIGNAL_COLUMNS, (line for row in rows for line in signal_lines(row, received_at=received_at)))


def copy_rows(table: Any, columns: Sequence[str], lines: Iterable[tuple[str | None, ...]]) -> int:
    """COPY texts into a table; how many. Raises psycopg's own errors: Django does not wrap COPY."""
    waiting = list(lines)
    if not waiting:
        return 0
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table._meta.db_table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for line in waiting:
            copy.write_row(line)
    refresh_statistics(table)
    return len(waiting)


def refresh_statistics(table: Any) -> None:
    """After a bulk write: a table that doubled since its statistics were taken gets new ones.

    Until then the planner takes it for small and loops over it. The function in the database does nothing for less.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT reviewapp_refresh_statistics(%s)", [table._meta.db_table])


def _configuration_ids(project: Project, rows: Sequence[Row]) -> dict[str, str]:
    """The id of each configuration among the rows by its key; new ones are made, in one order for all senders."""
    documents = {row.configuration_key: row.configuration for row in rows if row.configuration_key is not None}
    prints = {key: canonical_sha256(document) for key, document in documents.items()}
    found = _ids_of(project, prints.values())
    missing = sorted((prints[key], key) for key in prints if prints[key] not in found)
    if missing:
        Configuration.objects.bulk_create(
            [_configuration(project, fingerprint, documents[key] or {}) for fingerprint, key in missing],
            ignore_conflicts=True,
        )
        found = _ids_of(project, prints.values())
    return {key: found[fingerprint] for key, fingerprint in prints.items()}


def _ids_of(project: Project, fingerprints: Iterable[str]) -> dict[str, str]:
    wanted = Configuration.objects.filter(project=project, fingerprint__in=list(fingerprints))
    return {fingerprint: str(pk) for fingerprint, pk in wanted.values_list("fingerprint", "pk")}


def _configuration(project: Project, fingerprint: str, document: dict[str, Any]) -> Configuration:
    return Configuration(
        project=project,
        fingerprint=fingerprint,
        document=document,
        prompt_name=document.get("prompt_name", ""),
        prompt_version=document.get("prompt_version", ""),
        model=document.get("model", ""),
    )
