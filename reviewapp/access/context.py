"""What every template may use: the viewer's projects and the rooms that the viewer may open in the project at hand."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from reviewapp.access.models import Project
from reviewapp.access.roles import is_installation_reader
from reviewapp.access.selectors import membership, visible_projects

# DESIGN.md's order. (label, url name, act that opens it)
ROOMS = (
    ("Queues", "queues:list", "queues.view"),
    ("Rubrics", "rubrics:list", "rubrics.view"),
    ("Agreement", "agreement:report", "agreement.view"),
    ("Preferences", "preferences:leaderboard", "agreement.view"),
    ("Judges", "judge:list", "judges.view"),
    ("Guardrails", "guardrails:list", "guardrails.view"),
    ("Monitoring", "monitoring:overview", "monitoring.view"),
    ("Datasets", "exports:list", "datasets.view"),
    ("Audit", "compliance:events", "audit.view"),
    ("Settings", "home:settings", "people.view"),
)


def page(request: HttpRequest) -> dict[str, Any]:
    """`nav_project` (or None), `nav_rooms` [(label, url name, room)], `is_demo`, `oidc_name` ("" without a provider),
    `nav_people` (asked only by whole pages: whether the viewer may see everybody here).

    Rooms that would refuse are not offered.
    """
    context: dict[str, Any] = {"is_demo": settings.IS_DEMO, "nav_project": None, "nav_rooms": []}
    context["oidc_name"] = settings.OIDC.name if settings.OIDC else ""
    match = request.resolver_match
    slug = match.kwargs.get("project") if match else None
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return context
    context["nav_people"] = partial(is_installation_reader, request.actor)  # type: ignore[attr-defined] # set by ActorMiddleware
    # Outside of any project (the first page, the account) the rooms are those of the only project that one has.
    known = visible_projects(request.actor)[:2]  # type: ignore[attr-defined] # set by ActorMiddleware
    project = Project.objects.filter(slug=slug).first() if slug else (known[0] if len(known) == 1 else None)
    if project is None:
        return context
    mine = membership(viewer=request.actor, project=project)  # type: ignore[attr-defined] # set by ActorMiddleware
    if not mine.roles:
        return context
    context["nav_project"] = project
    context["nav_roles"] = mine.roles
    context["nav_rooms"] = [(label, name, name.partition(":")[0]) for label, name, act in ROOMS if act in mine.acts]
    return context
