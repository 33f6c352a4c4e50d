"""The vectors of STATS 3.2 and 3.4."""

import numpy as np
import pytest

from reviewapp.stats.selective import confidence_grid, powerful_n, reliability, smallest_n, trust_threshold


@pytest.mark.parametrize(
    ("alpha", "delta", "fewest", "powerful"),
    [(0.1, 0.1, 22, 128), (0.1, 0.05, 29, 179), (0.05, 0.05, 59, 361), (0.2, 0.1, 11, 63)],
)
def test_the_labels_that_a_promise_needs_are_those_of_the_table(alpha, delta, fewest, powerful):
    assert (smallest_n(alpha, delta), powerful_n(alpha, delta)) == (fewest, powerful)


def labelled() -> tuple[list[float], list[bool]]:
    stated = np.round(
        np.concatenate([np.linspace(0.99, 0.90, 120), np.linspace(0.899, 0.70, 120), np.linspace(0.699, 0.5, 60)]), 3
    )
    wrong = [50, 110, 130, 139, 150, 155, 170, 180, 190, 199, 205, 210, 215, 220, 222, 230, 235, 239]
    wrong += list(range(242, 300, 3))
    return stated.tolist(), [index not in wrong for index in range(300)]


def test_the_lowest_proven_threshold_is_that_of_the_vector():
    stated, right = labelled()
    grid = [round(0.95 - 0.05 * step, 2) for step in range(10)]
    trust = trust_threshold(stated, right, grid, alpha=0.1, delta=0.05)
    assert trust.threshold == 0.75
    assert trust.coverage == pytest.approx(210 / 300)
    assert trust.accuracy.value == pytest.approx(1 - 11 / 210)
    assert trust.accuracy.n == 210


def test_a_stricter_promise_that_cannot_be_kept_gives_no_threshold_and_says_why():
    stated, right = labelled()
    trust = trust_threshold(stated, right, [0.95, 0.9, 0.8, 0.7], alpha=0.05, delta=0.05)
    assert trust.threshold is None
    assert trust.accuracy.undefined == "unattainable"
    few = trust_threshold([0.9] * 5, [True] * 5, [0.9])
    assert few.accuracy.undefined == "too_few_labels"
    assert few.reason is not None
    assert "22" in few.reason


def test_an_unreliable_judge_is_trusted_at_no_confidence():
    rng = np.random.default_rng(7)
    stated = rng.uniform(0.5, 1, 2000)
    right = rng.uniform(size=2000) > 0.3
    assert trust_threshold(stated.tolist(), right.tolist(), confidence_grid(stated.tolist())).threshold is None


def test_brier_is_that_of_the_vector_and_confidence_that_holds_has_no_error():
    stated = [0.95, 0.9, 0.85, 0.8, 0.75, 0.6, 0.55, 0.4, 0.3, 0.1]
    right = [True, True, True, False, True, True, False, False, True, False]
    assert reliability(stated, right).brier.value == pytest.approx(0.186, abs=5e-4)
    sure = reliability([1.0] * 40, [True] * 40)
    assert (sure.ece.value, sure.brier.value) == (0.0, 0.0)


def test_without_verdicts_reliability_is_undefined():
    assert reliability([], []).brier.undefined == "no_data"
