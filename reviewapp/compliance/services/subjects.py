"""A data subject across all rooms: who it is, what is held, and clearing it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from reviewapp.access import erasure as access
from reviewapp.access.models import ApiToken, Project, User
from reviewapp.agreement import erasure as agreement
from reviewapp.audit import erasure as audit
from reviewapp.exports import erasure as exports
from reviewapp.grading import erasure as grading
from reviewapp.grading.models import Review
from reviewapp.ingest import erasure as ingest
from reviewapp.ingest.models import Output, Pair
from reviewapp.judge import erasure as judge
from reviewapp.lib.subjects import DataSubject, Held
from reviewapp.queues import erasure as queues

# Highest first, because the upper rooms find theirs by the rows of the lower ones; `queues` before `grading`, because
# leases end before drafts go. The log is asked apart: it answers which events lost their payloads.
ROOMS = (exports, judge, agreement, queues, grading, ingest, access)


@dataclass(frozen=True)
class Erased:
    """What one step cleared: rows by kind, and the events whose payloads went."""

    counts: Counter[str]
    eids: tuple[UUID, ...]


def subject_of_outputs(
    outputs: list[UUID], *, end_user_id: str, at: datetime, project: Project | None, objects: tuple[str, ...] = ()
) -> DataSubject:
    """An end user with some of their outputs, and everything whose events speak about these.

    project: theirs; None only where there is no name to look for. objects: ids of further things that speak about the
    subject.
    """
    sessions = Output.objects.filter(pk__in=outputs, session_id__isnull=False).values_list("session_id", flat=True)
    bare = DataSubject(at=at, pseudonym="", outputs=tuple(outputs))
    pairs = Pair.objects.filter(Q(a__in=outputs) | Q(b__in=outputs)).values_list("pk", flat=True)
    items = queues.items_of(bare).values_list("pk", flat=True)
    reviews = grading.reviews_of(bare).values_list("pk", flat=True)
    named = [*outputs, *pairs, *items, *reviews]
    return DataSubject(
        at=at,
        pseudonym="",
        outputs=tuple(outputs),
        names=tuple(name for name in (end_user_id, *sorted(set(sessions), key=str)) if name),
        objects=(*objects, *(str(one) for one in named)),
        projects=(project.slug,) if project else (),
    )


def subject_of_person(user: User, *, pseudonym: str, at: datetime, objects: tuple[str, ...] = ()) -> DataSubject:
    """A person with an account, and everything whose events speak about them."""
    tokens = ApiToken.objects.filter(owner=user).values_list("pk", flat=True)
    # Of imported reviews the actor is whoever imported them.
    reviews = Review.objects.filter(reviewer=user, is_imported=True).values_list("pk", flat=True)
    return DataSubject(
        at=at,
        pseudonym=pseudonym,
        person=user.pk,
        names=access.names_of(user),
        objects=(*objects, str(user.pk), *(str(key) for key in tokens), *(str(key) for key in reviews)),
    )


def find(subject: DataSubject) -> list[Held]:
    """What every room holds about the subject, the log last."""
    return [held for room in ROOMS for held in room.find_subject(subject)] + audit.find_subject(subject)


def count(subject: DataSubject) -> list[tuple[str, int]]:
    """How many rows of each kind, without the kinds that have none."""
    counted = [(held.kind, held.rows.count()) for held in find(subject)]
    return [(kind, n) for kind, n in counted if n]


def erase(subject: DataSubject) -> Erased:
    """Clear it in every room inside the caller's transaction, which holds the lock of erasures."""
    counts: Counter[str] = Counter()
    for room in ROOMS:
        counts.update(room.erase_subject(subject))
    eids = tuple(audit.erase_subject(subject))
    counts["payloads of audit events"] += len(eids)
    return Erased(+counts, eids)
