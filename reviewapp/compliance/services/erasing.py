"""Carrying an erasure out: in steps, each a transaction of its own, safe to kill and to repeat at any point.

An end user's outputs go chunk by chunk; an erased output no longer carries the end user's id, so a repeat goes on where
the last step ended. The same steps run again after a restore, from the journal (`reapply`).
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Greatest, Now

from reviewapp.access.actors import system_actor
from reviewapp.access.models import Project, User
from reviewapp.audit.erasure import payloads_of_object
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.compliance.models import Erasure
from reviewapp.compliance.services import journal
from reviewapp.compliance.services.erasures import object_of
from reviewapp.compliance.services.subjects import Erased, erase, subject_of_outputs, subject_of_person
from reviewapp.exports.erasure import drop_expired as drop_withdrawn_files
from reviewapp.ingest.erasure import outputs_of_end_user, with_partners
from reviewapp.ingest.models import Output
from reviewapp.lib.clock import rfc3339
from reviewapp.lib.subjects import ERASING_LOCK

logger = logging.getLogger(__name__)
WORKER = system_actor("erasure")
CHUNK = 50  # outputs a step: writers about other outputs wait for one step at the most
WORK_SECONDS = 300.0
CLAIM = timedelta(minutes=5)
BASIS = "right to erasure, Article 17 GDPR"


def open_erasure_ids() -> list[UUID]:
    """Approved erasures that wait, or that a dead worker left; oldest first."""
    free = Q(claimed_until=None) | Q(claimed_until__lt=Now())
    rows = Erasure.objects.filter(free, state__in=["approved", "running"])
    return list(rows.order_by("requested_at").values_list("pk", flat=True))


def work_on_erasure(*, erasure_id: UUID) -> None:
    """Erase for five minutes at most; the sweep comes back for the rest. One in other hands is left as it is."""
    erasure = _claim(erasure_id)
    if erasure is None:
        return
    try:
        _work(erasure)
    except Exception:
        # The claim stays until it runs out, so a fault is tried again every few minutes and not at once.
        logger.exception("erasure %s stopped", erasure_id)
        _note_fault(erasure)
        raise


def _claim(erasure_id: UUID) -> Erasure | None:
    free = Q(claimed_until=None) | Q(claimed_until__lt=Now())
    rows = Erasure.objects.filter(free, pk=erasure_id, state__in=["approved", "running"])
    if not rows.update(state="running", claimed_until=Now() + CLAIM):
        return None
    return Erasure.objects.select_related("project", "person").get(pk=erasure_id)


def _work(erasure: Erasure) -> None:
    until = time.monotonic() + WORK_SECONDS
    while _step(erasure):
        if time.monotonic() > until:
            Erasure.objects.filter(pk=erasure.pk).update(claimed_until=None)
            return
    _finish(erasure)


@transaction.atomic
def _step(erasure: Erasure) -> bool:
    """Erase the next chunk; False when nothing is left. A person is one step."""
    lock_out_writers()
    row = Erasure.objects.select_for_update(of=("self",)).get(pk=erasure.pk)
    at = database_time()
    left = 0
    if erasure.project is not None and erasure.end_user_id is not None:
        outputs = outputs_of_end_user(project=erasure.project, end_user_id=erasure.end_user_id)
        erased, seen, left = (
            erase_outputs(outputs, erasure.end_user_id, at, project=erasure.project),
            len(outputs[:CHUNK]),
            len(outputs),
        )
    else:
        erased, seen = erase_person(_person_of(row), row.subject_digest, at), 1
    if erased is None:
        return False
    counts = Counter(row.counts or {}) + erased.counts
    total = Greatest(Coalesce(F("total"), 0), F("done") + max(left, seen))
    Erasure.objects.filter(pk=row.pk).update(
        done=F("done") + seen, total=total, counts=dict(counts), claimed_until=Now() + CLAIM
    )
    record_payloads(object_of(erasure), erased.eids, approver=row.decided_by_id)
    return True


def erase_outputs(outputs: list[UUID], end_user_id: str, at: datetime, *, project: Project) -> Erased | None:
    """The first chunk of an end user's outputs, in a transaction that has locked out the writers; None for none."""
    if not outputs:
        return None
    chunk = with_partners(outputs[:CHUNK])
    # Whoever is adding a row about one of them is waited for; whoever comes later waits for us.
    list(Output.objects.select_for_update().filter(pk__in=chunk).order_by("pk").values_list("pk"))
    return erase(subject_of_outputs(chunk, end_user_id=end_user_id, at=at, project=project))


def erase_person(user: User, digest: str, at: datetime) -> Erased | None:
    """Everything of an account, likewise; None for one that was erased already."""
    if user.erased_at is not None:
        return None
    return erase(subject_of_person(user, pseudonym=pseudonym_of(digest), at=at))


def _person_of(row: Erasure) -> User:
    if row.person_id is None:
        raise RuntimeError("an erasure is about an end user or a person")
    return User.objects.get(pk=row.person_id)


def pseudonym_of(digest: str) -> str:
    """The name of an erased account: from the keyed digest, so that a restored backup gets the same one again."""
    for length in (8, 16, 64):
        name = f"erased-{digest[:length]}"
        if not User.objects.filter(username=name).exists():
            break
    return name


@transaction.atomic
def _finish(erasure: Erasure) -> None:
    """The last look for the subject's name, the journal, and an end at which the row names nobody any more."""
    lock_out_writers()
    row = Erasure.objects.select_for_update(of=("self",)).get(pk=erasure.pk)
    if row.state != "running":
        return
    drop_withdrawn_files()
    at = database_time()
    requests = Erasure.objects.filter(subject_digest=row.subject_digest).values_list("pk", flat=True)
    about = tuple(str(pk) for pk in requests)
    last = erase(
        subject_of_outputs([], end_user_id=row.end_user_id or "", at=at, project=erasure.project, objects=about)
    )
    record_payloads(object_of(erasure), last.eids, approver=row.decided_by_id)
    counts = Counter(row.counts or {}) + last.counts
    forget(row.subject_digest)
    Erasure.objects.filter(pk=row.pk).update(
        state="done", finished_at=Now(), counts=dict(counts), claimed_until=None, total=F("done"), error=""
    )
    record(
        actor=WORKER,
        event=Event.ERASURE_FINISHED,
        subject=object_of(erasure),
        change=Change(after={"rows": dict(counts)}, more={"kind": row.kind, "approver": str(row.decided_by_id)}),
    )
    journal.append(_entry(row, at))


def _entry(row: Erasure, at: datetime) -> journal.Entry:
    said = payloads_of_object(str(row.pk), event=Event.PAYLOAD_ERASED.value).values_list("data", flat=True)
    return journal.Entry(
        erasure=str(row.pk),
        kind=row.kind,
        project=str(row.project_id) if row.kind == "end_user" else None,
        digest=row.subject_digest,
        at=rfc3339(at),
        eids=tuple(eid for data in said for eid in json.loads(data)["eids"]),
    )


def forget(digest: str) -> None:
    """Clear what names the subject in requests to erase them: nothing is left that one of these could ask for."""
    rows = Erasure.objects.filter(subject_digest=digest)
    rows.update(end_user_id=None, reason="", decision_note="")


def record_payloads(subject: Subject, eids: tuple[UUID, ...], *, approver: UUID | None) -> None:
    """One event for payloads that went: which, on what basis, and who approved it. It names nobody."""
    more = {"eids": [str(eid) for eid in eids], "n": len(eids), "basis": BASIS}
    change = Change(more={**more, "approver": str(approver) if approver else None})
    record(actor=WORKER, event=Event.PAYLOAD_ERASED, subject=subject, change=change)


@transaction.atomic
def _note_fault(erasure: Erasure) -> None:
    sentence = "It stopped at a fault on our side and goes on by itself within minutes; the log of the worker names it."
    Erasure.objects.filter(pk=erasure.pk).update(error=sentence)
    record(
        actor=WORKER,
        event=Event.ERASURE_STOPPED,
        subject=object_of(erasure),
        change=Change(reason=sentence),
        outcome="error",
    )


def lock_out_writers() -> None:
    """Until the end of the transaction: the other side of `hold_off_erasures`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ERASING_LOCK])


def database_time() -> datetime:
    """Now by the database's clock, not the beginning of the transaction: after the lock came."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment
