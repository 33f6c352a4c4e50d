"""Reading the log leaves a line in the log."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from reviewapp.access.actors import Actor
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.compliance.selectors import Filters


@transaction.atomic
def record_view(*, actor: Actor, filters: Filters, project: str | None, rows: int) -> None:
    """One event per page or call, with what was looked for and how many rows were shown."""
    record(
        actor=actor,
        event=Event.AUDIT_VIEWED,
        subject=Subject("log", "events", project=project),
        change=Change(more={"filters": filters.spoken(), "rows": rows}),
    )


@transaction.atomic
def record_opened(*, actor: Actor, eid: UUID, project: str | None) -> None:
    """Somebody opened one event with its payload, or took the proof of its place."""
    record(actor=actor, event=Event.AUDIT_VIEWED, subject=Subject("event", str(eid), project=project))
