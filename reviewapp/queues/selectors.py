"""Reads of this room."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.contrib.postgres.functions import TransactionNow
from django.db import connection
from django.db.models import QuerySet

from reviewapp.access.actors import Actor
from reviewapp.access.errors import Hidden
from reviewapp.access.matrix import ACTS
from reviewapp.access.models import Project
from reviewapp.access.roles import allowed_acts, may_know, objects_with_role, require
from reviewapp.queues.errors import LeaseOver
from reviewapp.queues.models import Lease, Queue, QueueItem

_STATES = """
SELECT queue_id, count(*), count(*) FILTER (WHERE state = 'waiting'), count(*) FILTER (WHERE state = 'leased'),
       count(*) FILTER (WHERE state = 'disputed'), count(*) FILTER (WHERE state = 'done'),
       count(*) FILTER (WHERE state = 'imported'), coalesce(sum(open_seats), 0), coalesce(sum(closed_seats), 0)
FROM (
    SELECT i.queue_id, count(s.id) FILTER (WHERE s.closed_at IS NULL) AS open_seats,
           count(s.id) FILTER (WHERE s.closed_at IS NOT NULL) AS closed_seats,
           CASE
               WHEN count(s.id) = 0 THEN CASE WHEN i.source = 'import' THEN 'imported' ELSE 'unseated' END
               WHEN bool_or(s.closed_at IS NULL AND s.kind IN ('extra', 'adjudicate')) THEN 'disputed'
               WHEN bool_or(s.closed_at IS NULL AND s.held_until > now()) THEN 'leased'
               WHEN bool_or(s.closed_at IS NULL) THEN 'waiting'
               ELSE 'done'
           END AS state
    FROM reviewapp_queueitem i LEFT JOIN reviewapp_seat s ON s.item_id = i.id
    WHERE i.queue_id = ANY(%s)
    GROUP BY i.id
) AS items
GROUP BY queue_id
"""
# The same conditions as the claim: what is counted here is what `lease_next` would hand out now.
_WAITING = """
SELECT s.queue_id, count(DISTINCT s.item_id) FROM reviewapp_seat s
WHERE s.queue_id = ANY(%(queues)s) AND s.kind = ANY(%(kinds)s) AND s.closed_at IS NULL
  AND (s.held_until IS NULL OR s.held_until <= now())
  AND (s.assigned_to_id IS NULL OR s.assigned_to_id = %(me)s)
  AND NOT EXISTS (
      SELECT FROM reviewapp_lease b
      WHERE b.reviewer_id = %(me)s AND b.item_id = s.item_id
        AND (b.ended_at IS NULL OR b.outcome IN ('submitted', 'skipped'))
        AND NOT (b.ended_at IS NULL AND b.expires_at <= now())
  )
GROUP BY s.queue_id
"""


@dataclass(frozen=True)
class Progress:
    """Items of a queue by state, counted now. Every item is in one state; items without seats are in `items` only.

    waiting: a seat is free and none is held. leased: somebody works on it. disputed: an extra reviewer or adjudicator
    is asked for. done: no seat is open. imported: it has imported reviews only. The seats are counted beside.
    """

    items: int = 0
    waiting: int = 0
    leased: int = 0
    disputed: int = 0
    done: int = 0
    imported: int = 0
    open_seats: int = 0
    closed_seats: int = 0

    def as_dict(self) -> dict[str, int]:
        """For the API."""
        return asdict(self)


def queue_for(*, viewer: Actor, project: Project, slug: str, act: str = "queues.view") -> Queue:
    """The queue, when the viewer may do the act there. Raises Hidden or AccessDenied."""
    queue = Queue.objects.select_related("rubric").filter(project=project, slug=slug).first()
    if queue is None or not may_know(viewer, queue):
        raise Hidden("There is no such queue, or it is not yours to see.")
    queue.project = project
    require(viewer, act, queue)
    return queue


def queue_known(*, viewer: Actor, project: str, slug: str) -> Queue:
    """The queue, when the viewer may know of it; the act is checked by the service that follows. Raises Hidden."""
    queue = Queue.objects.select_related("project", "rubric").filter(project__slug=project, slug=slug).first()
    if queue is None or not may_know(viewer, queue):
        raise Hidden("There is no such queue, or it is not yours to see.")
    return queue


def visible_queues(*, viewer: Actor, project: Project) -> QuerySet[Queue]:
    """The queues that the viewer may open: all for a role on the project, else those with a role on the queue."""
    rows = Queue.objects.select_related("rubric", "project").filter(project=project)
    if viewer.system is not None:
        return rows
    if viewer.user is None or (viewer.token is not None and viewer.token.project_id not in (None, project.pk)):
        return rows.none()
    return objects_with_role(viewer.user, ACTS["queues.view"].roles, rows)


def progress(*, queue: Queue) -> Progress:
    """Counted progress of one queue."""
    return progress_of([queue]).get(queue.pk, Progress())


def progress_of(queues: Iterable[Queue]) -> dict[UUID, Progress]:
    """Counted progress of several queues, in one statement; a queue without items is absent."""
    with connection.cursor() as cursor:
        cursor.execute(_STATES, [[queue.pk for queue in queues]])
        return {row[0]: Progress(*(int(number) for number in row[1:])) for row in cursor.fetchall()}


@dataclass(frozen=True)
class QueueLine:
    """One queue as a page lists it: counted progress, and how much of it the viewer could take now."""

    queue: Queue
    progress: Progress
    to_grade: int | None  # None: the viewer does not review here
    to_settle: int | None  # None: the viewer does not adjudicate here

    @property
    def share_done(self) -> int:
        """Whole percent of the items that have no open seat."""
        finished = self.progress.done + self.progress.imported
        return finished * 100 // self.progress.items if self.progress.items else 0

    @property
    def is_mine(self) -> bool:
        """Whether the viewer works in this queue."""
        return self.to_grade is not None or self.to_settle is not None


def queue_lines(*, viewer: Actor, project: Project) -> list[QueueLine]:
    """The queues that the viewer may open, by title."""
    return _lines(viewer, list(visible_queues(viewer=viewer, project=project).order_by("title", "slug")))


def queue_line(*, viewer: Actor, queue: Queue) -> QueueLine:
    """One queue, of which the caller knows that the viewer may open it."""
    return _lines(viewer, [queue])[0]


def _lines(viewer: Actor, queues: list[Queue]) -> list[QueueLine]:
    counted = progress_of(queues)
    to_grade = waiting_for(viewer=viewer, queues=queues)
    to_settle = waiting_for(viewer=viewer, queues=queues, act="adjudicate")
    return [
        QueueLine(queue, counted.get(queue.pk, Progress()), to_grade.get(queue.pk), to_settle.get(queue.pk))
        for queue in queues
    ]


def waiting_for(*, viewer: Actor, queues: Iterable[Queue], act: str = "grade") -> dict[UUID, int]:
    """How many items `lease_next` would hand to this person now, per queue in which they may do the act."""
    kinds = {"grade": ["extra", "place"], "adjudicate": ["adjudicate"]}[act]
    mine = [queue.pk for queue in queues if allowed_acts(viewer, [act], queue)]
    if not mine or viewer.user is None:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, {"queues": mine, "kinds": kinds, "me": viewer.user.pk})
        return {**dict.fromkeys(mine, 0), **dict(cursor.fetchall())}


def act_of(lease: Lease) -> str:
    """What working on this lease is called in the matrix."""
    return "adjudicate" if lease.seat.kind == "adjudicate" else "grade"


def is_erased(item: QueueItem) -> bool:
    """Whether what the item is about was erased; of a pair, either side."""
    sides = [item.pair.a, item.pair.b] if item.pair else [item.output]
    return any(side is not None and side.erased_at is not None for side in sides)


def with_subject(leases: QuerySet[Lease], kind: str) -> QuerySet[Lease]:
    """Leases with what a screen of this kind of queue shows, in one join."""
    found = leases.select_related("seat", "item", "rubric_version__rubric")
    if kind == "pairwise":
        return found.select_related("item__pair__a__configuration", "item__pair__b__configuration")
    return found.select_related("item__output__configuration", "item__hit")


def own_lease(*, viewer: Actor, lease_id: UUID, project: str | None = None) -> Lease:
    """A lease of the viewer, live or over. Raises Hidden for anybody else's: its existence is not theirs to know."""
    found = Lease.objects.select_related("seat", "item", "queue__project", "rubric_version").filter(pk=lease_id)
    if project is not None:
        found = found.filter(queue__project__slug=project)
    lease = found.filter(reviewer=viewer.user).first() if viewer.user is not None else None
    if lease is None or not may_know(viewer, lease.queue):
        raise Hidden("There is no such lease, or it is not yours.")
    lease.item.queue = lease.queue
    return lease


def live_lease(*, viewer: Actor, lease_id: UUID, project: str | None = None) -> Lease:
    """A lease of the viewer, live by the database's clock. Raises Hidden for another's, LeaseOver for a spent one."""
    lease = own_lease(viewer=viewer, lease_id=lease_id, project=project)
    if not _is_live(lease.pk):
        raise LeaseOver(
            "This lease is over: it was ended, or its time ran out and the item may be with somebody else. "
            "What you wrote is kept as a draft."
        )
    return lease


def _is_live(lease_id: UUID) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ended_at IS NULL AND expires_at > now() FROM reviewapp_lease WHERE id = %s", [str(lease_id)]
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def held_leases(*, viewer: Actor, project: Project | None = None) -> QuerySet[Lease]:
    """Live leases of the viewer, oldest first: what can be resumed."""
    found = Lease.objects.select_related("queue__project", "item", "seat").filter(
        ended_at=None, expires_at__gt=TransactionNow()
    )
    if viewer.user is None:
        return found.none()
    found = found.filter(reviewer=viewer.user).order_by("leased_at")
    return found.filter(queue__project=project) if project else found


def open_reasons(*, queue: Queue) -> list[tuple[str, int]]:
    """Why the open items are in the queue: (reason, number of items), most frequent first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.reason, count(DISTINCT i.id) FROM reviewapp_queueitem i JOIN reviewapp_seat s ON s.item_id = i.id"
            " WHERE i.queue_id = %s AND s.closed_at IS NULL GROUP BY i.reason ORDER BY 2 DESC, 1",
            [str(queue.pk)],
        )
        return [(str(reason), int(number)) for reason, number in cursor.fetchall()]


def may_know_why(*, viewer: Actor, project: Project) -> bool:
    """Whether the viewer may read what could tell a reviewer why an item is in a queue: those who may change it, and
    auditors. Roles on a queue never open it, so the project alone decides.
    """
    return bool(allowed_acts(viewer, ("queues.edit", "reviews.view"), project))


def queue_document(queue: Queue, *, with_reasons: bool) -> dict[str, Any]:
    """API.md's Queue. with_reasons: also the rules and the shares of gold and repeats (`may_know_why`)."""
    shown: dict[str, Any] = {
        "slug": queue.slug,
        "title": queue.title,
        "kind": queue.kind,
        "rubric": queue.rubric.slug,
        "reviewers_per_item": queue.reviewers_per_item,
        "overlap_share": queue.overlap_share,
        "max_extra_reviewers": queue.max_extra_reviewers,
        "lease_seconds": queue.lease_seconds,
        "order": queue.order,
        "blind": queue.is_blind,
        "adjudicate": queue.adjudicate,
        "instructions": queue.instructions,
    }
    if with_reasons:
        shown["rules"] = sorted(rule.slug for rule in queue.rules.all())
        shown["gold_share"] = queue.gold_share
        shown["repeat_share"] = queue.repeat_share
    return shown
