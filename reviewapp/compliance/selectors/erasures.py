"""Erasures as a viewer may see them. Who they are about is shown only while it stands in the row."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from reviewapp.access.actors import Actor
from reviewapp.access.errors import Hidden
from reviewapp.access.matrix import ACTS
from reviewapp.access.models import Project, User
from reviewapp.access.roles import objects_with_role, require
from reviewapp.compliance.models import Erasure
from reviewapp.compliance.services.erasing import database_time
from reviewapp.compliance.services.subjects import count, subject_of_outputs, subject_of_person
from reviewapp.ingest.erasure import outputs_of_end_user, with_partners
from reviewapp.lib.errors import NotFound

READERS = ("admin", "auditor")


@dataclass(frozen=True)
class Holdings:
    """How much is held about a subject: rows by kind, without the kinds that have none."""

    counts: list[tuple[str, int]]

    @property
    def total(self) -> int:
        """All rows."""
        return sum(n for _, n in self.counts)


def erasures_of(*, viewer: Actor, project: Project) -> QuerySet[Erasure]:
    """The project's erasures, newest first. Raises Hidden or AccessDenied."""
    require(viewer, "erasures.view", project)
    return _rows().filter(project=project)


def person_erasures(*, viewer: Actor) -> QuerySet[Erasure]:
    """Erasures of accounts, newest first; none for who is neither admin nor auditor of the installation."""
    return _rows().filter(kind="person") if _holds(viewer, READERS) else Erasure.objects.none()


def erasure_for(*, viewer: Actor, erasure_id: UUID, project: Project | None = None) -> Erasure:
    """One erasure, of the project or, without one, of a person. Raises Hidden."""
    rows = erasures_of(viewer=viewer, project=project) if project else person_erasures(viewer=viewer)
    found = rows.filter(pk=erasure_id).first()
    if found is None:
        raise Hidden("There is no such erasure, or it is not yours to see.")
    return found


def erasures_waiting_for(viewer: Actor) -> QuerySet[Erasure]:
    """Requests that this person may decide on, oldest first: never those that they made or that are about them."""
    if viewer.user is None or viewer.token is not None:
        return Erasure.objects.none()
    deciders = ACTS["erasures.approve"].roles
    mine = Q(project__in=objects_with_role(viewer.user, deciders, Project.objects.all(), project_field="pk"))
    if _holds(viewer, ("admin",)):
        mine |= Q(kind="person")
    asked = _rows().filter(mine, state="requested").exclude(requested_by=viewer.user)
    return asked.exclude(person=viewer.user).order_by("requested_at")


def may_decide(*, viewer: Actor, erasure: Erasure) -> bool:
    """Whether the page offers to approve and to refuse; the service asks again."""
    return erasures_waiting_for(viewer).filter(pk=erasure.pk).exists()


def held_about_end_user(*, viewer: Actor, project: Project, end_user_id: str) -> Holdings:
    """How much an erasure would clear. Raises AccessDenied, or NotFound when nothing is held."""
    require(viewer, "erasures.request", project)
    outputs = outputs_of_end_user(project=project, end_user_id=end_user_id)
    if not outputs:
        raise NotFound("Nothing is held under this end user id. Check it, letter by letter.")
    subject = subject_of_outputs(with_partners(outputs), end_user_id=end_user_id, at=database_time(), project=project)
    return Holdings(count(subject))


def held_about_person(user: User) -> Holdings:
    """The same of an account. The caller has asked for the admin of the installation."""
    return Holdings(count(subject_of_person(user, pseudonym="", at=database_time())))


def _holds(viewer: Actor, roles: tuple[str, ...]) -> bool:
    user = viewer.user
    if user is None or not user.is_active or viewer.token is not None:
        return False
    return user.installation_roles.filter(role__in=roles).exists()


def _rows() -> QuerySet[Erasure]:
    return Erasure.objects.select_related("project", "person", "requested_by", "decided_by").order_by("-requested_at")
