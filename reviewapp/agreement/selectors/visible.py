"""Whose agreement a viewer may see."""

from __future__ import annotations

from django.db.models import QuerySet

from reviewapp.access.actors import Actor
from reviewapp.access.matrix import ACTS
from reviewapp.access.models import Project
from reviewapp.access.roles import can, objects_with_role, require
from reviewapp.queues.models import Queue


def reported_queues(*, viewer: Actor, project: Project) -> QuerySet[Queue]:
    """The queues of a project whose agreement the viewer may see: all for who may in the project, else one's own.

    Raises Hidden or AccessDenied when there is none to see and never could be.
    """
    queues = Queue.objects.filter(project=project).order_by("created_at", "pk")
    if can(viewer, "agreement.view", project):
        return queues
    if viewer.user is not None and viewer.token is None:
        mine = objects_with_role(viewer.user, ACTS["agreement.view"].roles, queues)
        if mine.exists():
            return mine
    require(viewer, "agreement.view", project)
    return queues.none()
