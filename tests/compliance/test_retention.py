"""What goes by itself: texts that nobody reviews, sessions that ran out, old answers, files of dead workers."""

from __future__ import annotations

import json
import os
import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session

from reviewapp.access.models import IdempotencyRecord
from reviewapp.audit.models import Payload
from reviewapp.compliance.services.retention import drop_expired
from reviewapp.ingest.models import Output, Signal
from reviewapp.lib.clock import utc_now
from tests.conftest import Cast, service_api


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Any) -> Any:
    """A files folder of the test's own."""
    settings.FILES_DIR = tmp_path / "files"
    return settings.FILES_DIR


def counts(event: str) -> list[dict[str, Any]]:
    return [json.loads(row.data) for row in Payload.objects.filter(event__event=event)]


@pytest.fixture
def traffic(cast: Cast) -> Cast:
    """Old outputs: one selected by a rule, one in a queue by hand, one in a pair in a queue, two that nobody took; and
    a young one.
    """
    api = service_api(cast)
    api.post("rubrics/", {"slug": "r", "title": "R", "criteria": [{"key": "k", "kind": "binary", "title": "K"}]})
    api.post("rubrics/r/publish/", {})
    sides = {"slug": "s", "title": "S", "criteria": [{"key": "preference", "kind": "preference", "title": "P"}]}
    api.post("rubrics/", sides)
    api.post("rubrics/s/publish/", {})
    api.post("rules/", {"slug": "errors", "rate": 1.0, "where": {"error": True}})
    api.post("queues/", {"slug": "q", "title": "Q", "kind": "grade", "rubric": "r"})
    api.post("queues/", {"slug": "p", "title": "P", "kind": "pairwise", "rubric": "s"})
    rows = [{"external_id": name, "input": f"in {name}", "output": f"out {name}"} for name in ("hand", "lost", "young")]
    rows.append({"external_id": "ruled", "input": "in", "output": "out", "error": "broke"})
    told = {"kind": "edit", "value": "what the user wrote instead"}
    rows.append({"external_id": "told", "input": "in", "output": "out", "latency_ms": 5.0, "signals": [told]})
    assert api.bulk("outputs/", rows).body["accepted"] == 5
    api.post("pairs/", {"external_id": "pair", "input": "in", "a": {"output": "a"}, "b": {"output": "b"}})
    assert api.post("queues/q/items/", {"external_ids": ["hand"]}).body["accepted"] == 1
    assert api.post("queues/p/items/", {"external_ids": ["pair"]}).body["accepted"] == 1
    old = utc_now() - timedelta(days=15)
    Output.objects.exclude(external_id="young").update(received_at=old)
    return cast


def test_texts_that_nobody_took_go_after_the_retention_and_their_numbers_stay(traffic):
    assert drop_expired()["texts"] == 2
    left = set(Output.objects.filter(text_dropped_at=None).values_list("external_id", flat=True))
    assert {"hand", "young", "ruled"} <= left
    assert len(left) == 5  # and both sides of the pair
    told = Output.objects.get(external_id="told")
    assert (told.input, told.output, told.latency_ms) == (None, None, 5.0)
    assert Signal.objects.get(output=told).value is None
    assert counts("ingest.texts_dropped")[0]["outputs"] == 2
    assert drop_expired()["texts"] == 0
    assert len(counts("ingest.texts_dropped")) == 1


def test_the_retention_is_the_projects_own(traffic):
    traffic.project.retention_days = 30
    traffic.project.save()
    assert drop_expired()["texts"] == 0


def test_sessions_that_ran_out_and_answers_of_yesterday_go(cast, page):
    page(cast.rita)
    live = Session.objects.get()
    Session.objects.create(session_key="old", session_data="x", expire_date=utc_now() - timedelta(minutes=1))
    for key, age in (("new", 23), ("old", 25)):
        IdempotencyRecord.objects.create(caller="user:1", key=key, request_sha256="0" * 64, status=200)
        IdempotencyRecord.objects.filter(key=key).update(created_at=utc_now() - timedelta(hours=age))
    drop_expired()
    assert list(Session.objects.all()) == [live]
    assert [row.key for row in IdempotencyRecord.objects.all()] == ["new"]
    assert counts("access.tidied")[0] == {"actor_name": "retention", "answers": 1, "sessions": 1}


def test_a_workshop_of_a_dead_worker_goes_and_one_at_work_stays(cast, files):
    old, new = files / "halyard/gold/.1-dead", files / "halyard/gold/.2-alive"
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / "labels.jsonl").write_text("text of somebody")
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    drop_expired()
    assert (old.exists(), new.exists()) == (False, True)
