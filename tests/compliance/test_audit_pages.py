"""The auditor's pages: the log of a project and of the installation, one event, its place, and the state of the log."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from reviewapp.access.actors import SYSTEM
from reviewapp.access.matrix import Role
from reviewapp.access.services import create_project, grant_installation_role, grant_role, revoke_role
from reviewapp.audit.events import Event as Listed
from reviewapp.audit.merkle import is_included, leaf_hash
from reviewapp.audit.models import Event
from reviewapp.audit.services import Change, Subject, record, record_many
from reviewapp.compliance.differences import difference
from reviewapp.compliance.models import Publication
from reviewapp.compliance.selectors import Filters, own_events, visible_events
from reviewapp.compliance.sentences import PHRASES
from reviewapp.compliance.views.events import PAGE
from reviewapp.compliance.vocabulary import ENTRIES
from tests.conftest import make_person, owner_connection

LOG = "/p/halyard/audit/"


def text(answer):
    """A page with its whitespace folded."""
    return " ".join(answer.content.decode().split())


@pytest.fixture
def olga(cast):
    """An auditor of the installation."""
    person = make_person("olga", "Olga Prior")
    grant_installation_role(actor=SYSTEM, user=person.person, role=Role.AUDITOR)
    return person


def test_the_whole_log_is_for_admins_and_auditors_of_the_installation(cast, olga, page):
    record_many_signins(cast)
    for who in (cast.ada, olga):
        shown = text(page(who).get("/audit/"))
        assert "access.signed_in" in shown
        assert "None (the installation&#x27;s own)" in shown
    for who in (cast.max, cast.otto, cast.rita):
        assert page(who).get("/audit/").status_code == 403


def record_many_signins(cast):
    """Something that belongs to no project."""
    record_many(actor=cast.max, event=Listed.SIGNED_IN, entries=[(Subject("user", str(cast.max.person.pk)), None)] * 3)


@pytest.mark.parametrize(
    ("question", "found", "hidden"),
    [
        ("actor=max", "queues.created", "exports.dataset_created"),
        ("actor=Max", "queues.created", "exports.dataset_created"),
        ("event=queues.created", "Support answers", "access.role_granted<"),
        ("event=changes", "queues.created", "ingest.outputs_viewed<"),
        ("event=reads", "ingest.outputs_viewed", "queues.created<"),
        ("kind=queue", "queues.created", "ingest.outputs_viewed<"),
        ("object=support", "queues.created", "ingest.outputs_viewed<"),
        ("outcome=error", "exports.version_failed", "queues.created<"),
        ("since=2099-01-01T10:00", "No event matches all of these", "queues.created<"),
        ("until=2001-01-01T10:00", "No event matches all of these", "queues.created<"),
        ("actor=nobody-like-this", "No event matches all of these", "queues.created<"),
    ],
)
def test_a_filter_shows_what_it_says(world, page, question, found, hidden):
    shown = text(page(world.otto).get(f"{LOG}?{question}"))
    body = shown[shown.index('id="h-events"') :]
    assert found in body
    assert hidden not in body


@pytest.fixture
def world(cast, api):
    """A queue, a read of outputs by Otto's namesake, and something that failed."""
    api.post("rubrics/", {"slug": "r", "title": "R", "criteria": [{"key": "ok", "kind": "binary", "title": "Ok?"}]})
    api.post("rubrics/r/publish/")
    made = api.post("queues/", {"slug": "support", "title": "Support answers", "kind": "grade", "rubric": "r"})
    assert made.status == 201, made.raw
    named = Subject("dataset_version", "x", project="halyard")
    record(actor=cast.ada, event=Listed.DATASET_CREATED, subject=Subject("dataset", "d", project="halyard"))
    record(actor=SYSTEM, event=Listed.VERSION_FAILED, subject=named, outcome="error")
    read = Subject("project", str(cast.project.pk), project="halyard")
    record(actor=cast.rita, event=Listed.OUTPUTS_VIEWED, subject=read, change=Change(more={"n": 2}))
    return cast


def test_filters_stay_in_the_address_and_can_be_taken_away_one_by_one(world, page):
    shown = text(page(world.otto).get(f"{LOG}?actor=max&outcome=success"))
    assert 'href="?outcome=success"' in shown
    assert 'href="?actor=max"' in shown


def test_what_cannot_be_read_as_a_filter_is_said_beside_its_field(world, page):
    answer = page(world.otto).get(f"{LOG}?since=yesterday")
    assert (answer.status_code, b"Enter a valid date/time" in answer.content) == (422, True)
    assert page(world.otto).get(f"{LOG}?before=99999999999999999999999999").status_code == 422
    assert page(world.otto).get(f"{LOG}?actor=a%00b").status_code == 422


def test_pages_go_on_to_older_and_back_to_newer(cast, page):
    entries = [(Subject("project", f"p{number}", project="halyard"), None) for number in range(PAGE + 20)]
    record_many(actor=cast.max, event=Listed.OUTPUTS_INGESTED, entries=entries)
    browser = page(cast.otto)
    first = browser.get(f"{LOG}?event=ingest.outputs_ingested")
    second = browser.get(LOG + first.context["older"])
    back = browser.get(LOG + second.context["newer"])
    ids = [[row["id"] for row in answer.context["rows"]] for answer in (first, second, back)]
    assert (len(ids[0]), len(ids[1]), ids[2]) == (PAGE, 20, ids[0])
    assert not set(ids[0]) & set(ids[1])
    assert (first.context["newer"], second.context["older"], back.context["newer"]) == ("", "", "")


def test_reading_a_page_or_an_event_is_one_event_and_names_are_none(cast, page):
    browser = page(cast.otto)
    row = Event.objects.filter(event="access.role_granted").latest("id")
    before = Event.objects.filter(event="audit.viewed").count()
    browser.get(LOG)
    browser.get(f"{LOG}{row.eid}/")
    browser.get(f"{LOG}people/?actor=ma")
    read = Event.objects.filter(event="audit.viewed").order_by("id")[before:]
    assert [(one.object_kind, one.object) for one in read] == [("log", "events"), ("event", str(row.eid))]


def test_names_are_suggested_from_people_who_stand_in_this_part_of_the_log(world, page):
    elsewhere = make_person("maximilian")
    record(actor=elsewhere, event=Listed.QUEUE_CREATED, subject=Subject("queue", "q", project="other"))
    shown = page(world.otto).get(f"{LOG}people/?actor=MA").content.decode()
    assert 'value="max"' in shown
    assert "maximilian" not in shown
    assert page(world.otto).get(f"{LOG}people/?actor=").content.strip() == b""


def test_an_event_is_a_sentence_with_the_role_of_that_time(world, page):
    from reviewapp.queues.models import Queue

    grant_role(actor=world.max, user=world.rita.person, role=Role.REVIEWER, target=Queue.objects.get())
    row = Event.objects.filter(event="access.role_granted").latest("id")
    shown = text(page(world.otto).get(f"{LOG}{row.eid}/"))
    assert "<h1>max (manager) gave rita the role reviewer on queue Support answers.</h1>" in shown
    assert f"{LOG}?kind=user&amp;object={world.rita.person.pk}" in shown


def test_a_role_that_was_taken_away_is_not_said_of_what_came_after(cast, page):
    omar = make_person("omar")
    grant_role(actor=SYSTEM, user=omar.person, role=Role.AUDITOR, target=cast.project)
    told = Subject("queue", "q", project="halyard")
    first = record(actor=omar, event=Listed.QUEUE_CREATED, subject=told)
    revoke_role(actor=SYSTEM, user=omar.person, role=Role.AUDITOR, target=cast.project, reason="moved")
    second = record(actor=omar, event=Listed.QUEUE_CREATED, subject=told)
    assert "<h1>omar (auditor) made the queue q.</h1>" in text(page(cast.otto).get(f"{LOG}{first.eid}/"))
    assert "<h1>omar made the queue q.</h1>" in text(page(cast.otto).get(f"{LOG}{second.eid}/"))


def test_an_event_of_another_project_is_not_shown_at_this_one(cast, page, olga):
    create_project(actor=SYSTEM, slug="other", title="Other")
    row = Event.objects.filter(event="access.project_created", project="other").get()
    assert page(cast.otto).get(f"{LOG}{row.eid}/").status_code == 404
    assert page(olga).get(f"{LOG}{row.eid}/").status_code == 404
    assert page(olga).get(f"/audit/{row.eid}/").status_code == 200


def test_what_changed_is_told_place_by_place_and_long_texts_line_by_line():
    old = {
        "title": "A",
        "levels": [{"key": "a", "label": "x"}, {"key": "b", "label": "y"}],
        "prompt": "1\n2\n3\n4\n5\n6",
    }
    new = {
        "title": "B",
        "levels": [{"key": "b", "label": "y"}, {"key": "c", "label": "z"}],
        "prompt": "1\n2\n3\n4\n5\nsix",
    }
    found = difference(old, new)
    assert {(row.path, row.how) for row in found.rows} == {
        ("title", "changed"), ("levels › c › key", "added"), ("levels › c › label", "added"),
        ("levels › a › key", "removed"), ("levels › a › label", "removed"), ("prompt", "changed"),
    }  # fmt: skip
    prompt = next(row for row in found.rows if row.path == "prompt")
    assert [(line.how, line.text) for line in prompt.lines] == [
        ("gap", ""), ("same", "4"), ("same", "5"), ("removed", "6"), ("added", "six"),
    ]  # fmt: skip
    assert found.same == 2
    assert difference(None, None).rows == ()
    assert difference(None, "x").rows[0].how == "added"


def test_the_diff_says_in_words_what_colour_says(cast, page):
    subject = Subject("rubric", "r", project="halyard")
    change = Change(before={"a": "1", "gone": "g"}, after={"a": "2", "new": "n"}, reason="asked <b>twice</b>")
    made = record(actor=cast.max, event=Listed.RUBRIC_DRAFTED, subject=subject, change=change)
    shown = text(page(cast.otto).get(f"{LOG}{made.eid}/"))
    for word in (">added<", ">removed<", ">changed<", "asked &lt;b&gt;twice"):
        assert word in shown


def test_all_events_of_one_request_are_one_click_away(cast, page):
    request = "0197a000-0000-7000-8000-00000000beef"
    actor = replace(cast.max, request_id=request)
    for pk in ("a", "b"):
        record(actor=actor, event=Listed.QUEUE_CREATED, subject=Subject("queue", pk, project="halyard"))
    row = Event.objects.filter(event="queues.created").latest("id")
    assert f"{LOG}?request={request}" in text(page(cast.otto).get(f"{LOG}{row.eid}/"))
    found = page(cast.otto).get(f"{LOG}?request={request}")
    assert [one["object"] for one in found.context["rows"]] == ["b", "a"]


def test_the_proof_of_an_event_leads_from_its_text_to_the_signed_root(committed_cast, sign, page):
    sign()
    row = Event.objects.filter(event="access.role_granted").latest("id")
    browser = page(committed_cast.otto)
    answer = browser.get(f"{LOG}{row.eid}/proof/")
    found = json.loads(answer.content)
    assert answer["Content-Disposition"] == f'attachment; filename="audit-proof-{found["leaf_index"]}.json"'
    assert leaf_hash(found["env"].encode()).hex() == found["leaf_hash"]
    assert is_included(
        leaf=bytes.fromhex(found["leaf_hash"]),
        index=found["leaf_index"],
        size=found["tree_size"],
        path=[bytes.fromhex(step) for step in found["path"]],
        root=base64.b64decode(found["root"]),
    )
    assert found["checkpoint"].splitlines()[:3] == [found["origin"], str(found["tree_size"]), found["root"]]
    assert b"Download proof" in browser.get(f"{LOG}{row.eid}/").content


def test_an_event_without_a_signed_head_says_so_and_has_no_proof_yet(cast, page):
    row = Event.objects.filter(event="access.role_granted").latest("id")
    assert b"waits for the sequencer" in page(cast.otto).get(f"{LOG}{row.eid}/").content
    assert page(cast.otto).get(f"{LOG}{row.eid}/proof/").status_code == 409


def test_an_erased_payload_is_explained_and_the_event_stays(committed_db, committed_cast, page):
    made = Event.objects.filter(event="access.role_granted").latest("id")
    with owner_connection(committed_db) as owner:
        owner.execute("SELECT audit.erase_payloads(ARRAY[%s]::bigint[])", [made.pk])
    shown = text(page(committed_cast.otto).get(f"{LOG}{made.eid}/"))
    assert "The payload of this event was erased by right" in shown
    assert "A person was given a role." in shown


def test_who_acted_keeps_a_name_when_the_payload_with_it_was_erased(committed_db, committed_cast, page):
    grant_role(
        actor=committed_cast.ada, user=committed_cast.nemo.person, role=Role.AUDITOR, target=committed_cast.project
    )
    made = Event.objects.filter(event="access.role_granted").latest("id")
    with owner_connection(committed_db) as owner:
        owner.execute("SELECT audit.erase_payloads(ARRAY[%s]::bigint[])", [made.pk])
    browser = page(committed_cast.otto)
    for address in (f"{LOG}?event=access.role_granted", f"{LOG}{made.eid}/"):
        shown = text(browser.get(address))
        assert "ada" in shown
        assert str(committed_cast.ada.person.pk) not in shown.partition("Exactly as it is hashed")[0]


def test_silence_and_the_want_of_a_copy_are_warned_of(committed_db, committed_cast, sign, page):
    browser = page(committed_cast.otto)
    assert "Nothing has been signed yet" in text(browser.get(LOG))
    sign()
    shown = text(browser.get(LOG))
    assert "Nothing has been signed" not in shown
    assert "its administrators could rewrite the log unseen" in shown
    with owner_connection(committed_db) as owner:
        owner.execute("ALTER TABLE audit.checkpoint DISABLE TRIGGER USER")
        owner.execute("UPDATE audit.checkpoint SET at = at - interval '3 hours'")
    Publication.objects.create(rung="file", target="/mnt/bucket", size=3)
    shown = text(browser.get(LOG))
    assert "Nothing has been signed for 3" in shown
    assert "could rewrite the log unseen" not in shown


def test_a_page_takes_the_same_queries_whatever_it_shows(cast, page, olga):
    browser = page(olga)
    taken = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert browser.get("/audit/").status_code == 200
        taken.append(len(queries))
        entries = [(Subject("user", str(cast.rita.person.pk), project="halyard"), None) for _ in range(PAGE)]
        record_many(actor=cast.max, event=Listed.ROLE_GRANTED, entries=entries)
    assert taken[1] <= taken[0]
    assert taken[1] <= 30


def test_every_event_has_a_row_a_phrase_and_a_place_on_the_page_of_the_vocabulary(cast, page):
    assert [event for event in Listed if event not in ENTRIES] == []
    assert [event.value for event in Listed if event.value not in PHRASES] == []
    assert {phrase.partition(" ")[0] for phrase in PHRASES} == {event.value for event in Listed}
    shown = text(page(cast.otto).get("/audit/events/"))
    for event in Listed:
        assert f'href="/p/halyard/audit/?event={event.value}"' in shown
    assert shown.count('title="Show these"') == len(Listed)


def test_my_own_events_are_mine_and_what_was_done_to_my_account(cast):
    record(actor=cast.rita, event=Listed.SIGNED_IN, subject=Subject("user", str(cast.rita.person.pk)))
    grant_role(actor=cast.ada, user=cast.rita.person, role=Role.AUDITOR, target=cast.project)
    found = own_events(viewer=cast.rita, limit=10)
    assert [one["event"] for one in found] == ["access.role_granted", "access.signed_in", "access.user_created"]
    assert len(own_events(viewer=cast.rita, limit=1)) == 1


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        (Filters(outcome="denied"), "event_refused_id"),
        (Filters(object_kind="judge"), "event_kind_id"),
        (Filters(request="0197a000-0000-7000-8000-00000000beef"), "event_request"),
        (Filters(since=datetime(2099, 1, 1, tzinfo=UTC)), "Index Cond: (id > "),
        (Filters(actor="nemo"), "event_actor_id"),
        (Filters(object="0197a000-0000-7000-8000-00000000beef"), "event_object_id"),
        (Filters(events=("judge.created",)), "event_event_id"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_rare_is_found_by_an_index(committed_db, committed_cast, filters, index):
    """A log of some size in which almost everything is something else."""
    entries = [(Subject("item", f"{number}", project="halyard"), None) for number in range(5_000)]
    with transaction.atomic():
        record_many(actor=committed_cast.rita, event=Listed.ITEM_LEASED, entries=entries)
    with owner_connection(committed_db) as owner:
        owner.execute("ANALYZE audit.event")
    assert index in visible_events(viewer=committed_cast.ada, filters=filters)[:51].explain()


@pytest.mark.parametrize("question", ["since=0001-01-01T00:00", "until=9999-12-31T23:59", "request=x", "before=-1"])
def test_a_page_says_what_it_cannot_read(cast, page, question):
    answer = page(cast.otto).get(f"{LOG}?{question}")
    assert answer.status_code == 422
    assert b'class="error"' in answer.content or b"not of this page" in answer.content
