"""The log as a file: what is in it, who gets what, and that every form reads back."""

from __future__ import annotations

import csv
import io
import json
import re
import time
import urllib.error
import urllib.request
from dataclasses import replace

import pytest
from django.db import transaction

from reviewapp.access.actors import SYSTEM
from reviewapp.access.matrix import Role
from reviewapp.access.services import create_project, grant_installation_role, grant_role
from reviewapp.access.tokens import create_personal_token
from reviewapp.audit.events import Event as Listed
from reviewapp.audit.models import Event
from reviewapp.audit.services import Subject, record_many
from reviewapp.compliance.formats.table import COLUMNS
from reviewapp.compliance.services.exporting import hold_export
from tests.conftest import make_person, personal_api

EXPORT = "/api/v1/audit/export/"
EVENTS = "/api/v1/audit/events/"


def lines(answer):
    """The records of an NDJSON answer."""
    assert answer.status == 200, answer.raw
    return [json.loads(line) for line in answer.raw.splitlines()]


def table(answer):
    """The rows of a CSV answer by column."""
    assert answer.status == 200, answer.raw
    return list(csv.DictReader(io.StringIO(answer.raw.decode(), newline="")))


def taken():
    """What the log says about the newest export."""
    return json.loads(Event.objects.filter(event="audit.exported").latest("id").payload.data)


def test_json_lines_are_the_events_of_the_list_oldest_first(cast, api):
    listed = api.get(f"{EVENTS}?limit=1000").body["results"]
    exported = lines(api.get(EXPORT))
    known = [event for event in exported if event["event"] != "audit.viewed"]
    assert known == [event for event in reversed(listed) if event["event"] != "audit.viewed"]


def test_the_export_takes_the_filters_of_the_list(cast, api):
    exported = lines(api.get(f"{EXPORT}?event=access.role_granted&project=halyard"))
    assert {event["event"] for event in exported} == {"access.role_granted"}
    assert len(exported) == Event.objects.filter(event="access.role_granted", project="halyard").count()


@pytest.mark.parametrize(
    "query",
    [
        "format=../../etc/passwd", "format=xml", "csv_raw=yes", "csv_raw=true", "nosuch=1", "event=made.up",
        "since=yesterday", "outcome=maybe", "format=csv&format=jsonl",
    ],
)  # fmt: skip
def test_what_is_not_a_form_or_a_filter_is_refused(cast, api, query):
    assert api.get(f"{EXPORT}?{query}").status == 400


def test_the_file_has_a_name_that_no_header_misreads(cast, api):
    answer = api.get(f'{EXPORT}?project=ha"lyard%0d%0aX-Evil:1')
    assert re.fullmatch(
        r'attachment; filename="audit-halyardx-evil1-\d{8}T\d{6}Z\.jsonl"', answer.headers["Content-Disposition"]
    )
    assert (answer.headers["Content-Type"], answer.headers["X-Rows"]) == ("application/x-ndjson", "0")


def test_an_export_is_one_event_with_its_rows_and_is_not_in_itself(cast, api):
    before = Event.objects.filter(event="audit.exported").count()
    exported = lines(api.get(f"{EXPORT}?outcome=success"))
    said = taken()
    assert Event.objects.filter(event="audit.exported").count() == before + 1
    assert (said["rows"], said["format"], said["filters"]) == (len(exported), "jsonl", {"outcome": "success"})
    assert not [event for event in exported if event["event"] == "audit.exported"]


def test_every_row_of_a_table_reads_back(cast, api):
    exported = lines(api.get(EXPORT))
    rows = table(api.get(f"{EXPORT}?format=csv"))
    assert list(rows[0]) == list(COLUMNS)
    assert [row["id"] for row in rows[: len(exported)]] == [event["id"] for event in exported]
    granted = next(row for row in rows if row["event"] == "access.role_granted")
    assert json.loads(granted["after"])["role"] == "admin"
    assert granted["meaning"] == "A person was given a role."
    assert api.get(f"{EXPORT}?format=csv").raw.startswith(b'"leaf_index","at",')


HOSTILE = [
    "=cmd|' /C calc'!A0", "+1", "-1", "@x", "\t=1", "\u00a0=1", "a\n=1", "a\r=1", "＝1", "  ＠x", "\r=1",
]  # fmt: skip


@pytest.mark.parametrize("cell", HOSTILE)
def test_no_cell_runs_in_a_spreadsheet_unless_asked_for_raw(cast, cell):
    person = make_person("otis")
    grant_role(actor=replace(cast.ada, user_agent=cell), user=person.person, role=Role.AUDITOR, target=cast.project)
    reader = personal_api(cast.otto)
    safe = table(reader.get(f"{EXPORT}?format=csv&event=access.role_granted"))[-1]["user_agent"]
    raw = table(reader.get(f"{EXPORT}?format=csv&csv_raw=true&event=access.role_granted"))[-1]["user_agent"]
    assert raw == cell
    assert safe.startswith("'")
    assert not re.search(r"(?:\A|[\r\n])[^\S\r\n\t]*[=+\-@\t＝＋－＠]", safe)
    assert lines(reader.get(f"{EXPORT}?event=access.role_granted"))[-1]["payload"]["user_agent"] == cell


def test_auditors_of_the_installation_take_everything_and_its_admins_what_they_did(cast):
    create_project(actor=SYSTEM, slug="other", title="Other")
    olga, adam = make_person("olga"), make_person("adam")
    grant_installation_role(actor=SYSTEM, user=olga.person, role=Role.AUDITOR)
    grant_installation_role(actor=SYSTEM, user=adam.person, role=Role.ADMIN)
    assert {"halyard", "other", None} <= {event["project"] for event in lines(personal_api(olga).get(EXPORT))}
    assert {event["actor"] for event in lines(personal_api(adam).get(EXPORT))} == {"adam"}


@pytest.mark.parametrize("name", ["max", "otto"])
def test_a_project_is_taken_by_its_managers_and_auditors(cast, name):
    create_project(actor=SYSTEM, slug="other", title="Other")
    events = lines(personal_api(getattr(cast, name)).get(EXPORT))
    assert "other" not in {event["project"] for event in events}
    assert {event["actor"] for event in events if event["project"] is None} == {name}
    assert len({event["actor"] for event in events}) > 1


def test_everybody_else_takes_what_they_did_themselves(cast):
    assert {event["actor"] for event in lines(personal_api(cast.rita).get(EXPORT))} == {"rita"}
    assert lines(personal_api(cast.rita).get(f"{EXPORT}?project=halyard")) == []


def test_a_token_needs_the_scope_and_stays_in_its_project(cast, api):
    create_project(actor=SYSTEM, slug="other", title="Other")
    assert {event["project"] for event in lines(api.get(EXPORT))} == {"halyard"}
    assert personal_api(cast.otto, scopes=["labels:read"]).get(EXPORT).status == 403


def test_a_second_export_of_the_same_caller_waits_for_the_first(cast, page):
    client = page(cast.otto)
    free = hold_export(cast.otto)
    refused = client.get(EXPORT)
    somebody_else = personal_api(cast.rita).get(EXPORT)
    free()
    assert (refused.status_code, refused["Retry-After"]) == (429, "10")
    assert refused.json()["type"] == "urn:reviewapp:problem:export-running"
    again = client.get(EXPORT)
    assert (somebody_else.status, again.status_code) == (200, 200)
    assert again.getvalue()


def test_a_session_that_was_left_open_takes_nothing(cast, page):
    refused = page(cast.otto, seconds_ago=600).get(EXPORT)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:reviewapp:problem:sign-in-not-recent")
    assert not Event.objects.filter(event="audit.exported").exists()


def test_a_reader_who_breaks_off_may_begin_again(committed_cast, served):
    """In the real server: the bytes stream, and the right to export comes back with the connection's end."""
    with transaction.atomic():
        entries = [(Subject("project", f"p{number}", project="halyard"), None) for number in range(20_000)]
        record_many(actor=committed_cast.max, event=Listed.OUTPUTS_INGESTED, entries=entries)
    secret = create_personal_token(actor=committed_cast.otto, name="t", scopes=["audit:read"]).secret
    asked = urllib.request.Request(f"{served}{EXPORT}?project=halyard", headers={"Authorization": f"Bearer {secret}"})
    first = urllib.request.urlopen(asked, timeout=20)
    assert json.loads(first.readline())["event"] == "access.project_created"
    with pytest.raises(urllib.error.HTTPError) as second:
        urllib.request.urlopen(asked, timeout=20)
    assert (second.value.code, second.value.headers["Retry-After"]) == (429, "10")
    second.value.close()
    first.close()
    for _ in range(100):
        try:
            with urllib.request.urlopen(asked, timeout=60) as again:
                assert sum(1 for _ in again) == int(again.headers["X-Rows"]) > 20_000
            return
        except urllib.error.HTTPError as refused:
            refused.close()
            time.sleep(0.1)
    raise AssertionError("the right to export never came back")


UNREADABLE = [
    "owner__password__startswith=p", "_connector=OR", "id__in=abc", "nosuch=1", "outcome=success&outcome=denied",
    "ordering=-password", "actor=%00", f"object={'x' * 5000}", f"search={'%25' * 500}", "event=audit.viewed%00",
    "since=0001-01-01T00:00:00Z", "until=9999-12-31T23:59:59Z", "since=0001-01-01T00:00:00%2B14:00", "until=2026-13-01",
    "since=2026-11-20T10:00:00",
]  # fmt: skip


@pytest.mark.parametrize("query", UNREADABLE)
def test_no_filter_is_guessed_at_and_none_is_a_fault(cast, api, query):
    assert [api.get(f"{address}?{query}").status for address in (EXPORT, EVENTS)] == [400, 400]


@pytest.mark.parametrize("query", ["page_size=1e9", "cursor=tampered", "cursor=bjp4", "limit=1e9", "limit=0"])
def test_a_list_refuses_places_that_it_did_not_give(cast, api, query):
    assert api.get(f"{EVENTS}?{query}").status == 400


@pytest.mark.parametrize("query", ["actor=%ff", "object=%F0%9F%A6%8A", "actor=rva_%25", "project=../x", "request=x"])
def test_a_strange_value_finds_nothing(cast, api, query):
    assert lines(api.get(f"{EXPORT}?{query}")) == []
