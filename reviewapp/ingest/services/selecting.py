"""Which outputs the sampling rules take, with the rate that held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from django.db.models import Count, Min

from reviewapp.access.models import Project
from reviewapp.audit.services import Recorded
from reviewapp.ingest.filters import Where, matches, outputs_where
from reviewapp.ingest.models import Output, SamplingRule, Selection
from reviewapp.ingest.services.rows import Row, facets_of
from reviewapp.lib.clock import utc_now

HOURS_SEEN = 24


@dataclass(frozen=True)
class ActiveRule:
    """A rule with the filter read and the rate of this hour."""

    id: UUID
    where: Where
    rate: float


@dataclass(frozen=True)
class Picked:
    """A rule came to match a selected output, at this rate."""

    rule_id: UUID
    output_id: UUID
    rate: float


def active_rules(project: Project) -> list[ActiveRule]:
    """The rules that select today, with the rate that holds now."""
    rules = SamplingRule.objects.filter(project=project, ended_at=None).select_related("project").order_by("pk")
    return [ActiveRule(rule.pk, Where.model_validate(rule.where), rate_now(rule)) for rule in rules]


def rate_now(rule: SamplingRule) -> float:
    """The rule's rate, lowered to its daily budget by the volume of the hours before this one."""
    if rule.daily_budget is None:
        return rule.rate
    hour = utc_now().replace(minute=0, second=0, microsecond=0)
    return min(rule.rate, _budgeted_rate(rule.pk, rule.daily_budget, hour))


@lru_cache(maxsize=4_096)
def _budgeted_rate(rule_id: UUID, daily_budget: int, hour: datetime) -> float:
    """Budget a day over the volume that a day like the last hours would bring.

    A process counts once an hour. Two processes may count a late signal differently; each selection keeps the rate
    that it was drawn with, which is all that estimates need.
    """
    rule = SamplingRule.objects.select_related("project").get(pk=rule_id)
    seen = outputs_where(rule.project, Where.model_validate(rule.where)).filter(
        received_at__gte=hour - timedelta(hours=HOURS_SEEN), received_at__lt=hour
    )
    volume = seen.aggregate(n=Count("pk"), first=Min("received_at"))
    if not volume["n"]:
        return 1.0
    hours = -((volume["first"] - hour) // timedelta(hours=1))
    return min(1.0, float(daily_budget / (volume["n"] / hours * HOURS_SEEN)))


def picked_among(rules: Sequence[ActiveRule], rows: Iterable[Row]) -> list[Picked]:
    """The selections of outputs that just arrived."""
    if not rules:
        return []
    found: list[Picked] = []
    for row in rows:
        facets = facets_of(row)
        matching = [rule for rule in rules if matches(rule.where, facets)]
        if matching and row.sampling_unit < max(rule.rate for rule in matching):
            found += [Picked(rule.id, row.id, rule.rate) for rule in matching]
    return found


def picked_again(project: Project, rules: Sequence[ActiveRule], output_ids: Iterable[UUID]) -> list[Picked]:
    """The selections that are new after something was learned about these outputs. Dropped text re-runs nothing."""
    candidates = dict(
        Output.objects.filter(project=project, pk__in=list(output_ids), text_dropped_at=None).values_list(
            "pk", "sampling_unit"
        )
    )
    if not rules or not candidates:
        return []
    matching = _matching(project, rules, candidates)
    there = set(Selection.objects.filter(output_id__in=matching).values_list("rule_id", "output_id"))
    selected_before = {output_id for _, output_id in there}
    return [
        Picked(rule.id, output_id, rule.rate)
        for output_id, found in matching.items()
        if output_id in selected_before or candidates[output_id] < max(rule.rate for rule in found)
        for rule in found
        if (rule.id, output_id) not in there
    ]


def _matching(
    project: Project, rules: Sequence[ActiveRule], candidates: Mapping[UUID, float]
) -> dict[UUID, list[ActiveRule]]:
    found: dict[UUID, list[ActiveRule]] = {}
    for rule in rules:
        for output_id in (
            outputs_where(project, rule.where).filter(pk__in=list(candidates)).values_list("pk", flat=True)
        ):
            found.setdefault(output_id, []).append(rule)
    return found


def keep(picked: Sequence[Picked], event: Recorded) -> None:
    """Write the selections under their event. One that another transaction wrote meanwhile stays as it is."""
    ordered = sorted(picked, key=lambda one: (one.output_id, one.rule_id))
    Selection.objects.bulk_create(
        [Selection(rule_id=one.rule_id, output_id=one.output_id, rate=one.rate, event_id=event.id) for one in ordered],
        ignore_conflicts=True,
        batch_size=2_000,
    )
