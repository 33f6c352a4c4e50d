"""Two people: one asks for an erasure, another decides. Approval leaves a row; a worker carries it out."""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now

from reviewapp.access.actors import Actor
from reviewapp.access.models import Project, User
from reviewapp.access.roles import require, require_installation_admin
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.compliance.models import Erasure
from reviewapp.compliance.services.journal import digest_of
from reviewapp.ingest.erasure import outputs_of_end_user
from reviewapp.lib.errors import AccessDenied, Conflict, FieldError, Unprocessable

OPEN = ("requested", "approved", "running")


def object_of(erasure: Erasure) -> Subject:
    """The erasure as the log names it: never by whom it is about."""
    return Subject("erasure", str(erasure.pk), project=erasure.project.slug if erasure.project else None)


@transaction.atomic
def request_erasure(*, actor: Actor, project: Project, end_user_id: str, reason: str) -> Erasure:
    """Ask to erase what is held about an end user.

    Raises AccessDenied, Unprocessable when nothing is held or the reason is missing, Conflict when it is asked already.
    """
    require(actor, "erasures.request", project)
    if not outputs_of_end_user(project=project, end_user_id=end_user_id):
        raise _wrong("end_user_id", "Nothing is held under this end user id. Check it, letter by letter.")
    digest = digest_of(kind="end_user", project=project.pk, subject=end_user_id)
    wanted = Erasure(kind="end_user", project=project, end_user_id=end_user_id, subject_digest=digest)
    return _request(actor, wanted, reason)


@transaction.atomic
def request_person_erasure(*, actor: Actor, user: User, reason: str) -> Erasure:
    """Ask to erase what is held about somebody with an account, or about an imported reviewer. Raises as above."""
    require_installation_admin(actor)
    if user.erased_at is not None:
        raise Conflict("This account was erased already.")
    if user.is_active and user.installation_roles.filter(role="admin").exists():
        raise Conflict("This person is an admin of the installation. Take that role away first.")
    digest = digest_of(kind="person", project=None, subject=str(user.pk))
    return _request(actor, Erasure(kind="person", person=user, subject_digest=digest), reason)


def _request(actor: Actor, wanted: Erasure, reason: str) -> Erasure:
    if not reason.strip():
        raise _wrong("reason", "Say in a sentence why, for the person who decides.")
    if actor.token is not None:
        raise AccessDenied("Only a signed-in person can ask for an erasure.")
    if Erasure.objects.filter(subject_digest=wanted.subject_digest, state__in=OPEN).exists():
        raise Conflict("This is asked for already and not done yet.")
    wanted.reason = reason.strip()
    wanted.requested_by = actor.person
    wanted.save(force_insert=True)
    record(
        actor=actor,
        event=Event.ERASURE_REQUESTED,
        subject=object_of(wanted),
        change=Change(reason=wanted.reason, more={"kind": wanted.kind}),
    )
    return wanted


@transaction.atomic
def decide_erasure(*, actor: Actor, erasure: Erasure, approve: bool, note: str) -> Erasure:
    """Approve or refuse. Never whoever asked, and never whom it is about.

    Raises AccessDenied, Conflict when it was decided already, Unprocessable for a refusal without a note.
    """
    held = Erasure.objects.select_for_update(of=("self",)).select_related("project").get(pk=erasure.pk)
    if held.project is not None:
        require(actor, "erasures.approve", held.project)
    else:
        require_installation_admin(actor)
    if actor.token is not None:
        raise AccessDenied("Only a signed-in person can decide on an erasure.")
    if actor.person.pk in (held.requested_by_id, held.person_id):
        raise AccessDenied(
            "Whoever asked for an erasure, or is its subject, does not decide on it: a second person does."
        )
    if held.state != "requested":
        raise Conflict(f"This was decided already: it is {held.state}.")
    if not approve and not note.strip():
        raise _wrong("note", "Say in a sentence why it is refused.")
    held.state = "approved" if approve else "refused"
    held.decided_by, held.decision_note, held.decided_at = actor.person, note.strip(), Now()
    held.save(update_fields=["state", "decided_by", "decision_note", "decided_at"])
    held.refresh_from_db()
    record(
        actor=actor,
        event=Event.ERASURE_APPROVED if approve else Event.ERASURE_REFUSED,
        subject=object_of(held),
        change=Change(reason=held.decision_note or None, more={"kind": held.kind}),
    )
    return held


def _wrong(field: str, detail: str) -> Unprocessable:
    return Unprocessable(detail, errors=(FieldError(f"/{field}", detail),))
