"""Sampling rules: made, tried on past traffic, applied to it."""

from __future__ import annotations

from typing import Annotated, Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from pydantic import Field

from reviewapp.access.actors import Actor
from reviewapp.access.models import Project
from reviewapp.access.roles import require
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.ingest.filters import Where, outputs_where
from reviewapp.ingest.models import Output, SamplingRule, Selection
from reviewapp.ingest.services.selecting import rate_now
from reviewapp.lib.api import Strict
from reviewapp.lib.errors import Conflict

_SELECT = """
INSERT INTO reviewapp_selection (rule_id, output_id, rate, selected_at, event_id)
SELECT %s, picked.id, %s, now(), %s FROM ({picked}) AS picked
ON CONFLICT (rule_id, output_id) DO NOTHING
"""


class RuleIn(Strict):
    """API.md's Sampling rule."""

    slug: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,79}$")]
    rate: Annotated[float, Field(gt=0, le=1)]
    where: Where = Where()
    daily_budget: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None


@transaction.atomic
def create_rule(*, actor: Actor, project: Project, rule: RuleIn) -> SamplingRule:
    """A rule for what arrives from now on. Raises AccessDenied, or Conflict for a taken slug."""
    require(actor, "rules.edit", project)
    row = SamplingRule(
        project=project,
        slug=rule.slug,
        rate=rule.rate,
        where=rule.where.as_document(),
        daily_budget=rule.daily_budget,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(f"There is a rule {rule.slug!r} already; choose another slug.") from error
    record(
        actor=actor,
        event=Event.RULE_CREATED,
        subject=Subject("rule", str(row.pk), project=project.slug),
        change=Change(after=rule.model_dump(exclude_none=True)),
    )
    return row


@transaction.atomic
def try_rule(*, actor: Actor, project: Project, rule: RuleIn) -> dict[str, int]:
    """What the rule would have selected of all outputs so far, at its own rate: {"matched", "selected",
    "unique_inputs" (among the selected), "population"}.
    """
    require(actor, "rules.edit", project)
    matched = outputs_where(project, rule.where)
    selected = matched.filter(sampling_unit__lt=rule.rate)
    found = {
        "matched": matched.count(),
        "selected": selected.count(),
        "unique_inputs": selected.values("input_sha256").distinct().count(),
        "population": Output.objects.filter(project=project).count(),
    }
    record(
        actor=actor,
        event=Event.RULE_TRIED,
        subject=Subject("project", str(project.pk), project=project.slug),
        change=Change(after=rule.model_dump(exclude_none=True), more={"found": found}),
    )
    return found


@transaction.atomic
def backfill_rule(*, actor: Actor, rule: SamplingRule) -> dict[str, Any]:
    """Apply the rule to outputs that are there, except those whose text was dropped: {"matched", "selected" (by this
    rule's rate, those of before too), "added" (selections written now), "rate"}. Repeating it adds nothing.
    """
    require(actor, "rules.edit", rule.project)
    rate = rate_now(rule)
    matched = outputs_where(rule.project, Where.model_validate(rule.where)).filter(text_dropped_at=None)
    found: dict[str, Any] = {
        "matched": matched.count(),
        "selected": matched.filter(sampling_unit__lt=rate).count(),
        "rate": rate,
    }
    event = record(
        actor=actor,
        event=Event.RULE_BACKFILLED,
        subject=Subject("rule", str(rule.pk), project=rule.project.slug),
        change=Change(more={"found": found}),
    )
    found["added"] = _add(matched, rule, rate=rate, event_id=event.id)
    return found


def _add(matched: QuerySet[Output], rule: SamplingRule, *, rate: float, event_id: int) -> int:
    """One statement over all that this rate selects, and all that another rule selected before."""
    before = Selection.objects.filter(output=OuterRef("pk"))
    picked = matched.filter(Q(sampling_unit__lt=rate) | Exists(before)).order_by("pk").values("id")
    text, parameters = picked.query.sql_with_params()
    with connection.cursor() as cursor:
        # The inner statement is Django's own, its values are parameters.
        cursor.execute(_SELECT.format(picked=text), [rule.pk, rate, event_id, *parameters])
        return int(cursor.rowcount)
