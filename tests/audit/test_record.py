"""What is written is in the log, and what is in the log stays."""

import pytest
from django.db import DatabaseError, connection, transaction

from reviewapp.access.actors import SYSTEM
from reviewapp.audit.events import Event
from reviewapp.audit.models import Event as EventRow
from reviewapp.audit.services import Change, Subject, record


def test_an_event_stands_in_the_log_with_who_what_and_outcome(cast):
    row = EventRow.objects.filter(event=Event.PROJECT_CREATED).latest("id")
    assert (row.actor, row.actor_kind, row.object_kind, row.project, row.outcome) == (
        "reviewapp", "system", "project", "halyard", "success",
    )  # fmt: skip


@pytest.mark.parametrize(
    "statement", ["UPDATE audit.event SET env = '{}'", "DELETE FROM audit.payload", "TRUNCATE audit.leaf"]
)
def test_the_app_cannot_change_the_log(cast, statement):
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_an_event_outside_a_transaction_is_refused(committed_db):
    with pytest.raises(RuntimeError):
        record(actor=SYSTEM, event=Event.HEARTBEAT, subject=Subject("log", "x"), change=Change(reason="no"))
