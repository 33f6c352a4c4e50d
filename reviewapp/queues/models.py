"""Who gets which item next, and why. Unique constraints, not code, make it exact."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from reviewapp.access.models import GroupGrant, Project, UserGrant
from reviewapp.ingest.models import GuardrailHit, Output, Pair, SamplingRule
from reviewapp.lib.ids import new_id
from reviewapp.rubrics.models import Rubric, RubricVersion


class Queue(models.Model):
    """A stream of work with one rubric."""

    KINDS = ("grade", "pairwise", "guardrail")
    ORDERS = ("priority", "oldest", "random")
    ADJUDICATE = ("never", "on_disagreement", "always")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, models.PROTECT, related_name="queues")
    slug = models.SlugField(max_length=80)
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=[(kind, kind) for kind in KINDS])
    rubric = models.ForeignKey(Rubric, models.PROTECT, related_name="queues")
    rules = models.ManyToManyField(SamplingRule, related_name="queues")
    reviewers_per_item = models.PositiveSmallIntegerField(default=1)
    overlap_share = models.FloatField(default=1.0)
    max_extra_reviewers = models.PositiveSmallIntegerField(default=0)
    lease_seconds = models.PositiveIntegerField(default=1800)
    order = models.CharField(max_length=10, choices=[(order, order) for order in ORDERS], default="priority")
    gold_share = models.FloatField(default=0)
    repeat_share = models.FloatField(default=0)
    is_blind = models.BooleanField(default=True)
    adjudicate = models.CharField(max_length=20, choices=[(when, when) for when in ADJUDICATE], default="never")
    instructions = models.TextField(blank=True)
    pulled_leaf = models.BigIntegerField(default=-1)  # selections up to this leaf of the log are items already
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        permissions = [("hold_reviewer", "Holds the role reviewer"), ("hold_adjudicator", "Holds the role adjudicator")]
        constraints = [
            models.UniqueConstraint(fields=["project", "slug"], name="one_queue_per_slug"),
            models.CheckConstraint(condition=Q(reviewers_per_item__gte=1), name="at_least_one_reviewer"),
            models.CheckConstraint(
                condition=Q(overlap_share__gte=0, overlap_share__lte=1), name="overlap_share_in_0_1"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class QueueUserGrant(UserGrant):
    """A role of a person on a queue."""

    project_path = "content_object__project"
    content_object = models.ForeignKey(Queue, models.CASCADE)


class QueueGroupGrant(GroupGrant):
    """A role of a group on a queue."""

    project_path = "content_object__project"
    content_object = models.ForeignKey(Queue, models.CASCADE)


class QueueItem(models.Model):
    """One output, pair or guardrail hit in a queue.

    `inclusion_probability` is null for what no rule selected: such items enter no estimate.
    """

    SOURCES = ("rule", "manual", "import", "gold")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    queue = models.ForeignKey(Queue, models.PROTECT, related_name="items")
    output = models.ForeignKey(Output, models.PROTECT, null=True, related_name="queue_items")
    pair = models.ForeignKey(Pair, models.PROTECT, null=True, related_name="queue_items")
    hit = models.ForeignKey(GuardrailHit, models.PROTECT, null=True, related_name="queue_items")
    source = models.CharField(max_length=10, choices=[(source, source) for source in SOURCES])
    reason = models.TextField(blank=True)
    priority = models.IntegerField(default=0)
    inclusion_probability = models.FloatField(null=True)
    assigned_to = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["queue", "output"], condition=Q(hit=None), name="one_item_per_output"),
            models.UniqueConstraint(fields=["queue", "pair"], name="one_item_per_pair"),
            models.UniqueConstraint(fields=["queue", "hit"], name="one_item_per_guardrail_decision"),
            models.CheckConstraint(
                condition=Q(pair__isnull=False, output=None, hit=None) | Q(pair=None, output__isnull=False),
                name="an_item_is_an_output_a_hit_or_a_pair",
            ),
            models.CheckConstraint(
                condition=Q(inclusion_probability=None) | Q(inclusion_probability__gt=0, inclusion_probability__lte=1),
                name="inclusion_probability_in_0_1",
            ),
        ]
        indexes = [models.Index(fields=["queue", "created_at"], name="item_age")]

    def __str__(self) -> str:
        return str(self.pk)


class Seat(models.Model):
    """One place for a reviewer at an item. Open while `closed_at` is null; held while `held_until` lies ahead by the
    database's clock.

    `queue`, `assigned_to` and `rank` are copied from the item: they never change there, and the next seat is found in
    one index.
    `rank` orders work ascending (see `services.rank_of`).
    """

    KINDS = ("place", "extra", "gold", "repeat", "adjudicate")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    queue = models.ForeignKey(Queue, models.PROTECT, related_name="seats")
    item = models.ForeignKey(QueueItem, models.PROTECT, related_name="seats")
    kind = models.CharField(max_length=12, choices=[(kind, kind) for kind in KINDS], default="place")
    number = models.PositiveSmallIntegerField()
    rank = models.FloatField()
    assigned_to = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    held_until = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "kind", "number"], name="one_seat_per_number")]
        indexes = [
            models.Index(fields=["queue", "kind", "rank", "id"], condition=Q(closed_at=None), name="open_seats"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number} of {self.item_id}"


class Lease(models.Model):
    """One reviewer's exclusive claim on one seat, until `expires_at` by the database's clock.

    `queue` and `item` repeat the seat's.
    """

    OUTCOMES = ("submitted", "skipped", "released", "expired", "undone")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    queue = models.ForeignKey(Queue, models.PROTECT, related_name="leases")
    item = models.ForeignKey(QueueItem, models.PROTECT, related_name="leases")
    seat = models.ForeignKey(Seat, models.PROTECT, related_name="leases")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="leases")
    rubric_version = models.ForeignKey(RubricVersion, models.PROTECT, related_name="+")
    leased_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, null=True, choices=[(outcome, outcome) for outcome in OUTCOMES])
    reason = models.TextField(blank=True)
    skip_reason = models.TextField(blank=True)
    a_is_left = models.BooleanField(null=True)  # pairs only: the side drawn for this reviewer and item

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["seat"], condition=Q(ended_at=None), name="one_open_lease_per_seat"),
            models.UniqueConstraint(
                fields=["item", "reviewer"], condition=Q(ended_at=None), name="one_open_lease_per_item_and_reviewer"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, outcome=None) | Q(ended_at__isnull=False, outcome__isnull=False),
                name="an_ended_lease_has_an_outcome",
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("leased_at")), name="a_lease_lasts"),
        ]
        indexes = [
            models.Index(
                fields=["reviewer", "item"],
                condition=Q(ended_at=None) | Q(outcome__in=["submitted", "skipped"]),
                name="lease_bars_reviewer",
            ),
            models.Index(fields=["queue", "reviewer", "-leased_at"], name="lease_history"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class GoldAnswer(models.Model):
    """The known answer of a gold item on one criterion."""

    id = models.BigAutoField(primary_key=True)
    item = models.ForeignKey(QueueItem, models.CASCADE, related_name="gold_answers")
    key = models.CharField(max_length=200)
    value = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "key"], name="one_gold_answer_per_criterion")]

    def __str__(self) -> str:
        return f"{self.key} of {self.item_id}"
