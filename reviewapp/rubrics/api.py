"""Rubrics over HTTP: API.md, Rubric."""

from __future__ import annotations

from typing import Annotated, Any, cast

from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import Field
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.access.authentication import api_actor
from reviewapp.access.idempotency import idempotent
from reviewapp.access.selectors import project_for, project_known
from reviewapp.lib.api import Page, Strict, paginated, plain, query, read_model
from reviewapp.lib.clock import rfc3339
from reviewapp.rubrics.models import Rubric, RubricVersion
from reviewapp.rubrics.records import RubricIn
from reviewapp.rubrics.selectors import (
    rubric_document,
    rubric_for,
    version_of,
    version_tag,
    visible_rubrics,
)
from reviewapp.rubrics.services import publish, save_draft


class RubricOut(RubricIn):
    """A rubric version: `version` is its number, `published` whether it is frozen."""

    version: int
    published: bool


class RubricPage(Strict):
    """One page of the list."""

    next: str | None
    previous: str | None
    results: list[RubricOut]


class PublishIn(Strict):
    """Why this version is frozen now."""

    reason: Annotated[str, Field(max_length=2_000)] = ""


class PublishedOut(Strict):
    """The version that was frozen."""

    slug: str
    version: int
    published_at: str


def _answer(version: RubricVersion, *, status: int = 200) -> Response:
    return Response(rubric_document(version), status=status, headers={"ETag": f'"{version_tag(version)}"'})


def _shown(rubric: Rubric) -> dict[str, Any]:
    # In Python, over the prefetched versions of the whole page.
    versions = sorted(rubric.versions.all(), key=lambda version: -version.number)
    return rubric_document(next((version for version in versions if version.published_at), versions[0]))


@extend_schema(
    methods=["GET"],
    operation_id="list_rubrics",
    parameters=[OpenApiParameter("limit", int), OpenApiParameter("cursor", str)],
    responses={200: RubricPage},
)
@extend_schema(
    methods=["POST"], operation_id="save_rubric", request=RubricIn, responses={200: RubricOut, 201: RubricOut}
)
@api_view(["GET", "POST"])
@idempotent
def rubrics(request: Request, project: str) -> Response:
    """List rubrics (the published version of each, else the draft); save a draft.

    201 for a new rubric, 200 when the slug is known: its draft is replaced, or a draft with the next number is made.
    `If-Match` with the ETag of the newest version refuses with 412 when somebody else saved since.
    """
    actor = api_actor(request)
    if request.method == "POST":
        query(request)
        found = project_known(viewer=actor, slug=project)
        body = read_model(request, RubricIn)
        is_new = not visible_rubrics(viewer=actor, project=found).filter(slug=body.slug).exists()
        tag = request.headers.get("If-Match")
        version = save_draft(actor=actor, project=found, rubric=body, tag=tag.strip().strip('"') if tag else None)
        return _answer(version, status=201 if is_new else 200)
    found = project_for(viewer=actor, slug=project, act="rubrics.view")
    page = Page.of(query(request, "limit", "cursor"))
    rows = visible_rubrics(viewer=actor, project=found).prefetch_related("versions__criteria")
    return paginated(request, rows, page=page, key="slug", show=_shown)


@extend_schema(operation_id="read_rubric", parameters=[OpenApiParameter("version", str)], responses={200: RubricOut})
@api_view(["GET"])
def rubric(request: Request, project: str, rubric: str) -> Response:
    """One rubric: its newest version, or `?version=<number>`; `?version=published` for what is asked today."""
    actor = api_actor(request)
    found = rubric_for(viewer=actor, project=project_known(viewer=actor, slug=project), slug=rubric)
    return _answer(version_of(found, query(request, "version").get("version")))


@extend_schema(operation_id="publish_rubric", request=PublishIn, responses={200: PublishedOut})
@api_view(["POST"])
@idempotent
def publish_rubric(request: Request, project: str, rubric: str) -> Response:
    """Freeze the draft. 409 when there is none."""
    actor = api_actor(request)
    query(request)
    found = rubric_for(viewer=actor, project=project_known(viewer=actor, slug=project), slug=rubric)
    is_empty = plain(request).headers.get("Content-Length") in (None, "", "0")
    body = PublishIn() if is_empty else read_model(request, PublishIn)
    version = publish(actor=actor, rubric=found, reason=body.reason)
    published_at = rfc3339(cast(Any, version.published_at))
    return Response({"slug": found.slug, "version": version.number, "published_at": published_at})
