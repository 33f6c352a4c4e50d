"""Guardrails over HTTP: API.md, Guardrail."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.access.authentication import api_actor
from reviewapp.access.selectors import project_for
from reviewapp.guardrails.selectors import guardrail_figures
from reviewapp.lib.api import MAX_PAGE, Strict, query, query_int


class GuardrailOut(Strict):
    """One guardrail version; each figure is a {stat}."""

    name: str
    version: str
    trigger_rate: dict[str, Any]
    precision: dict[str, Any]
    miss_rate: dict[str, Any]
    recall: dict[str, Any]
    n_hits: int
    n_hits_reviewed: int
    n_passed_reviewed: int


class GuardrailsOut(Strict):
    """All versions on one page."""

    next: str | None
    previous: str | None
    results: list[GuardrailOut]


@extend_schema(responses={200: GuardrailsOut})
@api_view(["GET"])
def guardrails(request: Request, project: str) -> Response:
    """Every guardrail version that decided anything, by name and version; `?name=` narrows."""
    actor = api_actor(request)
    asked = query(request, "name", "limit")
    limit = query_int(asked, "limit", default=MAX_PAGE, low=1, high=MAX_PAGE)
    found = project_for(viewer=actor, slug=project, act="guardrails.view")
    rows = guardrail_figures(viewer=actor, project=found)
    kept = [row.as_dict() for row in rows if row.name == asked.get("name", row.name)]
    return Response({"next": None, "previous": None, "results": kept[:limit]})
