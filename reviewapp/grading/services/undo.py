"""Taking a review back, for five minutes."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

from reviewapp.access.actors import Actor
from reviewapp.access.errors import Hidden
from reviewapp.access.roles import require
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.grading.errors import AlreadyAdjudicated, Erased, InDatasetVersion, TooLate
from reviewapp.grading.models import Adjudication, FrozenItem, Review
from reviewapp.grading.selectors import OVERALL, shown_winner
from reviewapp.grading.services.disputes import take_back_free_seats
from reviewapp.grading.services.drafts import save_draft
from reviewapp.queues.models import Lease, QueueItem
from reviewapp.queues.selectors import act_of, is_erased
from reviewapp.queues.services import reopen_seat

UNDO_SECONDS = 300
_END = """
UPDATE reviewapp_review SET ended_at = clock_timestamp()
WHERE id = %s AND ended_at IS NULL AND submitted_at > now() - make_interval(secs => %s)
"""


@transaction.atomic
def undo_review(*, actor: Actor, review: Review) -> Lease:
    """End one's own review and hold the item again, with the answer as draft; the lease is returned.

    Raises AccessDenied, Hidden for another's or an imported review, TooLate, AlreadyAdjudicated,
    InDatasetVersion, Erased.
    """
    lease = review.lease
    if lease is None or review.reviewer_id != actor.person.pk:
        raise Hidden("There is no such review, or it is not yours.")
    require(actor, act_of(lease), lease.queue)
    item = QueueItem.objects.select_for_update(no_key=True).get(pk=review.item_id)
    if Adjudication.objects.filter(item=item).exists():
        raise AlreadyAdjudicated("This item was settled; its reviews stay.")
    if FrozenItem.objects.filter(item=item).exists():
        raise InDatasetVersion("This item stands in a frozen dataset version; its reviews stay.")
    if is_erased(item):
        raise Erased("The person whom this item is about had it erased; its reviews stay without their texts.")
    with connection.cursor() as cursor:
        cursor.execute(_END, [review.pk, UNDO_SECONDS])
        if cursor.rowcount != 1:
            raise TooLate("A review can be undone for five minutes, once.")
    take_back_free_seats(item=item)
    reopened = reopen_seat(lease=lease)
    record(
        actor=actor,
        event=Event.REVIEW_UNDONE,
        subject=Subject("review", str(review.pk), project=lease.queue.project.slug),
        change=Change(reason="undone by the reviewer", more={"item": str(item.pk), "lease": str(reopened.pk)}),
    )
    save_draft(actor=actor, lease=reopened, answer=_as_draft(review))
    return reopened


def _as_draft(review: Review) -> dict[str, Any]:
    """The answer in the form in which its reviewer sent it."""
    draft: dict[str, Any] = {
        "grades": {grade.criterion.key: grade.value for grade in review.grades.select_related("criterion")},
        "comment": review.comment,
    }
    for each in review.preferences.select_related("criterion"):
        shown: dict[str, Any] = {"winner": shown_winner(each.winner, a_was_left=each.a_was_left)}
        if each.strength is not None:
            shown["strength"] = each.strength
        if each.criterion.key == OVERALL:
            draft["preference"] = shown
        else:
            draft["grades"][each.criterion.key] = shown
    if review.correction is not None:
        draft["correction"] = review.correction
    if review.active_seconds is not None:
        draft["active_seconds"] = review.active_seconds
    return draft
