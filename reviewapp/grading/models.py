"""What people answered. Never edited: undo and amendment end a review, its grades stay."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from reviewapp.audit.models import Event
from reviewapp.lib.ids import new_id
from reviewapp.queues.models import Lease, QueueItem, Seat
from reviewapp.rubrics.models import Criterion, RubricVersion


class Review(models.Model):
    """One reviewer's submitted answer on one item.

    Current while `ended_at` is null, the only column that is ever updated, once.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    item = models.ForeignKey(QueueItem, models.PROTECT, related_name="reviews")
    seat = models.ForeignKey(Seat, models.PROTECT, null=True, related_name="reviews")
    lease = models.ForeignKey(Lease, models.PROTECT, null=True, related_name="reviews")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="reviews")
    rubric_version = models.ForeignKey(RubricVersion, models.PROTECT, related_name="reviews")
    attempt = models.PositiveSmallIntegerField(default=1)
    is_imported = models.BooleanField(default=False)
    comment = models.TextField(blank=True)
    correction = models.TextField(null=True)
    active_seconds = models.FloatField(null=True)
    body_sha256 = models.CharField(max_length=64)
    submitted_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    event = models.OneToOneField(Event, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(is_imported=True, lease=None, seat=None)
                | Q(is_imported=False, lease__isnull=False, seat__isnull=False),
                name="a_review_is_leased_or_imported",
            ),
            models.UniqueConstraint(fields=["seat"], condition=Q(ended_at=None), name="one_current_review_per_seat"),
            models.UniqueConstraint(fields=["lease"], condition=Q(ended_at=None), name="one_current_review_per_lease"),
            models.UniqueConstraint(
                fields=["item", "reviewer", "attempt"],
                condition=Q(ended_at=None),
                name="one_current_review_per_attempt",
            ),
        ]
        indexes = [models.Index(fields=["reviewer", "-submitted_at"], name="review_history")]

    def __str__(self) -> str:
        return str(self.pk)


class Grade(models.Model):
    """One criterion's value in one review: true/false, a level, a list of levels, a number, a text, or a list of
    highlights.
    """

    id = models.BigAutoField(primary_key=True)
    review = models.ForeignKey(Review, models.PROTECT, related_name="grades")
    criterion = models.ForeignKey(Criterion, models.PROTECT, related_name="grades")
    value = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["review", "criterion"], name="one_grade_per_criterion")]

    def __str__(self) -> str:
        return f"{self.criterion_id}: {self.value}"


class Preference(models.Model):
    """a, b, tie or both bad, as the pair names its sides; `a_was_left` is how it was shown (null when imported)."""

    WINNERS = ("a", "b", "tie", "both_bad")

    id = models.BigAutoField(primary_key=True)
    review = models.ForeignKey(Review, models.PROTECT, related_name="preferences")
    criterion = models.ForeignKey(Criterion, models.PROTECT, related_name="preferences")
    winner = models.CharField(max_length=10, choices=[(winner, winner) for winner in WINNERS])
    strength = models.PositiveSmallIntegerField(null=True)
    a_was_left = models.BooleanField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["review", "criterion"], name="one_preference_per_criterion")]

    def __str__(self) -> str:
        return f"{self.criterion_id}: {self.winner}"


class Draft(models.Model):
    """What a reviewer typed and did not submit. It outlives the lease."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    item = models.ForeignKey(QueueItem, models.CASCADE, related_name="drafts")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="drafts")
    answer = models.JSONField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "reviewer"], name="one_draft_per_item_and_reviewer")]

    def __str__(self) -> str:
        return f"draft on {self.item_id}"


class Adjudication(models.Model):
    """A review by an adjudicator that settles a disputed item, with a reason."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    item = models.OneToOneField(QueueItem, models.PROTECT, related_name="adjudication")
    review = models.OneToOneField(Review, models.PROTECT, related_name="adjudication")
    reason = models.TextField()

    def __str__(self) -> str:
        return f"adjudication of {self.item_id}"


class FrozenItem(models.Model):
    """An item whose reviews stand in a frozen dataset version: from then on nobody takes them back."""

    item = models.OneToOneField(QueueItem, models.PROTECT, primary_key=True, related_name="frozen")
    frozen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.item_id} is in a dataset version"
