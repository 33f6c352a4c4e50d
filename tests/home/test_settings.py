"""People, roles and tokens of a project, by plain form posts."""

from __future__ import annotations

from reviewapp.access.matrix import Role
from reviewapp.access.models import ApiToken
from reviewapp.access.roles import roles_on
from reviewapp.audit.models import Event


def test_an_admin_gives_a_role_with_its_reason(cast, page):
    body = {"username": "nemo", "role": "auditor", "queue": "", "reason": "quarterly audit"}
    answer = page(cast.ada).post("/p/halyard/settings/grant/", body)
    assert answer.status_code == 302
    assert roles_on(cast.nemo.person, cast.project) == {Role.AUDITOR}
    assert Event.objects.filter(event="access.role_granted", object=str(cast.nemo.person.pk)).exists()


def test_a_wrong_grant_keeps_what_was_typed(cast, page):
    body = {"username": "nobody-here", "role": "reviewer", "queue": "", "reason": "because"}
    answer = page(cast.max).post("/p/halyard/settings/grant/", body)
    assert answer.status_code == 422
    assert b"nobody-here" in answer.content
    assert b"Choose the queue" in answer.content


def test_a_role_is_taken_away(cast, page):
    page(cast.ada).post(
        "/p/halyard/settings/revoke/", {"username": "otto", "role": "auditor", "queue": "", "reason": "r"}
    )
    assert roles_on(cast.otto.person, cast.project) == frozenset()


def test_a_service_token_is_shown_once(cast, page):
    browser = page(cast.max)
    shown = browser.post("/p/halyard/settings/tokens/", {"name": "ci", "scopes": ["ingest"], "days": "30"})
    token = ApiToken.objects.get(name="ci")
    assert f"rva_{token.prefix}_".encode() in shown.content
    again = browser.get("/p/halyard/settings/")
    assert f"rva_{token.prefix}_…".encode() in again.content
    browser.post(f"/p/halyard/settings/tokens/{token.pk}/revoke/")
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_an_auditor_sees_people_but_changes_nothing(cast, page):
    browser = page(cast.otto)
    assert browser.get("/p/halyard/settings/").status_code == 200
    assert (
        browser.post("/p/halyard/settings/tokens/", {"name": "x", "scopes": ["ingest"], "days": "30"}).status_code
        == 403
    )


def test_a_reviewer_has_no_settings_page(cast, page):
    assert page(cast.rita).get("/p/halyard/settings/").status_code == 404


def test_a_person_makes_and_revokes_an_own_token(cast, page):
    browser = page(cast.rita)
    browser.post("/account/tokens/", {"name": "mine", "scopes": ["review"], "days": "30"})
    token = ApiToken.objects.get(owner=cast.rita.person)
    assert token.scopes == ["review"]
    browser.post(f"/account/tokens/{token.pk}/revoke/")
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_nobody_revokes_anothers_token(cast, page):
    page(cast.rita).post("/account/tokens/", {"name": "mine", "scopes": ["review"], "days": "30"})
    token = ApiToken.objects.get(owner=cast.rita.person)
    assert page(cast.rob).post(f"/account/tokens/{token.pk}/revoke/").status_code == 404
