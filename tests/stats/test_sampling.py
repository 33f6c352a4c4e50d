"""Estimates from unequal probabilities: the printed vector, and refusal when a probability is missing."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewapp.stats.intervals import wilson
from reviewapp.stats.sampling import kish_size, pass_rate, weighted_mean

VALUES = [1, 1, 0, 1, 1, 0, 1, 1, 1, 0]
PROBABILITIES = [0.1] * 5 + [0.5] * 5


@pytest.mark.parametrize("estimate", [pass_rate, weighted_mean])
def test_the_hajek_vector(estimate):
    stat = estimate(VALUES, PROBABILITIES)
    assert (stat.value, stat.se) == pytest.approx((0.766667, 0.152325), abs=1e-6)
    assert stat.interval[0] < stat.value < stat.interval[1]
    assert "kish_n_low" in stat.warnings


def test_equal_small_probabilities_give_wilson_with_nearly_the_number_of_labels():
    values = [1] * 450 + [0] * 50
    stat = pass_rate(values, [0.001] * 500)
    assert stat.interval == pytest.approx(wilson(450, 500), abs=1e-3)
    assert stat.warnings == ()


@pytest.mark.parametrize("estimate", [pass_rate, weighted_mean])
def test_one_missing_probability_refuses_the_whole_estimate(estimate):
    stat = estimate(VALUES, [*PROBABILITIES[:-1], None])
    assert stat.undefined == "probabilities_missing"
    assert stat.n == 10


@pytest.mark.parametrize("estimate", [pass_rate, weighted_mean])
def test_nothing_and_one_label_say_so(estimate):
    assert estimate([], []).undefined == "no_data"
    assert estimate([1], [0.5]).undefined == "too_few_labels"


@pytest.mark.parametrize("value", [0, 1])
def test_without_a_failure_or_a_pass_the_interval_is_a_wilson_bound_and_not_a_point(value):
    stat = pass_rate([value] * 40, [0.2] * 40)
    assert stat.interval == pytest.approx(wilson(40 * value, 40))
    assert stat.interval[0] < stat.interval[1]


def test_a_window_that_was_reviewed_completely_is_known():
    stat = pass_rate(VALUES, [1.0] * 10)
    assert stat.interval == (pytest.approx(0.7), pytest.approx(0.7))
    assert "ci_degenerate" in stat.warnings


@pytest.mark.parametrize(
    ("values", "probabilities"), [([1], [0.1, 0.2]), ([1, 0], [0.0, 0.5]), ([1, 0], [0.5, 1.1]), ([1, 2], [0.5, 0.5])]
)
def test_impossible_input_is_refused(values, probabilities):
    with pytest.raises(ValueError, match=r"probabilit|pass"):
        pass_rate(values, probabilities)


def test_kish_size_counts_equal_weights_fully():
    assert kish_size(np.full(25, 0.3)) == pytest.approx(25)
    assert kish_size(np.array([0.01, 1.0])) < 1.1


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0.001, 1.0)), max_size=30))
def test_a_pass_rate_never_holds_nan_and_stays_in_range(rows):
    stat = pass_rate([y for y, _ in rows], [p for _, p in rows])
    json.dumps(stat.as_dict(), allow_nan=False)
    if stat.value is not None:
        assert 0 <= stat.interval[0] <= stat.value + 1e-12 <= stat.interval[1] + 2e-12 <= 1 + 3e-12


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(8)
    passes = rng.random(4000) < 0.9
    pi = np.where(rng.random(4000) < 0.3, 0.3, 0.05)
    covered = []
    for _ in range(300):
        kept = rng.random(4000) < pi
        low, high = pass_rate(passes[kept].astype(float), pi[kept]).interval
        covered.append(low <= passes.mean() <= high)
    assert 0.90 <= np.mean(covered) <= 0.99
