"""Who gets which item next."""

import pytest

from reviewapp.access.actors import SYSTEM
from reviewapp.access.matrix import Role
from reviewapp.access.services import grant_role, revoke_role
from reviewapp.audit.events import Event
from reviewapp.lib.errors import AccessDenied, NotFound
from reviewapp.queues.errors import LeaseOver, NothingPublished
from reviewapp.queues.models import Lease, Queue, Seat
from reviewapp.queues.selectors import live_lease, progress, waiting_for
from reviewapp.queues.services import (
    EnqueueIn,
    QueueIn,
    add_seat,
    close_lease,
    create_queue,
    enqueue,
    lease_next,
    release,
    reopen_seat,
    skip,
)
from reviewapp.rubrics.records import RubricIn
from reviewapp.rubrics.services import save_draft
from tests.queues.arrange import QUALITY, events_of, make_outputs, make_pair, make_queue, run_out


def put(cast, queue, *names, **more):
    return enqueue(actor=cast.max, queue=queue, body=EnqueueIn(external_ids=list(names), **more))


@pytest.fixture
def queue(cast):
    return make_queue(cast)


@pytest.fixture
def queue_of_one(cast, queue):
    make_outputs(cast.project, 1)
    put(cast, queue, "out-0")
    return queue


def test_a_leased_item_is_not_offered_to_a_second_reviewer(cast, queue_of_one):
    lease = lease_next(actor=cast.rita, queue=queue_of_one)
    assert lease is not None
    assert lease.item.output.external_id == "out-0"
    assert lease_next(actor=cast.rob, queue=queue_of_one) is None


def test_asking_again_answers_the_lease_already_held(cast, queue):
    make_outputs(cast.project, 2)
    put(cast, queue, "out-0", "out-1")
    first = lease_next(actor=cast.rita, queue=queue)
    assert lease_next(actor=cast.rita, queue=queue) == first
    assert lease_next(actor=cast.rita, queue=queue, another=True) != first
    assert (events_of(Event.ITEM_LEASED), events_of(Event.ITEM_VIEWED)) == (2, 1)


def test_two_seats_go_to_two_people_and_never_twice_to_one(cast):
    queue = make_queue(cast, reviewers_per_item=2)
    make_outputs(cast.project, 1)
    put(cast, queue, "out-0")
    first = lease_next(actor=cast.rita, queue=queue)
    assert lease_next(actor=cast.rita, queue=queue, another=True) is None
    second = lease_next(actor=cast.rob, queue=queue)
    assert (second.item, second.seat) != (first.item, first.seat)
    assert second.item == first.item
    assert lease_next(actor=cast.rosa, queue=queue) is None


def test_an_expired_lease_is_handed_out_at_once_and_ended(cast, queue_of_one):
    lost = lease_next(actor=cast.rita, queue=queue_of_one)
    run_out(lost)
    found = lease_next(actor=cast.rob, queue=queue_of_one)
    lost.refresh_from_db()
    assert found.seat == lost.seat
    assert (lost.outcome, lost.ended_at) == ("expired", lost.expires_at)


def test_the_one_whose_lease_ran_out_may_have_the_item_again(cast):
    queue = make_queue(cast, reviewers_per_item=2)
    make_outputs(cast.project, 1)
    put(cast, queue, "out-0")
    run_out(lease_next(actor=cast.rita, queue=queue))
    again = lease_next(actor=cast.rita, queue=queue)
    assert again is not None
    assert Lease.objects.filter(reviewer=cast.rita.person, ended_at=None).count() == 1


def test_a_skipped_item_goes_to_others_and_not_back(cast, queue_of_one):
    lease = lease_next(actor=cast.rita, queue=queue_of_one)
    skip(actor=cast.rita, lease=lease, reason="I wrote this prompt")
    lease.refresh_from_db()
    assert (lease.outcome, lease.skip_reason) == ("skipped", "I wrote this prompt")
    assert events_of(Event.ITEM_SKIPPED) == 1
    assert lease_next(actor=cast.rita, queue=queue_of_one) is None
    assert lease_next(actor=cast.rob, queue=queue_of_one) is not None


def test_a_released_item_may_come_again(cast, queue_of_one):
    lease = lease_next(actor=cast.rita, queue=queue_of_one)
    release(actor=cast.rita, lease=lease)
    assert events_of(Event.LEASE_RELEASED) == 1
    assert lease_next(actor=cast.rita, queue=queue_of_one) is not None


def test_a_submitted_item_does_not_come_back_until_it_is_reopened(cast, queue_of_one):
    lease = lease_next(actor=cast.rita, queue=queue_of_one)
    close_lease(lease=lease)
    assert lease_next(actor=cast.rita, queue=queue_of_one) is None
    reopened = reopen_seat(lease=lease)
    assert (reopened.seat_id, reopened.reviewer_id) == (lease.seat_id, lease.reviewer_id)
    assert lease_next(actor=cast.rita, queue=queue_of_one) == reopened


@pytest.mark.parametrize("act", ["skip", "release", "close"])
def test_a_lease_that_ran_out_can_do_nothing_any_more(cast, queue_of_one, act):
    lease = lease_next(actor=cast.rita, queue=queue_of_one)
    run_out(lease)
    doing = {
        "skip": lambda: skip(actor=cast.rita, lease=lease, reason="x"),
        "release": lambda: release(actor=cast.rita, lease=lease),
        "close": lambda: close_lease(lease=lease),
    }
    with pytest.raises(LeaseOver):
        doing[act]()
    assert Seat.objects.get(pk=lease.seat_id).closed_at is None or act == "close"


def test_a_lease_of_somebody_else_is_absent(cast, queue_of_one):
    lease = lease_next(actor=cast.rita, queue=queue_of_one)
    assert live_lease(viewer=cast.rita, lease_id=lease.pk) == lease
    with pytest.raises(NotFound):
        live_lease(viewer=cast.rob, lease_id=lease.pk)


def test_an_assigned_item_is_for_one_person(cast, queue):
    make_outputs(cast.project, 1)
    put(cast, queue, "out-0", assigned_to="rob")
    assert lease_next(actor=cast.rita, queue=queue) is None
    assert lease_next(actor=cast.rob, queue=queue) is not None


def test_priority_comes_before_age(cast, queue):
    make_outputs(cast.project, 3)
    put(cast, queue, "out-0", "out-1")
    put(cast, queue, "out-2", priority=5)
    taken = [lease_next(actor=cast.rita, queue=queue, another=True).item.output.external_id for _ in range(3)]
    assert taken == ["out-2", "out-0", "out-1"]


def test_extra_seats_come_first_and_adjudicate_seats_only_to_adjudicators(cast, queue):
    make_outputs(cast.project, 3)
    put(cast, queue, "out-0", "out-1", "out-2")
    items = {item.output.external_id: item for item in queue.items.select_related("output")}
    Seat.objects.filter(item__in=[items["out-1"], items["out-2"]]).delete()
    add_seat(item=items["out-1"], kind="adjudicate")
    add_seat(item=items["out-2"], kind="extra")
    taken = [lease_next(actor=cast.rita, queue=queue, another=True) for _ in range(3)]
    assert [lease and lease.item.output.external_id for lease in taken] == ["out-2", "out-0", None]
    settled = lease_next(actor=cast.ivy, queue=queue)
    assert settled.item.output.external_id == "out-1"


def test_an_adjudicator_never_gets_an_item_that_they_graded(cast, queue_of_one):
    grant_role(actor=SYSTEM, user=cast.rita.person, role=Role.ADJUDICATOR, target=queue_of_one)
    lease = lease_next(actor=cast.rita, queue=queue_of_one)
    close_lease(lease=lease)
    add_seat(item=lease.item, kind="adjudicate")
    assert lease_next(actor=cast.rita, queue=queue_of_one) is None
    assert lease_next(actor=cast.ivy, queue=queue_of_one) is not None


def test_sides_are_drawn_on_the_server_and_stay_for_a_person(cast):
    queue = make_queue(cast, kind="pairwise")
    for number in range(40):
        make_pair(cast.project, f"pair-{number}")
    put(cast, queue, *[f"pair-{number}" for number in range(40)])
    leases = [lease_next(actor=cast.rita, queue=queue, another=True) for _ in range(40)]
    sides = {lease.item_id: lease.a_is_left for lease in leases}
    assert 8 <= sum(sides.values()) <= 32
    for lease in leases:
        release(actor=cast.rita, lease=lease)
    again = [lease_next(actor=cast.rita, queue=queue, another=True) for _ in range(40)]
    assert {lease.item_id: lease.a_is_left for lease in again} == sides


@pytest.mark.parametrize(
    ("name", "error"), [("max", AccessDenied), ("ada", AccessDenied), ("otto", AccessDenied), ("nemo", NotFound)]
)
def test_only_reviewers_and_adjudicators_lease(cast, queue_of_one, name, error):
    with pytest.raises(error):
        lease_next(actor=getattr(cast, name), queue=queue_of_one)


def test_a_role_taken_away_is_gone_at_the_next_request(cast, queue_of_one):
    revoke_role(actor=SYSTEM, user=cast.rita.person, role=Role.REVIEWER, target=queue_of_one)
    with pytest.raises(NotFound):
        lease_next(actor=cast.rita, queue=queue_of_one)


def test_nothing_is_leased_while_no_version_is_published(cast):
    body = RubricIn.model_validate({"slug": "raw", "title": "Raw", "criteria": QUALITY})
    save_draft(actor=SYSTEM, project=cast.project, rubric=body)
    made = create_queue(
        actor=cast.max, project=cast.project, queue=QueueIn(slug="raw", title="Raw", kind="grade", rubric="raw")
    )
    cast.reviewers(made)
    with pytest.raises(NothingPublished):
        lease_next(actor=cast.rita, queue=made)


def test_progress_is_counted_from_what_is_there(cast):
    queue = make_queue(cast)
    make_outputs(cast.project, 4)
    put(cast, queue, "out-0", "out-1", "out-2", "out-3")
    close_lease(lease=lease_next(actor=cast.rita, queue=queue))
    lease_next(actor=cast.rob, queue=queue)
    add_seat(item=queue.items.get(output__external_id="out-3"), kind="adjudicate")
    counted = progress(queue=queue)
    assert (counted.items, counted.done, counted.leased, counted.waiting, counted.disputed) == (4, 1, 1, 1, 1)
    assert waiting_for(viewer=cast.rosa, queues=[queue]) == {queue.pk: 2}
    assert waiting_for(viewer=cast.max, queues=[queue]) == {}


def test_a_lease_takes_five_statements(cast, queue_of_one, django_assert_max_num_queries):
    fresh = Queue.objects.select_related("project").get(pk=queue_of_one.pk)
    with django_assert_max_num_queries(7) as counted:
        lease_next(actor=cast.rita, queue=fresh)
    assert sum(not query["sql"].startswith(("SAVEPOINT", "RELEASE")) for query in counted.captured_queries) <= 5
