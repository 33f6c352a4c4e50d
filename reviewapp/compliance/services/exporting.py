"""Take the log away: recorded before the first byte, streamed in constant memory, one at a time for each caller."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from django.db import connection, transaction
from django.db.models import Max, QuerySet

from reviewapp.access.actors import Actor
from reviewapp.audit.bundle import stream_bundle
from reviewapp.audit.events import Event
from reviewapp.audit.models import Event as EventRow
from reviewapp.audit.services import Change, Subject, record
from reviewapp.compliance.errors import ExportRunning
from reviewapp.compliance.formats import FORMATS, csv_rows
from reviewapp.compliance.selectors import (
    NO_PROJECT,
    Filters,
    place_of,
    readable_slugs,
    require_audit_scope,
    sees_everything,
    visible_events,
)
from reviewapp.lib.clock import utc_now
from reviewapp.lib.errors import AccessDenied, Malformed

BATCH = 1_000
# Bytes are sent in pieces of about this size: one event at a time would cost a system call each.
PIECE = 64 * 1024


@dataclass(frozen=True)
class Export:
    """A file on its way. `rows` is what the log says was taken; `chunks` must be closed, also when never read."""

    name: str
    content_type: str
    rows: int
    chunks: Chunks


class Chunks:
    """The bytes of an export, and the right to make it: given back at the end, or by `close` before it."""

    def __init__(self, pieces: Iterator[bytes], free: Callable[[], None]) -> None:
        self._pieces = pieces
        self._free = free

    def __iter__(self) -> Chunks:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let the caller export again. Repeating it changes nothing."""
        self._free()


def export_events(*, actor: Actor, filters: Filters, format: str, is_raw: bool = False) -> Export:
    """The events that the caller may take away, oldest first; format is one of FORMATS, is_raw is for `csv` alone.

    What is committed when the export begins is in it. `audit.exported` is recorded before the first byte, with the
    exact number of rows: whoever breaks off could have had them all. Raises AccessDenied and ExportRunning, for a
    bundle also Malformed, VerifierKeyMissing and NothingSigned.
    """
    form = FORMATS[format]
    projects = _bundled_projects(actor, filters) if form.lines is None else None
    free = hold_export(actor)
    try:
        last, rows = _begin(actor, filters, format)
        if form.lines is None:
            pieces = stream_bundle(projects=projects, since=filters.since, until=filters.until)
        else:
            found = visible_events(viewer=actor, filters=filters, act="audit.export").filter(id__lte=last)
            write = partial(csv_rows, is_raw=True) if is_raw else form.lines
            pieces = _pieces(write(_oldest_first(found)))
    except BaseException:
        free()
        raise
    return Export(file_name(filters, form.suffix), form.content_type, rows, Chunks(pieces, free))


def _bundled_projects(actor: Actor, filters: Filters) -> list[str] | None:
    """The projects of a bundle, None for the whole log. Raises AccessDenied, and Malformed for other filters."""
    if set(filters.spoken()) - {"project", "since", "until"} or filters.project == NO_PROJECT:
        raise Malformed(
            "A bundle takes project, since and until only: what is picked by other marks cannot prove that it is whole."
        )
    require_audit_scope(actor)
    is_everything = sees_everything(actor, "audit.export")
    if is_everything and filters.project is None:
        return None
    slugs = readable_slugs(actor, "audit.export", only=filters.project)
    if not slugs:
        raise AccessDenied("A bundle is for auditors, and for managers of a project. Your own events: any other form.")
    return slugs


@transaction.atomic
def _begin(actor: Actor, filters: Filters, format: str) -> tuple[int, int]:
    """The last id that belongs to the export and how many rows it has, said in the log."""
    found = visible_events(viewer=actor, filters=filters, act="audit.export")
    last = EventRow.objects.aggregate(last=Max("id"))["last"] or 0
    rows = found.filter(id__lte=last).select_related(None).order_by().count()
    record_export(actor=actor, filters=filters, format=format, rows=rows)
    return last, rows


@transaction.atomic
def record_export(*, actor: Actor, filters: Filters, format: str, rows: int) -> None:
    """One event per export, with what was looked for, in which form, and how many rows it has."""
    record(
        actor=actor,
        event=Event.AUDIT_EXPORTED,
        subject=Subject("log", "events", project=place_of(actor, filters)),
        change=Change(more={"filters": filters.spoken(), "format": format, "rows": rows}),
    )


def hold_export(actor: Actor) -> Callable[[], None]:
    """The right to make one export now; call what is answered to give it back. Raises ExportRunning.

    Held by a connection of its own, whatever thread sends the bytes: a process that dies frees it.
    """
    caller = f"token:{actor.token.pk}" if actor.token else f"user:{actor.person.pk}"
    holder = connection.copy()
    holder.inc_thread_sharing()
    with holder.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [f"audit export {caller}"])
        is_ours = cursor.fetchone()[0]
    if not is_ours:
        holder.close()
        raise ExportRunning("Another export of yours is still being sent; wait for its end, or break it off.")
    is_free = False

    def free() -> None:
        nonlocal is_free
        if not is_free:
            is_free = True
            with holder.cursor() as cursor:  # the connection may go back to a pool, which would keep the lock
                cursor.execute("SELECT pg_advisory_unlock_all()")
            holder.close()

    return free


def _oldest_first(found: QuerySet[EventRow]) -> Iterator[EventRow]:
    """Batch by batch, each a statement of its own: a slow reader holds no transaction open."""
    after = 0
    while rows := list(found.filter(id__gt=after).order_by("id")[:BATCH]):
        yield from rows
        after = rows[-1].pk


def _pieces(lines: Iterable[str]) -> Iterator[bytes]:
    held: list[bytes] = []
    size = 0
    for line in lines:
        raw = line.encode()
        held.append(raw)
        size += len(raw)
        if size >= PIECE:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def file_name(filters: Filters, suffix: str) -> str:
    """`audit-<project>-<time>.<suffix>`: letters, digits, dots and hyphens only, so safe in any header (RFC 6266)."""
    of = re.sub(r"[^a-z0-9-]", "", (filters.known_project() or "installation").lower())[:80]
    return f"audit-{of}-{utc_now():%Y%m%dT%H%M%SZ}.{suffix}"
