"""The label that an item ends with."""

import pytest

from reviewapp.agreement.selectors import labels_of, settled_labels
from tests.agreement.examples import adjudicate, fill, make_item, make_queue, review, slot


@pytest.fixture
def three(cast):
    return (cast.rita, cast.rob, cast.rosa)


def test_unanimous_and_majority_settle_and_a_split_does_not(cast, three):
    queue = make_queue(cast, "topic")
    rows = [["storm"] * 3, ["storm", "storm", "visit"], ["storm", "visit", "tariff"], ["visit", None, None]]
    items = fill(queue, "topic", rows, three)
    found = settled_labels(queue=queue)
    by_row = [found[item.pk]["topic"] for item in items]
    assert [(label.value, label.policy, label.n_reviews) for label in by_row] == [
        ("storm", "unanimous", 3), ("storm", "majority", 3), (None, "unsettled", 3), ("visit", "unanimous", 1),
    ]  # fmt: skip
    assert [label.is_settled for label in by_row] == [True, True, False, True]
    assert by_row[1].confidence == pytest.approx(2 / 3)


def test_an_adjudicator_has_the_last_word(cast, three):
    queue = make_queue(cast, "safe")
    [item] = fill(queue, "safe", [[True, True, True]], three)
    adjudicate(item, cast.ivy, {"safe": False})
    label = settled_labels(queue=queue)[item.pk]["safe"]
    assert (label.value, label.policy, label.source, label.n_reviews) == (False, "adjudicated", "adjudication", 3)
    assert settled_labels(queue=queue, policy="majority")[item.pk]["safe"].value is True
    assert settled_labels(queue=queue, policy="adjudicated")[item.pk]["safe"].value is False


def test_only_adjudicated_items_have_an_adjudicated_label(cast, three):
    queue = make_queue(cast, "safe")
    fill(queue, "safe", [[True, True, True]], three)
    assert settled_labels(queue=queue, policy="adjudicated") == {}


def test_numbers_settle_at_the_median_and_have_a_mean(cast, three):
    queue = make_queue(cast, "minutes")
    [item] = fill(queue, "minutes", [[1, 2, 12]], three)
    assert settled_labels(queue=queue)[item.pk]["minutes"].value == 2
    assert settled_labels(queue=queue, policy="mean")[item.pk]["minutes"].value == pytest.approx(5)
    assert settled_labels(queue=queue, policy="median")[item.pk]["minutes"].policy == "median"


def test_a_mean_of_levels_exists_and_a_mean_of_topics_does_not(cast, three):
    queue = make_queue(cast, "tone", "topic")
    item = make_item(queue, "o")
    for reviewer, tone in zip(three, (1, 2, 5), strict=True):
        review(item, reviewer, {"tone": tone, "topic": "storm"})
    found = settled_labels(queue=queue, policy="mean")[item.pk]
    assert found["tone"].value == pytest.approx(8 / 3)
    assert "topic" not in found


def test_options_settle_one_by_one(cast, three):
    queue = make_queue(cast, "faults")
    items = fill(queue, "faults", [[["A", "B"], ["A"], ["A", "C"]], [["A"], ["B"], None], [[], [], []]], three)
    found = settled_labels(queue=queue)
    assert [found[item.pk]["faults"].value for item in items] == [["A"], None, []]


def test_preferences_settle_like_answers(cast, three):
    queue = make_queue(cast, "preference")
    items = fill(queue, "preference", [["a", "a", "b"], ["tie", "both_bad", "a"]], three)
    found = settled_labels(queue=queue)
    assert [found[item.pk]["preference"].value for item in items] == ["a", None]


def test_a_posterior_weighs_reviewers_by_how_often_they_err(cast, three):
    """Rosa errs on half of the items, so one against her is surer than one against the others."""
    queue = make_queue(cast, "safe")
    rows = [[True, True, bool(n % 2)] if n % 4 < 2 else [False, False, bool(n % 2)] for n in range(40)]
    items = fill(queue, "safe", [*rows, [True, None, False], [None, None, True]], three)
    found = settled_labels(queue=queue, policy="posterior")
    settled = [found[item.pk]["safe"] for item in items]
    assert [label.value for label in settled[:40]] == [row[0] for row in rows]
    assert settled[40].confidence > 0.9
    assert (settled[41].value, settled[41].policy) == (None, "unsettled")
    assert settled_labels(queue=queue, policy="majority")[items[40].pk]["safe"].value is None


def test_a_posterior_of_positions_is_the_share_of_votes(cast):
    queue = make_queue(cast, "safe", "minutes")
    slots = [slot(cast, f"slot_{n}") for n in range(3)]
    items = [make_item(queue, f"o{n}") for n in range(2)]
    for item, answers in zip(items, ((True, True, True), (True, True, False)), strict=True):
        for position, answer in zip(slots, answers, strict=True):
            review(item, position, {"safe": answer, "minutes": 3}, seat=None)
    found = settled_labels(queue=queue, policy="posterior")
    assert [found[item.pk]["safe"].value for item in items] == [True, None]
    assert "minutes" not in found[items[0].pk]


def test_an_unknown_policy_is_refused(cast):
    with pytest.raises(ValueError, match="label policy"):
        settled_labels(queue=make_queue(cast, "safe"), policy="vibes")


def test_labels_one_by_one_name_their_reviewers(cast, three):
    queue = make_queue(cast, "safe", "tone")
    [item] = fill(queue, "safe", [[True, False, None]], three)
    found = labels_of(queue, "safe")
    assert dict(found[item.pk]) == {cast.rita.person.pk: True, cast.rob.person.pk: False}
    assert labels_of(queue, "tone") == {}
    assert labels_of(queue, "nothing") == {}
