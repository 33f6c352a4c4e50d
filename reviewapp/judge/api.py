"""Judges over HTTP: API.md, Judge, Run, Verdict import, Calibration."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.access.authentication import api_actor
from reviewapp.access.idempotency import idempotent
from reviewapp.access.selectors import project_for, project_known
from reviewapp.judge.calibration import LABELS, UNITS, calibration
from reviewapp.judge.definitions import JudgeIn
from reviewapp.judge.imports import VerdictIn, import_verdicts
from reviewapp.judge.selectors import (
    judge_document,
    judge_for,
    run_for,
    run_progress,
    visible_judges,
    visible_runs,
)
from reviewapp.judge.services import RunIn, cancel_run, create_judge, start_run
from reviewapp.lib.api import Page, Strict, paginated, query, query_choice, read_model, records
from reviewapp.lib.errors import Malformed
from reviewapp.queues.selectors import queue_for


class JudgeOut(JudgeIn):
    """A judge with the number of its newest version."""

    version: int
    created_at: str


class RunOut(Strict):
    """A run with its counts."""

    id: str
    judge: str
    version: int
    queue: str | None
    state: str
    done: int
    total: int
    n_errors: int
    cost_usd: float
    error: str | None
    created_at: str
    finished_at: str | None


class BulkOut(Strict):
    """What became of each record of a bulk write."""

    accepted: int
    duplicates: int
    rejected: int
    errors: list[dict[str, Any]]


@extend_schema(request=JudgeIn, responses={200: JudgeOut, 201: JudgeOut})
@api_view(["GET", "POST"])
@idempotent
def judges(request: Request, project: str) -> Response:
    """List judges; make one. A known slug with another set-up makes a new version, or replaces one that nothing rests
    on: 200 instead of 201.
    """
    actor = api_actor(request)
    if request.method == "POST":
        query(request)
        found = project_known(viewer=actor, slug=project)
        body = read_model(request, JudgeIn)
        is_new = not visible_judges(viewer=actor, project=found).filter(slug=body.slug).exists()
        version = create_judge(actor=actor, project=found, judge=body)
        return Response(judge_document(version.judge), status=201 if is_new else 200)
    found = project_for(viewer=actor, slug=project, act="judges.view")
    page = Page.of(query(request, "limit", "cursor"))
    rows = visible_judges(viewer=actor, project=found).prefetch_related("versions")
    return paginated(request, rows, page=page, key="slug", show=judge_document)


@extend_schema(responses={200: JudgeOut})
@api_view(["GET"])
def judge(request: Request, project: str, judge: str) -> Response:
    """One judge."""
    actor = api_actor(request)
    query(request)
    found = judge_for(viewer=actor, project=project_known(viewer=actor, slug=project), slug=judge)
    return Response(judge_document(found))


@extend_schema(request=RunIn, responses={200: RunOut, 202: RunOut})
@api_view(["GET", "POST"])
@idempotent
def runs(request: Request, project: str, judge: str) -> Response:
    """Start a run (202; a worker does it), or list the judge's runs, the newest first."""
    actor = api_actor(request)
    found = judge_for(viewer=actor, project=project_known(viewer=actor, slug=project), slug=judge)
    if request.method == "POST":
        query(request)
        made = start_run(actor=actor, judge=found, run=read_model(request, RunIn))
        return Response(run_progress(made).as_dict(), status=202)
    page = Page.of(query(request, "limit", "cursor"))
    rows = visible_runs(viewer=actor, project=found.project).filter(version__judge=found)
    return paginated(request, rows, page=page, descending=True, show=lambda run: run_progress(run).as_dict())


@extend_schema(responses={200: RunOut})
@api_view(["GET"])
def run(request: Request, project: str, run_id: UUID, judge: str | None = None) -> Response:
    """One run."""
    actor = api_actor(request)
    query(request)
    found = run_for(viewer=actor, project=project_known(viewer=actor, slug=project), run_id=run_id)
    return Response(run_progress(found).as_dict())


@extend_schema(request=None, responses={200: RunOut})
@api_view(["POST"])
@idempotent
def cancel(request: Request, project: str, run_id: UUID, judge: str | None = None) -> Response:
    """End a run early; what it found stays."""
    actor = api_actor(request)
    query(request)
    found = run_for(viewer=actor, project=project_known(viewer=actor, slug=project), run_id=run_id)
    return Response(run_progress(cancel_run(actor=actor, run=found)).as_dict())


@extend_schema(request=VerdictIn, responses={200: BulkOut})
@api_view(["POST"])
def verdicts_import(request: Request, project: str, judge: str) -> Response:
    """Verdicts from elsewhere, as NDJSON; only into a judge of kind imported."""
    actor = api_actor(request)
    query(request)
    found = judge_for(viewer=actor, project=project_known(viewer=actor, slug=project), slug=judge)
    return import_verdicts(actor=actor, judge=found, lines=records(request)).response()


@extend_schema(
    parameters=[
        OpenApiParameter("queue", str, required=True),
        OpenApiParameter("labels", str, enum=LABELS),
        OpenApiParameter("unit", str, enum=UNITS),
        OpenApiParameter("slice", str),
    ],
    responses={200: dict[str, Any]},
)
@api_view(["GET"])
def judge_calibration(request: Request, project: str, judge: str) -> Response:
    """How far the judge agrees with the settled labels of a queue."""
    actor = api_actor(request)
    known = project_known(viewer=actor, slug=project)
    found = judge_for(viewer=actor, project=known, slug=judge)
    asked = query(request, "queue", "labels", "unit", "slice")
    if "queue" not in asked:
        raise Malformed("queue is required: the queue whose labels the judge is held against.")
    queue = queue_for(viewer=actor, project=known, slug=asked["queue"])
    return Response(
        calibration(
            viewer=actor,
            judge=found,
            queue=queue,
            labels=query_choice(asked, "labels", LABELS, "settled"),
            unit=query_choice(asked, "unit", UNITS, "output"),
            cut=asked.get("slice"),
        )
    )
