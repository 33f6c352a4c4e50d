"""The one way in which a person's answer becomes a review."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from reviewapp.access.actors import Actor
from reviewapp.access.errors import AccessDenied, Hidden
from reviewapp.access.roles import require
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.grading.errors import AlreadyAdjudicated, AnotherAnswer
from reviewapp.grading.models import Adjudication, Draft, Grade, Preference, Review
from reviewapp.grading.services.answers import AnswerIn, body_sha256, check_answer
from reviewapp.grading.services.disputes import ask_for_more
from reviewapp.grading.services.drafts import save_draft
from reviewapp.lib.errors import Conflict, FieldError, Unprocessable
from reviewapp.lib.ids import new_id
from reviewapp.queues.errors import LeaseOver
from reviewapp.queues.models import Lease, QueueItem
from reviewapp.queues.selectors import is_erased
from reviewapp.queues.services import close_lease
from reviewapp.rubrics.selectors import criteria_of


@dataclass(frozen=True)
class Submitted:
    """The review of a lease, and whether this call made it: of two at the same moment, one did."""

    review: Review
    is_new: bool


def submit_review(*, actor: Actor, lease: Lease, answer: AnswerIn) -> Review:
    """The review of this lease, as `submit_once`."""
    return submit_once(actor=actor, lease=lease, answer=answer).review


def submit_once(*, actor: Actor, lease: Lease, answer: AnswerIn) -> Submitted:
    """The review of this lease. Submitting the same body again answers the same review.

    On an adjudicate seat the comment is the reason. Raises AccessDenied, Hidden for another's lease, Unprocessable with
    pointers, AnotherAnswer (409) for another body, LeaseOver (409) when the lease is over; the answer is then kept as
    draft.
    """
    if lease.seat.kind == "adjudicate":
        return _adjudicated(actor, lease, answer, reason=answer.comment)
    require(actor, "grade", lease.queue)
    return _submitted(actor, lease, answer, reason=None)


def adjudicate(*, actor: Actor, lease: Lease, answer: AnswerIn, reason: str) -> Review:
    """Settle a disputed item. Raises as `submit_once`, and AccessDenied for somebody who reviewed the item."""
    return _adjudicated(actor, lease, answer, reason=reason).review


def _adjudicated(actor: Actor, lease: Lease, answer: AnswerIn, *, reason: str) -> Submitted:
    require(actor, "adjudicate", lease.queue)
    if lease.seat.kind != "adjudicate":
        raise Conflict("This lease is on a reviewer's seat; only an adjudicate seat settles an item.")
    if not reason.strip():
        raise Unprocessable(
            "A settlement needs a reason.", errors=(FieldError("/comment", "must say why, in a sentence"),)
        )
    if Review.objects.filter(item=lease.item_id, reviewer=actor.person).exclude(lease=lease).exists():
        raise AccessDenied("You reviewed this item; somebody else settles it.")
    return _submitted(actor, lease, answer, reason=reason.strip())


def _submitted(actor: Actor, lease: Lease, answer: AnswerIn, *, reason: str | None) -> Submitted:
    if lease.reviewer_id != actor.person.pk:
        raise Hidden("There is no such lease, or it is not yours.")
    body = body_sha256(answer)
    if lease.ended_at is not None:
        return Submitted(_known(actor, lease, answer, body), is_new=False)
    try:
        return Submitted(_write(actor, lease, answer, body=body, reason=reason), is_new=True)
    except LeaseOver:
        # Either the second half of a double click, or the time ran out. Looked up after the rollback.
        return Submitted(_known(actor, lease, answer, body), is_new=False)


def _known(actor: Actor, lease: Lease, answer: AnswerIn, body: str) -> Review:
    """The review that this lease bore. Raises AnotherAnswer, or LeaseOver after keeping the answer as draft."""
    review = Review.objects.filter(lease=lease, ended_at=None).first()
    if review is not None and review.body_sha256 == body:
        return review
    if review is not None:
        raise AnotherAnswer("This lease bore a review with another answer; undo it first.")
    if is_erased(QueueItem.objects.get(pk=lease.item_id)):
        raise LeaseOver("The person whom this item is about had it erased. Nothing of your answer is kept.")
    lease.refresh_from_db(fields=["ended_at", "outcome"])
    if lease.outcome in (None, "expired", "released"):
        save_draft(actor=actor, lease=lease, answer=answer.model_dump(mode="json", exclude_none=True))
    raise LeaseOver(
        "This lease is over: it was ended, or its time ran out and the item may be with somebody else. "
        "What you wrote is kept as a draft."
    )


@transaction.atomic
def _write(actor: Actor, lease: Lease, answer: AnswerIn, *, body: str, reason: str | None) -> Review:
    """Everything about one review in one transaction; the event first, because the review refers to it."""
    checked = check_answer(criteria_of(lease.rubric_version), answer, a_is_left=lease.a_is_left)
    if lease.queue.adjudicate != "never" and Adjudication.objects.filter(item=lease.item_id).exists():
        raise AlreadyAdjudicated("This item was settled; no further answer is taken.")
    review_id = new_id()
    event = record(
        actor=actor,
        event=Event.REVIEW_SUBMITTED,
        subject=Subject("review", str(review_id), project=lease.queue.project.slug),
        change=Change(
            after={"grades": dict(checked.values), "preferences": dict(checked.preferences)},
            more={
                "item": str(lease.item_id),
                "lease": str(lease.pk),
                "queue": lease.queue.slug,
                "comment": answer.comment,
                "correction": answer.correction,
            },
        ),
    )
    close_lease(lease=lease)
    review = Review(
        id=review_id, item_id=lease.item_id, seat_id=lease.seat_id, lease=lease, reviewer_id=lease.reviewer_id,
        rubric_version_id=lease.rubric_version_id, comment=answer.comment, correction=answer.correction,
        active_seconds=answer.active_seconds, body_sha256=body, submitted_at=event.at, event_id=event.id,
    )  # fmt: skip
    review.save(force_insert=True)
    Grade.objects.bulk_create(checked.grade_rows(review_id))
    Preference.objects.bulk_create(checked.preference_rows(review_id))
    Draft.objects.filter(item=lease.item_id, reviewer=lease.reviewer_id).delete()
    if reason is None:
        ask_for_more(actor=actor, lease=lease)
    else:
        _settle(actor, lease, review, reason)
    return review


def _settle(actor: Actor, lease: Lease, review: Review, reason: str) -> None:
    Adjudication.objects.create(item_id=lease.item_id, review=review, reason=reason)
    record(
        actor=actor,
        event=Event.ITEM_ADJUDICATED,
        subject=Subject("item", str(lease.item_id), project=lease.queue.project.slug),
        change=Change(reason=reason, more={"review": str(review.pk)}),
    )
