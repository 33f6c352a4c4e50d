"""What gets into a queue, and with which probability."""

import pytest

from reviewapp.audit.events import Event
from reviewapp.lib.errors import AccessDenied, Unprocessable
from reviewapp.queues.models import GoldAnswer, Queue, QueueItem, Seat
from reviewapp.queues.services import EnqueueIn, enqueue, item_for_import, lease_next, pull_selections
from reviewapp.queues.tasks import pull_selections as task
from tests.queues.arrange import events_of, make_hit, make_outputs, make_pair, make_queue, make_rule, select


def probabilities(queue):
    rows = QueueItem.objects.filter(queue=queue).values_list("output__external_id", "inclusion_probability")
    return dict(rows)


def put(cast, queue, **body):
    return enqueue(actor=cast.max, queue=queue, body=EnqueueIn.model_validate(body))


def test_a_selected_output_becomes_an_item_with_the_largest_rate_of_the_queues_rules(cast):
    some, many = make_rule(cast.project, slug="some", rate=0.2), make_rule(cast.project, slug="many", rate=0.6)
    queue = make_queue(cast, rules=["some", "many"])
    outputs = make_outputs(cast.project, 2, sampling_unit=0.1)
    select(some, *outputs)
    select(many, outputs[0])
    assert pull_selections(queue=queue) == 2
    assert probabilities(queue) == {"out-0": 0.6, "out-1": 0.2}
    assert events_of(Event.ITEMS_ENQUEUED) == 1


def test_a_rule_of_another_queue_chooses_nothing_here(cast):
    narrow, wide = make_rule(cast.project, slug="narrow", rate=0.05), make_rule(cast.project, slug="wide", rate=0.5)
    queue, other = make_queue(cast, rules=["narrow"]), make_queue(cast, slug="other", rules=["wide"])
    outputs = make_outputs(cast.project, 1, sampling_unit=0.3)
    for rule in (narrow, wide):  # both matched; the output was selected by the wide one alone
        select(rule, *outputs)
    assert pull_selections(queue=queue) == 0
    assert pull_selections(queue=other) == 1


def test_the_senders_sampling_rate_multiplies(cast):
    rule = make_rule(cast.project, slug="half", rate=0.5)
    queue = make_queue(cast, rules=["half"])
    select(rule, *make_outputs(cast.project, 1, sampling_unit=0.1, sampling_rate=0.25))
    pull_selections(queue=queue)
    assert probabilities(queue) == {"out-0": 0.125}


def test_pulling_twice_makes_nothing_twice_and_a_later_rule_raises_the_probability(cast):
    early, late = make_rule(cast.project, slug="early", rate=0.2), make_rule(cast.project, slug="late", rate=0.7)
    queue = make_queue(cast, rules=["early", "late"])
    outputs = make_outputs(cast.project, 1, sampling_unit=0.1)
    select(early, *outputs)
    assert [pull_selections(queue=queue), pull_selections(queue=queue)] == [1, 0]
    select(late, *outputs)
    assert pull_selections(queue=queue) == 0
    assert probabilities(queue) == {"out-0": 0.7}
    assert Seat.objects.filter(queue=queue).count() == 1


def test_leasing_pulls_when_nothing_is_open(cast):
    rule = make_rule(cast.project, slug="all", rate=1.0)
    queue = make_queue(cast, rules=["all"])
    select(rule, *make_outputs(cast.project, 1))
    assert lease_next(actor=cast.rita, queue=queue) is not None


def test_the_task_pulls_for_every_open_queue(cast):
    rule = make_rule(cast.project, slug="all", rate=1.0)
    queues = [make_queue(cast, slug=slug, rules=["all"]) for slug in ("one", "two")]
    select(rule, *make_outputs(cast.project, 1))
    task()
    assert [queue.items.count() for queue in queues] == [1, 1]


def test_an_output_whose_text_was_dropped_is_not_pulled(cast):
    rule = make_rule(cast.project, slug="all", rate=1.0)
    queue = make_queue(cast, rules=["all"])
    select(rule, *make_outputs(cast.project, 1, text_dropped_at="2026-11-01T00:00:00Z"))
    assert pull_selections(queue=queue) == 0


def test_a_guardrail_queue_takes_one_item_per_decision(cast):
    every, acted = (
        make_rule(cast.project, slug="every", rate=0.4),
        make_rule(cast.project, slug="acted", rate=1.0, where={"guardrail": "pii"}),
    )
    queue = make_queue(cast, kind="guardrail", rules=["every", "acted"])
    (output,) = make_outputs(cast.project, 1, sampling_unit=0.3)
    make_hit(output, name="pii", action="blocked")
    make_hit(output, name="pii", action="passed", position=1)
    make_hit(output, name="toxic", action="flagged", position=2)
    select(every, output)
    select(acted, output)
    pull_selections(queue=queue)
    found = queue.items.order_by("hit__position").values_list(
        "hit__name", "hit__action", "inclusion_probability", "reason"
    )
    assert list(found) == [
        ("pii", "blocked", 1.0, "guardrail hit"),
        ("pii", "passed", 0.4, "guardrail passed"),
        ("toxic", "flagged", 0.4, "guardrail hit"),
    ]


def test_a_rule_about_one_guardrail_chooses_only_what_it_did(cast):
    rule = make_rule(cast.project, slug="acted", rate=1.0, where={"guardrail": "pii"})
    queue = make_queue(cast, kind="guardrail", rules=["acted"])
    (output,) = make_outputs(cast.project, 1)
    make_hit(output, name="pii", action="blocked")
    make_hit(output, name="toxic", action="passed", position=1)
    select(rule, output)
    pull_selections(queue=queue)
    assert [item.hit.name for item in queue.items.all()] == ["pii"]


def test_selections_with_a_place_in_the_log_are_pulled_once(cast, monkeypatch):
    rule = make_rule(cast.project, slug="all", rate=1.0)
    queue = make_queue(cast, rules=["all"])
    select(rule, *make_outputs(cast.project, 1))
    Queue.objects.filter(pk=queue.pk).update(pulled_leaf=10_000)
    assert pull_selections(queue=queue) == 1  # not sequenced yet, so it is found whatever leaf was reached


def test_items_put_in_by_hand_have_no_probability(cast):
    queue = make_queue(cast)
    make_outputs(cast.project, 2)
    answer = put(cast, queue, external_ids=["out-0", "nobody", "out-1", "out-0"])
    assert (answer.accepted, answer.duplicates, answer.rejected) == (2, 1, 1)
    assert answer.errors[0]["line"] == 2
    assert probabilities(queue) == {"out-0": None, "out-1": None}
    assert events_of(Event.ITEMS_ENQUEUED) == 1


def test_a_filter_puts_in_the_newest_that_match(cast):
    queue = make_queue(cast)
    make_outputs(cast.project, 3, feature="billing")
    make_outputs(cast.project, 1, prefix="other")
    assert put(cast, queue, where={"feature": "billing"}, limit=2).accepted == 2
    assert set(probabilities(queue)) == {"out-1", "out-2"}


def test_pairs_are_put_in_by_name(cast):
    queue = make_queue(cast, kind="pairwise")
    make_pair(cast.project)
    assert put(cast, queue, external_ids=["pair-0"]).accepted == 1
    with pytest.raises(Unprocessable):
        put(cast, queue, where={})


def test_decisions_are_put_in_by_guardrail(cast):
    queue = make_queue(cast, kind="guardrail")
    output, other = make_outputs(cast.project, 2)
    make_hit(output, name="pii")
    make_hit(output, name="toxic", position=1)
    make_hit(other, name="toxic")
    answer = put(cast, queue, external_ids=["out-0", "out-1"], guardrail="pii")
    assert (answer.accepted, answer.rejected) == (1, 1)
    assert queue.items.get().hit.name == "pii"


def test_a_gold_answer_is_checked_and_kept(cast):
    queue = make_queue(cast)
    make_outputs(cast.project, 1)
    with pytest.raises(Unprocessable) as refused:
        put(cast, queue, external_ids=["out-0"], gold={"tone": 9})
    assert refused.value.errors[0].pointer == "/gold/tone"
    put(cast, queue, external_ids=["out-0"], gold={"tone": 2})
    assert list(GoldAnswer.objects.values_list("key", "value")) == [("tone", 2)]
    assert queue.items.get().source == "gold"


def test_only_a_reviewer_of_the_queue_can_be_assigned(cast):
    queue = make_queue(cast)
    make_outputs(cast.project, 1)
    with pytest.raises(Unprocessable):
        put(cast, queue, external_ids=["out-0"], assigned_to="nemo")


@pytest.mark.parametrize("name", ["rita", "ivy", "otto"])
def test_others_put_nothing_in(cast, name):
    queue = make_queue(cast)
    with pytest.raises(AccessDenied):
        enqueue(actor=getattr(cast, name), queue=queue, body=EnqueueIn(external_ids=["out-0"]))


def test_a_share_of_the_items_gets_all_seats(cast):
    queue = make_queue(cast, reviewers_per_item=3, overlap_share=0.3)
    make_outputs(cast.project, 300)
    put(cast, queue, external_ids=[f"out-{number}" for number in range(300)])
    counts = [item.seats.count() for item in queue.items.prefetch_related("seats")]
    assert set(counts) == {1, 3}
    assert 55 <= counts.count(3) <= 125  # 90 expected


def test_an_imported_item_has_no_seat_and_an_existing_one_is_used_again(cast):
    queue = make_queue(cast)
    output, other = make_outputs(cast.project, 2)
    put(cast, queue, external_ids=["out-1"])
    item = item_for_import(queue=queue, output=output)
    assert (item.source, item.inclusion_probability, item.seats.count()) == ("import", None, 0)
    assert item_for_import(queue=queue, output=output) == item
    assert item_for_import(queue=queue, output=other).source == "manual"
