"""A session ends by its age, without use, and whenever what opened it changes; its row holds no credential."""

from __future__ import annotations

import json
import time

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.test import Client

from reviewapp.access.actors import session_mark
from reviewapp.audit.models import Event
from tests.access.test_sign_in import sign_in
from tests.conftest import PASSWORD
from tests.queues.arrange import make_queue

NEXT = "another wholly new sentence"
MINUTE, HOUR = 60, 3600


@pytest.fixture
def browser(cast):
    """Max, a manager, signed in by the form."""
    made = Client()
    sign_in(made, "max")
    assert made.get("/account/").status_code == 200
    return made


def put_back(browser, *, since=0.0, seen=0.0):
    """As if the sign-in and the last use were this many seconds earlier."""
    session = browser.session
    state = session["reviewapp.session"]
    session["reviewapp.session"] = {**state, "since": state["since"] - since, "seen": state["seen"] - seen}
    session.save()


def is_in(browser):
    return browser.get("/account/").status_code == 200


def actor_of(event):
    return json.loads(Event.objects.filter(event=event).latest("id").env)["actor"]


def test_the_key_is_another_after_sign_in(cast):
    browser = Client()
    session = browser.session
    session["something"] = "before"
    session.save()
    before = session.session_key
    browser.cookies["reviewapp_session"] = before
    sign_in(browser, "rita")
    assert browser.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()


def test_a_manager_is_out_after_half_an_hour_without_use_and_the_log_says_why(browser):
    mark = session_mark(browser.session.session_key)
    put_back(browser, seen=31 * MINUTE)
    assert not is_in(browser)
    ended = Event.objects.filter(event="access.session_ended").latest("id")
    assert "30 minutes without use" in ended.payload.data
    assert mark in ended.payload.data


def test_use_keeps_a_manager_in(browser):
    for _ in range(5):
        put_back(browser, since=29 * MINUTE, seen=29 * MINUTE)
        assert is_in(browser)


def test_a_reviewer_is_out_after_eight_hours_without_use(cast):
    cast.reviewers(make_queue(cast, slug="answers"))
    browser = Client()
    sign_in(browser, "rita")
    assert is_in(browser)
    put_back(browser, since=7 * HOUR, seen=7 * HOUR)
    assert is_in(browser)
    put_back(browser, seen=8 * HOUR + MINUTE)
    assert not is_in(browser)


def test_nobody_stays_in_longer_than_twelve_hours_however_busy(browser):
    put_back(browser, since=12 * HOUR + MINUTE)
    assert not is_in(browser)


def test_the_api_by_session_ends_with_it(browser):
    assert browser.get("/api/v1/projects/").status_code == 200
    put_back(browser, seen=31 * MINUTE)
    assert browser.get("/api/v1/projects/").status_code == 401


def test_a_session_in_use_is_written_at_most_once_a_minute(browser):
    seen = browser.session["reviewapp.session"]["seen"]
    for _ in range(3):
        is_in(browser)
    assert browser.session["reviewapp.session"]["seen"] == seen
    put_back(browser, seen=2 * MINUTE)
    is_in(browser)
    assert time.time() - browser.session["reviewapp.session"]["seen"] < MINUTE


def test_another_password_ends_the_other_sessions_and_keeps_this_one_under_a_new_key(cast, browser):
    elsewhere = Client()
    sign_in(elsewhere, "max")
    assert is_in(elsewhere)
    before = browser.session.session_key
    body = {"oldpassword": PASSWORD, "password1": NEXT, "password2": NEXT}
    assert browser.post("/accounts/password/change/", body)["Location"] == "/account/"
    assert is_in(browser)
    assert browser.session.session_key != before
    assert not is_in(elsewhere)
    assert Event.objects.filter(event="access.password_changed", actor=str(cast.max.person.pk)).count() == 1
    assert sign_in(Client(), "max", NEXT).status_code == 302


def test_a_wrong_old_password_changes_nothing(browser):
    body = {"oldpassword": "something else", "password1": NEXT, "password2": NEXT}
    assert browser.post("/accounts/password/change/", body).status_code == 200
    assert not Event.objects.filter(event="access.password_changed").exists()


def test_between_the_two_steps_of_a_sign_in_the_row_holds_no_credential(cast):
    Authenticator.objects.create(user=cast.max.person, type="totp", data={"secret": "closed"})
    browser = Client()
    assert sign_in(browser, "max")["Location"] == "/accounts/2fa/authenticate/"
    kept = json.dumps(dict(browser.session.items()))
    assert PASSWORD not in kept
    assert cast.max.person.password not in kept
    assert not is_in(browser)


def test_events_say_which_session_it_was_and_that_no_second_factor_proved_it(browser):
    actor = actor_of("access.signed_in")
    assert actor["session"] == session_mark(browser.session.session_key)
    assert "mfa" not in actor
    assert len(actor["session"]) == 8


def test_looking_at_the_page_of_signing_out_signs_nobody_out(browser):
    assert browser.get("/accounts/logout/").status_code == 200
    assert is_in(browser)
    browser.post("/accounts/logout/")
    assert not is_in(browser)
