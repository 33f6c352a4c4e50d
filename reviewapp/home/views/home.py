"""The first page: what needs me."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from reviewapp.access.middleware import PageRequest
from reviewapp.access.models import Project
from reviewapp.home.selectors import home_of
from reviewapp.monitoring.selectors import Window, parse_window, pass_rates, traffic_by_configuration
from reviewapp.monitoring.views import SCALE, RateRow, RateTable, rate_table

WINDOW = "28d"  # long enough for a team that grades a little every day


@login_required
@require_safe
def home(request: PageRequest) -> HttpResponse:
    """What needs me."""
    found = home_of(viewer=request.actor)
    window = parse_window(WINDOW)
    context = {
        "home": found,
        "window": window,
        "scale": SCALE,
        "tables": [
            (entry.project, table)
            for entry in found.projects
            if entry.sees_quality
            for table in _rates(request, entry.project, window)
        ],
    }
    return render(request, "home/home.html", context)


def _rates(request: PageRequest, project: Project, window: Window) -> list[RateTable]:
    """The first criterion whose pass rate says something; the monitoring page has the others."""
    traffic = traffic_by_configuration(viewer=request.actor, project=project, window=window)
    tables = [rate_table(*one, traffic) for one in pass_rates(viewer=request.actor, project=project, window=window)]
    varied = [table for table in tables if any(_varies(row) for row in table.rows)]
    return (varied or tables)[:1]


def _varies(row: RateRow) -> bool:
    return row.estimate is not None and row.estimate.stat.value not in (None, 0.0, 1.0)
