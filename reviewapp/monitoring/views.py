"""The page of a project's production quality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from reviewapp.access.middleware import PageRequest
from reviewapp.access.selectors import project_for
from reviewapp.lib.errors import Malformed
from reviewapp.monitoring import selectors
from reviewapp.monitoring.selectors import ConfigurationTraffic, Estimate
from reviewapp.queues.selectors import Progress, progress_of, visible_queues
from reviewapp.rubrics.models import Criterion, Rubric
from reviewapp.stats.result import WARNING_SENTENCES

WINDOWS = ("7d", "14d", "28d")
NO_LABELS = "No reviewed output of this configuration in the window; a sampling rule that selects it would bring some."
SCALE = {"low": 0.0, "high": 1.0, "bounds": (), "ticks": ((0.0, "0"), (0.5, "50"), (1.0, "100"))}


@dataclass(frozen=True)
class RateRow:
    """One configuration's pass rate; `estimate` is null where it has no label, and `warnings` are sentences."""

    label: str
    fingerprint: str
    estimate: Estimate | None
    warnings: str = ""
    no_labels: str = NO_LABELS


@dataclass(frozen=True)
class RateTable:
    """One criterion: its rows and the sentence that says what they amount to."""

    rubric: Rubric
    criterion: Criterion
    rows: list[RateRow]
    sentence: str


@login_required
@require_safe
def overview(request: PageRequest, project: str) -> HttpResponse:
    """Pass rates, traffic, cost and latency, guardrail triggers and queue progress in a window."""
    found = project_for(viewer=request.actor, slug=project, act="monitoring.view")
    chosen = request.GET.get("window", "14d")
    if chosen not in WINDOWS:
        raise Malformed(f"window must be one of {', '.join(WINDOWS)}.")
    window = selectors.parse_window(chosen)
    asked: dict[str, Any] = {"viewer": request.actor, "project": found, "window": window}
    traffic = selectors.traffic_by_configuration(**asked)
    days = selectors.traffic_by_day(**asked)
    queues = list(visible_queues(viewer=request.actor, project=found).order_by("title"))
    counted = progress_of(queues)
    context = {
        "project": found,
        "window": window,
        "windows": WINDOWS,
        "tables": [rate_table(*one, traffic) for one in selectors.pass_rates(**asked)],
        "traffic": traffic,
        "days": days,
        "points": [(f"{day.day.day} {day.day:%b}", float(day.outputs)) for day in days],
        "most": max(day.outputs for day in days),
        "scale": SCALE,
        "total": sum(day.outputs for day in days),
        "guardrails": selectors.traffic_by_guardrail(**asked),
        "queues": [(queue, counted.get(queue.pk, Progress())) for queue in queues],
    }
    return render(request, "monitoring/overview.html", context)


def rate_table(
    rubric: Rubric,
    criterion: Criterion,
    estimates: dict[UUID | None, Estimate],
    traffic: list[ConfigurationTraffic],
) -> RateTable:
    """A row for every configuration with traffic, also where there is nothing to say yet."""
    rows = [
        rate_row(one, estimates.get(one.configuration.pk if one.configuration is not None else None)) for one in traffic
    ]
    return RateTable(rubric, criterion, rows, sentence_of(rows))


def rate_row(one: ConfigurationTraffic, estimate: Estimate | None) -> RateRow:
    """The row of one configuration."""
    label = one.configuration.label if one.configuration is not None else "no configuration stated"
    fingerprint = one.configuration.fingerprint[:8] if one.configuration is not None else ""
    codes = estimate.stat.warnings if estimate is not None else ()
    return RateRow(label, fingerprint, estimate, "; ".join(WARNING_SENTENCES[code] for code in codes))


def sentence_of(rows: list[RateRow]) -> str:
    """What the rows amount to: who is clearly ahead, or that the intervals cannot tell."""
    known = [
        (row, row.estimate.stat.value, row.estimate.stat.interval)
        for row in rows
        if row.estimate is not None and row.estimate.stat.value is not None and row.estimate.stat.interval is not None
    ]
    if not known:
        return "No configuration has a label with a known probability in this window, so nothing can be estimated yet."
    best, value, interval = max(known, key=lambda one: one[1])
    said = f"{best.label} passes in {100 * value:.1f} % ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})"
    others = [bounds[1] for row, _, bounds in known if row is not best]
    if not others:
        return f"{said}; no other configuration has an estimate to compare it with."
    if interval[0] > max(others):
        return f"{said}, clearly above the others."
    return f"{said}, but the intervals overlap: this window cannot say which configuration is best."
