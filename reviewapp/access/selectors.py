"""Fetch through permission: a project by its slug, or nothing."""

from __future__ import annotations

from dataclasses import dataclass

from reviewapp.access.actors import Actor
from reviewapp.access.errors import Hidden
from reviewapp.access.matrix import ACTS, Role
from reviewapp.access.models import Project
from reviewapp.access.roles import can, held_in, may_know, require, visible_projects


def project_for(*, viewer: Actor, slug: str, act: str = "project.view") -> Project:
    """The project, when the viewer may do the act there. Raises Hidden or AccessDenied."""
    project = Project.objects.filter(slug=slug).first()
    if project is None or not may_know(viewer, project):
        raise Hidden("There is no such project, or it is not yours to see.")
    require(viewer, act, project)
    return project


def project_known(*, viewer: Actor, slug: str) -> Project:
    """The project, when the viewer may know of it; the act is checked by the service that follows."""
    project = Project.objects.filter(slug=slug).first()
    if project is None or not may_know(viewer, project):
        raise Hidden("There is no such project, or it is not yours to see.")
    return project


@dataclass(frozen=True)
class Membership:
    """What a viewer may open in a project: for navigation."""

    project: Project
    roles: frozenset[Role]
    acts: frozenset[str]


def membership(*, viewer: Actor, project: Project) -> Membership:
    """The roles held in a project and the acts that they open."""
    roles = held_in(viewer, project)
    return Membership(project, roles, frozenset(act for act in ACTS if ACTS[act].roles & roles))


__all__ = ["Membership", "can", "membership", "project_for", "project_known", "visible_projects"]
