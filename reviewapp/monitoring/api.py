"""The estimate as programs read it."""

from __future__ import annotations

from typing import Literal

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.access.authentication import api_actor
from reviewapp.access.selectors import project_for
from reviewapp.lib.api import Strict, query
from reviewapp.lib.errors import Malformed
from reviewapp.monitoring import selectors


class EstimateOut(Strict):
    """API.md's Estimate: `value` and `interval` are null exactly when `undefined` says why."""

    metric: str
    configuration: str | None
    window: str
    value: float | None
    interval: tuple[float, float] | None
    confidence: float
    method: Literal["human_only", "prediction_powered"]
    n_population: int
    n_judged: int
    n_labelled: int
    effective_n: float | None
    labels_saved: float | None
    undefined: str | None
    reason: str | None


@extend_schema(
    parameters=[
        OpenApiParameter("metric", required=True, description="pass_rate:<rubric>.<criterion> or mean:…"),
        OpenApiParameter("configuration", description="fingerprint (8 characters or more), id or label; all if absent"),
        OpenApiParameter("window", default="7d", description="days such as 7d, or <from>/<to> in RFC 3339"),
    ],
    responses=EstimateOut,
)
@api_view(["GET"])
def estimates(request: Request, project: str) -> Response:
    """One production-quality figure with its interval."""
    actor = api_actor(request)
    found = project_for(viewer=actor, slug=project, act="monitoring.view")
    asked = query(request, "metric", "configuration", "window")
    if "metric" not in asked:
        raise Malformed("metric is required: pass_rate:<rubric>.<criterion> or mean:<rubric>.<criterion>.")
    figure = selectors.estimate(
        viewer=actor,
        project=found,
        metric=asked["metric"],
        configuration=asked.get("configuration"),
        window=selectors.parse_window(asked.get("window", "7d")),
    )
    return Response(figure.as_dict())
