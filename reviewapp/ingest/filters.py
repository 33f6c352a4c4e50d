"""The filter of a sampling rule, in two forms that must agree: SQL over stored outputs, Python over what arrives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any

from django.db.models import Exists, OuterRef, QuerySet
from pydantic import Field

from reviewapp.access.models import Project
from reviewapp.ingest.models import Fact, GuardrailHit, Output, Signal
from reviewapp.ingest.records import ConfigurationIn, Dollars, Milliseconds, Name, Short, SignalKind
from reviewapp.lib.api import Strict

ACTED = ("blocked", "flagged", "rewritten")
ANY = "any"
CENT = Decimal("1e-10")  # what the column of costs keeps


class JudgeBelow(Strict):
    """The judge answered this criterion with less confidence than this."""

    judge: Name
    criterion: Name
    confidence: Annotated[float, Field(ge=0, le=1)]

    @property
    def fact(self) -> str:
        """The name under which the confidence is recorded."""
        return f"judge/{self.judge}/{self.criterion}/confidence"


class Where(Strict):
    """Which outputs: every condition given must hold; none given means all.

    `guardrail`: this guardrail, or `any`, acted (blocked, flagged or rewrote). `configuration` and `metadata`: contain
    this, as jsonb's `@>` does.
    """

    guardrail: Name | None = None
    signal: SignalKind | None = None
    configuration: ConfigurationIn | None = None
    feature: Short | None = None
    metadata: dict[str, Any] | None = None
    latency_ms_over: Milliseconds | None = None
    cost_usd_over: Dollars | None = None
    error: bool | None = None
    judge_below: JudgeBelow | None = None

    def as_document(self) -> dict[str, Any]:
        """Only what was given: what the rule's row keeps and the API answers."""
        return self.model_dump(exclude_none=True)


@dataclass(frozen=True, slots=True)
class Facets:
    """What a filter may look at in one output."""

    guardrails: frozenset[str] = frozenset()  # those that acted
    signals: frozenset[str] = frozenset()
    configuration: Mapping[str, Any] | None = None
    feature: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    latency_ms: float | None = None
    cost_usd: Decimal | None = None
    error: str | None = None
    facts: Mapping[str, float] = field(default_factory=dict)


def outputs_where(project: Project, where: Where) -> QuerySet[Output]:
    """The project's outputs that match, in no order. No permission is checked here: services do."""
    found = Output.objects.filter(project=project)
    if where.guardrail is not None:
        hits = GuardrailHit.objects.filter(output=OuterRef("pk"), action__in=ACTED)
        found = found.filter(Exists(hits if where.guardrail == ANY else hits.filter(name=where.guardrail)))
    if where.signal is not None:
        found = found.filter(Exists(Signal.objects.filter(output=OuterRef("pk"), kind=where.signal)))
    if where.configuration is not None:
        found = found.filter(configuration__document__contains=where.configuration.model_dump(exclude_none=True))
    if where.feature is not None:
        found = found.filter(feature=where.feature)
    if where.metadata is not None:
        found = found.filter(metadata__contains=where.metadata)
    return _measured(found, where)


def _measured(found: QuerySet[Output], where: Where) -> QuerySet[Output]:
    if where.latency_ms_over is not None:
        found = found.filter(latency_ms__gt=where.latency_ms_over)
    if where.cost_usd_over is not None:
        found = found.filter(cost_usd__gt=Decimal(repr(where.cost_usd_over)))
    if where.error is not None:
        found = found.filter(error__isnull=not where.error)
    if where.judge_below is not None:
        low = Fact.objects.filter(
            output=OuterRef("pk"), name=where.judge_below.fact, value__lt=where.judge_below.confidence
        )
        found = found.filter(Exists(low))
    return found


def matches(where: Where, facets: Facets) -> bool:
    """The Python form of `outputs_where`."""
    if where.guardrail is not None:
        acted = bool(facets.guardrails) if where.guardrail == ANY else where.guardrail in facets.guardrails
        if not acted:
            return False
    if where.signal is not None and where.signal not in facets.signals:
        return False
    if where.configuration is not None and not contains(
        facets.configuration, where.configuration.model_dump(exclude_none=True)
    ):
        return False
    if where.feature is not None and where.feature != facets.feature:
        return False
    if where.metadata is not None and not contains(facets.metadata, where.metadata):
        return False
    return _measures_match(where, facets)


def _measures_match(where: Where, facets: Facets) -> bool:
    if where.latency_ms_over is not None and not _over(facets.latency_ms, where.latency_ms_over):
        return False
    if where.cost_usd_over is not None and not _over(facets.cost_usd, Decimal(repr(where.cost_usd_over))):
        return False
    if where.error is not None and where.error != (facets.error is not None):
        return False
    if where.judge_below is not None:
        known = facets.facts.get(where.judge_below.fact)
        return known is not None and known < where.judge_below.confidence
    return True


def _over(value: Any, bound: Any) -> bool:
    return value is not None and value > bound


def contains(whole: Any, part: Any) -> bool:
    """PostgreSQL's `whole @> part` for JSON values, where `part` is an object at the top."""
    if isinstance(part, Mapping):
        return isinstance(whole, Mapping) and all(key in whole and contains(whole[key], part[key]) for key in part)
    if isinstance(part, list):
        return isinstance(whole, list) and all(any(contains(entry, wanted) for entry in whole) for wanted in part)
    if isinstance(whole, Mapping | list):
        return False
    return isinstance(part, bool) == isinstance(whole, bool) and bool(part == whole)


def cost_of(value: float | None) -> Decimal | None:
    """Dollars as the column keeps them."""
    return None if value is None else Decimal(repr(value)).quantize(CENT)
