"""Preferences for programs."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BaseModel
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.access.authentication import api_actor
from reviewapp.access.selectors import project_known
from reviewapp.lib.api import query, query_choice
from reviewapp.lib.errors import Unprocessable
from reviewapp.preferences.selectors import CONTESTANTS, TIES, ContestantKind, Ties, ranking
from reviewapp.queues.selectors import queue_for


class Figure(BaseModel):
    """{stat}: a value with its interval, or the reason why there is none."""

    value: float | None
    interval: list[float] | None
    confidence: float
    method: str
    n: int
    undefined: str | None
    reason: str | None
    warnings: list[str]


class ContestantLine(BaseModel):
    """One line of the leaderboard. The figures are null while strengths do not exist; the counts always stand."""

    name: str
    strength: float | None
    interval: list[float] | None
    rank: int | None
    rank_interval: list[int] | None
    share: float | None
    wins: int
    losses: int
    ties: int
    both_bad: int


class LeaderboardOut(BaseModel):
    """Contestants, best first. `undefined` and `components` say why there are no strengths, when there are none."""

    model: str
    n_comparisons: int
    connected: bool
    position_effect: Figure
    contestants: list[ContestantLine]
    undefined: str | None
    reason: str | None
    components: list[list[str]]
    warnings: list[str]
    contestant: str
    queues: list[str]
    left_out: dict[str, int]
    n_reviewers: int
    n_prompts: int
    as_of: dict[str, Any]


@extend_schema(
    parameters=[
        OpenApiParameter("ties", str, enum=TIES, default="davidson"),
        OpenApiParameter("queue", str, description="one pairwise queue instead of all"),
        OpenApiParameter("contestant", str, enum=CONTESTANTS, description="model where it tells all apart, by default"),
    ],
    responses=LeaderboardOut,
)
@api_view(["GET"])
def leaderboard(request: Request, project: str) -> Response:
    """Which configuration or model people prefer."""
    actor = api_actor(request)
    asked = query(request, "ties", "queue", "contestant")
    ties = query_choice(asked, "ties", TIES, "davidson")
    contestant = query_choice(asked, "contestant", CONTESTANTS, "") if "contestant" in asked else None
    known = project_known(viewer=actor, slug=project)
    queue = None
    if "queue" in asked:
        queue = queue_for(viewer=actor, project=known, slug=asked["queue"], act="agreement.view")
        if queue.kind != "pairwise":
            raise Unprocessable(f"{queue.slug} holds no pairs; name a pairwise queue.")
    found = ranking(
        viewer=actor,
        project=known,
        queue=queue,
        ties=cast(Ties, ties),
        contestant=cast("ContestantKind | None", contestant),
    )
    return Response(found.as_dict())
