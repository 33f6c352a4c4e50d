"""A project with one real row behind every argument of every address, and everybody who could stand at a door."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from allauth.account.internal.userkit import user_id_to_str
from allauth.mfa.models import Authenticator
from django.test import Client

from reviewapp.access.actors import SYSTEM, Actor
from reviewapp.access.invitations import invite_user
from reviewapp.access.matrix import Role
from reviewapp.access.models import ApiToken, Project
from reviewapp.access.services import (
    create_project,
    deactivate_user,
    grant_installation_role,
    grant_role,
    revoke_role,
)
from reviewapp.access.tokens import NewToken, create_personal_token, create_service_token, revoke_token
from reviewapp.audit.models import Event
from reviewapp.compliance.services.erasures import request_erasure, request_person_erasure
from reviewapp.compliance.services.verifying import request_verification
from reviewapp.grading.services import AnswerIn, submit_once
from reviewapp.lib.clock import utc_now
from reviewapp.queues.models import Queue
from reviewapp.queues.services import lease_next
from tests.conftest import ALL_SCOPES, Cast, make_cast, make_person, service_api
from tests.judge.arrange import CHECKS, ok
from tests.queues.arrange import GOOD, make_outputs, make_queue, make_rule

OWN_TOKEN_ROUTES = ("home:end_own_token", "home:rotate_own_token")
M, U, A, R, J = Role.MANAGER, Role.AUDITOR, Role.ADMIN, Role.REVIEWER, Role.ADJUDICATOR


@dataclass(frozen=True)
class Caller:
    """Somebody at a door, with what they hold: written by hand here, not asked of the code under test.

    token: None for a session. is_known: whether the identity is good at all. project: the project that a service token
    belongs to.
    """

    name: str
    client: Client
    is_known: bool = True
    on_project: frozenset[Role] = frozenset()
    on_queue: frozenset[Role] = frozenset()
    elsewhere: frozenset[Role] = frozenset()  # on another queue of the same project
    on_installation: frozenset[Role] = frozenset()
    scopes: frozenset[str] | None = None
    project: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class House:
    """The rows by the name of their argument, and the callers."""

    cast: Cast
    queue: Queue
    rows: dict[str, Any]
    rows_of_route: dict[str, dict[str, Any]]  # where one route's argument means another row than elsewhere
    callers: list[Caller]


def inhabited_house() -> House:
    """Everything, in the database of the test."""
    cast = make_cast()
    queue = make_queue(cast, slug="answers")
    make_queue(cast, kind="pairwise", slug="elsewhere")
    rows = _rows(cast, queue)
    own = create_personal_token(actor=cast.rob, name="rob's", scopes=["review"]).token
    routes = {name: {"token": own.pk} for name in OWN_TOKEN_ROUTES} | _person_rows(cast, rows)
    callers = [*_people(cast), *_programs(cast)]
    return House(cast, queue, rows, routes, callers)


def _person_rows(cast: Cast, rows: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Adds what hangs on people; returns where a route means another row than the rest."""
    subject = make_person("subject")
    theirs = create_personal_token(actor=subject, name="theirs", scopes=["review"]).token
    link = invite_user(actor=cast.ada, username="iris", reason="joins")
    key = Authenticator.objects.create(user=subject.person, type="webauthn", data={"name": "a key", "credential": {}})
    make_outputs(cast.project, 1, prefix="held", end_user_id="u-1")
    erasure = request_erasure(actor=cast.ada, project=cast.project, end_user_id="u-1", reason="asked by letter")
    of_person = request_person_erasure(actor=cast.ada, user=subject.person, reason="asked by letter")
    rows |= {
        "person": subject.person.pk,
        "user": subject.person.pk,
        "secret": link.secret,
        "pk": key.pk,
        "erasure": erasure.pk,
    }
    persons = ("compliance:person_erasure", "compliance:person_progress", "compliance:person_decide")
    return {name: {"erasure": of_person.pk} for name in persons} | {"home:end_their_token": {"token": theirs.pk}}


def _rows(cast: Cast, queue: Queue) -> dict[str, Any]:
    make_outputs(cast.project, 3)
    rule = make_rule(cast.project, slug="some", rate=0.5)
    api = service_api(cast)
    ok(api.post("queues/answers/items/", {"external_ids": ["out-0", "out-1", "out-2"]}))
    first = lease_next(actor=cast.rita, queue=queue)
    assert first is not None
    review = submit_once(actor=cast.rita, lease=first, answer=AnswerIn.model_validate(GOOD)).review
    lease = lease_next(actor=cast.rita, queue=queue)
    assert lease is not None
    judge = {
        "slug": "rules", "title": "Rules", "rubric": queue.rubric.slug, "kind": "program",
        "criteria": ["correct"], "checks": [{**CHECKS[0], "criterion": "correct"}],
    }  # fmt: skip
    ok(api.post("judges/", judge))
    run = ok(api.post("judges/rules/runs/", {"queue": "answers"}))
    ok(api.post("datasets/", {"slug": "gold", "title": "Gold", "queues": ["answers"], "labels": "settled"}))
    ok(api.post("datasets/gold/versions/"))
    return {
        "project": cast.project.slug,
        "queue": queue.slug,
        "rubric": queue.rubric.slug,
        "external_id": "out-0",
        "rule": rule.slug,
        "lease": lease.pk,
        "review": review.pk,
        "judge": "rules",
        "run_id": run["id"],
        "dataset": "gold",
        "number": 1,
        "token": ApiToken.objects.filter(project=cast.project).latest("created_at").pk,
        "eid": Event.objects.filter(project=cast.project.slug).latest("id").eid,
        "verification": request_verification(actor=cast.otto, project=cast.project).pk,
    }


def signed_in(actor: Actor) -> Client:
    """A browser whose person proved who they are just now."""
    client = Client(raise_request_exception=False)
    client.force_login(actor.person, backend="allauth.account.auth_backends.AuthenticationBackend")
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session["account_authentication_methods_user"] = user_id_to_str(actor.person)
    session.save()
    return client


def _people(cast: Cast) -> list[Caller]:
    other = create_project(actor=SYSTEM, slug="other", title="Other")
    new = {name: make_person(name) for name in ("adam", "inga", "ingo", "mona", "quinn", "gone")}
    grant_role(actor=SYSTEM, user=new["adam"].person, role=A, target=cast.project)
    grant_installation_role(actor=SYSTEM, user=new["inga"].person, role=A)
    grant_installation_role(actor=SYSTEM, user=new["ingo"].person, role=U)
    grant_role(actor=SYSTEM, user=new["mona"].person, role=M, target=other)
    grant_role(actor=SYSTEM, user=new["quinn"].person, role=R, target=Queue.objects.get(slug="elsewhere"))
    grant_role(actor=SYSTEM, user=new["gone"].person, role=M, target=cast.project)
    everybody = {**new, **{name: getattr(cast, name) for name in ("max", "otto", "rita", "rob", "ivy", "nemo")}}
    clients = {name: signed_in(actor) for name, actor in everybody.items()}
    deactivate_user(actor=SYSTEM, user=new["gone"].person, reason="left")
    one = frozenset
    # The cast's reviewers and adjudicator hold both queues.
    return [
        Caller("anonymous", Client(raise_request_exception=False), is_known=False),
        Caller("admin", clients["adam"], on_project=one([A])),
        Caller("manager", clients["max"], on_project=one([M])),
        Caller("auditor", clients["otto"], on_project=one([U])),
        Caller("reviewer who holds the lease", clients["rita"], on_queue=one([R]), elsewhere=one([R])),
        Caller("reviewer", clients["rob"], on_queue=one([R]), elsewhere=one([R])),
        Caller("adjudicator", clients["ivy"], on_queue=one([J]), elsewhere=one([J])),
        Caller("reviewer of another queue", clients["quinn"], elsewhere=one([R])),
        Caller("installation admin", clients["inga"], on_installation=one([A])),
        Caller("installation auditor", clients["ingo"], on_installation=one([U])),
        Caller("manager of another project", clients["mona"]),
        Caller("somebody without a role", clients["nemo"]),
        Caller("deactivated manager", clients["gone"], is_known=False),
    ]


def _programs(cast: Cast) -> list[Caller]:
    other = Project.objects.get(slug="other")
    manager, reviewer = frozenset([M]), frozenset([R])

    def caller(name: str, made: NewToken, **more: Any) -> Caller:
        headers = {"Authorization": f"Bearer {made.secret}"}
        scopes = frozenset(made.token.scopes)
        project = made.token.project.slug if made.token.project else None
        return Caller(
            name, Client(raise_request_exception=False), scopes=scopes, project=project, headers=headers, **more
        )

    def service(scopes: list[str], actor: Actor = cast.max, project: Project = cast.project) -> NewToken:
        return create_service_token(actor=actor, project=project, name="matrix", scopes=scopes)

    revoked, expired, demoted, orphaned = (service(ALL_SCOPES) for _ in range(4))
    revoke_token(actor=cast.max, token=revoked.token)
    ApiToken.objects.filter(pk=expired.token.pk).update(expires_at=utc_now() - timedelta(seconds=1))
    leaver, mover = make_person("leaver"), make_person("mover")
    for person, made in ((leaver, orphaned), (mover, demoted)):
        grant_role(actor=SYSTEM, user=person.person, role=M, target=cast.project)
        ApiToken.objects.filter(pk=made.token.pk).update(owner=person.person)
    deactivate_user(actor=SYSTEM, user=leaver.person, reason="left")
    revoke_role(actor=SYSTEM, user=mover.person, role=M, target=cast.project, reason="moved")
    mona = Actor(user=make_person("monika").person)
    grant_role(actor=SYSTEM, user=mona.person, role=M, target=other)
    grades = create_personal_token(actor=cast.rob, name="matrix", scopes=["review"])
    return [
        caller("service token, every scope", service(ALL_SCOPES), on_project=manager),
        *(caller(f"service token, {scope}", service([scope]), on_project=manager) for scope in ALL_SCOPES),
        caller("reviewer's own token, review", grades, on_queue=reviewer, elsewhere=reviewer),
        caller("service token of another project", service(ALL_SCOPES, mona, other)),
        caller("revoked token", revoked, is_known=False),
        caller("expired token", expired, is_known=False),
        caller("token of a deactivated person", orphaned, is_known=False),
        caller("token whose maker lost the role", demoted),
    ]
