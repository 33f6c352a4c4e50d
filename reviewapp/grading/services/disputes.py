"""What follows when the reviews of an item are all there: another reviewer, an adjudicator, or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.postgres.functions import TransactionNow
from django.db.models import Q

from reviewapp.access.actors import Actor
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.grading.models import Review
from reviewapp.lib.canonical import canonical_bytes
from reviewapp.queues.models import Lease, QueueItem, Seat
from reviewapp.queues.services import add_seat
from reviewapp.rubrics.models import Criterion

NOT_COMPARED = ("text", "highlight")  # free forms: two honest people never write the same
Answers = Mapping[str, bytes]


def ask_for_more(*, actor: Actor, lease: Lease) -> None:
    """Add an extra or an adjudicate seat when the item's reviews call for one, inside the submit's transaction."""
    queue = lease.queue
    if lease.seat.kind not in ("place", "extra") or (queue.max_extra_reviewers == 0 and queue.adjudicate == "never"):
        return
    # Two last reviewers who submit at once would each see the other's seat open. The lock lets the second one look
    # after the first has committed.
    item = QueueItem.objects.select_for_update(no_key=True).get(pk=lease.item_id)
    item.queue = queue
    open_seats = Seat.objects.filter(item=item, closed_at=None, kind__in=("place", "extra", "adjudicate"))
    if open_seats.exists():
        return
    reviews = list(
        Review.objects.filter(item=item, ended_at=None, seat__kind__in=("place", "extra"))
        .select_related("seat")
        .prefetch_related("grades__criterion", "preferences__criterion")
    )
    n_extra = sum(review.seat is not None and review.seat.kind == "extra" for review in reviews)
    criteria = [criterion for criterion in lease.rubric_version.criteria.all() if is_compared(criterion)]
    disputed = is_disputed([answers_of(review) for review in reviews], criteria, by_majority=n_extra > 0)
    if disputed and n_extra < queue.max_extra_reviewers:
        _add(actor, lease, item, "extra")
    elif queue.adjudicate == "always" or (queue.adjudicate == "on_disagreement" and disputed):
        _add(actor, lease, item, "adjudicate")


def take_back_free_seats(*, item: QueueItem) -> None:
    """Close the extra and adjudicate seats that nobody holds: the review that called for them was undone."""
    Seat.objects.filter(Q(held_until=None) | Q(held_until__lte=TransactionNow()), item=item, closed_at=None).filter(
        kind__in=("extra", "adjudicate")
    ).update(closed_at=TransactionNow())


def is_compared(criterion: Criterion) -> bool:
    """Whether two different answers to this criterion are a disagreement."""
    return criterion.is_required and criterion.kind not in NOT_COMPARED


def answers_of(review: Review) -> Answers:
    """A review's answers by criterion, in a form where equal answers are equal bytes."""
    found = {grade.criterion.key: _form(grade.value) for grade in review.grades.all()}
    found.update({each.criterion.key: each.winner.encode() for each in review.preferences.all()})
    return found


def _form(value: Any) -> bytes:
    if isinstance(value, list) and all(isinstance(part, str | int | float) for part in value):
        value = sorted(value, key=str)
    return canonical_bytes(value)


def is_disputed(answers: Sequence[Answers], criteria: Sequence[Criterion], *, by_majority: bool) -> bool:
    """Whether some compared criterion has two different answers; with `by_majority`, no answer of more than half."""
    for criterion in criteria:
        counts = Counter(each.get(criterion.key) for each in answers)
        most = max(counts.values(), default=0)
        if (most * 2 <= len(answers)) if by_majority else len(counts) > 1:
            return True
    return False


def _add(actor: Actor, lease: Lease, item: QueueItem, kind: str) -> None:
    seat = add_seat(item=item, kind=kind)
    record(
        actor=actor,
        event=Event.EXTRA_SEAT_ADDED,
        subject=Subject("item", str(item.pk), project=lease.queue.project.slug),
        change=Change(more={"kind": kind, "number": str(seat.number), "queue": lease.queue.slug}),
    )
