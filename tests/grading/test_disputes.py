"""When reviewers disagree."""

import pytest

from reviewapp.access.actors import SYSTEM
from reviewapp.access.matrix import Role
from reviewapp.access.services import grant_role
from reviewapp.audit.events import Event
from reviewapp.grading.models import Adjudication, Review
from reviewapp.grading.services import AnswerIn, reviews_to_adjudicate, submit_review, undo_review
from reviewapp.lib.errors import AccessDenied, Conflict, Unprocessable
from reviewapp.queues.models import Seat
from reviewapp.queues.selectors import progress
from reviewapp.queues.services import EnqueueIn, enqueue, lease_next
from tests.queues.arrange import events_of, make_outputs, make_queue

YES, NO = {"correct": True, "tone": 3}, {"correct": False, "tone": 3}


def disputed_queue(cast, **options):
    queue = make_queue(cast, **{"reviewers_per_item": 2, **options})
    make_outputs(cast.project, 1)
    enqueue(actor=cast.max, queue=queue, body=EnqueueIn(external_ids=["out-0"]))
    return queue


def answer(actor, queue, grades, **more):
    lease = lease_next(actor=actor, queue=queue)
    assert lease is not None
    return submit_review(actor=actor, lease=lease, answer=AnswerIn(grades=grades, **more))


def kinds(queue):
    return sorted(Seat.objects.filter(queue=queue, closed_at=None).values_list("kind", flat=True))


def test_an_extra_reviewer_is_asked_when_the_first_ones_disagree(cast):
    queue = disputed_queue(cast, max_extra_reviewers=1)
    answer(cast.rita, queue, YES)
    assert kinds(queue) == ["place"]
    answer(cast.rob, queue, NO)
    assert kinds(queue) == ["extra"]
    assert events_of(Event.EXTRA_SEAT_ADDED) == 1
    assert progress(queue=queue).disputed == 1
    answer(cast.rosa, queue, YES)
    assert kinds(queue) == []


def test_nobody_is_asked_when_they_agree_or_differ_only_in_free_text(cast):
    queue = disputed_queue(cast, max_extra_reviewers=1, adjudicate="on_disagreement")
    answer(cast.rita, queue, {**YES, "notes": "one"})
    answer(cast.rob, queue, {**YES, "notes": "other"})
    assert kinds(queue) == []


def test_an_adjudicator_is_asked_after_the_last_extra_reviewer(cast):
    queue = disputed_queue(cast, max_extra_reviewers=1, adjudicate="on_disagreement")
    answer(cast.rita, queue, {"correct": True, "tone": 1})
    answer(cast.rob, queue, {"correct": True, "tone": 2})
    answer(cast.rosa, queue, {"correct": True, "tone": 3})
    assert kinds(queue) == ["adjudicate"]


def test_a_majority_with_an_extra_reviewer_needs_no_adjudicator(cast):
    queue = disputed_queue(cast, max_extra_reviewers=1, adjudicate="on_disagreement")
    answer(cast.rita, queue, YES)
    answer(cast.rob, queue, NO)
    answer(cast.rosa, queue, YES)
    assert kinds(queue) == []


def test_always_means_also_when_they_agree(cast):
    queue = disputed_queue(cast, adjudicate="always")
    answer(cast.rita, queue, YES)
    answer(cast.rob, queue, YES)
    assert kinds(queue) == ["adjudicate"]


@pytest.fixture
def to_settle(cast):
    queue = disputed_queue(cast, adjudicate="on_disagreement")
    answer(cast.rita, queue, YES)
    answer(cast.rob, queue, NO)
    return queue


def test_an_adjudicator_sees_the_answers_and_settles_with_a_reason(cast, to_settle):
    lease = lease_next(actor=cast.ivy, queue=to_settle)
    seen = reviews_to_adjudicate(actor=cast.ivy, lease=lease)
    assert len(seen) == 2
    assert events_of(Event.REVIEWS_VIEWED) == 1
    with pytest.raises(Unprocessable):
        submit_review(actor=cast.ivy, lease=lease, answer=AnswerIn(grades=NO))
    review = submit_review(actor=cast.ivy, lease=lease, answer=AnswerIn(grades=NO, comment="The tariff is wrong."))
    settled = Adjudication.objects.get()
    assert (settled.review, settled.reason) == (review, "The tariff is wrong.")
    assert (events_of(Event.ITEM_ADJUDICATED), events_of(Event.REVIEW_SUBMITTED)) == (1, 3)
    assert progress(queue=to_settle).done == 1


def test_a_settled_items_reviews_cannot_be_undone(cast, to_settle):
    answer(cast.ivy, to_settle, NO, comment="The tariff is wrong.")
    with pytest.raises(Conflict):
        undo_review(actor=cast.rita, review=Review.objects.get(reviewer=cast.rita.person))


def test_somebody_who_reviewed_the_item_does_not_settle_it(cast, to_settle):
    grant_role(actor=SYSTEM, user=cast.rita.person, role=Role.ADJUDICATOR, target=to_settle)
    lease = lease_next(actor=cast.ivy, queue=to_settle)
    assert lease_next(actor=cast.rita, queue=to_settle) is None
    lease.reviewer = cast.rita.person
    with pytest.raises(AccessDenied):
        submit_review(actor=cast.rita, lease=lease, answer=AnswerIn(grades=NO, comment="mine"))


def test_a_reviewer_neither_settles_nor_sees_the_answers(cast, to_settle):
    lease = lease_next(actor=cast.ivy, queue=to_settle)
    for act in (
        lambda: reviews_to_adjudicate(actor=cast.rosa, lease=lease),
        lambda: submit_review(actor=cast.rosa, lease=lease, answer=AnswerIn(grades=NO, comment="mine")),
    ):
        with pytest.raises(AccessDenied):
            act()


def test_undo_takes_back_the_seat_that_the_review_called_for(cast, to_settle):
    undo_review(actor=cast.rob, review=Review.objects.get(reviewer=cast.rob.person))
    assert kinds(to_settle) == ["place"]
    answer(cast.rob, to_settle, YES)
    assert kinds(to_settle) == []
