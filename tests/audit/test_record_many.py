"""Many events with one statement."""

import hashlib
import json

import pytest
from django.db import connection

from reviewapp.access.actors import SYSTEM
from reviewapp.audit.events import Event
from reviewapp.audit.models import Event as EventRow
from reviewapp.audit.services import Change, Subject, record_many


def test_each_entry_is_an_event_of_its_own_in_the_given_order(cast):
    entries = [(Subject("review", f"r{n}", project="halyard"), Change(after={"n": n})) for n in range(50)]
    made = record_many(actor=cast.max, event=Event.REVIEW_IMPORTED, entries=entries)
    rows = EventRow.objects.in_bulk([one.id for one in made])
    assert [rows[one.id].object for one in made] == [f"r{number}" for number in range(50)]
    assert [rows[one.id].eid for one in made] == [one.eid for one in made]
    assert [json.loads(rows[one.id].payload.data)["after"]["n"] for one in made] == list(range(50))
    assert {rows[one.id].actor for one in made} == {str(cast.max.person.pk)}


def test_the_commitment_opens_with_the_payload_and_the_time_stands_in_the_envelope(cast):
    text = 'a "quoted" \\ back\nslash, ü and "at":"@" inside'
    (made,) = record_many(
        actor=SYSTEM, event=Event.REVIEW_IMPORTED, entries=[(Subject("review", "r1"), Change(reason=text))]
    )
    row = EventRow.objects.select_related("payload").get(pk=made.id)
    envelope = json.loads(row.env)
    payload = row.payload
    assert hashlib.sha256(bytes(payload.salt) + payload.data.encode()).hexdigest() == envelope["data_commit"]
    assert json.loads(payload.data)["reason"] == text
    assert envelope["at"] == made.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_every_event_waits_for_the_sequencer(cast):
    made = record_many(
        actor=SYSTEM, event=Event.REVIEW_IMPORTED, entries=[(Subject("review", str(n)), None) for n in range(3)]
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit.pending WHERE event_id = ANY(%s)", [[one.id for one in made]])
        assert cursor.fetchone()[0] == 3


def test_it_is_refused_outside_a_transaction(committed_db):
    with pytest.raises(RuntimeError):
        record_many(actor=SYSTEM, event=Event.REVIEW_IMPORTED, entries=[(Subject("review", "r1"), None)])
