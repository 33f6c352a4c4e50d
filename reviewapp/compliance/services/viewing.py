"""Reading the log leaves a line in the log."""

from __future__ import annotations

from django.db import transaction

from reviewapp.access.actors import Actor
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.compliance.selectors import Filters


@transaction.atomic
def record_view(*, actor: Actor, filters: Filters, project: str | None, rows: int) -> None:
    """One event per page or call, with what was looked for and how many rows were shown."""
    looked_for = {name: str(value) for name, value in vars(filters).items() if value is not None}
    record(
        actor=actor,
        event=Event.AUDIT_VIEWED,
        subject=Subject("log", "events", project=project),
        change=Change(more={"filters": looked_for, "rows": rows}),
    )
