"""What do we hold about X: a manager about an end user, everybody about themself, an admin about an account."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reviewapp.audit.models import Event, Payload
from reviewapp.compliance.services.reporting import WITHHELD
from tests.conftest import Cast, personal_api, service_api
from tests.exports.conftest import RUBRIC

API = "/api/v1/projects/halyard/subjects/report/?end_user_id=cust-7f3a"
PAGE = "/p/halyard/subjects/"


@pytest.fixture(autouse=True)
def folders(settings: Any, tmp_path: Any) -> None:
    """Files of the test's own."""
    settings.ERASURES_DIR = tmp_path / "erasures"
    settings.FILES_DIR = tmp_path / "files"


@pytest.fixture
def held(cast: Cast) -> Cast:
    """One output of the subject, reviewed by Rita with a comment."""
    api = service_api(cast)
    row = {"external_id": "req-1", "input": "my question", "output": "an answer", "end_user_id": "cust-7f3a"}
    api.bulk("outputs/", [row, {**row, "external_id": "req-2", "end_user_id": "cust-7f3a9"}])
    api.post("rubrics/", RUBRIC)
    api.post("rubrics/answers/publish/", {})
    api.post("queues/", {"slug": "support", "title": "Support", "kind": "grade", "rubric": "answers"})
    cast.reviewers(cast.project.queues.get())
    api.post("queues/support/items/", {"external_ids": ["req-1"]})
    rita = personal_api(cast.rita)
    lease = rita.post("queues/support/lease/").body
    answer = {"grades": {"correct": True, "tone": 2}, "comment": "she asks politely"}
    assert rita.post(f"/api/v1/projects/halyard/leases/{lease['id']}/submit/", answer).status == 201
    return cast


def test_a_manager_gets_every_row_with_its_texts_and_the_log_keeps_no_name(held, page):
    answer = page(held.max).get(API)
    assert answer.status_code == 200
    assert answer["Content-Disposition"] == 'attachment; filename="subject-report.json"'
    report = answer.json()
    assert report["counts"]["outputs"] == 1
    assert report["tables"]["outputs"][0]["input"] == "my question"
    assert report["tables"]["reviews"][0]["comment"] == "she asks politely"
    assert "rita" not in answer.content.decode()
    event = Event.objects.get(event="compliance.subject_reported")
    assert event.actor == str(held.max.person.pk)
    assert "cust-7f3a" not in event.env + Payload.objects.get(event=event).data


def test_the_page_gives_the_same_and_says_when_nothing_is_held(held, page):
    client = page(held.max)
    assert client.get(PAGE).status_code == 200
    report = client.post(PAGE, {"end_user_id": "cust-7f3a"}).json()
    assert report["counts"]["outputs"] == 1
    answer = client.post(PAGE, {"end_user_id": "cust-7f3"})
    assert (answer.status_code, "Nothing is held" in answer.content.decode()) == (422, True)
    assert client.get(API.replace("7f3a", "7f3")).status_code == 404
    assert client.get(API.partition("?")[0]).status_code == 400


@pytest.mark.parametrize(("name", "status"), [("ada", 403), ("otto", 403), ("rita", 403), ("nemo", 404)])
def test_nobody_else_gets_it(held, page, name, status):
    client = page(getattr(held, name))
    assert client.get(API).status_code == status
    assert client.get(PAGE).status_code == status
    assert client.post(PAGE, {"end_user_id": "cust-7f3a"}).status_code == status


def test_no_token_opens_it(held):
    assert service_api(held).get(API).status == 403
    assert personal_api(held.max).get(API).status == 403


def test_everybody_gets_their_own_with_what_they_wrote(held, page):
    report = page(held.rita).get("/account/report/").json()
    assert report["subject"]["username"] == "rita"
    assert report["tables"]["accounts"][0]["username"] == "rita"
    assert report["tables"]["reviews"][0]["comment"] == "she asks politely"
    said = json.dumps(report)
    assert "password" not in said
    # Events about me are named; what stands in the payload of somebody else's event is theirs.
    assert all("data" not in row for row in report["tables"]["audit events about the person"])


def test_an_admin_gets_somebodys_without_texts(held, page):
    address = f"/erasures/people/{held.rita.person.pk}/report/"
    assert page(held.max).get(address).status_code == 403
    report = page(held.ada).get(address).json()
    assert report["tables"]["reviews"][0]["comment"] == WITHHELD
    assert {row["value"] for row in report["tables"]["grades"]} == {WITHHELD}
    assert "she asks politely" not in json.dumps(report)
