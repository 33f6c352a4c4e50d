"""What waits for a person, over all their projects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from reviewapp.access.actors import Actor
from reviewapp.access.context import ROOMS
from reviewapp.access.matrix import Role
from reviewapp.access.models import ApiToken, Project, ProjectUserGrant, User
from reviewapp.access.roles import can, visible_projects
from reviewapp.access.selectors import membership
from reviewapp.compliance.models import Erasure
from reviewapp.compliance.selectors import Filters, own_events, shown_events, titles, visible_events, word_for
from reviewapp.compliance.selectors.erasures import erasures_waiting_for
from reviewapp.compliance.sentences import sentence, wanted_names, words_of
from reviewapp.queues.models import Lease, Queue, QueueUserGrant
from reviewapp.queues.selectors import Progress, held_leases, progress_of, visible_queues, waiting_for


@dataclass(frozen=True)
class Work:
    """Items of one queue that this person could take now, for one act."""

    queue: Queue
    count: int
    act: str


@dataclass(frozen=True)
class QueueLine:
    """One queue with its counted progress."""

    queue: Queue
    progress: Progress

    @property
    def share_done(self) -> int:
        """Whole percent of items without an open seat."""
        return (
            round(100 * (self.progress.done + self.progress.imported) / self.progress.items)
            if self.progress.items
            else 0
        )


@dataclass(frozen=True)
class ProjectHome:
    """What one project shows on the first page."""

    project: Project
    work: tuple[Work, ...]
    queues: tuple[QueueLine, ...]
    rooms: tuple[tuple[str, str], ...]  # (label, name of the address), what this person may open
    sees_quality: bool


@dataclass(frozen=True)
class Home:
    """The whole first page."""

    leases: tuple[Lease, ...]
    erasures: tuple[Erasure, ...]  # that this person may decide on
    projects: tuple[ProjectHome, ...]

    @property
    def waiting(self) -> int:
        """Items that this person could take now, over all queues."""
        return sum(work.count for project in self.projects for work in project.work)


def home_of(*, viewer: Actor) -> Home:
    """The first page of a person."""
    projects = visible_projects(viewer).filter(archived_at=None).order_by("title")
    return Home(
        leases=tuple(held_leases(viewer=viewer)),
        erasures=tuple(erasures_waiting_for(viewer)),
        projects=tuple(_project_home(viewer, project) for project in projects),
    )


def _project_home(viewer: Actor, project: Project) -> ProjectHome:
    queues = list(visible_queues(viewer=viewer, project=project).filter(closed_at=None).order_by("title"))
    counts = progress_of(queues)
    acts = membership(viewer=viewer, project=project).acts
    work = [
        Work(queue, count, act)
        for act in ("grade", "adjudicate")
        for queue, count in _counted(queues, waiting_for(viewer=viewer, queues=queues, act=act))
    ]
    return ProjectHome(
        project=project,
        work=tuple(work),
        queues=tuple(QueueLine(queue, counts.get(queue.pk, Progress())) for queue in queues),
        rooms=tuple((label, name) for label, name, act in ROOMS if act in acts),
        sees_quality=can(viewer, "monitoring.view", project),
    )


def _counted(queues: list[Queue], counts: dict[UUID, int]) -> list[tuple[Queue, int]]:
    return [(queue, counts[queue.pk]) for queue in queues if counts.get(queue.pk)]


@dataclass(frozen=True)
class Holding:
    """One role that one person holds, on the project or on one of its queues."""

    user: User
    role: Role
    queue: Queue | None


def holdings(*, project: Project) -> list[Holding]:
    """Who holds what in a project, by name."""
    found = [
        Holding(grant.user, Role(grant.permission.codename.removeprefix("hold_")), None)
        for grant in ProjectUserGrant.objects.filter(content_object=project).select_related("user", "permission")
    ]
    found += [
        Holding(grant.user, Role(grant.permission.codename.removeprefix("hold_")), grant.content_object)
        for grant in QueueUserGrant.objects.filter(content_object__project=project).select_related(
            "user", "permission", "content_object"
        )
    ]
    return sorted(found, key=_by_person)


def _by_person(one: Holding) -> tuple[str, str, str, str]:
    return one.user.shown_name.lower(), one.user.username, one.role, one.queue.title if one.queue else ""


def service_tokens(*, project: Project) -> QuerySet[ApiToken]:
    """The project's live tokens, newest first; never their secrets."""
    return (
        ApiToken.objects.filter(project=project, revoked_at=None)
        .select_related("owner", "replaces")
        .order_by("-created_at")
    )


def personal_tokens(*, viewer: Actor) -> QuerySet[ApiToken]:
    """The viewer's own live tokens."""
    return (
        ApiToken.objects.filter(owner=viewer.user, project=None, revoked_at=None)
        .select_related("replaces")
        .order_by("-created_at")
    )


@dataclass(frozen=True)
class Told:
    """One event of the log in a sentence. `name` is what the log calls it."""

    text: str
    name: str
    at: datetime
    outcome: str


def told_about(*, viewer: Actor, user: User, most: int = 12) -> list[Told]:
    """The newest events by or about a person, as far as the viewer may read them."""
    about = Q(actor=str(user.pk)) | Q(object=str(user.pk))
    rows = visible_events(viewer=viewer, filters=Filters()).filter(about)[:most]
    return _told(shown_events(rows))


def told_about_me(*, viewer: Actor, most: int = 12) -> list[Told]:
    """What the viewer did lately, and what was done to their account."""
    return _told(own_events(viewer=viewer, limit=most))


def _told(shown: list[dict[str, Any]]) -> list[Told]:
    names = titles([pair for one in shown for pair in wanted_names(one)])
    found = []
    for one in shown:
        kind = one["object_kind"]
        text = sentence(one, actor=one["actor"], words=words_of(one, names, {kind: word_for(kind)}))
        found.append(Told(text, one["event"], one["moment"], one["outcome"]))
    return found
