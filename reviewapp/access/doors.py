"""The table of doors: what every address of the site needs, per method. Deny by default.

A route without a row answers 404 to everybody (`middleware.DoorMiddleware` for pages, `authentication.MayEnter` for the
API), and a test that walks the URL resolver fails with the line to add here. The door asks before the view reads
anything of the request, so a refused caller never learns whether the body was right; the services ask again, because
commands and workers do not come through doors.

Source: SECURITY.md sections 1 (T9, T10) and 3.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from reviewapp.access.actors import Actor
from reviewapp.access.errors import Hidden
from reviewapp.access.models import Project, UserGrant
from reviewapp.access.roles import (
    Anchored,
    grant_tables,
    may_know,
    require_any,
    require_installation_admin,
    require_installation_reader,
    require_scope,
    require_somewhere,
)


class Where(Enum):
    """On what the need is asked."""

    PUBLIC = "anybody"
    IDENTITY = "anybody with an identity, for what is their own"
    INSTALLATION_ADMIN = "an admin of the installation"
    INSTALLATION_READER = "an admin or auditor of the installation"
    PROJECT = "the project of the address"
    QUEUE = "the queue of the address"
    SOMEWHERE = "the project of the address, or any queue of it"


@dataclass(frozen=True)
class Need:
    """What one method of a route asks for. acts: any one of them suffices."""

    where: Where
    acts: tuple[str, ...] = ()


PUBLIC = Need(Where.PUBLIC)
SIGNED_IN = Need(Where.IDENTITY)
INSTALLATION_ADMIN = Need(Where.INSTALLATION_ADMIN)
INSTALLATION_READ = Need(Where.INSTALLATION_READER)


def own(act: str) -> Need:
    """Of the caller's own; a token needs a scope of the act."""
    return Need(Where.IDENTITY, (act,))


def at_project(*acts: str) -> Need:
    """A role for one of the acts on `<slug:project>`."""
    return Need(Where.PROJECT, acts)


def at_queue(*acts: str) -> Need:
    """A role for one of the acts on `<slug:queue>`, or on its project."""
    return Need(Where.QUEUE, acts)


def somewhere(*acts: str) -> Need:
    """A role for one of the acts on `<slug:project>` or on any queue of it; the view narrows to what is theirs."""
    return Need(Where.SOMEWHERE, acts)


Door = dict[str, Need]


def door(**needs: Need) -> Door:
    """One row: a need per method. HEAD is GET; a method that is not named is answered 405."""
    return needs


WORK = ("grade", "adjudicate")
DOORS: dict[str, Door] = {
    # health, and what everybody may read
    "access:livez": door(GET=PUBLIC),
    "access:readyz": door(GET=PUBLIC),
    "access:invite": door(GET=PUBLIC, POST=PUBLIC),  # the address is the key
    "access-api:schema": door(GET=PUBLIC),
    "access-api:docs": door(GET=PUBLIC),
    "compliance-api:checkpoint": door(GET=PUBLIC),
    "compliance-api:witness": door(POST=PUBLIC),  # the request is signed by the log that asks
    # sign-in
    "account_login": door(GET=PUBLIC, POST=PUBLIC),
    "account_logout": door(GET=PUBLIC, POST=PUBLIC),
    "account_signup": door(GET=PUBLIC, POST=PUBLIC),
    "account_go_on": door(GET=SIGNED_IN),
    "account_reauthenticate": door(GET=SIGNED_IN, POST=SIGNED_IN),
    # second factors; between the two steps of a sign-in nobody is signed in yet
    "mfa_index": door(GET=SIGNED_IN),
    "mfa_view_recovery_codes": door(GET=SIGNED_IN),
    "mfa_authenticate": door(GET=PUBLIC, POST=PUBLIC),
    "mfa_reauthenticate": door(GET=SIGNED_IN, POST=SIGNED_IN),
    "mfa_activate_totp": door(GET=SIGNED_IN, POST=SIGNED_IN),
    "mfa_deactivate_totp": door(GET=SIGNED_IN, POST=SIGNED_IN),
    "mfa_generate_recovery_codes": door(GET=SIGNED_IN, POST=SIGNED_IN),
    "mfa_add_webauthn": door(GET=SIGNED_IN, POST=SIGNED_IN),
    "mfa_reauthenticate_webauthn": door(GET=SIGNED_IN, POST=SIGNED_IN),
    "mfa_login_webauthn": door(GET=PUBLIC, POST=PUBLIC),
    "mfa_remove_webauthn": door(GET=SIGNED_IN, POST=SIGNED_IN),
    "mfa_edit_webauthn": door(GET=SIGNED_IN, POST=SIGNED_IN),
    "account_change_password": door(GET=SIGNED_IN, POST=SIGNED_IN),
    "oidc_begin": door(POST=PUBLIC),
    "oidc_callback": door(GET=PUBLIC),
    "oidc_confirm": door(GET=SIGNED_IN, POST=SIGNED_IN),
    "oidc_linked": door(GET=SIGNED_IN),
    "oidc_link": door(POST=SIGNED_IN),
    "oidc_unlink": door(POST=SIGNED_IN),
    # projects, people, tokens
    "access-api:projects": door(GET=SIGNED_IN, POST=INSTALLATION_ADMIN),
    "home:home": door(GET=SIGNED_IN),
    "home:account": door(GET=SIGNED_IN),
    "home:add_own_token": door(POST=SIGNED_IN),
    "home:rotate_own_token": door(POST=SIGNED_IN),
    "home:end_own_token": door(POST=SIGNED_IN),
    "home:end_my_sessions": door(POST=SIGNED_IN),
    "home:people": door(GET=INSTALLATION_READ),
    "home:invite": door(POST=INSTALLATION_ADMIN),
    "home:person": door(GET=INSTALLATION_READ),
    "home:give_role": door(POST=INSTALLATION_ADMIN),
    "home:take_role": door(POST=INSTALLATION_ADMIN),
    "home:close_account": door(POST=INSTALLATION_ADMIN),
    "home:open_account": door(POST=INSTALLATION_ADMIN),
    "home:make_link": door(POST=INSTALLATION_ADMIN),
    "home:withdraw_link": door(POST=INSTALLATION_ADMIN),
    "home:end_their_sessions": door(POST=INSTALLATION_ADMIN),
    "home:end_their_token": door(POST=INSTALLATION_ADMIN),
    "home:invite_member": door(POST=at_project("people.invite")),
    "home:settings": door(GET=at_project("people.view")),
    "home:grant": door(POST=at_project("members.edit")),
    "home:revoke": door(POST=at_project("members.edit")),
    "home:groups": door(GET=at_project("people.view")),
    "home:grant_group": door(POST=at_project("members.edit")),
    "home:revoke_group": door(POST=at_project("members.edit")),
    "home:add_token": door(POST=at_project("tokens.edit")),
    "home:rotate_token": door(POST=at_project("tokens.edit")),
    "home:end_token": door(POST=at_project("tokens.edit")),
    # audit
    "compliance:events": door(GET=at_project("audit.view")),
    "compliance:event": door(GET=at_project("audit.view")),
    "compliance:proof": door(GET=at_project("audit.view")),
    "compliance:people": door(GET=at_project("audit.view")),
    "compliance:export": door(GET=at_project("audit.view")),
    "compliance:verify": door(POST=at_project("audit.verify")),
    "compliance:verification": door(GET=at_project("audit.view")),
    "compliance:log_events": door(GET=INSTALLATION_READ),
    "compliance:log_event": door(GET=INSTALLATION_READ),
    "compliance:log_proof": door(GET=INSTALLATION_READ),
    "compliance:log_people": door(GET=INSTALLATION_READ),
    "compliance:log_export": door(GET=INSTALLATION_READ),
    "compliance:log_verify": door(POST=INSTALLATION_READ),
    "compliance:log_verification": door(GET=INSTALLATION_READ),
    "compliance:vocabulary": door(GET=SIGNED_IN),
    "compliance-api:events": door(GET=own("audit.view")),
    "compliance-api:export": door(GET=own("audit.export")),
    # forgetting somebody, and what is held about them
    "compliance:erasures": door(GET=at_project("erasures.view")),
    "compliance:look_for_subject": door(POST=at_project("erasures.request")),
    "compliance:ask_erasure": door(POST=at_project("erasures.request")),
    "compliance:erasure": door(GET=at_project("erasures.view")),
    "compliance:progress": door(GET=at_project("erasures.view")),
    "compliance:decide": door(POST=at_project("erasures.approve")),
    "compliance:subject_report": door(GET=at_project("subjects.report"), POST=at_project("subjects.report")),
    "compliance:person_erasures": door(GET=INSTALLATION_READ),
    "compliance:person_erasure": door(GET=INSTALLATION_READ),
    "compliance:person_progress": door(GET=INSTALLATION_READ),
    "compliance:person_decide": door(POST=INSTALLATION_ADMIN),
    "compliance:erase_person": door(GET=INSTALLATION_ADMIN, POST=INSTALLATION_ADMIN),
    "compliance:person_report": door(GET=INSTALLATION_ADMIN),
    "compliance:own_report": door(GET=SIGNED_IN),
    "compliance-api:subject_report": door(GET=at_project("subjects.report")),
    # traffic and sampling
    "ingest-api:outputs": door(GET=at_project("outputs.view"), POST=at_project("outputs.ingest")),
    "ingest-api:output": door(GET=at_project("outputs.view")),
    "ingest-api:signals": door(POST=at_project("outputs.ingest")),
    "ingest-api:pairs": door(POST=at_project("pairs.ingest")),
    "ingest-api:rules": door(GET=at_project("rules.view"), POST=at_project("rules.edit")),
    "ingest-api:try-rule": door(POST=at_project("rules.edit")),
    "ingest-api:backfill": door(POST=at_project("rules.edit")),
    # rubrics
    "rubrics:list": door(GET=at_project("rubrics.view")),
    "rubrics:new": door(GET=at_project("rubrics.edit"), POST=at_project("rubrics.edit")),
    "rubrics:detail": door(GET=at_project("rubrics.view")),
    "rubrics:edit": door(GET=at_project("rubrics.edit"), POST=at_project("rubrics.edit")),
    "rubrics:publish": door(POST=at_project("rubrics.edit")),
    "rubrics-api:rubrics": door(GET=at_project("rubrics.view"), POST=at_project("rubrics.edit")),
    "rubrics-api:rubric": door(GET=at_project("rubrics.view")),
    "rubrics-api:publish": door(POST=at_project("rubrics.edit")),
    # queues
    "queues:list": door(GET=at_project("queues.view")),
    "queues:new": door(GET=at_project("queues.edit")),
    "queues:create": door(POST=at_project("queues.edit")),
    "queues:detail": door(GET=at_queue("queues.view")),
    "queues:put_in": door(POST=at_queue("queues.enqueue")),
    "queues-api:queues": door(GET=at_project("queues.view"), POST=at_project("queues.edit")),
    "queues-api:queue": door(GET=at_queue("queues.view")),
    "queues-api:items": door(POST=at_queue("queues.enqueue")),
    # review
    "grading:review": door(GET=at_queue(*WORK)),
    "grading:next": door(POST=at_queue(*WORK)),
    "grading:submit": door(POST=at_queue(*WORK)),
    "grading:draft": door(POST=at_queue(*WORK)),
    "grading:skip": door(POST=at_queue(*WORK)),
    "grading:release": door(POST=at_queue(*WORK)),
    "grading:undo": door(POST=at_queue(*WORK)),
    "grading-api:lease": door(POST=at_queue(*WORK)),
    "grading-api:lease-detail": door(GET=somewhere(*WORK)),
    "grading-api:submit": door(POST=somewhere(*WORK)),
    "grading-api:skip": door(POST=somewhere(*WORK)),
    "grading-api:release": door(POST=somewhere(*WORK)),
    "grading-api:draft": door(PUT=somewhere(*WORK)),
    "grading-api:undo": door(POST=somewhere(*WORK)),
    "grading-api:reviews-import": door(POST=at_queue("reviews.import")),
    # agreement, preferences, guardrails, monitoring
    "agreement:report": door(GET=somewhere("agreement.view")),
    "agreement:queue": door(GET=at_queue("agreement.view")),
    "agreement:refresh": door(POST=at_queue("agreement.view")),
    "agreement-api:agreement": door(GET=at_queue("agreement.view")),
    "preferences:leaderboard": door(GET=somewhere("agreement.view")),
    "preferences-api:leaderboard": door(GET=somewhere("agreement.view")),
    "guardrails:list": door(GET=at_project("guardrails.view")),
    "guardrails:decisions": door(GET=at_project("guardrails.view")),
    "guardrails-api:guardrails": door(GET=at_project("guardrails.view")),
    "monitoring:overview": door(GET=at_project("monitoring.view")),
    "monitoring-api:estimates": door(GET=at_project("monitoring.view")),
    # judges
    "judge:list": door(GET=at_project("judges.view")),
    "judge:new": door(GET=at_project("judges.edit"), POST=at_project("judges.edit")),
    "judge:detail": door(GET=at_project("judges.view")),
    "judge:start": door(POST=at_project("judges.run")),
    "judge:run": door(GET=at_project("judges.view")),
    "judge:cancel": door(POST=at_project("judges.run")),
    "judge-api:judges": door(GET=at_project("judges.view"), POST=at_project("judges.edit")),
    "judge-api:judge": door(GET=at_project("judges.view")),
    "judge-api:runs": door(GET=at_project("judges.view"), POST=at_project("judges.run")),
    "judge-api:judge-run": door(GET=at_project("judges.view")),
    "judge-api:judge-run-cancel": door(POST=at_project("judges.run")),
    "judge-api:run": door(GET=at_project("judges.view")),
    "judge-api:run-cancel": door(POST=at_project("judges.run")),
    "judge-api:verdicts-import": door(POST=at_project("verdicts.import")),
    "judge-api:calibration": door(GET=at_project("judges.view")),
    # datasets
    "exports:list": door(GET=at_project("datasets.view")),
    "exports:new": door(GET=at_project("datasets.edit")),
    "exports:create": door(POST=at_project("datasets.edit")),
    "exports:detail": door(GET=at_project("datasets.view")),
    "exports:freeze": door(POST=at_project("datasets.edit")),
    "exports:version": door(GET=at_project("datasets.view")),
    "exports:retry": door(POST=at_project("datasets.edit")),
    "exports-api:datasets": door(GET=at_project("datasets.view"), POST=at_project("datasets.edit")),
    "exports-api:dataset": door(GET=at_project("datasets.view")),
    "exports-api:versions": door(GET=at_project("datasets.view"), POST=at_project("datasets.edit")),
    "exports-api:version": door(GET=at_project("datasets.view")),
    "exports-api:download": door(GET=at_project("datasets.download")),
}


def need_of(view_name: str, method: str | None) -> Need | None:
    """What this method of this route needs; None for a method that the route does not take.

    Raises KeyError for a route without a row.
    """
    return DOORS[view_name].get("GET" if method == "HEAD" else method or "")


def ask(actor: Actor, need: Need, address: Mapping[str, Any]) -> None:
    """Let the caller in, or raise Hidden or AccessDenied.

    address: what the resolver read from the path. Anonymous callers are turned away before.
    """
    if need.where is Where.PUBLIC:
        return
    if need.where is Where.IDENTITY:
        require_scope(actor, need.acts)
    elif need.where is Where.INSTALLATION_ADMIN:
        require_installation_admin(actor)
    elif need.where is Where.INSTALLATION_READER:
        require_installation_reader(actor)
    elif need.where is Where.SOMEWHERE:
        require_somewhere(actor, need.acts, _project(actor, address))
    elif need.where is Where.PROJECT:
        require_any(actor, need.acts, _project(actor, address))
    else:
        require_any(actor, need.acts, _queue(actor, address))


def _project(actor: Actor, address: Mapping[str, Any]) -> Project:
    found = Project.objects.filter(slug=address["project"]).first()
    if found is None:
        raise Hidden("There is no such project, or it is not yours to see.")
    return found


def _queue(actor: Actor, address: Mapping[str, Any]) -> Anchored:
    """The anchored object of the address, by its grant table: this room may not import the one that declares it."""
    for table in grant_tables(UserGrant):
        model = table._meta.get_field("content_object").related_model
        if model is not Project:
            found: Anchored | None = model.objects.filter(
                project__slug=address["project"], slug=address[model._meta.model_name]
            ).first()
            if found is not None and may_know(actor, found):
                return found
    raise Hidden("There is no such queue, or it is not yours to see.")
