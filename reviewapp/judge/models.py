"""Judges, their runs and what they said."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from reviewapp.access.models import Project
from reviewapp.ingest.models import Output, Pair
from reviewapp.lib.ids import new_id
from reviewapp.queues.models import Queue
from reviewapp.rubrics.models import Criterion, Rubric, RubricVersion


class Judge(models.Model):
    """A named judge of a rubric: a language model, a programmatic check, or verdicts from elsewhere."""

    KINDS = ("llm", "program", "imported")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, models.PROTECT, related_name="judges")
    slug = models.SlugField(max_length=120)
    title = models.CharField(max_length=200)
    rubric = models.ForeignKey(Rubric, models.PROTECT, related_name="judges")
    kind = models.CharField(max_length=10, choices=[(kind, kind) for kind in KINDS])
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "slug"], name="one_judge_per_slug")]

    def __str__(self) -> str:
        return self.title


class JudgeVersion(models.Model):
    """One frozen set-up of a judge. `key_name` names an environment variable; the key itself is never stored."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    judge = models.ForeignKey(Judge, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    rubric_version = models.ForeignKey(RubricVersion, models.PROTECT, related_name="+")
    criteria = ArrayField(models.CharField(max_length=200), default=list)
    base_url = models.TextField(blank=True)
    model = models.TextField(blank=True)
    key_name = models.CharField(max_length=200, blank=True)
    prompt = models.TextField(blank=True)
    parameters = models.JSONField(default=dict)
    samples = models.PositiveSmallIntegerField(default=1)
    budget_usd = models.DecimalField(max_digits=14, decimal_places=6, null=True)
    checks = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["judge", "number"], name="one_judge_version_per_number")]

    def __str__(self) -> str:
        return f"{self.judge_id} version {self.number}"


class JudgeRun(models.Model):
    """One pass of a judge version over some subjects. Its counts are counted from its items."""

    STATES = ("waiting", "running", "done", "failed", "cancelled")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(JudgeVersion, models.PROTECT, related_name="runs")
    queue = models.ForeignKey(Queue, models.PROTECT, null=True, related_name="judge_runs")
    where = models.JSONField(null=True)
    limit = models.PositiveIntegerField(null=True)
    state = models.CharField(max_length=10, choices=[(state, state) for state in STATES], default="waiting")
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["created_at"], condition=Q(state__in=["waiting", "running"]), name="open_runs")]

    def __str__(self) -> str:
        return str(self.pk)


class RunItem(models.Model):
    """One subject of a run.

    `claimed_until` fences a worker that died; the verdicts are unique, so a repeat has one effect.
    """

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(JudgeRun, models.CASCADE, related_name="items")
    output = models.ForeignKey(Output, models.PROTECT, null=True, related_name="+")
    pair = models.ForeignKey(Pair, models.PROTECT, null=True, related_name="+")
    claimed_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # What its calls cost; raised by the most that they can cost while they are under way.
    cost_usd = models.DecimalField(max_digits=14, decimal_places=8, default=0)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(output=None, pair__isnull=False) | Q(output__isnull=False, pair=None),
                name="a_run_item_is_an_output_or_a_pair",
            ),
            models.UniqueConstraint(fields=["run", "output"], name="one_run_item_per_output"),
            models.UniqueConstraint(fields=["run", "pair"], name="one_run_item_per_pair"),
        ]
        indexes = [models.Index(fields=["run", "id"], condition=Q(finished_at=None), name="unfinished_run_items")]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.pk}"


class Verdict(models.Model):
    """One judge version's answer on one criterion of one output or pair.

    Value and preference are null exactly when `error` is set. Rows stay: an error of one run may be followed by an
    error or a value of a later one, a value by nothing.
    """

    ERRORS = ("refused", "timeout", "malformed", "unavailable", "over_budget")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(JudgeVersion, models.PROTECT, related_name="verdicts")
    criterion = models.ForeignKey(Criterion, models.PROTECT, related_name="verdicts")
    output = models.ForeignKey(Output, models.PROTECT, null=True, related_name="verdicts")
    pair = models.ForeignKey(Pair, models.PROTECT, null=True, related_name="verdicts")
    order = models.CharField(max_length=2, null=True, choices=[("ab", "ab"), ("ba", "ba")])
    value = models.JSONField(null=True)
    preference = models.CharField(max_length=10, null=True)
    confidence = models.FloatField(null=True)
    rationale = models.TextField(blank=True)
    cost_usd = models.DecimalField(max_digits=14, decimal_places=8, null=True)
    error = models.CharField(max_length=12, null=True, choices=[(error, error) for error in ERRORS])
    raw = models.TextField(blank=True)
    content_sha256 = models.CharField(max_length=64)
    run = models.ForeignKey(JudgeRun, models.PROTECT, null=True, related_name="verdicts")
    is_imported = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "criterion", "output"],
                condition=Q(pair=None, error=None),
                name="one_verdict_per_output",
            ),
            models.UniqueConstraint(
                fields=["version", "criterion", "pair", "order"],
                condition=Q(output=None, error=None),
                nulls_distinct=False,
                name="one_verdict_per_pair_and_order",
            ),
            models.UniqueConstraint(
                fields=["run", "criterion", "output", "pair", "order"],
                condition=Q(run__isnull=False),
                nulls_distinct=False,
                name="one_verdict_per_run",
            ),
            models.CheckConstraint(
                condition=Q(output=None, pair__isnull=False) | Q(output__isnull=False, pair=None),
                name="a_verdict_is_on_an_output_or_a_pair",
            ),
            models.CheckConstraint(
                condition=Q(error__isnull=False, value=None, preference=None)
                | Q(error=None, value__isnull=False, preference=None)
                | Q(error=None, value=None, preference__isnull=False),
                name="a_verdict_is_a_value_a_preference_or_an_error",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version_id} on {self.output_id or self.pair_id}"
