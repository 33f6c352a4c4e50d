"""Human reviews from elsewhere."""

import time

import pytest

from reviewapp.access.models import User
from reviewapp.audit.events import Event
from reviewapp.grading.models import Grade, Preference, Review
from reviewapp.queues.models import QueueItem, Seat
from reviewapp.queues.services import EnqueueIn, enqueue
from tests.conftest import personal_api
from tests.queues.arrange import events_of, make_hit, make_outputs, make_pair, make_queue

PATH = "queues/answers/reviews/import/"


@pytest.fixture
def queue(cast):
    queue = make_queue(cast, slug="answers")
    make_outputs(cast.project, 3)
    return queue


def line(number=0, reviewer="w1", **more):
    return {"external_id": f"out-{number}", "reviewer": reviewer, "grades": {"correct": True}, **more}


def test_reviews_land_on_items_without_seats_and_probability(cast, api, queue):
    answer = api.bulk(PATH, [line(), line(1), line(reviewer="w2", grades={"tone": 2, "correct": None})])
    assert (answer.status, answer.body["accepted"], answer.body["rejected"]) == (200, 3, 0)
    assert list(QueueItem.objects.values_list("source", "inclusion_probability").distinct()) == [("import", None)]
    assert (Seat.objects.count(), Grade.objects.count()) == (0, 3)
    assert Review.objects.filter(is_imported=True, lease=None, seat=None).count() == 3
    assert (events_of(Event.REVIEW_IMPORTED), events_of(Event.REVIEWS_IMPORTED)) == (3, 1)
    assert len({review.event_id for review in Review.objects.all()}) == 3


def test_a_name_becomes_an_account_of_this_project_that_cannot_sign_in(cast, api, queue):
    api.bulk(PATH, [line(reviewer="rita"), line(1, reviewer="rita")])
    made = User.objects.get(username="import:halyard:rita")
    assert (made.is_active, made.has_usable_password(), made.public_name, made.imported_as_slot) == (
        False, False, "rita", False,
    )  # fmt: skip
    assert Review.objects.filter(reviewer=made).count() == 2
    assert not Review.objects.filter(reviewer=cast.rita.person).exists()


def test_the_same_line_again_is_a_duplicate_and_another_answer_is_refused(cast, api, queue):
    api.bulk(PATH, [line(comment="a")])
    again = api.bulk(PATH, [line(comment="a"), line(comment="b"), line(comment="b", attempt=2)])
    assert (again.body["accepted"], again.body["duplicates"], again.body["rejected"]) == (1, 1, 1)
    assert again.body["errors"][0]["line"] == 2
    twice = api.bulk(PATH, [line(2), line(2), line(2, comment="z")])
    assert (twice.body["accepted"], twice.body["duplicates"], twice.body["rejected"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("record", "pointer"),
    [
        (line(9), "/external_id"),
        (line(grades={"tone": 9}), "/grades/tone"),
        (line(grades={"tone": True}), "/grades/tone"),
        (line(grades={"nosuch": 1}), "/grades/nosuch"),
        (line(grades={}), "/grades"),
        (line(grades={"correct": None}), "/grades"),
        (line(preference={"winner": "a"}), "/preference"),
        (line(reviewer=" "), "/reviewer"),
        (line(attempt=0), "/attempt"),
        (line(submitted_at="yesterday"), "/submitted_at"),
        (line(colour="red"), "/colour"),
        ([1, 2], ""),
    ],
)
def test_a_wrong_line_is_named_and_the_good_ones_land(cast, api, queue, record, pointer):
    answer = api.bulk(PATH, [record, line(1, reviewer="good")])
    assert (answer.status, answer.body["accepted"], answer.body["rejected"]) == (200, 1, 1)
    assert (answer.body["errors"][0]["line"], answer.body["errors"][0]["pointer"]) == (1, pointer)
    assert api.bulk(PATH, [record]).status == 422


def test_an_item_that_is_there_is_used_again(cast, api, queue):
    enqueue(actor=cast.max, queue=queue, body=EnqueueIn(external_ids=["out-0"]))
    api.bulk(PATH, [line()])
    assert QueueItem.objects.get().source == "manual"
    assert Seat.objects.count() == 1


def test_slots_are_positions_and_do_not_mix_with_people(cast, api, queue):
    assert api.bulk(PATH + "?reviewers=slots", [line(reviewer="1")]).body["accepted"] == 1
    assert User.objects.get(imported_name="1").imported_as_slot
    mixed = api.bulk(PATH, [line(1, reviewer="1")])
    assert (mixed.status, mixed.body["errors"][0]["pointer"]) == (422, "/reviewer")
    assert api.bulk(PATH + "?reviewers=robots", [line()]).status == 400


def test_preferences_are_imported_as_a_and_b(cast, api):
    make_queue(cast, kind="pairwise", slug="answers")
    make_pair(cast.project)
    rows = [
        {"external_id": "pair-0", "reviewer": "w1", "preference": {"winner": "b", "strength": 3}},
        {"external_id": "pair-0", "reviewer": "w2", "preference": {"winner": "both_bad"}},
        {"external_id": "pair-0", "reviewer": "w3", "preference": {"winner": "left"}},
        {"external_id": "pair-0#a", "reviewer": "w4", "preference": {"winner": "a"}},
    ]
    answer = api.bulk(PATH, rows)
    assert (answer.body["accepted"], answer.body["rejected"]) == (2, 2)
    stored = Preference.objects.order_by("review__reviewer__imported_name")
    assert list(stored.values_list("winner", "strength", "a_was_left")) == [("b", 3, None), ("both_bad", None, None)]


def test_a_review_of_a_guardrail_needs_exactly_one_decision(cast, api):
    make_queue(cast, kind="guardrail", slug="answers")
    one, none = make_outputs(cast.project, 2)
    make_hit(one)
    rows = [
        {"external_id": output.external_id, "reviewer": "w1", "grades": {"should_fire": True}} for output in (one, none)
    ]
    answer = api.bulk(PATH, rows)
    assert (answer.body["accepted"], answer.body["rejected"]) == (1, 1)
    assert QueueItem.objects.get().hit.name == "pii"


@pytest.mark.parametrize(("name", "status"), [("max", 200), ("ada", 403), ("otto", 403), ("rita", 403), ("nemo", 404)])
def test_who_may_import(cast, queue, name, status):
    assert personal_api(getattr(cast, name)).bulk(PATH, [line()]).status == status
    assert Review.objects.count() == (status == 200)


def test_many_reviews_land_in_few_statements(cast, queue, api, django_assert_max_num_queries):
    make_outputs(cast.project, 1_000, prefix="many")
    rows = [
        {"external_id": f"many-{number}", "reviewer": f"w{worker}", "grades": {"correct": True, "tone": 2}}
        for number in range(1_000)
        for worker in range(2)
    ]
    began = time.monotonic()
    with django_assert_max_num_queries(80):
        answer = api.bulk(PATH, rows)
    assert answer.body["accepted"] == 2_000
    assert time.monotonic() - began < 10
