"""Which part of the log a viewer may see, and what they look for in it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import JSONField, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from reviewapp.access.actors import Actor
from reviewapp.access.errors import Hidden
from reviewapp.access.matrix import ACTS, Role, Scope
from reviewapp.access.models import Project
from reviewapp.access.roles import objects_with_role
from reviewapp.audit import selectors as log
from reviewapp.audit.models import Event
from reviewapp.compliance.selectors.names import actor_ids, object_ids, usernames
from reviewapp.lib.clock import rfc3339
from reviewapp.lib.errors import AccessDenied

# No slug can be this: events of no project, such as sign-ins and the log's own.
NO_PROJECT = "~"
COUNTED_TO = 10_000
# Times outside cannot be shifted by a zone or a margin without leaving what a date can say.
YEARS = range(1970, 9999)
# Longer than any statement runs: a minute is the limit of `statement_timeout`.
_STATEMENT = timedelta(minutes=2)
# Matrix 3.1: an admin of the installation reads the log, an auditor of it also takes it away.
_EVERYTHING = {"audit.view": (Role.ADMIN, Role.AUDITOR), "audit.export": (Role.AUDITOR,)}


@dataclass(frozen=True)
class Filters:
    """What a reader looks for; None is "any".

    actor: a username, display name, id, name of a part of the house, or prefix of a token. events: names, one suffices.
    object: an id, or a name such as a queue's slug. project: a slug, or NO_PROJECT. since is inclusive, until is not.
    """

    actor: str | None = None
    events: tuple[str, ...] | None = None
    object_kind: str | None = None
    object: str | None = None
    project: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    request: str | None = None

    def known_project(self) -> str | None:
        """The slug of the one project that is looked at, None for none or several."""
        return None if self.project == NO_PROJECT else self.project

    def spoken(self) -> dict[str, str]:
        """The filters that are set, as the log keeps them."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {
            name: rfc3339(value) if isinstance(value, datetime) else ", ".join(value) if name == "events" else value
            for name, value in found.items()
            if value is not None
        }


def visible_events(*, viewer: Actor, filters: Filters, act: str = "audit.view") -> QuerySet[Event]:
    """Events that the viewer may read (or, with `audit.export`, take away), newest first by id.

    Raises AccessDenied for a token without the scope.
    """
    require_audit_scope(viewer)
    found = log.events_in(projects=None)
    if not sees_everything(viewer, act):
        mine = Q(project__in=readable_slugs(viewer, act, only=filters.project))
        if viewer.token is None or viewer.token.project_id is None:
            mine |= Q(actor=str(viewer.person.pk))
        found = found.filter(mine)
    return _filtered(found, filters)


def require_audit_scope(viewer: Actor) -> None:
    """A token reads the log only with the scope `audit:read`. Raises AccessDenied."""
    if viewer.token is not None and Scope.AUDIT_READ not in viewer.token.scopes:
        raise AccessDenied("This token lacks the scope for this: audit:read.")


def sees_everything(viewer: Actor, act: str = "audit.view") -> bool:
    """Whether the act covers the whole installation: its auditors, for reading also its admins."""
    if viewer.system is not None:
        return True
    if viewer.user is None or (viewer.token is not None and viewer.token.project_id is not None):
        return False
    roles = [role.value for role in _EVERYTHING[act]]
    return viewer.user.is_active and viewer.user.installation_roles.filter(role__in=roles).exists()


def readable_slugs(viewer: Actor, act: str = "audit.view", *, only: str | None = None) -> list[str]:
    """The slugs of the projects on which the viewer may do the act; `only` narrows the question to one."""
    if viewer.user is None:
        return []
    asked = Project.objects.all() if only is None else Project.objects.filter(slug=only)
    if viewer.token is not None and viewer.token.project_id is not None:
        asked = asked.filter(pk=viewer.token.project_id)
    held = objects_with_role(viewer.user, ACTS[act].roles, asked, project_field="pk")
    return list(held.values_list("slug", flat=True))


def readable_projects() -> list[tuple[str, str]]:
    """(slug, title) of every project: for the filter of whoever reads the whole installation."""
    return list(Project.objects.order_by("title").values_list("slug", "title"))


def _filtered(found: QuerySet[Event], filters: Filters) -> QuerySet[Event]:
    if filters.project is not None:
        is_none = filters.project == NO_PROJECT
        found = found.filter(project__isnull=True) if is_none else found.filter(project=filters.project)
    if filters.outcome is not None:
        found = found.filter(outcome=filters.outcome)
    if filters.events is not None:
        found = found.filter(event__in=filters.events)
    if filters.actor is not None:
        found = found.filter(actor_ids(filters.actor))
    if filters.object_kind is not None:
        found = found.filter(object_kind=filters.object_kind)
    if filters.object is not None:
        found = found.filter(object__in=object_ids(filters.object))
    return _within(found, filters)


def _within(found: QuerySet[Event], filters: Filters) -> QuerySet[Event]:
    if filters.since is not None:
        found = found.filter(at__gte=filters.since)
        if (first := _id_beside(filters.since - _STATEMENT, is_before=True)) is not None:
            found = found.filter(id__gt=first)
    if filters.until is not None:
        found = found.filter(at__lt=filters.until)
        if (last := _id_beside(filters.until + _STATEMENT, is_before=False)) is not None:
            found = found.filter(id__lt=last)
    if filters.request is not None:
        found = found.alias(asked=request_of()).filter(asked=filters.request)
    return found


def _id_beside(moment: datetime, *, is_before: bool) -> int | None:
    """The id of the event nearest to a moment, before it or from it on; None when there is none.

    An id is given after its event's time was read and within the same statement. So whatever happened _STATEMENT later
    has a greater id, and a period of time is also a range of ids: the list then reads no row outside of it, though
    PostgreSQL does not know that ids and times rise together.
    """
    rows = Event.objects.filter(at__lt=moment).order_by("-at") if is_before else Event.objects.filter(at__gte=moment)
    return (rows if is_before else rows.order_by("at")).values_list("id", flat=True).first()


def request_of() -> KeyTextTransform:
    """The request id of an event, as the index `event_request` has it."""
    return KeyTextTransform("request_id", Cast("env", JSONField()))


def place_of(actor: Actor, filters: Filters) -> str | None:
    """The project in whose part of the log a reading of the log is told; None for the installation's."""
    return actor.token.project.slug if actor.token and actor.token.project else filters.known_project()


def counted(found: QuerySet[Event]) -> int:
    """How many match, at most COUNTED_TO + 1: the page then says "more than"."""
    return found.select_related(None).order_by().values("pk")[: COUNTED_TO + 1].count()


def event_for(*, viewer: Actor, eid: UUID, project: str | None = None) -> Event:
    """One event, when the viewer may read it; `project` holds a project's address to its own. Raises Hidden."""
    found = visible_events(viewer=viewer, filters=Filters(project=project)).filter(eid=eid).first()
    if found is None:
        raise Hidden("There is no such event, or it is not yours to see.")
    return found


def own_events(*, viewer: Actor, limit: int = 20) -> list[dict[str, Any]]:
    """The newest events of one's own acts and of what was done to one's account, as `shown_event` with `moment`.

    For a person's own account: sign-ins, refusals and roles that they should recognise. Reading it is not recorded.
    """
    me = str(viewer.person.pk)
    mine = log.events_in(projects=None).filter(Q(actor=me) | Q(object_kind="user", object=me))
    return shown_events(mine[:limit])


def shown_events(rows: Iterable[Event]) -> list[dict[str, Any]]:
    """Events for a page: `shown_event` with `moment`. Whose name went with an erased payload has that of today."""
    shown = [{**shown_event(row), "moment": row.at} for row in rows]
    nameless = [one for one in shown if one["payload"] is None]
    if nameless:
        names = usernames(one["actor"] for one in nameless)
        for one in nameless:
            one["actor"] = names.get(one["actor"], one["actor"])
    return shown


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
