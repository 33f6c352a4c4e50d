"""The log as a viewer may see it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from reviewapp.access.actors import Actor
from reviewapp.access.errors import Hidden
from reviewapp.access.matrix import Scope
from reviewapp.access.models import User
from reviewapp.access.roles import can, visible_projects
from reviewapp.audit import selectors as log
from reviewapp.audit.models import Checkpoint, Event
from reviewapp.lib.clock import rfc3339
from reviewapp.lib.errors import AccessDenied


@dataclass(frozen=True)
class Filters:
    """What a reader looks for; None is "any"."""

    actor: str | None = None
    event: str | None = None
    object: str | None = None
    project: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class LogState:
    """How the log stands, for people."""

    checkpoint: Checkpoint | None
    position: log.LogPosition
    waiting: int
    enforcement: str


def log_state() -> LogState:
    """Newest signed head, newest place, events that wait, and who refuses changes."""
    return LogState(log.newest_checkpoint(), log.position(), log.pending_count(), log.enforcement())


def visible_events(*, viewer: Actor, filters: Filters) -> QuerySet[Event]:
    """Events that the viewer may read, newest first by id. Raises AccessDenied for a token without the scope."""
    if viewer.token is not None and Scope.AUDIT_READ not in viewer.token.scopes:
        raise AccessDenied("This token lacks the scope for this: audit:read.")
    found = log.events_in(projects=None)
    if not _sees_everything(viewer):
        slugs = [project.slug for project in visible_projects(viewer) if can(viewer, "audit.view", project)]
        mine = Q(project__in=slugs)
        if viewer.token is None or viewer.token.project_id is None:
            mine |= Q(actor=str(viewer.person.pk))
        found = found.filter(mine)
    return _filtered(found, filters)


def _sees_everything(viewer: Actor) -> bool:
    if viewer.system is not None:
        return True
    if viewer.user is None or (viewer.token is not None and viewer.token.project_id is not None):
        return False
    return viewer.user.is_active and viewer.user.installation_roles.filter(role__in=["admin", "auditor"]).exists()


def _filtered(found: QuerySet[Event], filters: Filters) -> QuerySet[Event]:
    for name in ("event", "object", "project", "outcome"):
        value = getattr(filters, name)
        if value is not None:
            found = found.filter(**{name: value})
    if filters.actor is not None:
        ids = [str(pk) for pk in User.objects.filter(username=filters.actor).values_list("pk", flat=True)]
        found = found.filter(actor__in=[filters.actor, *ids])
    if filters.since is not None:
        found = found.filter(at__gte=filters.since)
    if filters.until is not None:
        found = found.filter(at__lt=filters.until)
    return found


def event_for(*, viewer: Actor, eid: UUID) -> Event:
    """One event, when the viewer may read it. Raises Hidden."""
    found = visible_events(viewer=viewer, filters=Filters()).filter(eid=eid).first()
    if found is None:
        raise Hidden("There is no such event, or it is not yours to see.")
    return found


def shown_event(event: Event) -> dict[str, Any]:
    """API.md's audit event. `leaf_index` and `leaf_hash` are null until the sequencer gave the event its place."""
    leaf = getattr(event, "leaf", None)
    payload = shown_payload(event)
    env = json.loads(event.env)
    return {
        "id": str(event.eid),
        "at": rfc3339(event.at),
        "actor": (payload or {}).get("actor_name") or event.actor,
        "actor_kind": event.actor_kind,
        "event": event.event,
        "object_kind": event.object_kind,
        "object": event.object,
        "project": event.project,
        "outcome": event.outcome,
        "request_id": env.get("request_id"),
        "leaf_index": leaf.idx if leaf else None,
        "leaf_hash": bytes(leaf.hash).hex() if leaf else None,
        "payload": payload,
        "payload_commitment": env["data_commit"],
    }


def shown_payload(event: Event) -> dict[str, Any] | None:
    """The erasable part, None once erased."""
    stored = getattr(event, "payload", None)
    if stored is None:
        return None
    found: dict[str, Any] = json.loads(stored.data)
    return found
