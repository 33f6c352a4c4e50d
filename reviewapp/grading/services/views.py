"""Reads that are recorded: whoever sees other people's answers leaves a line."""

from __future__ import annotations

from django.db import transaction

from reviewapp.access.actors import Actor
from reviewapp.access.errors import Hidden
from reviewapp.access.roles import require
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.grading.models import Review
from reviewapp.grading.selectors import comparable_reviews
from reviewapp.lib.errors import Conflict
from reviewapp.queues.models import Lease


@transaction.atomic
def reviews_to_adjudicate(*, actor: Actor, lease: Lease) -> list[Review]:
    """The reviews that the holder of an adjudicate seat weighs, in an order that tells nothing about their reviewers.

    Grades and preferences come along. Raises AccessDenied, Hidden for another's lease, Conflict on any other seat.
    """
    require(actor, "adjudicate", lease.queue)
    if lease.reviewer_id != actor.person.pk:
        raise Hidden("There is no such lease, or it is not yours.")
    if lease.seat.kind != "adjudicate":
        raise Conflict("Other people's answers are shown on an adjudicate seat only.")
    reviews = comparable_reviews(item_id=lease.item_id)
    record(
        actor=actor,
        event=Event.REVIEWS_VIEWED,
        subject=Subject("item", str(lease.item_id), project=lease.queue.project.slug),
        change=Change(more={"reviews": [str(review.pk) for review in reviews], "lease": str(lease.pk)}),
    )
    return reviews
