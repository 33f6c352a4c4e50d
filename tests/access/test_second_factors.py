"""Second factors: kept closed, asked for at sign-in, good once, and required of whom the installation says."""

from __future__ import annotations

import json
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from config import env
from reviewapp.access.factors import FactorAdapter
from reviewapp.audit.models import Event
from tests.access.test_sign_in import sign_in
from tests.conftest import personal_api

CODE_PAGE = "/accounts/2fa/authenticate/"


def code_of(secret, step=0):
    """What the app shows; step=1 is the next code, which the tolerance accepts already."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + step))


def set_up_app(browser):
    """Through the pages; returns the secret that the app would keep."""
    form = browser.get("/accounts/2fa/app/add/")
    secret = form.context["form"].secret
    done = browser.post("/accounts/2fa/app/add/", {"code": code_of(secret, -1)})
    assert done.status_code == 302, done.content
    return secret


@pytest.fixture
def browser(cast):
    """Max, signed in by password a moment ago."""
    made = Client()
    sign_in(made, "max")
    return made


def kinds(actor):
    return sorted(Authenticator.objects.filter(user=actor.person).values_list("type", flat=True))


def test_an_app_is_set_up_and_then_asked_for(cast, browser):
    secret = set_up_app(browser)
    assert kinds(cast.max) == ["recovery_codes", "totp"]
    later = Client()
    assert sign_in(later, "max")["Location"] == CODE_PAGE
    assert later.get("/account/")["Location"].startswith("/accounts/login/")
    assert later.post(CODE_PAGE, {"code": code_of(secret)})["Location"] == "/"
    assert later.get("/account/").status_code == 200
    actor = json.loads(Event.objects.filter(event="access.signed_in").latest("id").env)["actor"]
    assert actor["mfa"] == "totp"


def test_no_secret_lies_open_in_the_database(cast, browser):
    form = browser.get("/accounts/2fa/app/add/")
    secret = form.context["form"].secret
    assert secret in form.content.decode()
    assert secret not in json.dumps(dict(browser.session.items()))
    browser.post("/accounts/2fa/app/add/", {"code": code_of(secret)})
    codes = browser.get("/accounts/2fa/codes/").context["unused_codes"]
    kept = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in kept
    assert not any(code in kept for code in codes)
    app = Authenticator.objects.get(type="totp")
    assert FactorAdapter().decrypt(app.data["secret"]) == secret


def test_what_an_older_key_closed_is_still_opened(settings):
    closed = FactorAdapter().encrypt("secret")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "n" * 60
    assert FactorAdapter().decrypt(closed) == "secret"


def test_a_code_counts_once_and_the_refusal_is_recorded(cast, browser):
    secret = set_up_app(browser)
    code = code_of(secret)
    first, second = Client(), Client()
    sign_in(first, "max")
    sign_in(second, "max")
    assert first.post(CODE_PAGE, {"code": code}).status_code == 302
    refused = second.post(CODE_PAGE, {"code": code})
    assert b"wrong, used already or too old" in refused.content
    assert second.get("/account/").status_code == 302
    failed = Event.objects.filter(event="access.sign_in_failed").latest("id")
    assert failed.object == "second factor: code"
    assert '"max"' in failed.payload.data


def test_the_code_of_the_set_up_does_not_sign_in(cast, browser):
    secret = set_up_app(browser)
    later = Client()
    sign_in(later, "max")
    assert later.post(CODE_PAGE, {"code": code_of(secret, -1)}).status_code == 200


def test_a_recovery_code_opens_one_sign_in(cast, browser):
    set_up_app(browser)
    code = browser.get("/accounts/2fa/codes/").context["unused_codes"][0]
    for expected in ("/", None):
        later = Client()
        sign_in(later, "max")
        assert later.post(CODE_PAGE, {"code": code}).get("Location") == expected
    used = json.loads(Event.objects.filter(event="access.signed_in").latest("id").env)["actor"]
    assert used["mfa"] == "recovery_codes"


def test_recovery_codes_are_shown_once_and_new_ones_replace_them(cast, browser):
    set_up_app(browser)
    shown = browser.get("/accounts/2fa/codes/")
    code = shown.context["unused_codes"][0]
    assert code in shown.content.decode()
    assert code not in browser.get("/accounts/2fa/codes/").content.decode()
    assert browser.post("/accounts/2fa/codes/make/").status_code == 302
    later = Client()
    sign_in(later, "max")
    assert later.post(CODE_PAGE, {"code": code}).status_code == 200
    assert Event.objects.filter(event="access.recovery_codes_made", object=str(cast.max.person.pk)).count() == 1


def test_a_changed_factor_ends_the_other_sessions_and_is_recorded(cast, browser):
    elsewhere = Client()
    sign_in(elsewhere, "max")
    assert elsewhere.get("/account/").status_code == 200
    set_up_app(browser)
    assert elsewhere.get("/account/").status_code == 302
    assert browser.get("/account/").status_code == 200
    browser.post("/accounts/2fa/app/remove/")
    assert kinds(cast.max) == []
    assert [
        json.loads(event.payload.data)["after"]["kinds"]
        for event in Event.objects.filter(event__startswith="access.second_factor").order_by("id")
    ] == [["recovery_codes", "totp"], []]


def test_factors_are_changed_by_a_recent_sign_in_only(cast, page):
    old = page(cast.max, seconds_ago=600)
    for address in ("app/add/", "keys/add/", "codes/make/", "codes/"):
        assert old.get(f"/accounts/2fa/{address}")["Location"].startswith("/accounts/reauthenticate/?next="), address
    assert old.get("/accounts/2fa/").status_code == 200


def test_is_it_you_by_code(cast, page, browser):
    secret = set_up_app(browser)
    old = page(cast.max, seconds_ago=600)
    form = old.get("/accounts/2fa/reauthenticate/?next=/accounts/2fa/codes/make/")
    assert b"a fresh proof" in form.content
    done = old.post("/accounts/2fa/reauthenticate/", {"code": code_of(secret), "next": "/accounts/2fa/codes/make/"})
    assert done["Location"] == "/accounts/2fa/codes/make/"
    assert old.get("/accounts/2fa/codes/make/").status_code == 200
    assert Event.objects.filter(event="access.identity_confirmed", actor=str(cast.max.person.pk)).exists()


@pytest.fixture
def required(settings):
    """The installation wants a second factor of admins, managers and auditors."""
    settings.SECOND_FACTOR_ROLES = frozenset({"admin", "manager", "auditor"})


def test_who_must_have_a_factor_sets_one_up_before_anything_else(cast, required, browser):
    for address in ("/", "/p/halyard/settings/", "/p/halyard/audit/"):
        assert browser.get(address)["Location"] == "/accounts/2fa/", address
    assert browser.post("/account/tokens/", {"name": "way round"})["Location"] == "/accounts/2fa/"
    assert b"Your role needs a second factor here" in browser.get("/accounts/2fa/").content
    assert browser.get("/account/").status_code == 200
    assert browser.get("/livez").status_code == 200
    refused = browser.get("/api/v1/projects/")
    assert (refused.status_code, "second factor" in refused.json()["detail"]) == (403, True)
    assert browser.get("/", headers={"HX-Request": "true"})["HX-Redirect"] == "/accounts/2fa/"
    assert browser.get("/", headers={"Authorization": "Bearer way round"})["Location"] == "/accounts/2fa/"
    assert browser.get("/api/v1/projects/", headers={"Authorization": "Bearer way round"}).status_code == 401
    for almost in ("Bearer\tway", "bearer-way", "Bearer,x"):
        assert browser.get("/api/v1/projects/", headers={"Authorization": almost}).status_code == 403
    set_up_app(browser)
    assert browser.get("/p/halyard/settings/").status_code == 200
    assert browser.get("/api/v1/projects/").status_code == 200


def test_nobody_else_is_asked_and_a_token_is_no_session(cast, required, page):
    assert page(cast.nemo).get("/").status_code == 200
    assert personal_api(cast.max).get("rubrics/").status == 200


def test_a_word_that_is_no_role_stops_the_start(monkeypatch):
    monkeypatch.setenv("REVIEWAPP_SECOND_FACTOR_ROLES", "admin, manager")
    assert env.second_factor_roles() == {"admin", "manager"}
    monkeypatch.setenv("REVIEWAPP_SECOND_FACTOR_ROLES", "admin,boss")
    with pytest.raises(ImproperlyConfigured, match="boss"):
        env.second_factor_roles()


def test_an_unknown_passkey_is_refused_in_words(cast):
    answer = Client().post("/accounts/2fa/keys/sign-in/", {"credential": "{}"}, follow=True)
    assert b"This passkey is not known here" in answer.content
    assert Event.objects.filter(event="access.sign_in_failed", object="passkey").count() == 1


def test_nobody_removes_a_key_of_somebody_else(cast, page):
    key = Authenticator.objects.create(user=cast.rita.person, type="webauthn", data={"name": "hers", "credential": {}})
    assert page(cast.max).get(f"/accounts/2fa/keys/{key.pk}/remove/").status_code == 404
    assert page(cast.max).post(f"/accounts/2fa/keys/{key.pk}/remove/").status_code == 404
    assert kinds(cast.rita) == ["webauthn"]
