"""Queues and what stands in them."""

from __future__ import annotations

from functools import partial

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.access.authentication import api_actor
from reviewapp.access.idempotency import idempotent
from reviewapp.access.selectors import project_for, project_known
from reviewapp.lib.api import Page, paginated, query, read_model
from reviewapp.queues.selectors import (
    may_know_why,
    progress,
    queue_document,
    queue_for,
    queue_known,
    visible_queues,
)
from reviewapp.queues.services import EnqueueIn, QueueIn, create_queue, enqueue

PAGING = [OpenApiParameter("limit", OpenApiTypes.INT), OpenApiParameter("cursor", OpenApiTypes.STR)]


@extend_schema(methods=["GET"], parameters=PAGING, responses=OpenApiTypes.OBJECT)
@extend_schema(methods=["POST"], request=QueueIn, responses={201: QueueIn})
@api_view(["GET", "POST"])
@idempotent
def queues(request: Request, project: str) -> Response:
    """The queues that the caller may open; make one (scope `manage`)."""
    actor = api_actor(request)
    if request.method == "POST":
        query(request)
        within = project_known(viewer=actor, slug=project)
        made = create_queue(actor=actor, project=within, queue=read_model(request, QueueIn))
        return Response(queue_document(made, with_reasons=may_know_why(viewer=actor, project=within)), status=201)
    page = Page.of(query(request, "limit", "cursor"))
    within = project_for(viewer=actor, slug=project, act="queues.view")

    rows = visible_queues(viewer=actor, project=within).prefetch_related("rules")
    show = partial(queue_document, with_reasons=may_know_why(viewer=actor, project=within))
    return paginated(request, rows, page=page, show=show)


@extend_schema(responses=OpenApiTypes.OBJECT)
@api_view(["GET"])
def queue(request: Request, project: str, queue: str) -> Response:
    """One queue with its progress, counted now: items waiting, leased, disputed, done and imported, and seats."""
    query(request)
    actor = api_actor(request)
    within = project_known(viewer=actor, slug=project)
    found = queue_for(viewer=actor, project=within, slug=queue)
    shown = queue_document(found, with_reasons=may_know_why(viewer=actor, project=within))
    return Response({**shown, "progress": progress(queue=found).as_dict()})


@extend_schema(request=EnqueueIn, responses=OpenApiTypes.OBJECT)
@api_view(["POST"])
@idempotent
def items(request: Request, project: str, queue: str) -> Response:
    """Add outputs, pairs or guardrail decisions by hand. Answered like a bulk write."""
    query(request)
    actor = api_actor(request)
    found = queue_known(viewer=actor, project=project, slug=queue)
    return enqueue(actor=actor, queue=found, body=read_model(request, EnqueueIn)).response()
