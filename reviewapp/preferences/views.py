"""Which configuration people prefer, for people."""

from __future__ import annotations

import math
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from reviewapp.access.middleware import PageRequest
from reviewapp.access.selectors import project_known
from reviewapp.lib.figures import counted, interval, number, percent
from reviewapp.preferences.selectors import Ranking, compared_queues, ranking
from reviewapp.queues.models import Queue


class LeaderboardForm(forms.Form):
    """What to rank; everything may be left out."""

    queue = forms.ChoiceField(label="Queue", required=False)
    contestant = forms.ChoiceField(
        label="Rank by",
        required=False,
        choices=[("", "What tells them apart"), ("configuration", "Configuration"), ("model", "Model")],
    )
    ties = forms.ChoiceField(
        label="Ties",
        required=False,
        choices=[("davidson", "Davidson's model"), ("half", "Half a win each")],
    )

    def __init__(self, data: Any, *, queues: list[Queue]) -> None:
        super().__init__(data)
        self.queues = {queue.slug: queue for queue in queues}
        self.fields["queue"].choices = [  # type: ignore[attr-defined] # Field has no choices, ChoiceField has
            ("", "All pairwise queues"),
            *((queue.slug, queue.title) for queue in queues),
        ]

    def asked(self) -> dict[str, Any]:
        """The arguments of `ranking`; a choice that does not exist counts as none."""
        self.is_valid()
        return {
            "queue": self.queues.get(self.cleaned_data.get("queue", "")),
            "contestant": self.cleaned_data.get("contestant") or None,
            "ties": self.cleaned_data.get("ties") or "davidson",
        }


@login_required
@require_safe
def leaderboard(request: PageRequest, project: str) -> HttpResponse:
    """The contestants with whiskers, what it rests on, and why there is no ranking where there is none."""
    found = project_known(viewer=request.actor, slug=project)
    queues = compared_queues(viewer=request.actor, project=found)
    form = LeaderboardForm(request.GET or {"ties": "davidson"}, queues=queues)
    ranked = ranking(viewer=request.actor, project=found, **form.asked())
    context = {
        "project": found,
        "queues": queues,
        "form": form,
        "ranking": ranked,
        "board": ranked.board,
        "rows": [_row(line) for line in ranked.board.as_dict()["contestants"]],
        "scale": _scale(ranked),
        "conclusion": _conclusion(ranked),
        "position": _position(ranked),
    }
    return render(request, "preferences/leaderboard.html", context)


def _row(line: dict[str, Any]) -> dict[str, Any]:
    ranks = line["rank_interval"]
    shown = {"strength_text": "", "interval_text": "", "share_text": "", "ranks_text": ""}
    if line["strength"] is not None:
        shown = {
            "strength_text": number(line["strength"]),
            "interval_text": interval(line["interval"]),
            "share_text": percent(line["share"]),
            "ranks_text": str(ranks[0]) if ranks[0] == ranks[1] else f"{ranks[0]} to {ranks[1]}",
        }
    return {**line, **shown}


def _scale(ranked: Ranking) -> dict[str, Any]:
    """The axis: whole or half log-worths around zero, wide enough for every interval."""
    ends = [abs(end) for line in ranked.board.contestants if line.interval for end in line.interval]
    reach = max(ends, default=1.0)
    step = next(step for step in (0.25, 0.5, 1, 2, 5, 10, 50, math.inf) if reach <= 4 * step)
    width = step * math.ceil(reach / step) if math.isfinite(step) else reach
    ticks = [] if not math.isfinite(step) else [place * step for place in range(-4, 5) if abs(place * step) < width]
    digits = 0 if step >= 1 else 2 if step == 0.25 else 1
    return {
        "low": -width,
        "high": width,
        "ticks": [(tick, number(tick, digits if tick else 0)) for tick in ticks],
        "bounds": [0.0],
    }


def _conclusion(ranked: Ranking) -> str:
    board = ranked.board
    if not board.n_comparisons:
        return "No pair was compared yet."
    rests = f"{counted(board.n_comparisons, 'comparison')} on {counted(ranked.n_prompts, 'input')}"
    rests += f" by {counted(ranked.n_reviewers, 'reviewer')}"
    if not board.connected:
        return f"{rests}, but no ranking: {board.reason}."
    first, *others = board.contestants
    level = [line.name for line in others if line.rank_interval and line.rank_interval[0] == 1]
    if not level:
        return f"{first.name} is preferred to all others; {rests}."
    if len(level) == len(others):
        return f"No one is surely ahead: {first.name} comes first, but every interval reaches the lead; {rests}."
    return f"{first.name} comes first; {counted(len(level), 'other')} could be as good; {rests}."


def _position(ranked: Ranking) -> str:
    effect = ranked.board.position_effect
    if effect.value is None:
        return f"Whether the left side has an advantage cannot be said: {effect.reason}."
    share = 1 / (1 + math.exp(-effect.value))
    won = f"Between equals the left side wins {percent(share)} of the decided comparisons"
    if effect.interval is None:
        return f"{won} (no interval, n {effect.n})."
    low, high = (100 / (1 + math.exp(-bound)) for bound in effect.interval)
    said = (
        "so the side matters" if effect.interval[0] > 0 or effect.interval[1] < 0 else "so no effect of the side shows"
    )
    return f"{won} ({interval((low, high), 1)}\u00a0%, n {effect.n}), {said}."
