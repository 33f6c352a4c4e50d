"""A judge beside people: printed figures, reasons, and the ceiling that people set."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewapp.stats.judgement import (
    Confusion,
    accuracy,
    ceiling,
    class_scores,
    f1,
    human_ceiling,
    kappa,
    matthews,
    position_bias,
)
from reviewapp.stats.patterns import Ratings

# TP, FP, FN, TN = 40, 8, 12, 140 for the label "fail".
PRINTED = Confusion(("fail", "pass"), np.array([[40, 12], [8, 140]]))


def test_accuracy_precision_and_recall_of_the_printed_table():
    fail, passing = class_scores(PRINTED)
    assert fail.precision.value == pytest.approx(0.8333, abs=5e-5)
    assert fail.precision.interval == pytest.approx((0.7042, 0.9130), abs=5e-5)
    assert fail.recall.value == pytest.approx(0.7692, abs=5e-5)
    assert fail.recall.interval == pytest.approx((0.6387, 0.8628), abs=5e-5)
    assert passing.recall.value == pytest.approx(140 / 148)
    assert accuracy(PRINTED).value == pytest.approx(0.9)
    assert accuracy(PRINTED).interval == pytest.approx((0.8506, 0.9343), abs=5e-5)


def test_f1_matthews_and_kappa_of_the_printed_table():
    assert f1(PRINTED, "fail").value == pytest.approx(0.8)
    assert f1(PRINTED, "fail").interval == pytest.approx((0.7018, 0.8718), abs=5e-5)
    assert matthews(PRINTED).value == pytest.approx(0.734520, abs=1e-6)
    assert (kappa(PRINTED).value, kappa(PRINTED).se) == pytest.approx((0.733475, 0.055920), abs=1e-6)


def test_the_standard_error_of_matthews_is_what_small_changes_of_the_table_give():
    counts = PRINTED.counts.astype(float)
    n, step = counts.sum(), 1e-6

    def value(p):
        rows, columns = p.sum(axis=1), p.sum(axis=0)
        return np.linalg.det(p) / np.sqrt(rows.prod() * columns.prod())

    p = counts / n
    slope = np.zeros((2, 2))
    for cell in np.ndindex(2, 2):
        up, down = p.copy(), p.copy()
        up[cell] += step
        down[cell] -= step
        slope[cell] = (value(up) - value(down)) / (2 * step)
    expected = np.sqrt(((p * slope**2).sum() - (p * slope).sum() ** 2) / n)
    assert matthews(PRINTED).se == pytest.approx(expected, rel=1e-5)


def test_a_confusion_shows_its_labels_in_the_order_of_the_rubric():
    found = Confusion.of([("good", "good"), ("bad", "good")], ["bad", "good", "ugly"])
    assert found.as_dict() == {"labels": ["bad", "good", "ugly"], "counts": [[0, 1, 0], [0, 1, 0], [0, 0, 0]]}
    with pytest.raises(ValueError, match="no label"):
        Confusion.of([("good", "better")], ["bad", "good"])


def test_what_is_undefined_for_a_constant_judge_says_why():
    constant = Confusion(("fail", "pass"), np.array([[0, 5], [0, 9]]))
    fail, passing = class_scores(constant)
    assert fail.precision.undefined == "no_predicted_positives"
    assert fail.recall.value == 0.0
    assert passing.recall.value == 1.0
    assert matthews(constant).undefined == "no_variation"
    assert kappa(constant).value == 0.0
    never = Confusion(("fail", "pass"), np.array([[0, 0], [0, 9]]))
    assert class_scores(never)[0].recall.undefined == "no_actual_positives"
    assert kappa(never).undefined == "no_variation"
    assert f1(never, "fail").undefined == "no_actual_positives"


def test_without_pairs_everything_is_no_data():
    empty = Confusion.of([], ["fail", "pass"])
    stats = [accuracy(empty), f1(empty, "fail"), matthews(empty), kappa(empty)]
    stats += [score for one in class_scores(empty) for score in (one.precision, one.recall)]
    assert {stat.undefined for stat in stats} == {"no_data"}


def test_matthews_is_for_two_labels():
    assert matthews(Confusion.of([], ["a", "b", "c"])).undefined == "not_applicable"


def people(*items):
    rows = [(u, f"person {r}", mark) for u, marks in enumerate(items) for r, mark in enumerate(marks)]
    return Ratings.from_rows(rows, ["a", "b", "c"])


def test_the_human_ceiling_holds_each_person_against_the_majority_of_the_others():
    # aab: each a sees the tie {a, b}, worth one half; b sees the majority a. aaa: three hits. abc: ties of others.
    stat = human_ceiling(people("aaa", "aab", "abc"))
    assert stat.value == pytest.approx((3 + 1.0 + 0) / 9)
    assert stat.n == 3


def test_with_two_people_the_ceiling_is_their_agreement():
    stat = human_ceiling(people("aa", "ab", "bb", "cc", "a"))
    assert (stat.value, stat.n) == (0.75, 4)


def test_judge_and_people_meet_the_same_majorities():
    ratings = people("aaa", "bbb", "aaa", "bbb", "aab")
    found = ceiling(ratings, {0: "a", 1: "b", 2: "a", 3: "a", 4: "a"})
    assert found.human.value == pytest.approx((12 + 1.0) / 15)
    assert found.judge.value == pytest.approx((9 + 0.5 + 0.5 + 1) / 15)
    assert found.difference.value == pytest.approx(found.judge.value - found.human.value)
    assert found.difference.interval[0] < found.difference.value < found.difference.interval[1]


def test_the_ceiling_uses_only_what_the_judge_answered():
    found = ceiling(people("aaa", "bbb", "abc"), {0: "a", 1: "b"})
    assert (found.human.value, found.judge.value, found.human.n) == (1.0, 1.0, 2)
    assert found.difference.value == 0
    with pytest.raises(ValueError, match="no categories"):
        ceiling(people("aaa"), {0: "z"})


def test_a_ceiling_needs_two_people_on_an_item():
    assert human_ceiling(people("a", "b")).undefined == "fewer_than_two_raters"
    assert human_ceiling(people()).undefined == "no_data"
    assert ceiling(people("aa", "ab"), {}).difference.undefined == "fewer_than_two_raters"


def test_position_bias_of_the_printed_audit():
    found = position_bias(34, 16, 150)
    assert found.p_value == pytest.approx(0.015347, abs=1e-6)
    assert found.effect.value == pytest.approx(0.09)
    assert found.effect.interval == pytest.approx((0.0214, 0.1601), abs=5e-5)
    assert found.consistency.value == 0.75
    assert found.consistency.interval == pytest.approx((0.6857, 0.8049), abs=5e-5)
    assert found.first_side_rate.value == pytest.approx(0.545)


def test_position_bias_without_audited_pairs_is_no_data():
    found = position_bias(0, 0, 0)
    assert {found.consistency.undefined, found.effect.undefined, found.first_side_rate.undefined} == {"no_data"}
    with pytest.raises(ValueError, match="add up"):
        position_bias(3, 3, 3, n=8)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4), max_size=8), st.sampled_from("abc"))
def test_a_ceiling_never_holds_nan(items, verdict):
    ratings = people(*items)
    found = ceiling(ratings, dict.fromkeys(ratings.units, verdict))
    for stat in (found.human, found.judge, found.difference):
        json.dumps(stat.as_dict(), allow_nan=False)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(0, 5), min_size=4, max_size=4))
def test_binary_scores_never_hold_nan(cells):
    table = Confusion(("fail", "pass"), np.array(cells).reshape(2, 2))
    stats = [accuracy(table), f1(table, "fail"), matthews(table), kappa(table)]
    stats += [score for one in class_scores(table) for score in (one.precision, one.recall)]
    for stat in stats:
        json.dumps(stat.as_dict(), allow_nan=False)
        assert stat.interval is None or stat.interval[0] - 1e-12 <= stat.value <= stat.interval[1] + 1e-12
