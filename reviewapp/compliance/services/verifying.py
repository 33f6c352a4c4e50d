"""Recompute the whole log because somebody asked: a waiting row, finished by a worker, shown with its progress.

One at a time for the installation. A worker that died frees its claim by the clock, and the next one begins anew:
reading the log twice changes nothing.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from reviewapp.access.actors import Actor, system_actor
from reviewapp.access.models import Project
from reviewapp.access.roles import require, require_installation_reader
from reviewapp.audit import keys
from reviewapp.audit import verify as audit_verify
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.compliance.errors import VerificationRunning
from reviewapp.compliance.models import Verification
from reviewapp.lib.errors import AccessDenied, DomainError

logger = logging.getLogger(__name__)
OPEN = ("waiting", "running")
# Longer than any 5,000 events take: a live worker renews its claim after each.
CLAIM = timedelta(minutes=2)
ASKED = "verify the audit log"


@transaction.atomic
def request_verification(*, actor: Actor, project: Project | None) -> Verification:
    """Leave a waiting row; project is where the caller stands, None for the installation.

    The log is one, so its verification is too, whoever asks. Raises Hidden, AccessDenied, VerificationRunning.
    """
    if actor.token is not None:
        raise AccessDenied("Only a signed-in person asks for a verification; programs have manage.py verify_audit.")
    if project is None:
        require_installation_reader(actor)
    else:
        require(actor, "audit.verify", project)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [ASKED])
    running = Verification.objects.filter(state__in=OPEN).first()
    if running is not None:
        raise VerificationRunning("The log is being verified now; see how far it is.", running=str(running.pk))
    row = Verification.objects.create(requested_by=actor.person)
    record(
        actor=actor,
        event=Event.VERIFICATION_REQUESTED,
        subject=Subject("verification", str(row.pk), project=project.slug if project else None),
    )
    return row


def open_verification_ids() -> list[UUID]:
    """Verifications that wait, or that a worker left half-way."""
    found = Verification.objects.filter(state__in=OPEN).filter(Q(claimed_until=None) | Q(claimed_until__lt=Now()))
    return list(found.order_by("created_at").values_list("pk", flat=True))


def run_verification(*, verification_id: UUID) -> None:
    """Finish one verification; one that is finished or in other hands is left as it is.

    A problem of the log is a result. A key that cannot be read, or a fault of ours, fails it with a sentence. A lost
    database leaves it to the next sweep.
    """
    if not _claim(verification_id):
        return
    try:
        trusted = keys.load_verifier_keys(settings.VERIFIER_DIR)
        found = audit_verify.verify_log(
            origin=settings.LOG_ORIGIN,
            trusted=trusted,
            on_progress=lambda done, total: _say(verification_id, done, total),
        )
    except Exception as error:
        if isinstance(error, OperationalError | InterfaceError):
            raise
        logger.exception("verification %s failed", verification_id)
        _fail(verification_id, _sentence(error))
        return
    _finish(verification_id, found)


def _claim(verification_id: UUID) -> bool:
    free = Verification.objects.filter(pk=verification_id, state__in=OPEN).filter(
        Q(claimed_until=None) | Q(claimed_until__lt=Now())
    )
    return bool(free.update(state="running", done=0, claimed_until=Now() + CLAIM))


def _say(verification_id: UUID, done: int, total: int) -> None:
    """How far it is; the claim lives on."""
    row = Verification.objects.filter(pk=verification_id, state="running")
    row.update(done=done, total=total, claimed_until=Now() + CLAIM)


@transaction.atomic
def _finish(verification_id: UUID, found: audit_verify.Verification) -> None:
    row = _held(verification_id)
    if row is None:
        return
    row.state, row.problem, row.claimed_until = "done", found.problem, None
    row.done, row.checkpoints, row.erased = found.events, found.checkpoints, found.erased
    row.total = max(row.total or 0, found.events)
    _close(row, "whole" if found.problem is None else found.problem)


@transaction.atomic
def _fail(verification_id: UUID, sentence: str) -> None:
    row = _held(verification_id)
    if row is None:
        return
    row.state, row.problem, row.claimed_until = "failed", sentence, None
    _close(row, f"could not be verified: {sentence}")


def _held(verification_id: UUID) -> Verification | None:
    return Verification.objects.select_for_update().filter(pk=verification_id, state="running").first()


def _close(row: Verification, result: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        row.finished_at = cursor.fetchone()[0]
    row.save(
        update_fields=["state", "problem", "claimed_until", "done", "total", "checkpoints", "erased", "finished_at"]
    )
    record(
        actor=system_actor("worker"),
        event=Event.AUDIT_VERIFIED,
        subject=Subject("verification", str(row.pk)),
        change=Change(
            more={
                "result": result,
                "events": row.done,
                "heads": row.checkpoints,
                "erased": row.erased,
                "asked_by": str(row.requested_by_id),
            }
        ),
        outcome="success" if row.state == "done" and row.problem is None else "error",
    )


def _sentence(error: Exception) -> str:
    if isinstance(error, DomainError):
        return error.detail
    if isinstance(error, DatabaseError):
        return "The database refused to go on; the log of the worker says why."
    return "A fault on our side; the log of the worker names it."
