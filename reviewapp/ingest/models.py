"""What the application did in production, and why some of it was selected."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from reviewapp.access.models import Project
from reviewapp.audit.models import Event
from reviewapp.lib.ids import new_id


class Configuration(models.Model):
    """Prompt name, prompt version, model, parameters, retrieval: the unit of versioning. `fingerprint` is SHA-256 of
    its canonical JSON.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, models.PROTECT, related_name="configurations")
    fingerprint = models.CharField(max_length=64)
    document = models.JSONField()
    prompt_name = models.TextField(blank=True)
    prompt_version = models.TextField(blank=True)
    model = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "fingerprint"], name="one_configuration_per_fingerprint")
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """A short name for people: prompt name and version, then model; else the head of the fingerprint."""
        prompt = " ".join(part for part in (self.prompt_name, self.prompt_version) if part)
        return " · ".join(part for part in (prompt, self.model) if part) or self.fingerprint[:12]


class Output(models.Model):
    """One answer that the application gave.

    Text columns are null once retention dropped them; the row stays and is counted.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, models.PROTECT, related_name="outputs")
    external_id = models.TextField()
    configuration = models.ForeignKey(Configuration, models.PROTECT, null=True, related_name="outputs")
    content_sha256 = models.CharField(max_length=64)
    input_sha256 = models.CharField(max_length=64)
    input = models.JSONField(null=True)
    output = models.JSONField(null=True)
    context = models.JSONField(null=True)
    steps = models.JSONField(null=True)
    metadata = models.JSONField(default=dict)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    latency_ms = models.FloatField(null=True)
    time_to_first_token_ms = models.FloatField(null=True)
    input_tokens = models.BigIntegerField(null=True)
    output_tokens = models.BigIntegerField(null=True)
    cost_usd = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    error = models.TextField(null=True)
    session_id = models.TextField(null=True)
    end_user_id = models.TextField(null=True)
    feature = models.TextField(null=True)
    sampling_rate = models.FloatField(null=True)  # what the sender stated; null is "not stated", which counts as 1
    sampling_unit = models.FloatField()  # the one uniform number in [0, 1) that all rules share
    text_dropped_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "external_id"], name="one_output_per_external_id"),
            models.CheckConstraint(condition=Q(sampling_unit__gte=0, sampling_unit__lt=1), name="sampling_unit_in_0_1"),
        ]
        indexes = [
            models.Index(fields=["project", "-occurred_at"], name="output_time"),
            models.Index(fields=["project", "configuration", "occurred_at"], name="output_configuration"),
        ]

    def __str__(self) -> str:
        return self.external_id


class Pair(models.Model):
    """Two outputs with the same input."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, models.PROTECT, related_name="pairs")
    external_id = models.TextField()
    a = models.ForeignKey(Output, models.PROTECT, related_name="pairs_as_a")
    b = models.ForeignKey(Output, models.PROTECT, related_name="pairs_as_b")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "external_id"], name="one_pair_per_external_id"),
            models.CheckConstraint(condition=~Q(a=models.F("b")), name="a_pair_has_two_outputs"),
        ]

    def __str__(self) -> str:
        return self.external_id


class GuardrailHit(models.Model):
    """One decision of a named guardrail on an output; `passed` is a decision too."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, models.PROTECT, related_name="guardrail_hits")
    output = models.ForeignKey(Output, models.CASCADE, related_name="guardrail_hits")
    position = models.PositiveSmallIntegerField()
    name = models.TextField()
    version = models.TextField(blank=True)
    stage = models.CharField(max_length=10)
    action = models.CharField(max_length=10)
    score = models.FloatField(null=True)
    category = models.TextField(blank=True)
    spans = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["output", "position"], name="one_hit_per_position")]
        indexes = [models.Index(fields=["project", "name", "version", "action"], name="hit_version")]

    def __str__(self) -> str:
        return f"{self.name} {self.version} {self.action}"


class Signal(models.Model):
    """What the end user did with an output."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    output = models.ForeignKey(Output, models.CASCADE, related_name="signals")
    kind = models.CharField(max_length=20)
    value = models.JSONField(null=True)
    occurred_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["output", "kind", "occurred_at"], nulls_distinct=False, name="one_signal_per_moment"
            )
        ]

    def __str__(self) -> str:
        return self.kind


class Fact(models.Model):
    """A named number that an upper room learned about an output. Ingest knows names and numbers, not judges."""

    id = models.BigAutoField(primary_key=True)
    output = models.ForeignKey(Output, models.CASCADE, related_name="facts")
    name = models.TextField()
    value = models.FloatField()
    recorded_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["output", "name"], name="one_fact_per_name")]

    def __str__(self) -> str:
        return f"{self.name} = {self.value}"


class SamplingRule(models.Model):
    """A filter and a rate in (0, 1]."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, models.PROTECT, related_name="sampling_rules")
    slug = models.SlugField(max_length=80)
    rate = models.FloatField()
    where = models.JSONField(default=dict)
    daily_budget = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "slug"], name="one_rule_per_slug"),
            models.CheckConstraint(condition=Q(rate__gt=0, rate__lte=1), name="rate_in_0_1"),
        ]

    def __str__(self) -> str:
        return self.slug


class Selection(models.Model):
    """A rule matched a selected output, with the rate that held then.

    Append-only. `event` places it in the log, for those who pull.
    """

    id = models.BigAutoField(primary_key=True)
    rule = models.ForeignKey(SamplingRule, models.PROTECT, related_name="selections")
    output = models.ForeignKey(Output, models.PROTECT, related_name="selections")
    rate = models.FloatField()
    selected_at = models.DateTimeField(auto_now_add=True)
    event = models.ForeignKey(Event, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule", "output"], name="one_selection_per_rule_and_output"),
            models.CheckConstraint(condition=Q(rate__gt=0, rate__lte=1), name="selection_rate_in_0_1"),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} took {self.output_id}"
