"""The log as a list, and its newest signed head."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BaseModel
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.access.authentication import api_actor
from reviewapp.audit.events import Event
from reviewapp.audit.selectors import newest_checkpoint
from reviewapp.compliance.selectors import YEARS, Filters, place_of, shown_event, visible_events
from reviewapp.compliance.services import record_view
from reviewapp.lib.api import Page, paginated, query, query_choice
from reviewapp.lib.errors import Malformed, NotFound

OUTCOMES = ("success", "denied", "error")
PARAMETERS = ("actor", "event", "object_kind", "object", "project", "outcome", "since", "until", "request")


class AuditEventOut(BaseModel):
    """One line of the log."""

    id: str
    at: str
    actor: str
    actor_kind: str
    event: str
    object_kind: str
    object: str
    project: str | None
    outcome: str
    request_id: str | None
    leaf_index: int | None
    leaf_hash: str | None
    payload: dict[str, Any] | None
    payload_commitment: str


class CheckpointOut(BaseModel):
    """The newest signed head. `note` is a C2SP signed note."""

    size: int
    root: str
    at: str
    note: str


def moment(found: dict[str, str], name: str) -> datetime | None:
    """A time with its zone from a query parameter. Raises Malformed."""
    text = found.get(name)
    if text is None:
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError as error:
        raise Malformed(f"{name} must be a time such as 2026-11-20T10:00:00Z.") from error
    if value.tzinfo is None:
        raise Malformed(f"{name} needs a zone, for example a Z at its end.")
    if value.year not in YEARS:
        raise Malformed(f"{name} must lie between the years {YEARS[0]} and {YEARS[-1]}.")
    return value


def filters_of(found: dict[str, str]) -> Filters:
    """The filters of a list or an export. Raises Malformed."""
    outcome = query_choice(found, "outcome", OUTCOMES, "success") if "outcome" in found else None
    event = found.get("event")
    if event is not None and event not in set(Event):
        raise Malformed("event is none of the list: the page of the vocabulary, /audit/events/, has them all.")
    return Filters(
        actor=found.get("actor"),
        events=None if event is None else (event,),
        object_kind=found.get("object_kind"),
        object=found.get("object"),
        project=found.get("project"),
        outcome=outcome,
        since=moment(found, "since"),
        until=moment(found, "until"),
        request=found.get("request"),
    )


@extend_schema(
    parameters=[OpenApiParameter(name, str) for name in (*PARAMETERS, "limit", "cursor")], responses=AuditEventOut
)
@api_view(["GET"])
def events(request: Request) -> Response:
    """Events that the caller may read, newest first; the reading is recorded."""
    actor = api_actor(request)
    found = query(request, *PARAMETERS, "limit", "cursor")
    filters = filters_of(found)
    with transaction.atomic():
        answer = paginated(
            request,
            visible_events(viewer=actor, filters=filters),
            page=Page.of(found),
            key="id",
            descending=True,
            show=shown_event,
        )
        record_view(actor=actor, filters=filters, project=place_of(actor, filters), rows=len(answer.data["results"]))
    return answer


@extend_schema(responses=CheckpointOut, auth=[])
@api_view(["GET"])
@authentication_classes([])
@permission_classes([AllowAny])
def checkpoint(request: Request) -> Response:
    """The newest signed head of the log, for anybody: keeping it somewhere else is what makes the log provable."""
    query(request)
    newest = newest_checkpoint()
    if newest is None:
        raise NotFound("The log has no signed head yet; the sequencer signs the first within seconds of its start.")
    return Response(
        {"size": newest.size, "root": bytes(newest.root).hex(), "at": newest.at.isoformat(), "note": newest.note}
    )
