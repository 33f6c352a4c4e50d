"""Reads of the log.

Who may see which part is decided by the rooms above; these functions take the scope as an argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import QuerySet

from reviewapp.audit.models import Checkpoint, Event


@dataclass(frozen=True)
class LogPosition:
    """How far the log is sequenced: the index of the newest leaf (-1 for none) and the time of its event."""

    leaf_index: int
    at: datetime | None


def position() -> LogPosition:
    """The newest leaf. A figure computed after this read contains every change up to it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.idx, e.at FROM audit.leaf l JOIN audit.event e ON e.id = l.event_id ORDER BY l.idx DESC LIMIT 1"
        )
        row = cursor.fetchone()
    return LogPosition(row[0], row[1]) if row else LogPosition(-1, None)


def leaves_after(index: int, *, events: tuple[str, ...], limit: int = 10_000) -> list[tuple[int, int]]:
    """(leaf index, event id) of the named events above an index, in order.

    Misses nothing: indexes are given after commit, gaplessly.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.idx, e.id FROM audit.leaf l JOIN audit.event e ON e.id = l.event_id"
            " WHERE l.idx > %s AND e.event = ANY(%s) ORDER BY l.idx LIMIT %s",
            [index, list(events), limit],
        )
        return [(row[0], row[1]) for row in cursor.fetchall()]


def events_in(*, projects: list[str] | None) -> QuerySet[Event]:
    """Events of the named projects, for None of the whole installation; newest first, with leaf and payload."""
    found = Event.objects.select_related("leaf", "payload").order_by("-id")
    return found if projects is None else found.filter(project__in=projects)


def newest_checkpoint() -> Checkpoint | None:
    """The newest signed head, None before the sequencer first ran."""
    return Checkpoint.objects.order_by("-size").first()


def pending_count() -> int:
    """Events that wait for their place."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit.pending")
        return int(cursor.fetchone()[0])


def enforcement() -> str:
    """`roles` when the app's database role cannot change the log, `trigger` when only the triggers refuse."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_table_privilege('audit.event', 'UPDATE') OR has_table_privilege('audit.event', 'DELETE')"
            " OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"
            " OR pg_has_role(current_user, (SELECT tableowner FROM pg_tables"
            " WHERE schemaname = 'audit' AND tablename = 'event'), 'MEMBER')"
        )
        return "trigger" if cursor.fetchone()[0] else "roles"
