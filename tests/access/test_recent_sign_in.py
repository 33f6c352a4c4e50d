"""An old session is asked "Is it you?" before it changes who may what, and nothing that was typed is lost."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from django.contrib.auth import get_user
from django.test import Client, RequestFactory
from rest_framework.decorators import api_view, permission_classes
from rest_framework.response import Response

from reviewapp.access.matrix import Role
from reviewapp.access.reauthentication import recent_sign_in
from reviewapp.access.roles import roles_on
from tests.conftest import PASSWORD, personal_api

GRANT = {"username": "nemo", "role": "auditor", "queue": "", "reason": "quarterly audit, “Q4” <b>"}
ADDRESS = "/p/halyard/settings/grant/"


def hidden_fields(answer):
    """What the page would send again."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', answer.content.decode())
    return {unescape(name): unescape(value) for name, value in found if name != "csrfmiddlewaretoken"}


@pytest.fixture
def stale(cast, page):
    """Ada's browser, ten minutes after she signed in."""
    return page(cast.ada, seconds_ago=600)


def test_a_recent_session_is_not_asked(cast, page):
    page(cast.ada, seconds_ago=290).post(ADDRESS, GRANT)
    assert roles_on(cast.nemo.person, cast.project) == {Role.AUDITOR}


def test_an_old_session_changes_nothing_and_is_asked(cast, stale):
    answer = stale.post(ADDRESS, GRANT)
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/reauthenticate/?next=%2Faccounts%2Fgo-on%2F")
    assert roles_on(cast.nemo.person, cast.project) == frozenset()


def test_after_the_password_the_form_comes_back_as_it_was_typed_and_is_done(cast, stale):
    asked = stale.post(ADDRESS, GRANT)
    confirmed = stale.post(asked["Location"], {"password": PASSWORD, "next": "/accounts/go-on/"})
    assert (confirmed.status_code, confirmed["Location"]) == (302, "/accounts/go-on/")
    form = stale.get("/accounts/go-on/")
    assert f'action="{ADDRESS}"' in form.content.decode()
    assert hidden_fields(form) == GRANT
    assert stale.post(ADDRESS, hidden_fields(form)).status_code == 302
    assert roles_on(cast.nemo.person, cast.project) == {Role.AUDITOR}
    assert stale.get("/accounts/go-on/")["Location"] == "/"


def test_a_wrong_password_leaves_the_session_old(cast, stale):
    stale.post(ADDRESS, GRANT)
    assert b"incorrect" in stale.post("/accounts/reauthenticate/", {"password": "something else"}).content.lower()
    assert stale.get("/accounts/go-on/")["Location"] == "/accounts/reauthenticate/?next=%2Faccounts%2Fgo-on%2F"


def test_what_one_person_typed_is_not_shown_to_the_next_at_the_same_browser(cast, stale, page):
    stale.post(ADDRESS, GRANT)
    assert page(cast.max).get("/accounts/go-on/")["Location"] == "/"


def test_htmx_is_sent_to_the_page_that_asks(stale):
    answer = stale.post(ADDRESS, GRANT, headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"][:25]) == (401, "/accounts/reauthenticate/")


def test_the_row_of_the_session_holds_no_password(cast, stale):
    stale.post(ADDRESS, {**GRANT, "password": PASSWORD, "old_password1": "hunter22"})
    kept = str(dict(stale.session.items()))
    assert "quarterly audit" in kept
    assert PASSWORD not in kept
    assert "hunter22" not in kept


@api_view(["GET", "POST"])
@permission_classes([])
@recent_sign_in(methods=("POST",))
def door(request):
    """A door of the API, called here without an address: the house has none for everybody."""
    return Response({})


def call(browser, method, **headers):
    """The door as this browser, or a program with these headers, calls it."""
    request = RequestFactory(headers=headers).generic(method, "/api/v1/door/", b"{}", content_type="application/json")
    request.session, request.user = browser.session, get_user(browser)
    request._dont_enforce_csrf_checks = True
    return door(request)


def test_the_api_refuses_an_old_session_and_lets_a_token_pass(cast, stale):
    refused = call(stale, "POST")
    assert refused.status_code == 403
    assert json.loads(refused.content)["type"] == "urn:reviewapp:problem:sign-in-not-recent"
    assert call(stale, "GET").status_code == 200
    token = personal_api(cast.ada).token
    assert call(Client(), "POST", Authorization=f"Bearer {token}").status_code == 200
