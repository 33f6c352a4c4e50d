"""Who may, for every role; and that a refusal leaves a line."""

from __future__ import annotations

import pytest

from reviewapp.access.actors import SYSTEM
from reviewapp.access.errors import Hidden
from reviewapp.access.matrix import ACTS, PROJECT_ROLES, Role, Scope
from reviewapp.access.models import ApiToken, User
from reviewapp.access.roles import can, require, visible_projects
from reviewapp.access.services import create_project, deactivate_user, grant_role, revoke_role
from reviewapp.access.tokens import create_personal_token, create_service_token, find_token, revoke_token
from reviewapp.audit.models import Event
from reviewapp.lib.errors import AccessDenied, Conflict, Unprocessable
from tests.conftest import Api, make_person, personal_api, service_api

HOLDER = {Role.ADMIN: "ada", Role.MANAGER: "max", Role.AUDITOR: "otto"}


@pytest.mark.parametrize("act", ACTS)
def test_the_matrix_decides_for_every_project_role(cast, act):
    for role in PROJECT_ROLES:
        assert can(getattr(cast, HOLDER[role]), act, cast.project) == (role in ACTS[act].roles), (role, act)
    assert not can(cast.nemo, act, cast.project)


def test_who_holds_nothing_does_not_learn_that_the_project_exists(cast):
    with pytest.raises(Hidden):
        require(cast.nemo, "rubrics.view", cast.project)
    answer = personal_api(cast.nemo).get("rubrics/")
    assert answer.status == 404


def test_a_known_project_with_the_wrong_role_is_403(cast):
    with pytest.raises(AccessDenied):
        require(cast.otto, "rubrics.edit", cast.project)


def test_a_refusal_is_recorded_after_the_rollback(cast):
    before = Event.objects.filter(event="access.denied").count()
    personal_api(cast.max).post("/api/v1/projects/", {"slug": "more", "title": "More"})
    row = Event.objects.filter(event="access.denied").latest("id")
    assert Event.objects.filter(event="access.denied").count() == before + 1
    assert (row.actor, row.actor_kind, row.outcome) == (str(cast.max.person.pk), "token", "denied")


def test_a_role_is_gone_at_the_next_request(cast):
    api = personal_api(cast.max)
    assert api.get("rubrics/").status == 200
    revoke_role(actor=cast.ada, user=cast.max.person, role=Role.MANAGER, target=cast.project, reason="left the team")
    assert api.get("rubrics/").status == 404
    assert Event.objects.filter(event="access.role_revoked").exists()


def test_only_an_admin_gives_roles_on_the_project(cast):
    """A manager could make anybody an auditor, or itself an admin."""
    newcomer = make_person("newcomer").person
    for actor in (cast.max, cast.otto, cast.nemo):
        with pytest.raises((AccessDenied, Hidden)):
            grant_role(actor=actor, user=newcomer, role=Role.AUDITOR, target=cast.project)
    grant_role(actor=cast.ada, user=newcomer, role=Role.AUDITOR, target=cast.project, reason="new auditor")
    assert Event.objects.filter(event="access.role_granted").exists()


def test_a_deactivated_person_is_out_with_every_token_and_session(cast, page):
    api = personal_api(cast.rita)
    browser = page(cast.rita)
    assert browser.get("/").status_code == 200
    deactivate_user(actor=cast.ada, user=cast.rita.person, reason="left")
    assert api.get("/api/v1/projects/").status == 401
    assert browser.get("/").status_code == 302


def test_a_revoked_token_is_401(cast):
    api = service_api(cast)
    assert api.get("/api/v1/projects/").status == 200
    token = ApiToken.objects.get(project=cast.project)
    revoke_token(actor=cast.max, token=token)
    revoke_token(actor=cast.max, token=token)
    assert api.get("/api/v1/projects/").status == 401
    assert Event.objects.filter(event="access.token_revoked").count() == 1


def test_the_secret_of_a_token_is_nowhere_in_the_database(cast):
    made = create_service_token(actor=cast.max, project=cast.project, name="x", scopes=["ingest"])
    secret = made.secret.split("_")[2]
    row = ApiToken.objects.get(pk=made.token.pk)
    assert secret.encode() not in bytes(row.secret_sha256)
    assert find_token(made.secret) == row
    assert find_token(made.secret[:-1] + ("0" if made.secret[-1] != "0" else "1")) is None


def test_a_token_of_one_project_sees_no_other(cast):
    other = create_project(actor=SYSTEM, slug="other", title="Other")
    api = service_api(cast)
    assert api.get(f"/api/v1/projects/{other.slug}/rubrics/").status == 404
    assert [project["slug"] for project in api.get("/api/v1/projects/").body["results"]] == ["halyard"]


def test_a_scope_is_needed_besides_the_role(cast):
    api = service_api(cast, scopes=["ingest"])
    answer = api.get("datasets/")
    assert (answer.status, "scope" in answer.body["detail"]) == (403, True)


def test_a_service_token_never_reviews(cast):
    with pytest.raises(Unprocessable):
        create_service_token(actor=cast.max, project=cast.project, name="x", scopes=[Scope.REVIEW.value])


def test_a_token_cannot_make_a_token(cast):
    made = create_personal_token(actor=cast.max, name="x", scopes=["manage"])
    with_token = type(cast.max)(user=cast.max.user, token=made.token)
    with pytest.raises(AccessDenied):
        create_personal_token(actor=with_token, name="y", scopes=["manage"])


def test_a_taken_project_slug_is_a_conflict(cast):
    with pytest.raises(Conflict):
        create_project(actor=cast.ada, slug="halyard", title="Again")


def test_visible_projects_are_those_with_a_role(cast):
    create_project(actor=SYSTEM, slug="other", title="Other")
    assert [project.slug for project in visible_projects(cast.max)] == ["halyard"]
    assert {project.slug for project in visible_projects(cast.ada)} == {"halyard", "other"}
    assert not visible_projects(cast.nemo).exists()


@pytest.mark.parametrize("text", ["", "Bearer", "rva_", "rva_a_b_c", "' OR pg_sleep(8)--", "rva_" + "x" * 200])
def test_a_malformed_token_is_401(db, text):
    assert Api(text or "x", "halyard").get("/api/v1/projects/").status == 401


def test_nobody_signs_up_by_themselves(client, db):
    answer = client.post(
        "/accounts/signup/", {"username": "me", "password1": "correct horse", "password2": "correct horse"}
    )
    assert b"closed" in answer.content.lower() or answer.status_code in (302, 403)
    assert not User.objects.filter(username="me").exists()


def test_what_changes_nothing_is_no_line_in_the_log(cast):
    """Else the log would say that somebody else gave the role, and that a role was taken that was never held."""
    before = Event.objects.filter(event__in=["access.role_granted", "access.role_revoked"]).count()
    grant_role(actor=cast.ada, user=cast.max.person, role=Role.MANAGER, target=cast.project, reason="again")
    revoke_role(actor=cast.ada, user=cast.nemo.person, role=Role.MANAGER, target=cast.project, reason="by mistake")
    assert Event.objects.filter(event__in=["access.role_granted", "access.role_revoked"]).count() == before
