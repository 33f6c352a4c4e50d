"""Sign-in through a real identity provider: a process of its own, an authorization code, a real browser."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from allauth.socialaccount.models import SocialAccount
from playwright.sync_api import expect

from reviewapp.access.groups import grant_group_role
from reviewapp.access.matrix import Role
from reviewapp.audit.events import Event
from tests.browser.conftest import POLICY, sign_in
from tests.conftest import free_port, person
from tests.queues.arrange import events_of

pytestmark = pytest.mark.browser
RITA = {"sub": "rita@acme", "email": "rita@acme.example", "email_verified": True, "groups": ["llm-auditors"]}
NEW = {"sub": "new@acme", "email": "new@acme.example", "email_verified": True, "name": "New Person"}


@pytest.fixture
def provider(monkeypatch, tmp_path):
    """`oidc-provider-mock` on loopback; the served process is told of it. Yields its issuer."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    users = [part for one in (RITA, NEW) for part in ("--user-claims", json.dumps(one))]
    command = [str(Path(sys.executable).with_name("oidc-provider-mock")), "--port", str(port), "-n", "true", *users]
    with (tmp_path / "provider.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _wait_until_it_answers(f"{issuer}/.well-known/openid-configuration")
            for name, value in {
                "SERVER": issuer, "CLIENT_ID": "reviewapp", "CLIENT_SECRET": "a secret", "NAME": "Acme",
                "ALLOW_LOOPBACK": "1", "CREATES_ACCOUNTS": "1", "ALLOWED_EMAIL_DOMAINS": "acme.example",
            }.items():  # fmt: skip
                monkeypatch.setenv(f"REVIEWAPP_OIDC_{name}", value)
            yield issuer
        finally:
            process.terminate()
            process.wait(timeout=10)


def _wait_until_it_answers(address):
    for _ in range(150):
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the provider did not start")


@pytest.fixture
def browser_page(provider, served, chromium):
    wrong = []
    context = chromium.new_context(base_url=served, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(30_000)
    context.add_init_script(POLICY)
    context.on("console", lambda said: wrong.append(said.text) if said.text.startswith("policy:") else None)
    yield context.new_page()
    context.close()
    assert wrong == []


def agree_as(page, sub):
    """At the provider: choose the person."""
    page.get_by_role("button", name=sub, exact=True).click()


def test_a_person_links_their_account_and_signs_in_without_a_password(committed_cast, provider, browser_page):
    cast, page = committed_cast, browser_page
    grant_group_role(
        actor=cast.ada, issuer=provider, name="llm-auditors", role=Role.AUDITOR, target=cast.project, reason="audit"
    )
    sign_in(page, "rita")
    page.goto("/account/")
    page.get_by_role("link", name="Acme", exact=True).click()
    page.get_by_role("button", name="Link with Acme").click()
    agree_as(page, RITA["sub"])
    expect(page.get_by_text("Linked. You can sign in this way from now on.")).to_be_visible()
    assert SocialAccount.objects.get().user == cast.rita.person

    page.context.clear_cookies()
    page.goto("/p/halyard/settings/")
    page.get_by_role("button", name="Sign in with Acme").click()
    agree_as(page, RITA["sub"])
    page.wait_for_url("**/p/halyard/settings/")  # where rita was going, by the role that her group gives
    assert events_of(Event.SIGNED_IN) == 2
    assert events_of(Event.GROUPS_CHANGED) == 1


def test_a_new_person_of_an_allowed_domain_comes_in_and_holds_nothing(committed_cast, provider, browser_page):
    page = browser_page
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Sign in with Acme").click()
    agree_as(page, NEW["sub"])
    page.wait_for_url("**/")
    expect(page.get_by_text("New Person").first).to_be_visible()
    made = person("new@acme.example")
    assert not made.has_usable_password()
    assert page.goto("/p/halyard/settings/").status == 404


def test_who_says_no_at_the_provider_is_back_at_the_door(committed_cast, provider, browser_page):
    page = browser_page
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Sign in with Acme").click()
    page.get_by_role("button", name="Deny").click()
    # This provider forgets the state when it says no.
    expect(page.get_by_role("heading", name="This sign-in was refused")).to_be_visible()
    page.get_by_role("link", name="Back to sign-in").click()
    assert events_of(Event.SIGN_IN_FAILED) == 1
