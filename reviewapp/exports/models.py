"""Definitions of labelled data, and frozen, hashed snapshots of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from reviewapp.access.models import Project
from reviewapp.lib.ids import new_id
from reviewapp.queues.models import Queue


class Dataset(models.Model):
    """Which items, which criteria, which labels, which split."""

    LABELS = ("settled", "raw", "adjudicated")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, models.PROTECT, related_name="datasets")
    slug = models.SlugField(max_length=80)
    title = models.CharField(max_length=200)
    queues = models.ManyToManyField(Queue, related_name="datasets")
    criteria = models.JSONField(default=list)
    labels = models.CharField(max_length=12, choices=[(labels, labels) for labels in LABELS])
    where = models.JSONField(default=dict)
    split = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "slug"], name="one_dataset_per_slug")]

    def __str__(self) -> str:
        return self.title


class DatasetVersion(models.Model):
    """One frozen snapshot: `manifest` holds hashes, rubric versions, agreement, weights and what was left out."""

    STATES = ("waiting", "running", "done", "failed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    dataset = models.ForeignKey(Dataset, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=[(state, state) for state in STATES], default="waiting")
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True)
    rows = models.PositiveIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    manifest = models.JSONField(null=True)
    error = models.TextField(blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    frozen_at = models.DateTimeField(null=True)
    # Set once, by an erasure: its files are gone from the disk, its numbers and hashes stay.
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "number"], name="one_dataset_version_per_number")]
        indexes = [
            models.Index(fields=["created_at"], condition=Q(state__in=["waiting", "running"]), name="open_versions")
        ]

    def __str__(self) -> str:
        return f"{self.dataset_id} version {self.number}"


class DatasetFile(models.Model):
    """One file of a frozen version.

    `path` is below the installation's files folder; `sha256` is its ETag and Digest.
    """

    id = models.BigAutoField(primary_key=True)
    version = models.ForeignKey(DatasetVersion, models.CASCADE, related_name="files")
    format = models.CharField(max_length=40)
    path = models.TextField()
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    rows = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "format"], name="one_file_per_format")]

    def __str__(self) -> str:
        return f"{self.version_id} {self.format}"
