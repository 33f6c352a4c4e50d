"""Forgetting an end user takes two people, and only the right two; the request names nobody once it is done."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from reviewapp.access.actors import SYSTEM
from reviewapp.access.matrix import Role
from reviewapp.access.services import create_project, grant_installation_role, grant_role
from reviewapp.audit.models import Event, Payload
from reviewapp.compliance.models import Erasure
from reviewapp.compliance.services import erasing, journal
from reviewapp.compliance.services.erasures import decide_erasure, request_erasure, request_person_erasure
from reviewapp.ingest.models import Output
from reviewapp.lib.errors import AccessDenied, Conflict, Unprocessable
from tests.conftest import Cast, make_person, service_api

LIST = "/p/halyard/erasures/"
SUBJECT = "cust-7f3a"


@pytest.fixture(autouse=True)
def folders(settings: Any, tmp_path: Any) -> None:
    """Files of the test's own."""
    settings.ERASURES_DIR = tmp_path / "erasures"
    settings.FILES_DIR = tmp_path / "files"


@pytest.fixture
def held(cast: Cast) -> Cast:
    """Two outputs of the subject and one of somebody with a longer name."""
    api = service_api(cast)
    rows = [
        {"external_id": f"req-{n}", "input": f"question {n}", "output": f"answer {n}", "end_user_id": who}
        for n, who in ((1, SUBJECT), (2, SUBJECT), (3, f"{SUBJECT}9"))
    ]
    assert api.bulk("outputs/", rows).body["accepted"] == 3
    return cast


def asked(cast: Cast) -> Erasure:
    return request_erasure(actor=cast.ada, project=cast.project, end_user_id=SUBJECT, reason="asked by letter")


def approved(cast: Cast) -> Erasure:
    return decide_erasure(actor=cast.max, erasure=asked(cast), approve=True, note="checked the identity")


def payloads(name: str) -> list[dict[str, Any]]:
    return [json.loads(row.data) for row in Payload.objects.filter(event__event=name).order_by("pk")]


def test_an_admin_looks_and_asks_and_a_manager_approves(held, page):
    ada = page(held.ada)
    shown = ada.post(f"{LIST}look/", {"end_user_id": SUBJECT})
    assert shown.status_code == 200
    assert '<th scope="row">outputs</th><td class="n">2</td>' in shown.content.decode()
    assert not Erasure.objects.exists()
    answer = ada.post(f"{LIST}ask/", {"end_user_id": SUBJECT, "reason": "asked by letter"})
    row = Erasure.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"{LIST}{row.pk}/")
    assert (row.state, row.requested_by) == ("requested", held.ada.person)
    manager = page(held.max)
    assert "Waits for your decision" in manager.get("/").content.decode()
    answer = manager.post(f"{LIST}{row.pk}/decide/", {"decision": "approve", "note": ""})
    row.refresh_from_db()
    assert (answer.status_code, row.state, row.decided_by) == (302, "approved", held.max.person)
    names = list(Event.objects.filter(object=str(row.pk)).order_by("pk").values_list("event", flat=True))
    assert names == ["compliance.erasure_requested", "compliance.erasure_approved"]


def test_looking_up_nobody_says_so_and_asks_for_nothing(held, page):
    answer = page(held.ada).post(f"{LIST}look/", {"end_user_id": "cust-7f3"})
    assert answer.status_code == 422
    assert "Nothing is held under this end user id" in answer.content.decode()


@pytest.mark.parametrize(("name", "status"), [("max", 403), ("otto", 403), ("rita", 404), ("nemo", 404)])
def test_only_an_admin_asks(held, page, name, status):
    client = page(getattr(held, name))
    for address in ("look/", "ask/"):
        answer = client.post(f"{LIST}{address}", {"end_user_id": SUBJECT, "reason": "x"})
        assert answer.status_code == status, address
    assert not Erasure.objects.exists()
    assert Event.objects.filter(event="access.denied", actor=str(getattr(held, name).person.pk)).count() == 2


@pytest.mark.parametrize(("name", "status"), [("ada", 403), ("otto", 403), ("rita", 404), ("nemo", 404)])
def test_only_a_manager_decides(held, page, name, status):
    row = asked(held)
    answer = page(getattr(held, name)).post(f"{LIST}{row.pk}/decide/", {"decision": "approve", "note": ""})
    row.refresh_from_db()
    assert (answer.status_code, row.state) == (status, "requested")


def test_whoever_asked_never_decides_not_even_as_a_manager(held, page):
    grant_role(actor=SYSTEM, user=held.ada.person, role=Role.MANAGER, target=held.project)
    row = asked(held)
    client = page(held.ada)
    assert client.post(f"{LIST}{row.pk}/decide/", {"decision": "approve", "note": ""}).status_code == 403
    assert "somebody else decides" in client.get(f"{LIST}{row.pk}/").content.decode()
    assert "Waits for your decision" not in client.get("/").content.decode()
    with pytest.raises(IntegrityError), transaction.atomic():
        Erasure.objects.filter(pk=row.pk).update(decided_by=held.ada.person)


def test_a_refusal_needs_a_note_and_erases_nothing(held, page):
    row = asked(held)
    client = page(held.max)
    assert client.post(f"{LIST}{row.pk}/decide/", {"decision": "refuse", "note": " "}).status_code == 422
    assert client.post(f"{LIST}{row.pk}/decide/", {"decision": "refuse", "note": "not the person"}).status_code == 302
    row.refresh_from_db()
    assert (row.state, erasing.open_erasure_ids()) == ("refused", [])
    assert payloads("compliance.erasure_refused")[0]["reason"] == "not the person"
    with pytest.raises(Conflict):
        decide_erasure(actor=held.max, erasure=row, approve=True, note="")


def test_it_is_not_asked_for_twice_at_once(held):
    asked(held)
    with pytest.raises(Conflict, match="asked for already"):
        asked(held)


def test_a_request_needs_a_reason_and_somebody_to_erase(held):
    for name, reason in ((SUBJECT, " "), ("nobody", "x")):
        with pytest.raises(Unprocessable):
            request_erasure(actor=held.ada, project=held.project, end_user_id=name, reason=reason)


def test_what_is_approved_is_carried_out_once_and_names_nobody_then(held):
    row = approved(held)
    assert erasing.open_erasure_ids() == [row.pk]
    erasing.work_on_erasure(erasure_id=row.pk)
    erasing.work_on_erasure(erasure_id=row.pk)
    row.refresh_from_db()
    assert (row.state, row.done, row.total) == ("done", 2, 2)
    assert (row.end_user_id, row.reason, row.decision_note) == (None, "", "")
    assert row.counts["outputs"] == 2
    texts = Output.objects.filter(external_id__in=["req-1", "req-2"]).values_list("input", "output", "end_user_id")
    assert set(texts) == {(None, None, None)}
    assert Output.objects.get(external_id="req-3").input == "question 3"
    finished = payloads("compliance.erasure_finished")
    assert [one["approver"] for one in finished] == [str(held.max.person.pk)]
    erased = payloads("audit.payload_erased")
    assert erased[0]["basis"] == "right to erasure, Article 17 GDPR"
    assert sum(one["n"] for one in erased) == len({eid for one in erased for eid in one["eids"]}) >= 2
    [entry] = journal.entries()
    assert (entry.kind, entry.project) == ("end_user", str(held.project.pk))
    assert entry.digest == journal.digest_of(kind="end_user", project=held.project.pk, subject=SUBJECT)
    assert set(entry.eids) == {eid for one in erased for eid in one["eids"]}


@pytest.mark.parametrize("name", ["actor_name", "otto", "1"])
def test_what_a_project_calls_its_users_takes_nothing_from_the_log_of_others(held, name):
    """A sender chooses the id: the name of a field, of somebody here, or a number that stands in every address."""
    create_project(actor=held.ada, slug="elsewhere", title="Elsewhere")
    grant_installation_role(actor=held.ada, user=held.otto.person, role=Role.AUDITOR, reason="1 otto")
    others = Payload.objects.exclude(event__project="halyard")
    before = set(others.values_list("pk", flat=True))
    rows = [{"external_id": "req-9", "input": "q", "output": "a", "end_user_id": name}]
    assert service_api(held).bulk("outputs/", rows).body["accepted"] == 1
    row = request_erasure(actor=held.ada, project=held.project, end_user_id=name, reason="asked by letter")
    decide_erasure(actor=held.max, erasure=row, approve=True, note="checked")
    erasing.work_on_erasure(erasure_id=row.pk)
    row.refresh_from_db()
    assert row.state == "done"
    assert before <= set(others.values_list("pk", flat=True))


def test_half_a_line_of_a_power_cut_takes_no_other_with_it(settings, tmp_path):
    settings.ERASURES_DIR = tmp_path
    entries = [journal.Entry(name, "person", None, name * 64, "2026-11-21T00:00:00Z", ()) for name in "ab"]
    journal.append(entries[0])
    with (tmp_path / "journal.jsonl").open("ab") as file:
        file.write(b'{"at":"2026-')
    journal.append(entries[1])
    assert journal.entries() == entries


def test_the_work_goes_on_where_a_dead_worker_left_it(held, monkeypatch):
    row = approved(held)
    monkeypatch.setattr(erasing, "CHUNK", 1)
    claimed = erasing._claim(row.pk)
    assert claimed is not None
    assert erasing._step(claimed)
    assert erasing.open_erasure_ids() == []  # in a worker's hands
    assert erasing._claim(row.pk) is None
    with connection.cursor() as cursor:
        cursor.execute("UPDATE reviewapp_erasure SET claimed_until = now() - interval '1 second'")
    erasing.work_on_erasure(erasure_id=row.pk)
    row.refresh_from_db()
    assert (row.state, row.done, row.total) == ("done", 2, 2)


def test_a_record_sent_again_under_an_erased_id_is_refused(held):
    erasing.work_on_erasure(erasure_id=approved(held).pk)
    api = service_api(held)
    again = {"external_id": "req-1", "input": "question 1", "output": "answer 1", "end_user_id": SUBJECT}
    assert api.post("outputs/", again).body["rejected"] == 1
    late = api.post("signals/", {"external_id": "req-1", "kind": "edit", "value": "late words"})
    assert (late.status, late.body["errors"][0]["detail"]) == (
        422, "was erased on request; nothing more is taken about it",
    )  # fmt: skip
    assert api.get("outputs/req-1/").body["erased_at"]


def test_the_page_shows_progress_and_an_empty_list_says_what_to_do(held, page):
    client = page(held.otto)
    assert "Nobody has asked for an erasure" in client.get(LIST).content.decode()
    row = approved(held)
    fragment = client.get(f"{LIST}{row.pk}/progress/").content.decode()
    assert 'hx-trigger="every 2s"' in fragment
    erasing.work_on_erasure(erasure_id=row.pk)
    fragment = client.get(f"{LIST}{row.pk}/progress/").content.decode()
    assert "hx-get" not in fragment
    assert SUBJECT not in client.get(f"{LIST}{row.pk}/").content.decode() + client.get(LIST).content.decode()


@pytest.fixture
def anna(held: Cast) -> Any:
    """A second admin of the installation."""
    person = make_person("anna")
    grant_installation_role(actor=SYSTEM, user=person.person, role=Role.ADMIN)
    return person


def test_an_account_is_erased_by_two_admins_of_the_installation(held, anna, page):
    rita = held.rita.person
    address = f"/erasures/people/{rita.pk}/"
    assert page(held.max).get(address).status_code == 403
    client = page(held.ada)
    assert "accounts" in client.get(address).content.decode()
    assert client.post(address, {"reason": "left the company"}).status_code == 302
    row = Erasure.objects.get()
    assert client.post(f"/erasures/{row.pk}/decide/", {"decision": "approve", "note": ""}).status_code == 403
    assert page(anna).post(f"/erasures/{row.pk}/decide/", {"decision": "approve", "note": ""}).status_code == 302
    erasing.work_on_erasure(erasure_id=row.pk)
    rita.refresh_from_db()
    assert rita.username == f"erased-{row.subject_digest[:8]}"
    assert (rita.is_active, rita.display_name, rita.email, rita.has_usable_password()) == (False, "", "", False)
    assert "Nobody has asked" not in page(anna).get("/erasures/").content.decode()


def test_an_admin_of_the_installation_is_not_erased_and_nobody_decides_on_themself(held, anna):
    with pytest.raises(Conflict, match="Take that role away first"):
        request_person_erasure(actor=held.ada, user=anna.person, reason="x")
    row = request_person_erasure(actor=held.ada, user=held.nemo.person, reason="x")
    grant_installation_role(actor=SYSTEM, user=held.nemo.person, role=Role.ADMIN)
    with pytest.raises(AccessDenied, match="a second person does"):
        decide_erasure(actor=held.nemo, erasure=row, approve=True, note="")


def test_an_old_sign_in_is_not_enough_to_ask_or_to_decide(held, page):
    again = "/accounts/reauthenticate/?next=%2Faccounts%2Fgo-on%2F"
    client = page(held.ada, seconds_ago=600)
    for address in (f"{LIST}ask/", f"/erasures/people/{held.rita.person.pk}/"):
        assert client.post(address, {"end_user_id": SUBJECT, "reason": "x"})["Location"] == again
    assert not Erasure.objects.exists()
    row = asked(held)
    client = page(held.max, seconds_ago=600)
    assert client.post(f"{LIST}{row.pk}/decide/", {"decision": "approve", "note": ""})["Location"] == again
    row.refresh_from_db()
    assert row.state == "requested"


def test_a_failed_step_is_noted_and_tried_again(held, settings, tmp_path):
    row = approved(held)
    blocked = tmp_path / "a file where the folder should be"
    blocked.write_text("")
    right, settings.ERASURES_DIR = settings.ERASURES_DIR, blocked
    with pytest.raises(OSError, match=r"File exists|Not a directory"):
        erasing.work_on_erasure(erasure_id=row.pk)
    row.refresh_from_db()
    assert (row.state, "goes on by itself" in row.error) == ("running", True)
    assert Event.objects.filter(event="compliance.erasure_stopped", outcome="error").count() == 1
    settings.ERASURES_DIR = right
    with connection.cursor() as cursor:
        cursor.execute("UPDATE reviewapp_erasure SET claimed_until = now() - interval '1 second'")
    erasing.work_on_erasure(erasure_id=row.pk)
    row.refresh_from_db()
    assert (row.state, row.error) == ("done", "")
