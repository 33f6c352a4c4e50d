"""Who reads which part of the log, through the API and the pages."""

from __future__ import annotations

import pytest
from django.db import connection

from reviewapp.access.actors import SYSTEM
from reviewapp.access.matrix import Role
from reviewapp.access.services import create_project, grant_installation_role
from reviewapp.access.tokens import create_service_token
from reviewapp.audit.models import Event
from tests.conftest import Api, make_person, personal_api

EVENTS = "/api/v1/audit/events/"


def names(answer):
    return [event["event"] for event in answer.body["results"]]


def test_an_event_has_the_fields_of_the_contract(cast, api):
    event = api.get(EVENTS).body["results"][0]
    assert set(event) == {
        "id", "at", "actor", "actor_kind", "event", "object_kind", "object", "project", "outcome", "request_id",
        "leaf_index", "leaf_hash", "payload", "payload_commitment",
    }  # fmt: skip
    assert event["leaf_index"] is None


def test_a_service_token_sees_its_project_only(cast, api):
    create_project(actor=SYSTEM, slug="other", title="Other")
    projects = {event["project"] for event in api.get(f"{EVENTS}?limit=1000").body["results"]}
    assert projects == {"halyard"}


@pytest.mark.parametrize("name", ["ada", "max", "otto"])
def test_admin_manager_and_auditor_read_the_project(cast, name):
    answer = personal_api(getattr(cast, name)).get(f"{EVENTS}?project=halyard")
    assert answer.status == 200
    assert "access.role_granted" in names(answer)


def test_others_read_what_they_did_themselves(cast):
    answer = personal_api(cast.rita).get(f"{EVENTS}?limit=1000")
    assert {event["actor"] for event in answer.body["results"]} == {"rita"}


def test_an_auditor_of_the_installation_reads_everything(cast):
    create_project(actor=SYSTEM, slug="other", title="Other")
    person = make_person("olga")
    grant_installation_role(actor=SYSTEM, user=person.person, role=Role.AUDITOR)
    projects = {event["project"] for event in personal_api(person).get(f"{EVENTS}?limit=1000").body["results"]}
    assert {"halyard", "other", None} <= projects


def test_the_scope_is_needed(cast):
    made = create_service_token(actor=cast.max, project=cast.project, name="x", scopes=["ingest"])
    assert Api(made.secret, "halyard").get(EVENTS).status == 403


def test_reading_the_log_is_an_event(cast, api):
    before = Event.objects.filter(event="audit.viewed").count()
    api.get(EVENTS)
    assert Event.objects.filter(event="audit.viewed").count() == before + 1


def test_filters_narrow_and_unknown_ones_are_refused(cast, api):
    assert set(names(api.get(f"{EVENTS}?event=access.project_created"))) == {"access.project_created"}
    assert api.get(f"{EVENTS}?outcome=maybe").status == 400
    assert api.get(f"{EVENTS}?since=yesterday").status == 400
    assert api.get(f"{EVENTS}?actor__password=x").status == 400


def test_pages_go_back_and_forth_by_cursor(cast, api):
    first = api.get(f"{EVENTS}?limit=2").body
    second = api.get(first["next"].removeprefix("http://testserver")).body
    back = api.get(second["previous"].removeprefix("http://testserver")).body
    assert [event["id"] for event in back["results"]] == [event["id"] for event in first["results"]]
    assert not {event["id"] for event in first["results"]} & {event["id"] for event in second["results"]}


def test_the_checkpoint_is_public_and_says_when_there_is_none(client, db):
    answer = client.get("/api/v1/audit/checkpoint")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_an_auditor_reads_the_page_and_one_event(cast, page):
    browser = page(cast.otto)
    listing = browser.get("/p/halyard/audit/")
    assert b"access.role_granted" in listing.content
    row = Event.objects.filter(event="access.role_granted").latest("id")
    single = browser.get(f"/p/halyard/audit/{row.eid}/")
    assert (single.status_code, b"auditor" in single.content) == (200, True)


def test_a_filter_without_match_says_so(cast, page):
    assert b"No event matches" in page(cast.otto).get("/p/halyard/audit/?event=exports.version_frozen").content


def test_a_reviewer_has_no_audit_page(cast, page):
    assert page(cast.rita).get("/p/halyard/audit/").status_code == 404


def test_hostile_text_in_the_log_stays_text(cast, page):
    page(cast.nemo).get("/p/halyard/audit/", headers={"User-Agent": "<img src=x onerror=alert(1)>"})
    row = Event.objects.filter(event="access.denied").latest("id")
    shown = page(cast.otto).get(f"/p/halyard/audit/{row.eid}/").content
    assert b"<img" not in shown


def test_a_list_takes_few_queries(cast, api):
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as taken:
        api.get(f"{EVENTS}?limit=100")
    assert len(taken) <= 12
