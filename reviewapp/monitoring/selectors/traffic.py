"""What arrived: counts per day, telemetry per configuration, guardrail decisions. Counted now, never kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from reviewapp.access.actors import Actor
from reviewapp.access.models import Project
from reviewapp.access.roles import require
from reviewapp.ingest.models import Configuration
from reviewapp.monitoring.selectors.windows import Window

_BY_DAY = """
SELECT (occurred_at AT TIME ZONE 'UTC')::date, count(*) FROM reviewapp_output
WHERE project_id = %s AND occurred_at >= %s AND occurred_at < %s GROUP BY 1"""
_BY_CONFIGURATION = """
SELECT configuration_id, count(*), count(error),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms),
       percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY cost_usd::float8)
FROM reviewapp_output WHERE project_id = %s AND occurred_at >= %s AND occurred_at < %s
GROUP BY 1 ORDER BY 2 DESC, 1"""
_BY_GUARDRAIL = """
SELECT h.name, h.version, count(DISTINCT h.output_id),
       count(DISTINCT h.output_id) FILTER (WHERE h.action IN ('blocked', 'flagged', 'rewritten'))
FROM reviewapp_guardrailhit h JOIN reviewapp_output o ON o.id = h.output_id
WHERE o.project_id = %s AND o.occurred_at >= %s AND o.occurred_at < %s GROUP BY 1, 2 ORDER BY 4 DESC, 1, 2"""


@dataclass(frozen=True)
class Day:
    """How many outputs occurred on a day (UTC)."""

    day: date
    outputs: int


@dataclass(frozen=True)
class ConfigurationTraffic:
    """Medians are null where no output stated the number. latency in milliseconds, cost in US dollars."""

    configuration: Configuration | None
    outputs: int
    errors: int
    latency_ms_median: float | None
    latency_ms_p95: float | None
    cost_usd_median: float | None


@dataclass(frozen=True)
class GuardrailTraffic:
    """Outputs that carry a decision of this guardrail version, and those on which it acted.

    has_passed: whether decisions to let pass are sent at all; without them a trigger rate cannot be known.
    """

    name: str
    version: str
    decided: int
    acted: int

    @property
    def has_passed(self) -> bool:
        """Whether some decision was to let pass."""
        return self.acted < self.decided


def traffic_by_day(*, viewer: Actor, project: Project, window: Window) -> list[Day]:
    """Every day of the window, also the empty ones."""
    counted = dict(_rows(_BY_DAY, viewer, project, window))
    first = window.start.astimezone(UTC).date()
    days = (first + timedelta(days=passed) for passed in range(window.days))
    return [Day(day, int(counted.get(day, 0))) for day in days]


def traffic_by_configuration(*, viewer: Actor, project: Project, window: Window) -> list[ConfigurationTraffic]:
    """The configurations that answered in the window, busiest first; None stands for outputs that state none."""
    known: dict[UUID, Configuration] = {one.pk: one for one in Configuration.objects.filter(project=project)}
    return [
        ConfigurationTraffic(known.get(row[0]), *row[1:]) for row in _rows(_BY_CONFIGURATION, viewer, project, window)
    ]


def traffic_by_guardrail(*, viewer: Actor, project: Project, window: Window) -> list[GuardrailTraffic]:
    """Guardrail versions by how often they acted."""
    return [GuardrailTraffic(*row) for row in _rows(_BY_GUARDRAIL, viewer, project, window)]


def _rows(statement: str, viewer: Actor, project: Project, window: Window) -> list[tuple[Any, ...]]:
    require(viewer, "monitoring.view", project)
    with connection.cursor() as cursor:
        cursor.execute(statement, [project.pk, window.start, window.end])
        return list(cursor.fetchall())
