"""What is asked."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from reviewapp.access.models import Project
from reviewapp.lib.ids import new_id


class Rubric(models.Model):
    """A named set of questions with versions."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, models.PROTECT, related_name="rubrics")
    slug = models.SlugField(max_length=80)
    title = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "slug"], name="one_rubric_per_slug")]

    def __str__(self) -> str:
        return self.title


class RubricVersion(models.Model):
    """One state of a rubric; frozen once `published_at` is set."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    rubric = models.ForeignKey(Rubric, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    published_at = models.DateTimeField(null=True)
    publish_reason = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rubric", "number"], name="one_version_per_number"),
            models.UniqueConstraint(fields=["rubric"], condition=Q(published_at=None), name="one_draft_per_rubric"),
        ]

    def __str__(self) -> str:
        return f"{self.rubric_id} version {self.number}"


class Criterion(models.Model):
    """One question. `levels` [{value, label, description}], `pass_at` and `show_if` as API.md says."""

    KINDS = ("binary", "ordinal", "categorical", "multiselect", "numeric", "text", "highlight", "preference")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(RubricVersion, models.CASCADE, related_name="criteria")
    position = models.PositiveSmallIntegerField()
    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=[(kind, kind) for kind in KINDS])
    title = models.TextField()
    help = models.TextField(blank=True)
    is_required = models.BooleanField(default=True)
    levels = models.JSONField(default=list)
    minimum = models.FloatField(null=True)
    maximum = models.FloatField(null=True)
    pass_at = models.JSONField(null=True)
    show_if = models.JSONField(null=True)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["version", "key"], name="one_criterion_per_key")]

    def __str__(self) -> str:
        return self.title
