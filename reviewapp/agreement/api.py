"""Agreement for programs."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BaseModel
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.access.authentication import api_actor
from reviewapp.access.selectors import project_known
from reviewapp.agreement.selectors import current_report
from reviewapp.lib.api import query
from reviewapp.queues.selectors import queue_for


class Statistic(BaseModel):
    """One figure: {stat} with its name and what it assumes."""

    name: str
    level: str
    params: dict[str, str]
    value: float | None
    interval: list[float] | None
    confidence: float
    method: str
    n: int
    undefined: str | None
    reason: str | None
    warnings: list[str]


class ReviewerPair(BaseModel):
    """Two people on their shared items."""

    reviewers: list[str]
    n_items: int
    statistics: list[Statistic]


class CriterionAgreement(BaseModel):
    """One criterion. n_pairs: all pairs of people with a shared item; `pairs` lists the 500 with the most."""

    criterion: str
    kind: str
    n_items: int
    n_reviews: int
    n_reviewers: int
    n_pairable_items: int
    statistics: list[Statistic]
    pairs: list[ReviewerPair]
    n_pairs: int


class AgreementSlice(BaseModel):
    """The same for a part of the items; `slice` is null for those that state no value."""

    slice: str | None
    criteria: list[CriterionAgreement]


class Agreement(BaseModel):
    """The figures of a queue as of a place in the log. `slices` is there when one was asked for."""

    queue: str
    as_of: dict[str, Any]
    criteria: list[CriterionAgreement]
    slices: list[AgreementSlice] | None = None


@extend_schema(
    parameters=[
        OpenApiParameter("slice", str, description="configuration, model, feature, language or metadata.<key>"),
        OpenApiParameter("configuration", str, description="a label, model, id or fingerprint"),
    ],
    responses=Agreement,
)
@api_view(["GET"])
def agreement(request: Request, project: str, queue: str) -> Response:
    """How far the reviewers of a queue agree, per criterion."""
    actor = api_actor(request)
    asked = query(request, "slice", "configuration")
    known = project_known(viewer=actor, slug=project)
    found = queue_for(viewer=actor, project=known, slug=queue, act="agreement.view")
    return Response(
        current_report(viewer=actor, queue=found, slice=asked.get("slice"), configuration=asked.get("configuration"))
    )
