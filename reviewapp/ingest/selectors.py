"""Outputs, pairs, rules, and the question which outputs a set of rules selected with which probability."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import F, Max, QuerySet

from reviewapp.access.actors import Actor
from reviewapp.access.errors import Hidden
from reviewapp.access.models import Project
from reviewapp.access.roles import can, require
from reviewapp.ingest.models import Output, Pair, SamplingRule, Selection
from reviewapp.lib.clock import rfc3339
from reviewapp.lib.subjects import hold_off_erasures


def outputs_of(*, viewer: Actor, project: Project) -> QuerySet[Output]:
    """The project's outputs; none for who may not read production text."""
    if not can(viewer, "outputs.view", project):
        return Output.objects.none()
    return Output.objects.filter(project=project).select_related("configuration")


def rules_of(*, viewer: Actor, project: Project) -> QuerySet[SamplingRule]:
    """The project's sampling rules; none for who may not see them."""
    if not can(viewer, "rules.view", project):
        return SamplingRule.objects.none()
    return SamplingRule.objects.filter(project=project).select_related("project")


def rule_for(*, viewer: Actor, project: Project, slug: str) -> SamplingRule:
    """A rule by its slug. Raises AccessDenied, or Hidden when there is none."""
    require(viewer, "rules.view", project)
    found = rules_of(viewer=viewer, project=project).filter(slug=slug).first()
    if found is None:
        raise Hidden("There is no such rule in this project.")
    return found


def selected_by(rules: Iterable[SamplingRule | UUID]) -> QuerySet[Output, Any]:
    """The outputs that these rules selected, as dictionaries {"pk", "rate", "event"}.

    `rate` is the largest among these rules' selections and lies above the output's sampling unit: a Selection alone
    only says that its rule matched what some rule selected. `event` is the id of the newest of their events: rows
    under an event of which you have read the leaf are yours already.
    """
    keys = [rule.pk if isinstance(rule, SamplingRule) else rule for rule in rules]
    return (
        Output.objects.filter(selections__rule__in=keys)
        .values("pk")
        .annotate(rate=Max("selections__rate"), event=Max("selections__event_id"))
        .filter(rate__gt=F("sampling_unit"))
    )


def inclusion_probability(rules: Iterable[SamplingRule | UUID], output: Output) -> float | None:
    """The probability with which an output came to be selected by any of these rules: the largest rate that held,
    times the upstream rate when the sender stated one. None when they did not select it.
    """
    keys = [rule.pk if isinstance(rule, SamplingRule) else rule for rule in rules]
    rate = Selection.objects.filter(output=output, rule__in=keys).aggregate(rate=Max("rate"))["rate"]
    if rate is None or output.sampling_unit >= rate:
        return None
    return float(rate) * (output.sampling_rate or 1.0)


def named(*, project: Project, table: type[Output] | type[Pair], names: Iterable[str]) -> dict[str, UUID]:
    """Outputs or pairs by external id, to write something about them in the caller's transaction.

    Erased ones are not found: whatever came in about them would be about somebody who had it erased.
    """
    hold_off_erasures()
    wanted = list(names)
    if table is Output:
        outputs = Output.objects.filter(project=project, external_id__in=wanted, erased_at=None)
        return dict(outputs.values_list("external_id", "pk"))
    # Two look-ups by key: a join of fresh tables is planned for few rows, and then loops for minutes.
    pairs = Pair.objects.filter(project=project, external_id__in=wanted)
    sides = {name: (pk, {a, b}) for name, pk, a, b in pairs.values_list("external_id", "pk", "a_id", "b_id")}
    keys = {key for _, pair in sides.values() for key in pair}
    erased = set(Output.objects.filter(pk__in=keys, erased_at__isnull=False).values_list("pk", flat=True))
    return {name: pk for name, (pk, pair) in sides.items() if not pair & erased}


def rule_document(rule: SamplingRule) -> dict[str, Any]:
    """API.md's Sampling rule."""
    document: dict[str, Any] = {"slug": rule.slug, "rate": rule.rate, "where": rule.where}
    if rule.daily_budget is not None:
        document["daily_budget"] = rule.daily_budget
    return document


_OPTIONAL = (
    "context", "steps", "latency_ms", "time_to_first_token_ms", "input_tokens", "output_tokens", "error",
    "session_id", "end_user_id", "feature", "sampling_rate",
)  # fmt: skip


def output_document(output: Output) -> dict[str, Any]:
    """API.md's Output, with what was not stated left out; texts are null once retention dropped them."""
    document: dict[str, Any] = {
        "external_id": output.external_id,
        "occurred_at": rfc3339(output.occurred_at),
        "input": output.input,
        "output": output.output,
        "metadata": output.metadata,
    }
    if output.erased_at is not None:
        document["erased_at"] = rfc3339(output.erased_at)
    document.update({name: value for name in _OPTIONAL if (value := getattr(output, name)) is not None})
    if output.cost_usd is not None:
        document["cost_usd"] = float(output.cost_usd)
    if output.configuration is not None:
        document["configuration"] = output.configuration.document
    document["guardrails"] = [
        {
            "name": hit.name,
            "version": hit.version or None,
            "stage": hit.stage,
            "action": hit.action,
            "score": hit.score,
            "category": hit.category or None,
            "spans": hit.spans,
        }
        for hit in sorted(output.guardrail_hits.all(), key=lambda hit: hit.position)
    ]
    document["signals"] = [
        {"kind": one.kind, "value": one.value, "occurred_at": rfc3339(one.occurred_at) if one.occurred_at else None}
        for one in sorted(output.signals.all(), key=lambda one: one.pk)
    ]
    return document
