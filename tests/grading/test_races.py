"""Two requests at the same moment."""

import threading
from functools import partial

import pytest
from django.db import connections

from reviewapp.grading.models import Review
from reviewapp.grading.services import AnswerIn, submit_review
from reviewapp.lib.errors import Conflict
from reviewapp.queues.models import Lease, Seat
from reviewapp.queues.selectors import own_lease
from reviewapp.queues.services import EnqueueIn, enqueue, lease_next
from tests.conftest import personal_api
from tests.queues.arrange import make_outputs, make_queue

YES, NO = {"correct": True, "tone": 3}, {"correct": False, "tone": 3}


def at_once(*acts):
    """Run the acts together, each in a thread of its own; what each answered, or its refusal."""
    barrier = threading.Barrier(len(acts))
    results = [None] * len(acts)

    def run(place, act):
        try:
            barrier.wait(10)
            results[place] = act()
        except Conflict as refusal:
            results[place] = refusal
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def prepared(cast, items=8, **options):
    queue = make_queue(cast, **options)
    make_outputs(cast.project, items)
    enqueue(actor=cast.max, queue=queue, body=EnqueueIn(external_ids=[f"out-{number}" for number in range(items)]))
    return queue


@pytest.mark.parametrize("other", [YES, NO])
def test_a_double_click_makes_one_review(committed_cast, other):
    cast = committed_cast
    queue = prepared(cast)
    for _ in range(8):
        lease = lease_next(actor=cast.rita, queue=queue)

        def submit(grades, lease_id=lease.pk):
            mine = own_lease(viewer=cast.rita, lease_id=lease_id)
            return submit_review(actor=cast.rita, lease=mine, answer=AnswerIn(grades=grades))

        one, two = at_once(lambda: submit(YES), lambda: submit(other))
        if other == YES:
            assert one == two
        else:
            assert sorted(isinstance(each, Conflict) for each in (one, two)) == [False, True]
        assert Review.objects.filter(lease=lease).count() == 1


def test_two_requests_for_the_next_item_get_the_same_lease(committed_cast):
    cast = committed_cast
    queue = prepared(cast)
    one, two = at_once(*[lambda: lease_next(actor=cast.rita, queue=queue)] * 2)
    assert one == two
    assert Lease.objects.count() == 1


def test_two_last_reviewers_who_disagree_at_once_call_for_one_extra_seat(committed_cast):
    cast = committed_cast
    queue = prepared(cast, reviewers_per_item=2, max_extra_reviewers=1)
    for _ in range(8):
        pairs = [(cast.rita, YES), (cast.rob, NO)]
        leases = [(actor, lease_next(actor=actor, queue=queue), grades) for actor, grades in pairs]
        acts = [
            lambda actor=actor, lease=lease, grades=grades: submit_review(
                actor=actor, lease=lease, answer=AnswerIn(grades=grades)
            )
            for actor, lease, grades in leases
        ]
        assert all(isinstance(each, Review) for each in at_once(*acts))
    assert Seat.objects.filter(queue=queue, kind="extra").count() == 8


def test_of_two_submits_at_once_one_answers_created(committed_cast):
    cast = committed_cast
    queue = prepared(cast)
    rita = personal_api(cast.rita)
    for _ in range(4):
        lease = rita.post(f"queues/{queue.slug}/lease/").body["id"]
        send = partial(rita.post, f"leases/{lease}/submit/", {"grades": YES})
        assert sorted(answer.status for answer in at_once(send, send)) == [200, 201]
