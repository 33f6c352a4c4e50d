"""Ingest over HTTP: API.md, Output, Pair, Late signal, Sampling rule."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BaseModel
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.access.authentication import api_actor
from reviewapp.access.errors import Hidden
from reviewapp.access.idempotency import idempotent
from reviewapp.access.limits import count_records, take_ingest
from reviewapp.access.models import Project
from reviewapp.access.selectors import project_for, project_known
from reviewapp.ingest.models import Output
from reviewapp.ingest.records import LateSignalIn, OutputIn, PairIn
from reviewapp.ingest.selectors import output_document, outputs_of, rule_document, rule_for, rules_of
from reviewapp.ingest.services import (
    RuleIn,
    backfill_rule,
    create_rule,
    ingest_outputs,
    ingest_pairs,
    ingest_signals,
    try_rule,
    view_outputs,
)
from reviewapp.lib.api import BulkAnswer, Page, Strict, paginated, plain, query, read_model, records
from reviewapp.lib.bodies import is_ndjson

View = Callable[..., Response]


class LineError(Strict):
    """Why one record was rejected."""

    line: int
    external_id: str | None
    pointer: str
    detail: str


class BulkOut(Strict):
    """What became of each record: at most 1,000 errors are listed, all are counted."""

    accepted: int
    duplicates: int
    rejected: int
    errors: list[LineError]


class TriedOut(Strict):
    """What a rule would have selected."""

    matched: int
    selected: int
    unique_inputs: int
    population: int


class BackfilledOut(Strict):
    """What a backfill did."""

    matched: int
    selected: int
    added: int
    rate: float


class OutputPage(Strict):
    """One page of outputs, the newest first."""

    next: str | None
    previous: str | None
    results: list[OutputIn]


class RulePage(Strict):
    """One page of rules."""

    next: str | None
    previous: str | None
    results: list[RuleIn]


PAGING = [OpenApiParameter("limit", int), OpenApiParameter("cursor", str)]


def _bulk(record: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": record, "application/x-ndjson": record}


def _idempotent_json(view: View) -> View:
    """`Idempotency-Key` for JSON bodies; NDJSON is streamed and idempotent by the ids in it."""
    with_key = idempotent(view)

    @wraps(view)
    def wrapped(request: Request, *args: Any, **kwargs: Any) -> Response:
        return (view if is_ndjson(plain(request)) else with_key)(request, *args, **kwargs)

    return wrapped


def _landed(request: Request, project: Project, ingest: Callable[..., BulkAnswer]) -> Response:
    """The answer of a bulk write, within what the project may send in a minute. Raises LimitReached."""
    length = plain(request).headers.get("Content-Length") or "0"
    take_ingest(project, n_bytes=int(length) if length.isdecimal() else 0)
    answer = ingest(lines=records(request))
    count_records(project, answer.accepted + answer.duplicates + answer.rejected)
    return answer.response()


@extend_schema(
    methods=["POST"],
    operation_id="send_outputs",
    request=_bulk(OutputIn),
    responses={200: BulkOut, 422: BulkOut},
)
@extend_schema(methods=["GET"], operation_id="list_outputs", parameters=PAGING, responses={200: OutputPage})
@api_view(["GET", "POST"])
@_idempotent_json
def outputs(request: Request, project: str) -> Response:
    """Send outputs: one, an array, or NDJSON. Read them, newest first; every read is recorded."""
    actor = api_actor(request)
    found = project_known(viewer=actor, slug=project)
    if request.method == "POST":
        query(request)
        return _landed(request, found, partial(ingest_outputs, actor=actor, project=found))
    page = Page.of(query(request, "limit", "cursor"))
    rows = outputs_of(viewer=actor, project=found).prefetch_related("guardrail_hits", "signals")
    return view_outputs(
        actor=actor,
        project=found,
        read=lambda: paginated(request, rows, page=page, descending=True, show=output_document),
        ids_of=lambda answer: [row["external_id"] for row in answer.data["results"]],
    )


@extend_schema(operation_id="read_output", responses={200: OutputIn})
@api_view(["GET"])
def output(request: Request, project: str, external_id: str) -> Response:
    """One output; the read is recorded."""
    actor = api_actor(request)
    found = project_known(viewer=actor, slug=project)
    query(request)
    rows = outputs_of(viewer=actor, project=found)

    def read() -> Output:
        # NUL cannot be in the table, and PostgreSQL refuses it in a comparison.
        row = None if "\x00" in external_id else rows.filter(external_id=external_id).first()
        if row is None:
            raise Hidden("There is no such output in this project.")
        return row

    row = view_outputs(actor=actor, project=found, read=read, ids_of=lambda one: [one.external_id])
    return Response(output_document(row))


@extend_schema(operation_id="send_signals", request=_bulk(LateSignalIn), responses={200: BulkOut, 422: BulkOut})
@api_view(["POST"])
@_idempotent_json
def signals(request: Request, project: str) -> Response:
    """Send what end users did with outputs that are here; sampling rules run again on them."""
    actor = api_actor(request)
    query(request)
    found = project_known(viewer=actor, slug=project)
    return _landed(request, found, partial(ingest_signals, actor=actor, project=found))


@extend_schema(operation_id="send_pairs", request=_bulk(PairIn), responses={200: BulkOut, 422: BulkOut})
@api_view(["POST"])
@_idempotent_json
def pairs(request: Request, project: str) -> Response:
    """Send pairs of answers to the same input."""
    actor = api_actor(request)
    query(request)
    found = project_known(viewer=actor, slug=project)
    return _landed(request, found, partial(ingest_pairs, actor=actor, project=found))


@extend_schema(methods=["GET"], operation_id="list_rules", parameters=PAGING, responses={200: RulePage})
@extend_schema(methods=["POST"], operation_id="make_rule", request=RuleIn, responses={201: RuleIn})
@api_view(["GET", "POST"])
@idempotent
def rules(request: Request, project: str) -> Response:
    """List sampling rules; make one. 409 for a taken slug."""
    actor = api_actor(request)
    if request.method == "POST":
        query(request)
        found = project_known(viewer=actor, slug=project)
        rule = create_rule(actor=actor, project=found, rule=read_model(request, RuleIn))
        return Response(rule_document(rule), status=201)
    found = project_for(viewer=actor, slug=project, act="rules.view")
    page = Page.of(query(request, "limit", "cursor"))
    return paginated(request, rules_of(viewer=actor, project=found), page=page, key="slug", show=rule_document)


@extend_schema(operation_id="try_rule", request=RuleIn, responses={200: TriedOut})
@api_view(["POST"])
@idempotent
def tried_rule(request: Request, project: str) -> Response:
    """What a rule would have selected of the outputs so far; nothing is saved."""
    actor = api_actor(request)
    query(request)
    found = project_known(viewer=actor, slug=project)
    return Response(try_rule(actor=actor, project=found, rule=read_model(request, RuleIn)))


@extend_schema(operation_id="backfill_rule", request=None, responses={200: BackfilledOut})
@api_view(["POST"])
@idempotent
def backfilled_rule(request: Request, project: str, rule: str) -> Response:
    """Apply a rule to the outputs that are here."""
    actor = api_actor(request)
    query(request)
    found = rule_for(viewer=actor, project=project_known(viewer=actor, slug=project), slug=rule)
    return Response(backfill_rule(actor=actor, rule=found))
