"""Erasure with two people, verification with progress, and where the log's heads were published."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from reviewapp.access.models import Project
from reviewapp.lib.ids import new_id


class Erasure(models.Model):
    """A request to erase what is held about one person or one end user; a second person approves it.

    `end_user_id` and `reason` are cleared when it is done: what stays is a keyed digest, by which a restored backup is
    erased again, and counts.
    """

    KINDS = ("person", "end_user")
    STATES = ("requested", "refused", "approved", "running", "done")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=10, choices=[(kind, kind) for kind in KINDS])
    project = models.ForeignKey(Project, models.PROTECT, null=True, related_name="erasures")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="erasures")
    end_user_id = models.TextField(null=True)
    subject_digest = models.CharField(max_length=64)  # HMAC-SHA-256 of project and subject, hex
    reason = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=[(state, state) for state in STATES], default="requested")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_note = models.TextField(blank=True)
    claimed_until = models.DateTimeField(null=True)  # a worker that died frees it by the clock
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True)
    counts = models.JSONField(null=True)  # rows that were cleared, per kind of row
    error = models.TextField(blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")), name="two_people_decide_an_erasure"
            ),
            models.CheckConstraint(
                condition=Q(kind="person", person__isnull=False, end_user_id=None)
                | Q(kind="end_user", person=None, project__isnull=False),
                name="an_erasure_has_one_subject",
            ),
        ]
        indexes = [
            models.Index(fields=["requested_at"], condition=Q(state__in=["approved", "running"]), name="open_erasures")
        ]

    def __str__(self) -> str:
        return f"erasure {self.pk}"


class Verification(models.Model):
    """One recomputation of the whole log that somebody asked for on a page."""

    STATES = ("waiting", "running", "done", "failed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    state = models.CharField(max_length=10, choices=[(state, state) for state in STATES], default="waiting")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    claimed_until = models.DateTimeField(null=True)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True)
    checkpoints = models.BigIntegerField(null=True)
    erased = models.BigIntegerField(null=True)
    problem = models.TextField(null=True)  # null once done: the log is whole
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["created_at"], condition=Q(state__in=["waiting", "running"]), name="open_checks")
        ]

    def __str__(self) -> str:
        return f"verification {self.pk}"


class Publication(models.Model):
    """The newest signed head that reached one place outside the database, or why it did not."""

    RUNGS = ("file", "webhook", "mail", "witness")

    id = models.BigAutoField(primary_key=True)
    rung = models.CharField(max_length=10, choices=[(rung, rung) for rung in RUNGS])
    target = models.TextField()
    size = models.BigIntegerField(default=0)
    published_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rung", "target"], name="one_row_per_place")]

    def __str__(self) -> str:
        return f"{self.rung} {self.target}"


class WitnessedLog(models.Model):
    """The newest head of another installation's log that this one vouched for; never goes back."""

    origin = models.TextField(primary_key=True)
    verifier_key = models.TextField()
    size = models.BigIntegerField()
    root = models.BinaryField()
    note = models.TextField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.origin
