"""The page on which groups of the identity provider are given roles."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group

from config.env import OpenIdConnect
from reviewapp.access.groups import row_name, set_groups
from reviewapp.access.matrix import Role
from reviewapp.access.roles import roles_on
from tests.queues.arrange import make_queue

ISSUER = "https://login.example"
ADDRESS = "/p/halyard/settings/groups/"
GRANT = {"group": "llm-reviewers", "role": "auditor", "queue": "", "reason": "second line"}


@pytest.fixture(autouse=True)
def oidc(settings):
    settings.OIDC = OpenIdConnect(server=ISSUER, client_id="c", client_secret="s", name="Acme")


def test_an_admin_gives_a_group_a_role_and_takes_it_away(cast, page):
    browser = page(cast.ada)
    assert "No group gives a role here." in browser.get(ADDRESS).content.decode()
    browser.post(f"{ADDRESS}grant/", GRANT)
    set_groups(actor=cast.nemo, user=cast.nemo.person, issuer=ISSUER, names=["llm-reviewers"])
    assert roles_on(cast.nemo.person, cast.project) == {Role.AUDITOR}
    shown = browser.get(ADDRESS).content.decode()
    assert "llm-reviewers" in shown
    assert '<td class="n">1</td>' in shown
    browser.post(f"{ADDRESS}revoke/", {**GRANT, "reason": "over"})
    assert roles_on(cast.nemo.person, cast.project) == frozenset()
    assert not Group.objects.exists()


def test_a_manager_gives_groups_roles_on_queues_only(cast, page):
    queue = make_queue(cast)
    browser = page(cast.max)
    browser.post(f"{ADDRESS}grant/", {**GRANT, "role": "reviewer", "queue": queue.slug})
    set_groups(actor=cast.nemo, user=cast.nemo.person, issuer=ISSUER, names=["llm-reviewers"])
    assert roles_on(cast.nemo.person, queue) == {Role.REVIEWER}
    assert browser.post(f"{ADDRESS}grant/", GRANT).status_code == 403


def test_an_auditor_looks_and_changes_nothing(cast, page):
    browser = page(cast.otto)
    assert browser.get(ADDRESS).status_code == 200
    assert browser.post(f"{ADDRESS}grant/", GRANT).status_code == 403
    assert page(cast.nemo).get(ADDRESS).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"group": "a" * 121}, "at most 120 characters"),
        ({"group": "a\u202eb"}, "on one line"),
        ({"group": ""}, "required"),
        ({"role": "reviewer"}, "Choose the queue"),
        ({"role": "owner"}, "Select a valid choice"),
        ({"reason": ""}, "required"),
    ],
)
def test_a_wrong_form_comes_back_with_what_to_change(cast, page, wrong, words):
    answer = page(cast.ada).post(f"{ADDRESS}grant/", {**GRANT, **wrong})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Group.objects.exists()


def test_without_a_provider_the_page_says_so_and_gives_nothing(cast, page, settings):
    settings.OIDC = None
    browser = page(cast.ada)
    assert "this installation has none" in browser.get(ADDRESS).content.decode()
    assert browser.post(f"{ADDRESS}grant/", GRANT).status_code == 409
    assert not Group.objects.filter(name=row_name(ISSUER, "llm-reviewers")).exists()


def test_giving_a_role_needs_a_recent_sign_in(cast, page):
    answer = page(cast.ada, seconds_ago=600).post(f"{ADDRESS}grant/", GRANT)
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert not Group.objects.exists()
