"""After a restore: whatever the journal says was erased is erased again. Safe to repeat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from reviewapp.access.models import Project, User
from reviewapp.audit.erasure import erase_payloads
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.compliance.models import Erasure
from reviewapp.compliance.services import journal
from reviewapp.compliance.services.erasing import (
    WORKER,
    database_time,
    erase_outputs,
    erase_person,
    forget,
    lock_out_writers,
    record_payloads,
)
from reviewapp.compliance.services.journal import Entry, digest_of
from reviewapp.compliance.services.subjects import Erased
from reviewapp.exports.erasure import drop_expired as drop_withdrawn_files
from reviewapp.ingest.erasure import outputs_of_end_user
from reviewapp.ingest.models import Output


@dataclass(frozen=True)
class Reapplied:
    """How many erasures the journal holds, how many had come back with the restore, and what went again."""

    known: int
    came_back: int
    rows: int
    payloads: int


@dataclass(frozen=True)
class _EndUser:
    """An end user of a project that came back, with their outputs."""

    project: Project
    name: str
    outputs: list[UUID]


def reapply_erasures() -> Reapplied:
    """Erase again what is there under a digest of the journal. Raises OSError when the journal cannot be read."""
    entries = journal.entries()
    by_digest = {entry.digest: entry for entry in entries}
    again: dict[str, list[Erased]] = {}
    for entry, erased in [*_people(by_digest), *_end_users(by_digest), *_leftovers_of(entries)]:
        again.setdefault(entry.digest, []).append(erased)
    drop_withdrawn_files()
    steps = [one for found in again.values() for one in found]
    return Reapplied(
        known=len(by_digest),
        came_back=len(again),
        rows=sum(one.counts.total() - one.counts["payloads of audit events"] for one in steps),
        payloads=sum(len(one.eids) for one in steps),
    )


def _people(by_digest: dict[str, Entry]) -> Iterator[tuple[Entry, Erased]]:
    for key in list(User.objects.filter(erased_at=None).values_list("pk", flat=True)):
        entry = by_digest.get(digest_of(kind="person", project=None, subject=str(key)))
        if entry is not None:
            yield from ((entry, erased) for erased in _one_step(entry, key))


def _end_users(by_digest: dict[str, Entry]) -> Iterator[tuple[Entry, Erased]]:
    named = [entry.project for entry in by_digest.values() if entry.project is not None]
    for project in Project.objects.filter(pk__in=named):
        told = Output.objects.filter(project=project, end_user_id__isnull=False).order_by()
        for name in list(told.values_list("end_user_id", flat=True).distinct()):
            entry = by_digest.get(digest_of(kind="end_user", project=project.pk, subject=str(name)))
            while entry is not None and (outputs := outputs_of_end_user(project=project, end_user_id=str(name))):
                theirs = _EndUser(project, str(name), outputs)
                yield from ((entry, erased) for erased in _one_step(entry, theirs))


def _leftovers_of(entries: list[Entry]) -> Iterator[tuple[Entry, Erased]]:
    for entry in entries:
        yield from ((entry, erased) for erased in _leftovers(entry))


def _about(entry: Entry) -> Subject:
    project = Project.objects.filter(pk=entry.project).first() if entry.project else None
    return Subject("erasure", entry.erasure, project=project.slug if project else None)


@transaction.atomic
def _one_step(entry: Entry, who: UUID | _EndUser) -> list[Erased]:
    lock_out_writers()
    at = database_time()
    if isinstance(who, _EndUser):
        erased = erase_outputs(who.outputs, who.name, at, project=who.project)
    else:
        erased = erase_person(User.objects.get(pk=who), entry.digest, at)
    if erased is None:
        return []
    about = _about(entry)
    record_payloads(about, erased.eids, approver=None)
    change = Change(after={"rows": dict(erased.counts)})
    record(actor=WORKER, event=Event.ERASURE_REAPPLIED, subject=about, change=change)
    return [erased]


@transaction.atomic
def _leftovers(entry: Entry) -> list[Erased]:
    """Payloads by their event, and requests in the state of the backup: they would ask for what is done."""
    eids = erase_payloads(UUID(eid) for eid in entry.eids)
    stale = Erasure.objects.filter(subject_digest=entry.digest).exclude(state__in=("done", "refused"))
    is_stale = bool(stale.update(state="done", claimed_until=None))
    named = Erasure.objects.filter(subject_digest=entry.digest).exclude(end_user_id=None, reason="", decision_note="")
    if not (eids or is_stale or named.exists()):
        return []
    forget(entry.digest)
    record_payloads(_about(entry), tuple(eids), approver=None)
    return [Erased(Counter(), tuple(eids))]
