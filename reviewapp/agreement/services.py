"""Refreshing what is stored of agreement."""

from __future__ import annotations

from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max

from reviewapp.access.actors import Actor
from reviewapp.agreement.models import AgreementReport
from reviewapp.agreement.selectors import compute_report
from reviewapp.agreement.selectors.entering import entering_reviews
from reviewapp.audit.events import Event
from reviewapp.audit.models import Event as EventRow
from reviewapp.audit.selectors import LogPosition, leaves_after, position
from reviewapp.audit.services import Change, Subject, record
from reviewapp.grading.models import Review
from reviewapp.lib.clock import utc_now
from reviewapp.queues.models import Queue

# What moves the reviews that enter agreement.
MOVES = (Event.REVIEW_SUBMITTED, Event.REVIEW_UNDONE, Event.REVIEW_IMPORTED)
BATCH = 10_000
# One pass at a time: two would store every report twice.
REFRESH_LOCK = 0x5245_5649_4147


@transaction.atomic
def refresh_due_reports(*, actor: Actor) -> int:
    """A new report for each queue whose reviews moved since the newest report; how many were stored.

    Safe to repeat. Does nothing while another pass runs.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [REFRESH_LOCK])
        if not cursor.fetchone()[0]:
            return 0
    newest = AgreementReport.objects.aggregate(newest=Max("leaf_index"))["newest"]
    as_of = position()
    due = queues_moved_after(-1 if newest is None else newest)
    for queue in Queue.objects.filter(pk__in=due).select_related("project", "rubric").order_by("pk"):
        _store(actor, queue, as_of)
    return len(due)


def queues_moved_after(leaf_index: int) -> set[UUID]:
    """The queues with a review event above this place of the log."""
    moved: set[UUID] = set()
    while leaves := leaves_after(leaf_index, events=tuple(MOVES), limit=BATCH):
        events = [event for _, event in leaves]
        moved.update(Review.objects.filter(event__in=events).values_list("item__queue_id", flat=True).distinct())
        # The end of a review has an event of its own that names the review.
        named = EventRow.objects.filter(pk__in=events, object_kind="review").values_list("object", flat=True)
        moved.update(Review.objects.filter(pk__in=list(named)).values_list("item__queue_id", flat=True).distinct())
        leaf_index = leaves[-1][0]
    return moved


def _store(actor: Actor, queue: Queue, as_of: LogPosition) -> AgreementReport:
    n_reviews = entering_reviews(queue).count()
    document = compute_report(queue, as_of=as_of)
    midnight = utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
    AgreementReport.objects.filter(queue=queue, computed_at__gte=midnight).delete()
    report = AgreementReport.objects.create(
        queue=queue, leaf_index=as_of.leaf_index, n_reviews=n_reviews, document=document
    )
    record(
        actor=actor,
        event=Event.REPORT_REFRESHED,
        subject=Subject("queue", str(queue.pk), project=queue.project.slug),
        change=Change(after={"leaf_index": as_of.leaf_index, "n_reviews": n_reviews}),
    )
    return report
