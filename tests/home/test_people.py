"""The people pages: who there is, what each can do and why, and how an account is closed."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.test import Client

from reviewapp.access.actors import SYSTEM
from reviewapp.access.matrix import ACTS, Role
from reviewapp.access.models import ApiToken, User
from reviewapp.access.people import explained, people, warnings_of
from reviewapp.access.roles import roles_on
from reviewapp.access.services import create_project, grant_installation_role, grant_role, imported_reviewer
from reviewapp.access.words import ACT_WORDS
from reviewapp.audit.models import Event
from reviewapp.lib.clock import utc_now
from tests.access.test_sign_in import sign_in
from tests.conftest import make_person, personal_api
from tests.queues.arrange import make_queue


@pytest.fixture
def ada(cast, page):
    """The browser of an admin of the installation."""
    return page(cast.ada)


@pytest.fixture
def ingo(cast):
    """An auditor of the installation."""
    made = make_person("ingo", "Ingo")
    grant_installation_role(actor=SYSTEM, user=made.person, role=Role.AUDITOR, reason="r")
    return made


def address(actor, rest=""):
    return f"/people/{actor.person.pk}/{rest}"


def newest(event):
    return Event.objects.filter(event=event).latest("id")


def test_everybody_is_listed_with_state_roles_factor_and_last_sign_in(cast, ada):
    Authenticator.objects.create(user=cast.max.person, type="totp", data={"secret": "closed"})
    User.objects.filter(pk=cast.max.person.pk).update(last_login=utc_now() - timedelta(days=3))
    shown = ada.get("/people/")
    rows = {re.search(r"<small>(\w+)</small>", row)[1]: row for row in shown.content.decode().split("<tr ")[2:]}
    assert set(rows) == {"ada", "max", "otto", "rita", "rob", "rosa", "ivy", "nemo"}
    assert "admin of the whole installation" in rows["ada"]
    assert "manager of Halyard support assistant" in rows["max"]
    assert "set up" in rows["max"]
    assert "never" in rows["nemo"]
    assert "nothing" in rows["nemo"]


def test_roles_on_many_queues_are_counted(cast, ada):
    for slug in ("answers", "others"):
        cast.reviewers(make_queue(cast, slug=slug))
    assert "reviewer on 2 queues of Halyard support assistant" in ada.get("/people/?q=rita").content.decode()


def test_imported_names_and_states_are_filters(cast, ada):
    imported_reviewer(actor=cast.max, project=cast.project, name="Outside Person", is_slot=False)
    assert b"Outside Person" not in ada.get("/people/").content
    assert b"Outside Person" in ada.get("/people/?state=imported").content
    ada.post(address(cast.rob, "close/"), {"reason": "left"})
    assert [line.user.username for line in people(viewer=cast.ada, search="r").lines if line.state == "closed"] == [
        "rob"
    ]
    assert b">rob<" in ada.get("/people/?state=closed").content
    assert b"Nobody matches" in ada.get("/people/?q=nobody-of-this-name").content
    assert ada.get("/people/?state=nonsense").status_code == 422


def test_the_list_takes_as_many_queries_for_many_people_as_for_few(cast, ada, django_assert_max_num_queries):
    for number in range(60):
        grant_role(
            actor=SYSTEM, user=make_person(f"p{number}").person, role=Role.AUDITOR, target=cast.project, reason="r"
        )
    ada.get("/people/")
    with django_assert_max_num_queries(22):
        ada.get("/people/")


def test_an_admin_invites_and_the_link_is_shown_once(cast, ada):
    body = {
        "username": "iris",
        "display_name": "Iris",
        "email": "",
        "role": "manager",
        "place": "halyard",
        "reason": "new",
    }
    shown = ada.post("/people/invite/", body)
    link = re.search(r"http://testserver(/invite/\w{43}/)", shown.content.decode())[1]
    iris = User.objects.get(username="iris")
    assert shown["Cache-Control"] == "no-store"
    assert link not in ada.get(f"/people/{iris.pk}/").content.decode()
    assert b"invited" in ada.get("/people/?state=invited").content
    assert Client().get(link).status_code == 200
    ada.post(f"/people/{iris.pk}/link/withdraw/", {"reason": "wrong name"})
    assert Client().get(link).status_code == 404


def test_a_role_that_does_not_fit_its_place_is_said_so_and_what_was_typed_stays(cast, ada):
    body = {"username": "iris", "display_name": "", "email": "", "role": "reviewer", "place": "*", "reason": "new"}
    answer = ada.post("/people/invite/", body)
    assert answer.status_code == 422
    assert b"Held there are only admin and auditor" in answer.content
    assert b'value="iris"' in answer.content
    assert not User.objects.filter(username="iris").exists()


@pytest.mark.parametrize(("username", "said"), [("MAX", b"is taken"), ("a:b", b"no colon")])
@pytest.mark.parametrize("form", ["/people/invite/", "/p/halyard/settings/invite/"])
def test_a_name_that_cannot_be_had_is_said_beside_it_and_what_was_typed_stays(cast, ada, form, username, said):
    body = {"username": username, "display_name": "Somebody", "email": "", "reason": "new"}
    body |= {"role": "manager", "place": "halyard", "queue": ""}
    answer = ada.post(form, body)
    assert (answer.status_code, said in answer.content, b'value="Somebody"' in answer.content) == (422, True, True)


def test_the_largest_role_is_nobodys_by_not_looking(cast, ada):
    shown = ada.get(address(cast.max)).content.decode()
    choices = re.findall(r'<option value="([^"]*)"', shown[shown.index('name="role"') :])
    assert (choices[0], choices[-1]) == ("", "*")
    first = {"role": choices[0], "place": "halyard", "reason": "typed nothing else"}
    assert ada.post(address(cast.max, "give/"), first).status_code == 422


def test_the_page_of_a_person_says_who_gave_each_role_when_and_why(cast, ada):
    body = {"role": "auditor", "place": "halyard", "reason": "quarterly audit <Q4>"}
    assert ada.post(address(cast.nemo, "give/"), body).status_code == 302
    held = explained(cast.nemo.person)
    assert [(one.role, one.where, one.given.by, one.given.reason) for one in held] == [
        ("auditor", "Halyard support assistant", "ada", "quarterly audit <Q4>")
    ]
    shown = ada.get(address(cast.nemo)).content.decode()
    assert "quarterly audit &lt;Q4&gt;" in shown
    assert "take the audit log away" in shown
    assert "take items of the queue" not in shown


def test_the_warning_about_two_roles_is_given_and_stays_on_the_page(cast, ada):
    make_queue(cast, slug="answers")
    shown = ada.post(
        address(cast.max, "give/"),
        {"role": "adjudicator", "place": "halyard/answers", "reason": "nobody else"},
        follow=True,
    )
    assert b"manager and adjudicator in Halyard support assistant" in shown.content
    assert len(warnings_of(explained(cast.max.person))) == 1
    assert warnings_of(explained(cast.otto.person)) == []


def test_a_role_is_taken_with_a_reason_and_not_without(cast, ada):
    taken = {"role": "auditor", "place": "halyard", "reason": ""}
    assert b"Nothing was done: say why" in ada.post(address(cast.otto, "take/"), taken, follow=True).content
    assert roles_on(cast.otto.person, cast.project) == {Role.AUDITOR}
    ada.post(address(cast.otto, "take/"), {**taken, "reason": "audit is over"})
    assert roles_on(cast.otto.person, cast.project) == frozenset()
    assert "audit is over" in newest("access.role_revoked").payload.data


def test_a_role_of_the_installation_is_given_and_taken_and_the_last_admin_stays(cast, ada):
    ada.post(address(cast.max, "give/"), {"role": "admin", "place": "*", "reason": "deputy"})
    assert cast.max.person.installation_roles.get().role == "admin"
    ada.post(address(cast.max, "take/"), {"role": "admin", "place": "*", "reason": "no deputy"})
    assert not cast.max.person.installation_roles.exists()
    last = ada.post(address(cast.ada, "take/"), {"role": "admin", "place": "*", "reason": "r"})
    assert (last.status_code, b"last admin of this installation" in last.content) == (409, True)
    assert ada.post(address(cast.ada, "close/"), {"reason": "r"}).status_code == 409


def test_a_closed_account_is_dead_at_once_in_every_session_and_token(cast, page):
    browser, api = Client(), personal_api(cast.max)
    sign_in(browser, "max")
    assert (browser.get("/account/").status_code, api.get("rubrics/").status) == (200, 200)
    ada = page(cast.ada)
    assert ada.post(address(cast.max, "close/"), {"reason": "left the company"}).status_code == 302
    assert browser.get("/account/")["Location"] == "/accounts/login/?next=/account/"
    assert (
        browser.post("/account/tokens/", {"name": "x", "scopes": ["manage"], "days": "3"})["Location"][:17]
        == "/accounts/login/?"
    )
    assert api.get("rubrics/").status == 401
    assert not UserSession.objects.filter(user=cast.max.person).exists()
    assert "left the company" in newest("access.user_deactivated").payload.data
    assert b"closed" in ada.get(address(cast.max)).content
    ada.post(address(cast.max, "open/"), {"reason": "came back"})
    assert browser.get("/account/").status_code == 302
    assert sign_in(Client(), "max").status_code == 302


def test_sessions_of_somebody_are_listed_and_ended(cast, page):
    first = Client(headers={"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0"})
    second = Client(headers={"User-Agent": "curl/8"})
    sign_in(first, "rita")
    sign_in(second, "rita")
    ada = page(cast.ada)
    shown = ada.get(address(cast.rita)).content.decode()
    assert "Edge on Windows" in shown
    assert "another program" in shown
    number = re.search(r'name="session" value="(\d+)"', shown)[1]
    ada.post(address(cast.rita, "sessions/end/"), {"session": number, "reason": "unknown browser"})
    assert sorted(browser.get("/account/").status_code for browser in (first, second)) == [200, 302]
    ada.post(address(cast.rita, "sessions/end/"), {"reason": "all of them"})
    assert {browser.get("/account/").status_code for browser in (first, second)} == {302}
    assert ada.post(address(cast.rita, "sessions/end/"), {"session": number, "reason": "again"}).status_code == 404


def test_an_admin_revokes_a_token_of_anybody(cast, ada):
    api = personal_api(cast.rita)
    token = ApiToken.objects.get(owner=cast.rita.person)
    assert f"rva_{token.prefix}_…".encode() in ada.get(address(cast.rita)).content
    assert ada.post(address(cast.rita, f"tokens/{token.pk}/revoke/")).status_code == 302
    assert api.get("queues/").status == 401


def test_an_auditor_of_the_installation_reads_and_changes_nothing(cast, ingo, page):
    browser = page(ingo)
    assert browser.get("/people/").status_code == 200
    shown = browser.get(address(cast.max))
    assert shown.status_code == 200
    assert b'<form method="post" action="/people/' not in shown.content
    for rest in ("give/", "take/", "close/", "open/", "link/", "link/withdraw/", "sessions/end/"):
        assert browser.post(address(cast.max, rest), {"reason": "r"}).status_code == 403, rest
    assert browser.post("/people/invite/", {}).status_code == 403


@pytest.mark.parametrize("who", ["max", "otto", "rita", "nemo"])
def test_everybody_else_is_refused_and_the_refusal_is_recorded(cast, page, who):
    browser = page(getattr(cast, who))
    for where in ("/people/", address(cast.ada)):
        assert browser.get(where).status_code == 403
    assert newest("access.denied").actor == str(getattr(cast, who).person.pk)
    assert b"/people/" not in browser.get("/account/").content


def test_a_project_admin_invites_in_settings_and_a_manager_gives_queue_roles_only(cast, page):
    other = create_project(actor=SYSTEM, slug="other", title="Other")
    adam, mona = make_person("adam"), make_person("mona")
    grant_role(actor=SYSTEM, user=adam.person, role=Role.ADMIN, target=other, reason="r")
    grant_role(actor=SYSTEM, user=mona.person, role=Role.MANAGER, target=other, reason="r")
    manager = page(mona)
    offered = re.findall(r'<option value="(\w+)"', manager.get("/p/other/settings/").content.decode())
    assert offered == ["reviewer", "adjudicator"]
    assert b"Invite somebody new" not in manager.get("/p/other/settings/").content
    body = {"username": "nemo", "role": "auditor", "queue": "", "reason": "r"}
    assert manager.post("/p/other/settings/grant/", body).status_code == 422
    admin = page(adam)
    body = {"username": "iris", "display_name": "", "email": "", "role": "manager", "queue": "", "reason": "new"}
    assert b"/invite/" in admin.post("/p/other/settings/invite/", body).content
    assert admin.post("/p/halyard/settings/invite/", body).status_code == 404
    assert page(mona).post("/p/other/settings/invite/", {**body, "username": "jon"}).status_code == 403
    assert not User.objects.filter(username="jon").exists()


def test_every_act_of_the_matrix_has_its_words():
    assert set(ACT_WORDS) == set(ACTS)


def test_ones_own_account_says_what_one_can_do_and_ends_ones_other_sessions(cast, page):
    elsewhere = Client()
    sign_in(elsewhere, "max")
    here = page(cast.max)
    shown = here.get("/account/").content.decode()
    assert "manager<small>of Halyard support assistant" in shown
    assert "access.signed_in" in shown
    assert here.post("/account/sessions/end/", {"session": "-1"}).status_code == 404
    assert elsewhere.get("/account/").status_code == 200
    here.post("/account/sessions/end/", {})
    assert (here.get("/account/").status_code, elsewhere.get("/account/").status_code) == (200, 302)


def test_nobody_ends_a_session_of_somebody_else_from_their_own_account(cast, page):
    sign_in(Client(), "rita")
    ada = page(cast.ada)
    number = re.search(r'name="session" value="(\d+)"', ada.get(address(cast.rita)).content.decode())[1]
    assert page(cast.rob).post("/account/sessions/end/", {"session": number}).status_code == 404


def test_the_page_of_an_erased_account_offers_nothing_that_would_be_refused(cast, ada):
    User.objects.filter(pk=cast.rob.person.pk).update(is_active=False, erased_at=utc_now())
    shown = ada.get(address(cast.rob)).content.decode()
    assert "what is left is a pseudonym" in shown
    assert ("Give the role" in shown, "Open the account" in shown) == (False, False)


def test_who_keeps_the_installation_finds_its_pages_from_the_first_page(cast, page):
    shown = page(cast.ada).get("/").content.decode()
    for address in ("/people/", "/audit/", "/erasures/"):
        assert f'href="{address}">' in shown
    assert "This installation" not in page(cast.rita).get("/").content.decode()
