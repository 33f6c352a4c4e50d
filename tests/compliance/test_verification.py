"""The button that has the whole log recomputed: one at a time, with progress, and a result in words."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from reviewapp.audit.models import Event
from reviewapp.compliance import tasks
from reviewapp.compliance.models import Verification
from reviewapp.compliance.services.verifying import open_verification_ids, run_verification
from tests.conftest import owner_connection

LOG = "/p/halyard/audit/"


@pytest.fixture
def log(committed_cast, sign):
    """A signed log; the tests play the worker themselves."""
    sign()
    return committed_cast


@pytest.fixture
def no_broker(monkeypatch):
    """Messages are lost; the waiting row is the promise."""
    monkeypatch.setattr(tasks.run_verification, "delay", lambda _: None)


def asked(page, actor, address=LOG):
    """Press the button; the row it left."""
    answer = page(actor).post(f"{address}verify/")
    assert answer.status_code == 302, answer.content
    return answer["Location"], Verification.objects.latest("created_at")


def test_a_whole_log_is_said_to_be_whole(log, page, no_broker):
    address, row = asked(page, log.otto)
    waiting = page(log.otto).get(address).content
    assert b'hx-trigger="every 1s"' in waiting
    assert b"A worker will begin within seconds" in waiting
    events = Event.objects.filter(leaf__isnull=False).count()
    run_verification(verification_id=row.pk)
    row.refresh_from_db()
    assert (row.state, row.problem, row.done) == ("done", None, events)
    shown = page(log.otto).get(address).content
    assert b"The log is whole" in shown
    assert b"hx-trigger" not in shown[shown.index(b'id="verification"') :]
    told = Event.objects.filter(event="audit.verified").get()
    assert json.loads(told.payload.data)["result"] == "whole"
    assert b"whole</span>" in page(log.otto).get(LOG).content


def test_a_change_by_the_owner_of_the_tables_is_found_and_named(log, page, no_broker, committed_db):
    row = Event.objects.filter(event="access.role_granted").first()
    with owner_connection(committed_db) as owner:
        owner.execute("ALTER TABLE audit.event DISABLE TRIGGER event_append_only")
        owner.execute("UPDATE audit.event SET env = replace(env, 'success', 'denied') WHERE id = %s", [row.pk])
    address, made = asked(page, log.otto)
    run_verification(verification_id=made.pk)
    shown = page(log.otto).get(address).content.decode()
    assert "The log was changed" in shown
    assert f"vent {row.leaf.idx}" in shown
    told = Event.objects.filter(event="audit.verified").get()
    assert (told.outcome, json.loads(told.payload.data)["result"]) == ("error", Verification.objects.get().problem)


def test_one_runs_at_a_time_and_the_second_is_shown_the_first(log, page, no_broker):
    address, row = asked(page, log.otto)
    second = page(log.max).post(f"{LOG}verify/")
    assert second.status_code == 409
    assert f'hx-get="{address}"'.encode() in second.content
    assert Verification.objects.count() == 1
    run_verification(verification_id=row.pk)
    asked(page, log.max)


def test_a_worker_that_died_is_followed_by_another_and_a_live_one_is_not(log, page, no_broker):
    _, row = asked(page, log.otto)
    Verification.objects.filter(pk=row.pk).update(state="running", claimed_until=timezone.now() + timedelta(minutes=1))
    assert open_verification_ids() == []
    run_verification(verification_id=row.pk)
    assert Verification.objects.get().state == "running"
    Verification.objects.filter(pk=row.pk).update(claimed_until=timezone.now() - timedelta(minutes=1))
    assert open_verification_ids() == [row.pk]
    run_verification(verification_id=row.pk)
    run_verification(verification_id=row.pk)
    assert Verification.objects.get().state == "done"
    assert Event.objects.filter(event="audit.verified").count() == 1


def test_a_key_that_cannot_be_read_fails_with_the_reason(log, page, no_broker, settings, tmp_path):
    address, row = asked(page, log.otto)
    settings.VERIFIER_DIR = tmp_path / "elsewhere"
    run_verification(verification_id=row.pk)
    shown = page(log.otto).get(address).content.decode()
    assert "The log could not be verified" in shown
    assert "log.vkey" in shown
    assert "This says nothing about the log itself" in shown


def test_who_may_ask(cast, page, api):
    assert page(cast.rita).post(f"{LOG}verify/").status_code == 404
    assert page(cast.otto).post("/audit/verify/").status_code == 403
    assert page(cast.ada).post("/audit/verify/").status_code == 302
    assert not Verification.objects.exclude(requested_by=cast.ada.person).exists()
