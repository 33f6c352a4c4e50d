"""Datasets and their versions."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.access.authentication import api_actor
from reviewapp.access.idempotency import idempotent
from reviewapp.access.selectors import project_for, project_known
from reviewapp.exports import selectors, services, tasks
from reviewapp.exports.api.shapes import DatasetOut, DatasetVersionOut, DatasetVersionWithManifest
from reviewapp.exports.services.definition import DatasetIn, definition
from reviewapp.lib.api import Page, paginated, query, read_model


@extend_schema(request=DatasetIn, responses={200: DatasetOut, 201: DatasetOut})
@api_view(["GET", "POST"])
@idempotent
def datasets(request: Request, project: str) -> Response:
    """The project's datasets; define one."""
    actor = api_actor(request)
    if request.method == "POST":
        query(request)
        found = project_known(viewer=actor, slug=project)
        made = services.create_dataset(actor=actor, project=found, dataset=read_model(request, DatasetIn))
        return Response(definition(made), status=201)
    found = project_for(viewer=actor, slug=project, act="datasets.view")
    page = Page.of(query(request, "limit", "cursor"))
    rows = selectors.datasets_of(viewer=actor, project=found)
    return paginated(request, rows, page=page, key="slug", show=definition)


@extend_schema(responses=DatasetOut)
@api_view(["GET"])
def dataset(request: Request, project: str, dataset: str) -> Response:
    """One definition."""
    actor = api_actor(request)
    query(request)
    found = project_known(viewer=actor, slug=project)
    return Response(definition(selectors.dataset_for(viewer=actor, project=found, slug=dataset)))


@extend_schema(request=None, responses={200: DatasetVersionOut, 202: DatasetVersionOut})
@api_view(["GET", "POST"])
@idempotent
def versions(request: Request, project: str, dataset: str) -> Response:
    """The versions of a dataset; ask for a new one, which a worker builds and freezes."""
    actor = api_actor(request)
    found = project_known(viewer=actor, slug=project)
    if request.method == "POST":
        query(request)
        owner = selectors.dataset_for(viewer=actor, project=found, slug=dataset, act="datasets.edit")
        made = services.request_version(actor=actor, dataset=owner)
        tasks.nudge(made)
        return Response(selectors.shown_version(made), status=202)
    owner = selectors.dataset_for(viewer=actor, project=found, slug=dataset)
    page = Page.of(query(request, "limit", "cursor"))
    rows = selectors.versions_of(viewer=actor, dataset=owner)
    return paginated(request, rows, page=page, key="number", show=selectors.shown_version)


@extend_schema(responses=DatasetVersionWithManifest)
@api_view(["GET"])
def version(request: Request, project: str, dataset: str, number: int) -> Response:
    """One version with its whole manifest."""
    actor = api_actor(request)
    query(request)
    found = project_known(viewer=actor, slug=project)
    owner = selectors.dataset_for(viewer=actor, project=found, slug=dataset)
    row = selectors.version_for(viewer=actor, dataset=owner, number=number)
    return Response({**selectors.shown_version(row), "manifest": row.manifest})
