"""The reviewer's flow for custom front ends, and human reviews from elsewhere."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import Field
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.access.actors import Actor
from reviewapp.access.authentication import api_actor
from reviewapp.access.idempotency import idempotent
from reviewapp.grading.selectors import draft_of, lease_document, own_review, review_document
from reviewapp.grading.services import (
    AnswerIn,
    DraftIn,
    ImportedReviewIn,
    import_reviews,
    save_draft,
    submit_once,
    undo_review,
)
from reviewapp.lib.api import Strict, query, query_choice, read_model, records
from reviewapp.lib.errors import Conflict
from reviewapp.queues.errors import LeaseOver
from reviewapp.queues.models import Lease
from reviewapp.queues.selectors import live_lease, own_lease, queue_known
from reviewapp.queues.services import lease_next, release, skip, view_lease


class SkipIn(Strict):
    """Why the item is passed on."""

    reason: Annotated[str, Field(min_length=1, max_length=1_000, pattern=r"\S")]


def _shown(lease: Lease, *, status: int = 200) -> Response:
    return Response(lease_document(lease, draft=draft_of(lease)), status=status)


@extend_schema(
    request=None,
    parameters=[
        OpenApiParameter("another", str, enum=["0", "1"], description="1: one more than the lease already held")
    ],
    responses={200: OpenApiTypes.OBJECT, 204: None},
)
@api_view(["POST"])
@idempotent
def lease(request: Request, project: str, queue: str) -> Response:
    """The lease that the caller holds in this queue, else the next one; 204 when nothing waits for them."""
    another = query_choice(query(request, "another"), "another", ("0", "1"), "0") == "1"
    actor = api_actor(request)
    found = lease_next(actor=actor, queue=queue_known(viewer=actor, project=project, slug=queue), another=another)
    return Response(status=204) if found is None else _shown(found)


@extend_schema(responses={200: OpenApiTypes.OBJECT})
@api_view(["GET"])
def lease_detail(request: Request, project: str, lease: UUID) -> Response:
    """A live lease of the caller, with its draft."""
    query(request)
    actor = api_actor(request)
    found = live_lease(viewer=actor, lease_id=lease, project=project)
    return _shown(view_lease(actor=actor, lease=found))


@extend_schema(request=AnswerIn, responses={200: OpenApiTypes.OBJECT, 201: OpenApiTypes.OBJECT})
@api_view(["POST"])
def submit(request: Request, project: str, lease: UUID) -> Response:
    """Submit the answer: 201, and 200 with the same review when the same body comes again."""
    query(request)
    sent: list[AnswerIn] = []
    try:
        return _submit(request, project, lease, sent)
    except LeaseOver:
        # Under an Idempotency-Key the service's own draft went with the rollback; it is kept here, outside.
        _keep(api_actor(request), project, lease, sent[0])
        raise


@idempotent
def _submit(request: Request, project: str, lease: UUID, sent: list[AnswerIn]) -> Response:
    actor = api_actor(request)
    answer = read_model(request, AnswerIn)
    sent.append(answer)
    found = own_lease(viewer=actor, lease_id=lease, project=project)
    done = submit_once(actor=actor, lease=found, answer=answer)
    return Response(review_document(done.review), status=201 if done.is_new else 200)


def _keep(actor: Actor, project: str, lease_id: UUID, answer: AnswerIn) -> None:
    found = own_lease(viewer=actor, lease_id=lease_id, project=project)
    try:
        save_draft(actor=actor, lease=found, answer=answer.model_dump(mode="json", exclude_none=True))
    except Conflict:
        return  # it was submitted or skipped: there is no draft to keep


@extend_schema(request=SkipIn, responses={204: None})
@api_view(["POST"])
@idempotent
def skip_lease(request: Request, project: str, lease: UUID) -> Response:
    """Pass the item on to others, with a reason; it does not come back to the caller."""
    query(request)
    actor = api_actor(request)
    found = own_lease(viewer=actor, lease_id=lease, project=project)
    skip(actor=actor, lease=found, reason=read_model(request, SkipIn).reason)
    return Response(status=204)


@extend_schema(request=None, responses={204: None})
@api_view(["POST"])
@idempotent
def release_lease(request: Request, project: str, lease: UUID) -> Response:
    """Give the item back; it may come to the caller again."""
    query(request)
    actor = api_actor(request)
    release(actor=actor, lease=own_lease(viewer=actor, lease_id=lease, project=project))
    return Response(status=204)


@extend_schema(request=DraftIn, responses={204: None})
@api_view(["PUT"])
def draft(request: Request, project: str, lease: UUID) -> Response:
    """Keep an unfinished answer. Works after the lease ran out, too."""
    query(request)
    actor = api_actor(request)
    body = read_model(request, DraftIn)
    found = own_lease(viewer=actor, lease_id=lease, project=project)
    save_draft(actor=actor, lease=found, answer=body.model_dump(mode="json", exclude_none=True))
    return Response(status=204)


@extend_schema(request=None, responses={200: OpenApiTypes.OBJECT})
@api_view(["POST"])
@idempotent
def undo(request: Request, project: str, review: UUID) -> Response:
    """Take one's own review back within five minutes: the new lease, with the answer as draft."""
    query(request)
    actor = api_actor(request)
    found = own_review(viewer=actor, review_id=review, project=project)
    return _shown(view_lease(actor=actor, lease=undo_review(actor=actor, review=found)))


@extend_schema(
    request={"application/x-ndjson": ImportedReviewIn},
    parameters=[OpenApiParameter("reviewers", str, enum=["people", "slots"], description="slots: names are positions")],
    responses=OpenApiTypes.OBJECT,
)
@api_view(["POST"])
def reviews_import(request: Request, project: str, queue: str) -> Response:
    """Human reviews from elsewhere, one a line."""
    slots = query_choice(query(request, "reviewers"), "reviewers", ("people", "slots"), "people") == "slots"
    actor = api_actor(request)
    found = queue_known(viewer=actor, project=project, slug=queue)
    return import_reviews(actor=actor, queue=found, lines=records(request), slots=slots).response()
