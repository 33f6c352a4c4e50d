"""Sign-in through an identity provider that is wrong in every way (SECURITY.md row 58), and right in one."""

from __future__ import annotations

import html
import json
import re
import time
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from config.env import OpenIdConnect
from reviewapp.access.actors import Actor
from reviewapp.access.groups import grant_group_role, revoke_group_role, row_name
from reviewapp.access.invitations import FirstRole, accept_link, invite_user
from reviewapp.access.matrix import Role
from reviewapp.access.models import User
from reviewapp.access.oidc.wire import forget_kept
from reviewapp.access.roles import roles_on
from reviewapp.access.services import deactivate_user, grant_role
from reviewapp.audit.models import Payload
from tests.conftest import PASSWORD, make_person
from tests.fake_oidc import CLIENT_ID, CLIENT_SECRET, ec_key, fake_oidc, public_jwk, rsa_key, signed_by

CALLBACK = "/accounts/oidc/callback/"


@pytest.fixture
def provider(settings):
    with fake_oidc() as one:
        settings.OIDC = OpenIdConnect(
            server=one.issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, name="Acme", allow_loopback=True
        )
        forget_kept()
        yield one
        forget_kept()


@pytest.fixture
def browser(client):
    return client


def sent_to(answer):
    """The address to which a page sends the browser."""
    assert answer.status_code == 200, answer.content
    return html.unescape(re.search(r'content="0; url=([^"]+)"', answer.content.decode()).group(1))


def back_from(provider, browser, address, **more):
    """Agree at the provider and come back."""
    code, state = provider.code_for(address)
    return browser.get(CALLBACK, {"code": code, "state": state, **more})


def sign_in(provider, browser, **form):
    return back_from(provider, browser, sent_to(browser.post("/accounts/oidc/login/", form)))


def is_signed_in(browser):
    return "_auth_user_id" in browser.session


def link(user, provider, sub="s-1"):
    SocialAccount.objects.create(user=user, provider=provider.issuer, uid=sub)


def events(name):
    """(outcome, payload) of every event of a kind, oldest first."""
    found = Payload.objects.filter(event__env__contains=f'"event":"{name}"').order_by("event_id")
    return [(json.loads(one.event.env)["outcome"], json.loads(one.data)) for one in found.select_related("event")]


def why_refused():
    return [payload["why"] for _, payload in events("access.sign_in_failed")]


# --- the right way -----------------------------------------------------------------------------------------------


def test_a_linked_person_signs_in_and_the_log_says_so(cast, provider, browser):
    link(cast.rita.person, provider)
    answer = sign_in(provider, browser)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert browser.session["_auth_user_id"] == str(cast.rita.person.pk)
    assert [outcome for outcome, _ in events("access.signed_in")] == ["success"]


def test_the_request_carries_state_nonce_and_a_pkce_challenge(cast, provider, browser):
    address = sent_to(browser.post("/accounts/oidc/login/"))
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert asked["redirect_uri"] == f"http://testserver{CALLBACK}"
    assert len(asked["state"]) >= 32
    assert len(asked["nonce"]) >= 43
    assert "client_secret" not in address
    other = parse_qs(urlsplit(sent_to(browser.post("/accounts/oidc/login/"))).query)
    assert asked["nonce"] != other["nonce"][0]


@pytest.mark.parametrize("next_url", ["https://evil.example/", "//evil.example", "/account/"])
def test_after_the_sign_in_one_stays_on_this_site(cast, provider, browser, next_url):
    link(cast.rita.person, provider)
    answer = sign_in(provider, browser, next=next_url)
    assert answer["Location"] == ("/account/" if next_url == "/account/" else "/")


def test_another_mail_with_the_same_sub_is_the_same_person(cast, provider, browser):
    link(cast.rita.person, provider)
    provider.claims = {"email": "married@example.org", "email_verified": True}
    sign_in(provider, browser)
    assert browser.session["_auth_user_id"] == str(cast.rita.person.pk)
    cast.rita.person.refresh_from_db()
    assert cast.rita.person.email == ""


def test_an_elliptic_key_without_a_name_is_taken_when_it_is_the_only_one(cast, provider, browser):
    link(cast.rita.person, provider)
    provider.keys = [public_jwk(ec_key(), "one")]
    provider.sign = signed_by(ec_key(), alg="ES256", kid=None)
    sign_in(provider, browser)
    assert is_signed_in(browser)


def test_a_new_key_is_fetched_and_an_unknown_one_does_not_ask_again_each_time(cast, provider, browser, monkeypatch):
    link(cast.rita.person, provider)
    sign_in(provider, browser)
    monkeypatch.setattr("reviewapp.access.oidc.wire.REFETCH_SECONDS", -1)
    provider.keys = [public_jwk(rsa_key("second"), "second")]
    provider.sign = signed_by(rsa_key("second"), kid="second")
    sign_in(provider, Client())
    assert provider.paths.count("/jwks") == 2
    monkeypatch.undo()
    provider.sign = signed_by(rsa_key("second"), kid="third")
    sign_in(provider, Client())
    sign_in(provider, Client())
    assert provider.paths.count("/jwks") == 2
    assert provider.paths.count("/.well-known/openid-configuration") == 1


# --- wrong answers -----------------------------------------------------------------------------------------------


def none_signed(claims):
    return jwt.encode(claims, key=None, algorithm="none")


def tampered(claims):
    head, body, tail = signed_by(rsa_key())(claims).split(".")
    other = signed_by(rsa_key())({**claims, "sub": "s-2"}).split(".")[1]
    return ".".join((head, other, tail)) if body != other else ""


NOW = int(time.time())
WRONG = [
    ("wrong_nonce", {"nonce": "another"}, None),
    ("wrong_nonce", {"nonce": ...}, None),
    ("wrong_nonce", {"nonce": ["a"]}, None),
    ("wrong_audience", {"aud": "another-client"}, None),
    ("wrong_audience", {"aud": [CLIENT_ID, "another-client"]}, None),
    ("wrong_audience", {"azp": "another-client"}, None),
    ("wrong_issuer", {"iss": "https://evil.example"}, None),
    ("expired", {"exp": NOW - 120, "iat": NOW - 400}, None),
    ("not_valid_yet", {"iat": NOW + 3600, "exp": NOW + 7200}, None),
    ("issued_too_long_ago", {"iat": NOW - 3600, "exp": NOW + 7200}, None),
    ("claim_missing", {"exp": ...}, None),
    ("claim_missing", {"sub": ...}, None),
    ("unusable_sub", {"sub": "s" * 192}, None),
    ("unusable_sub", {"sub": "s-1\u202e"}, None),
    ("unusable_sub", {"sub": ""}, None),
    ("unreadable_id_token", {"sub": 1}, None),
    ("unreadable_id_token", {"exp": float("inf")}, None),
    ("algorithm_refused", {}, none_signed),
    ("algorithm_refused", {}, signed_by(CLIENT_SECRET, alg="HS256")),
    ("unknown_key", {}, signed_by(rsa_key("stranger"), kid="stranger")),
    ("wrong_signature", {}, signed_by(rsa_key("stranger"))),
    ("wrong_signature", {}, tampered),
    ("unknown_key", {}, signed_by(ec_key(), alg="ES256")),
    ("unreadable_id_token", {}, lambda claims: "not.a.token"),
    ("unreadable_id_token", {}, lambda claims: ""),
    ("no_id_token", {}, lambda claims: "x" * 70_000),
    ("no_id_token", {}, lambda claims: None),
    ("no_id_token", {}, lambda claims: {"sub": "s-1"}),
]


@pytest.mark.parametrize(("why", "claims", "sign"), WRONG)
def test_a_wrong_id_token_opens_nothing(cast, provider, browser, why, claims, sign):
    link(cast.ada.person, provider)
    before = (User.objects.count(), SocialAccount.objects.count())
    provider.claims = claims
    provider.sign = sign or provider.sign
    answer = sign_in(provider, browser)
    assert answer.status_code == 403
    assert "Back to sign-in" in answer.content.decode()
    assert not is_signed_in(browser)
    assert (User.objects.count(), SocialAccount.objects.count()) == before
    assert why_refused() == [why]
    assert events("access.sign_in_failed")[0][0] == "denied"


def test_a_key_that_is_too_short_is_refused(cast, provider, browser):
    link(cast.ada.person, provider)
    provider.keys = [public_jwk(rsa_key("short", 1024), "first")]
    other = signed_by(rsa_key())
    provider.sign = other
    sign_in(provider, browser)
    assert (is_signed_in(browser), why_refused()) == (False, ["weak_key"])


def test_a_shared_secret_among_the_keys_is_no_key(cast, provider, browser):
    link(cast.ada.person, provider)
    provider.keys = [{"kty": "oct", "kid": "first", "k": "c2VjcmV0", "use": "sig"}]
    provider.sign = signed_by(CLIENT_SECRET, alg="HS256")
    sign_in(provider, browser)
    provider.sign = signed_by(rsa_key())
    sign_in(provider, browser)
    assert (is_signed_in(browser), why_refused()) == (False, ["algorithm_refused", "unknown_key"])


BIG = b'{"issuer": "' + b"x" * 10_000_000 + b'"}'
BROKEN = [
    ("discovery_unreachable", "/.well-known/openid-configuration", (200, {}, BIG, 0)),
    ("discovery_unreachable", "/.well-known/openid-configuration", (200, {}, b"[" * 5000, 0)),
    ("discovery_unreadable", "/.well-known/openid-configuration", (500, {}, b"{}", 0)),
    ("discovery_unreadable", "/.well-known/openid-configuration", (302, {"Location": "http://127.0.0.1:1/"}, b"", 0)),
    ("discovery_unreadable", "/.well-known/openid-configuration", (200, {}, b"[]", 0)),
    ("discovery_names_another_issuer", "/.well-known/openid-configuration", (200, {}, b'{"issuer": "x"}', 0)),
    ("code_not_redeemed", "/token", (200, {}, BIG, 0)),
    ("code_not_redeemed", "/token", (302, {"Location": "http://127.0.0.1:1/"}, b"", 0)),
    ("code_not_redeemed", "/token", (500, {}, b"<secret>", 0)),
    ("code_not_redeemed", "/token", (200, {"Content-Type": "application/json"}, b"\xff", 0)),
    ("code_not_redeemed", "/token", (200, {"Content-Encoding": "gzip"}, b"\x1f\x8b", 0)),
    ("keys_unreachable", "/jwks", (200, {}, BIG, 0)),
    ("keys_unreadable", "/jwks", (200, {}, b'{"keys": 1}', 0)),
    ("keys_unreadable", "/jwks", (302, {"Location": "http://127.0.0.1:1/"}, b"", 0)),
]


@pytest.mark.parametrize(("why", "path", "answer"), BROKEN)
def test_a_provider_that_answers_nonsense_opens_nothing(cast, provider, browser, why, path, answer):
    link(cast.ada.person, provider)
    provider.answers[path] = answer
    begun = browser.post("/accounts/oidc/login/")
    shown = begun if begun.status_code == 503 else back_from(provider, browser, sent_to(begun))
    assert shown.status_code == 503
    assert b"secret" not in shown.content.replace(b"csrf", b"")
    assert (is_signed_in(browser), why_refused()) == (False, [why])


def test_a_slow_provider_is_left_after_five_seconds(cast, provider, browser, monkeypatch):
    monkeypatch.setattr("reviewapp.access.oidc.wire.SECONDS", 0.4)
    provider.answers["/.well-known/openid-configuration"] = (200, {}, b"{}", 2.0)
    begun = time.monotonic()
    assert browser.post("/accounts/oidc/login/").status_code == 503
    assert time.monotonic() - begun < 1.9


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest", "https://[::ffff:127.0.0.1]/", "http://0x7f.1/", "https://127.1/",
        "file:///etc/passwd", "gopher://127.0.0.1/", "https://user@evil.example/", "https://evil.example/", "",
        "javascript:alert(1)", "https://evil.example\n", None,
    ],
)  # fmt: skip
def test_discovery_cannot_send_us_or_the_browser_elsewhere(db, provider, browser, url):
    endpoints = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    for endpoint in endpoints:
        provider.description = {endpoint: url}
        assert browser.post("/accounts/oidc/login/").status_code == 503
    assert why_refused() == [f"discovery_{endpoint}_refused" for endpoint in endpoints]
    assert set(provider.paths) == {"/.well-known/openid-configuration"}


# --- state -------------------------------------------------------------------------------------------------------


def test_a_state_is_spent_at_its_first_use(cast, provider, browser):
    link(cast.rita.person, provider)
    address = sent_to(browser.post("/accounts/oidc/login/"))
    back_from(provider, browser, address)
    browser.logout()
    assert back_from(provider, browser, address).status_code == 403
    assert (is_signed_in(browser), why_refused()) == (False, ["unknown_state"])


def test_a_state_of_another_browser_is_worth_nothing(cast, provider, browser):
    """Sign-in forgery: the attacker's code in the victim's browser."""
    link(cast.rita.person, provider)
    address = sent_to(Client().post("/accounts/oidc/login/"))
    victim = Client()
    sent_to(victim.post("/accounts/oidc/login/"))
    assert back_from(provider, victim, address).status_code == 403
    assert not is_signed_in(victim)
    assert "/token" not in provider.paths


@pytest.mark.parametrize("query", [{}, {"code": "x"}, {"state": "x"}, {"state": "x", "error": "access_denied"}])
def test_a_callback_that_nobody_began_asks_the_provider_nothing(db, provider, browser, query):
    assert browser.get(CALLBACK, query).status_code == 403
    assert provider.paths == []


def test_what_else_a_callback_carries_decides_nothing(cast, provider, browser):
    """T11, T13: no project, role, person or destination comes from the request."""
    link(cast.nemo.person, provider)
    address = sent_to(browser.post("/accounts/oidc/login/?process=link&scope=admin&auth_params=acr%3Dx"))
    asked = parse_qs(urlsplit(address).query)
    assert "acr" not in asked
    assert "admin" not in asked["scope"][0]
    answer = back_from(
        provider, browser, address, project="halyard", organisation="1", user="ada", process="link", next="//evil"
    )
    assert answer["Location"] == "/"
    assert browser.session["_auth_user_id"] == str(cast.nemo.person.pk)
    assert roles_on(cast.nemo.person, cast.project) == frozenset()


def test_another_issuer_beside_the_code_is_refused(cast, provider, browser):
    link(cast.rita.person, provider)
    address = sent_to(browser.post("/accounts/oidc/login/"))
    assert back_from(provider, browser, address, iss="https://evil.example").status_code == 403
    assert "/token" not in provider.paths


def test_who_cancels_at_the_provider_is_told_so(cast, provider, browser):
    state = provider.code_for(sent_to(browser.post("/accounts/oidc/login/")))[1]
    answer = browser.get(CALLBACK, {"state": state, "error": "access_denied"})
    assert (answer.status_code, why_refused()) == (403, ["cancelled"])


# --- who it is ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_verified", [True, False, "true", None])
def test_an_unknown_person_with_the_mail_of_an_admin_gets_nothing(cast, provider, browser, settings, is_verified):
    User.objects.filter(pk=cast.ada.person.pk).update(email="ada@example.org")
    settings.OIDC = replace(settings.OIDC, links_by_email=True, email_domains=frozenset({"example.org"}))
    provider.claims = {"email": "Ada@example.org", "email_verified": is_verified, "preferred_username": "ada"}
    assert sign_in(provider, browser).status_code == 403
    assert (is_signed_in(browser), SocialAccount.objects.count()) == (False, 0)


def test_a_verified_mail_links_nobody_by_default(cast, provider, browser):
    User.objects.filter(pk=cast.rita.person.pk).update(email="rita@example.org")
    provider.claims = {"email": "rita@example.org", "email_verified": True}
    assert sign_in(provider, browser).status_code == 403
    assert (SocialAccount.objects.count(), why_refused()) == (0, ["not_linked"])


@pytest.mark.parametrize(
    ("email", "is_verified", "is_linked"),
    [
        ("rita@example.org", True, True),
        ("rita@example.org", False, False),
        ("rita@elsewhere.example", True, False),
        ("rita@sub.example.org", True, False),
        ("rita@example.org.evil.example", True, False),
        ("rita@evil.example@example.org", True, False),
    ],
)
def test_a_verified_mail_of_an_allowed_domain_links_where_the_installation_says_so(
    cast, provider, browser, settings, email, is_verified, is_linked
):
    User.objects.filter(pk=cast.rita.person.pk).update(email=email)
    settings.OIDC = replace(settings.OIDC, links_by_email=True, email_domains=frozenset({"example.org"}))
    provider.claims = {"email": email, "email_verified": is_verified}
    sign_in(provider, browser)
    assert is_signed_in(browser) is is_linked
    assert SocialAccount.objects.count() == int(is_linked)
    assert len(events("access.identity_linked")) == int(is_linked)


@pytest.mark.parametrize("is_of_installation", [True, False])
def test_an_account_that_a_project_s_admin_made_waits_for_nobody_s_mail(
    cast, provider, browser, settings, is_of_installation
):
    """Whoever invites into a project types the address and sees the link, so they may hold the first password."""
    inviter = cast.ada
    if not is_of_installation:
        inviter = make_person("pia")
        grant_role(actor=cast.ada, user=inviter.person, role=Role.ADMIN, target=cast.project)
    first = FirstRole(Role.AUDITOR, cast.project)
    made = invite_user(actor=inviter, username="vic", email="vic@example.org", reason="work", first_role=first)
    accept_link(actor=Actor(user=None), secret=made.secret, password="a long password 1")
    settings.OIDC = replace(settings.OIDC, links_by_email=True, email_domains=frozenset({"example.org"}))
    provider.claims = {"email": "vic@example.org", "email_verified": True}
    sign_in(provider, browser)
    assert is_signed_in(browser) is is_of_installation


def test_nobody_gets_an_account_unless_the_installation_says_so(cast, provider, browser):
    provider.claims = {"email": "new@example.org", "email_verified": True}
    before = User.objects.count()
    answer = sign_in(provider, browser)
    assert "ask an administrator" in answer.content.decode()
    assert (User.objects.count(), why_refused()) == (before, ["not_linked"])


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"email": "new@example.org", "email_verified": True, "name": "New \u202ePerson"}, None),
        ({"email": "new@example.org", "email_verified": False}, "mail_not_verified"),
        ({"email": "new@example.org", "email_verified": "true"}, "mail_not_verified"),
        ({}, "mail_not_verified"),
        ({"email": "new@elsewhere.example", "email_verified": True}, "mail_domain_not_allowed"),
        ({"email": "rita@example.org", "email_verified": True}, "mail_is_taken"),
        ({"email": "<b>@example.org", "email_verified": True}, "mail_not_verified"),
    ],
)
def test_where_the_installation_says_so_a_verified_mail_makes_an_account_without_any_role(
    cast, provider, browser, settings, claims, why
):
    User.objects.filter(pk=cast.rita.person.pk).update(email="Rita@example.org")
    settings.OIDC = replace(settings.OIDC, creates_accounts=True, email_domains=frozenset({"example.org"}))
    before = User.objects.count()
    provider.claims = claims
    sign_in(provider, browser)
    made = User.objects.filter(username="new@example.org").first()
    assert (made is None, User.objects.count() - before) == (why is not None, int(why is None))
    assert why_refused() == ([why] if why else [])
    if made:
        assert is_signed_in(browser)
        assert not made.has_usable_password()
        assert made.display_name == "New Person"
        assert roles_on(made, cast.project) == frozenset()
        assert events("access.user_created")[-1][1]["by"] == "oidc"


def test_a_closed_account_stays_closed(cast, provider, browser):
    link(cast.rita.person, provider)
    deactivate_user(actor=cast.ada, user=cast.rita.person, reason="left")
    assert sign_in(provider, browser).status_code == 403
    assert (is_signed_in(browser), why_refused()) == (False, ["deactivated"])


def test_the_same_sub_of_another_provider_is_another_person(cast, provider, browser):
    SocialAccount.objects.create(user=cast.ada.person, provider="https://old.example", uid="s-1")
    assert sign_in(provider, browser).status_code == 403
    assert not is_signed_in(browser)


# --- a second factor ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("methods", "is_let_in"), [(None, False), (["pwd"], False), ("mfa", False), (["mfa"], True)])
def test_a_second_factor_is_asked_here_unless_the_provider_asked_for_one(cast, provider, browser, methods, is_let_in):
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    link(cast.rita.person, provider)
    TOTP.activate(cast.rita.person, generate_totp_secret())
    assert Authenticator.objects.count() == 1
    provider.claims = {"amr": methods} if methods else {}
    sign_in(provider, browser)
    assert is_signed_in(browser) is is_let_in


# --- linking by oneself ------------------------------------------------------------------------------------------


def test_a_person_links_their_own_account_and_removes_the_link(cast, provider, page):
    browser = page(cast.rita)
    answer = back_from(provider, browser, sent_to(browser.post("/accounts/oidc/link/")))
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/oidc/")
    assert SocialAccount.objects.get().user == cast.rita.person
    assert events("access.identity_linked")[0][1]["after"]["sub"] == "s-1"
    assert "s-1" in browser.get("/accounts/oidc/").content.decode()
    browser.post("/accounts/oidc/unlink/")
    assert SocialAccount.objects.count() == 0
    assert len(events("access.identity_unlinked")) == 1


def test_linking_needs_a_recent_sign_in(cast, provider, page):
    answer = page(cast.rita, seconds_ago=600).post("/accounts/oidc/link/")
    assert answer["Location"].startswith("/accounts/reauthenticate/")


def test_somebody_elses_identity_is_not_taken_over(cast, provider, page):
    link(cast.ada.person, provider)
    browser = page(cast.rita)
    assert back_from(provider, browser, sent_to(browser.post("/accounts/oidc/link/"))).status_code == 409
    assert SocialAccount.objects.get().user == cast.ada.person


def test_a_link_that_one_person_began_is_not_finished_by_the_next_at_the_same_browser(cast, provider, page):
    browser = page(cast.rita)
    address = sent_to(browser.post("/accounts/oidc/link/"))
    kept = browser.session["socialaccount_states"]
    browser = page(cast.ada)
    session = browser.session
    session["socialaccount_states"] = kept
    session.save()
    assert back_from(provider, browser, address).status_code == 403
    assert SocialAccount.objects.count() == 0


def test_who_has_no_password_keeps_the_link(cast, provider, page):
    link(cast.rita.person, provider)
    cast.rita.person.set_unusable_password()
    cast.rita.person.save()
    page(cast.rita).post("/accounts/oidc/unlink/")
    assert SocialAccount.objects.count() == 1


# --- proving it again --------------------------------------------------------------------------------------------


def test_the_provider_can_be_asked_again_is_it_you(cast, provider, page):
    link(cast.rita.person, provider)
    browser = page(cast.rita, seconds_ago=600)
    provider.claims = {"auth_time": int(time.time())}
    address = sent_to(browser.post("/accounts/oidc/confirm/", {"next": "/account/"}))
    asked = parse_qs(urlsplit(address).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
    assert back_from(provider, browser, address)["Location"] == "/account/"
    assert [outcome for outcome, _ in events("access.identity_confirmed")] == ["success"]
    assert sent_to(browser.post("/accounts/oidc/link/"))


def test_who_has_no_password_is_sent_to_the_provider_and_comes_back_to_what_they_did(cast, provider, page):
    link(cast.ada.person, provider)
    cast.ada.person.set_unusable_password()
    cast.ada.person.save()
    browser = page(cast.ada, seconds_ago=600)
    grant = {"username": "nemo", "role": "auditor", "queue": "", "reason": "audit"}
    asked = browser.post("/p/halyard/settings/grant/", grant)
    assert asked["Location"] == "/accounts/oidc/confirm/?next=%2Faccounts%2Fgo-on%2F"
    assert 'value="/accounts/go-on/"' in browser.get(asked["Location"]).content.decode()
    provider.claims = {"auth_time": int(time.time())}
    address = sent_to(browser.post("/accounts/oidc/confirm/", {"next": "/accounts/go-on/"}))
    assert back_from(provider, browser, address)["Location"] == "/accounts/go-on/"
    assert "nemo" in browser.get("/accounts/go-on/").content.decode()


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({}, "proof_is_old"),
        ({"auth_time": NOW - 3600}, "proof_is_old"),
        ({"sub": "s-2", "auth_time": NOW}, "somebody_else"),
    ],
)
def test_an_old_proof_or_another_person_proves_nothing(cast, provider, page, claims, why):
    link(cast.rita.person, provider)
    link(cast.ada.person, provider, "s-2")
    browser = page(cast.rita, seconds_ago=600)
    provider.claims = claims
    assert back_from(provider, browser, sent_to(browser.post("/accounts/oidc/confirm/"))).status_code == 403
    assert why_refused() == [why]
    assert browser.post("/accounts/oidc/link/").status_code == 302


def test_a_sign_in_is_as_old_as_the_provider_says(cast, provider, browser):
    link(cast.rita.person, provider)
    provider.claims = {"auth_time": NOW - 3600, "amr": ["mfa"]}
    sign_in(provider, browser)
    assert is_signed_in(browser)
    assert browser.post("/accounts/oidc/link/").status_code == 302


# --- groups ------------------------------------------------------------------------------------------------------


def give(cast, provider, name, role, target=None):
    target = target or cast.project
    grant_group_role(actor=cast.ada, issuer=provider.issuer, name=name, role=role, target=target, reason="quarter")


def test_groups_give_and_take_roles_at_each_sign_in(cast, provider):
    user = cast.nemo.person
    link(user, provider)
    give(cast, provider, "llm-managers", Role.MANAGER)
    give(cast, provider, "llm-auditors", Role.AUDITOR)
    for groups, roles in (
        (["llm-managers", "unknown"], {Role.MANAGER}),
        (["llm-auditors", "llm-managers"], {Role.MANAGER, Role.AUDITOR}),
        (["llm-auditors"], {Role.AUDITOR}),
        ("llm-managers", set()),
        (..., set()),
    ):
        provider.claims = {"groups": groups}
        sign_in(provider, Client())
        assert roles_on(user, cast.project) == roles, groups
    changes = [(one["before"]["groups"], one["after"]["groups"]) for _, one in events("access.groups_changed")]
    assert changes == [
        ([], ["llm-managers"]),
        (["llm-managers"], ["llm-auditors", "llm-managers"]),
        (["llm-auditors", "llm-managers"], ["llm-auditors"]),
        (["llm-auditors"], []),
    ]


def test_groups_that_nobody_named_here_leave_no_row(cast, provider, browser):
    from django.contrib.auth.models import Group

    link(cast.nemo.person, provider)
    provider.claims = {
        "groups": ["a" * 500, "\u202ex", "x\x00", {"a": 1}, None, "admins", "oidc:" + "a" * 12 + ":x"] * 50
    }
    sign_in(provider, browser)
    assert is_signed_in(browser)
    assert Group.objects.count() == 0


def test_a_group_of_another_provider_gives_nothing(cast, provider, browser):
    link(cast.nemo.person, provider)
    grant_group_role(
        actor=cast.ada, issuer="https://old.example", name="g", role=Role.MANAGER, target=cast.project, reason=""
    )
    provider.claims = {"groups": ["g", row_name("https://old.example", "g")]}
    sign_in(provider, browser)
    assert roles_on(cast.nemo.person, cast.project) == frozenset()


def test_a_role_that_is_taken_from_a_group_is_gone_at_once(cast, provider, browser):
    link(cast.nemo.person, provider)
    give(cast, provider, "g", Role.AUDITOR)
    provider.claims = {"groups": ["g"]}
    sign_in(provider, browser)
    assert browser.get("/p/halyard/settings/").status_code == 200
    revoke_group_role(
        actor=cast.ada, issuer=provider.issuer, name="g", role=Role.AUDITOR, target=cast.project, reason="over"
    )
    assert browser.get("/p/halyard/settings/").status_code == 404


def test_removing_the_link_ends_the_roles_of_its_groups(cast, provider, page):
    link(cast.nemo.person, provider)
    give(cast, provider, "g", Role.AUDITOR)
    provider.claims = {"groups": ["g"]}
    sign_in(provider, Client())
    page(cast.nemo).post("/accounts/oidc/unlink/")
    assert roles_on(cast.nemo.person, cast.project) == frozenset()


# --- not configured, and the button ------------------------------------------------------------------------------


def test_without_a_provider_there_is_no_door(cast, page):
    browser = page(cast.rita)
    for address in ("", "link/", "unlink/", "login/", "confirm/", "callback/"):
        assert browser.post(f"/accounts/oidc/{address}").status_code in (404, 405), address
        assert browser.get(f"/accounts/oidc/{address}").status_code in (404, 405), address
    assert "/accounts/oidc/" not in Client().get("/accounts/login/").content.decode()


def test_the_sign_in_page_offers_the_provider_by_its_name(db, provider, browser):
    assert "Sign in with Acme" in browser.get("/accounts/login/").content.decode()
    assert browser.get("/accounts/oidc/login/").status_code == 405


def test_the_password_still_opens_the_same_account(cast, provider, browser):
    link(cast.rita.person, provider)
    browser.post("/accounts/login/", {"login": "rita", "password": PASSWORD})
    assert is_signed_in(browser)
