"""Two raters, many raters with their own margins, and blocks of scores."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewapp.stats import pairs
from reviewapp.stats.pairs import cohen_kappa, conger_kappa, icc_1, icc_1k, icc_2, icc_2k, icc_3, icc_3k
from reviewapp.stats.patterns import Ratings

from .published import (
    FLEISS_1971,
    GWET_RAW_4_RATERS,
    SHROUT_FLEISS_1979,
    THREE_ABSTRACTORS,
    ratings,
)

NURSES = [[53, 5, 2], [11, 14, 5], [1, 6, 3]]
GAP = float("nan")


@pytest.mark.parametrize(
    ("weights", "kappa", "se"),
    [("identity", 0.428571, 0.075959), ("linear", 0.492308, 0.071727), ("quadratic", 0.566667, 0.078724)],
)
def test_cohens_kappa_with_each_weight(weights, kappa, se):
    stat = cohen_kappa(NURSES, weights=weights)
    assert (stat.value, stat.se) == pytest.approx((kappa, se), abs=1e-6)


def test_cohens_kappa_of_two_abstractors_with_its_printed_interval():
    stat = cohen_kappa(THREE_ABSTRACTORS)
    assert (stat.value, stat.se) == pytest.approx((0.7964094, 0.05891072), abs=1e-7)
    assert stat.interval == pytest.approx((0.6795, 0.9133), abs=5e-5)


def test_cohens_own_example():
    assert cohen_kappa([[88, 14, 18], [10, 40, 10], [2, 6, 12]]).value == pytest.approx(0.492, abs=5e-4)


@pytest.mark.parametrize(
    ("table", "code"),
    [([[0, 0], [0, 0]], "no_data"), ([[1, 0], [0, 0]], "single_unit"), ([[9, 0], [0, 0]], "no_variation")],
)
def test_kappa_that_cannot_be_computed_says_why(table, code):
    assert cohen_kappa(table).undefined == code


def test_one_constant_rater_gives_exactly_zero_without_a_standard_error():
    stat = cohen_kappa([[6, 4], [0, 0]])
    assert (stat.value, stat.se, stat.interval) == (0.0, None, None)
    assert stat.undefined is None


def test_perfect_kappa_gets_a_one_sided_bound():
    stat = cohen_kappa([[10, 0], [0, 10]])
    assert stat.value == 1.0
    assert 0.5 < stat.interval[0] < 1.0


def test_a_table_that_is_not_square_is_refused():
    with pytest.raises(ValueError, match="square"):
        cohen_kappa([[1, 2, 3], [4, 5, 6]])


def test_conger_of_gwets_four_raters_and_of_the_thirty_patients():
    four = conger_kappa(ratings(GWET_RAW_4_RATERS, [1, 2, 3, 4, 5]))
    assert four.value == pytest.approx(0.762817, abs=1e-6)
    # The slots of a count table become raters in the order of the categories, as the published figure has it.
    rows = [
        (unit, rater, k)
        for unit, token in enumerate(FLEISS_1971.split())
        for rater, k in enumerate(k for k, mark in enumerate(token) for _ in range(int(mark)))
    ]
    assert conger_kappa(Ratings.from_rows(rows, range(5))).value == pytest.approx(0.441809, abs=1e-6)


def test_congers_printed_standard_error():
    stat = conger_kappa(ratings(GWET_RAW_4_RATERS, [1, 2, 3, 4, 5]), se_method="gwet2014")
    assert stat.se == pytest.approx(0.14917, abs=5e-6)
    assert stat.interval == pytest.approx((0.435, 1.0), abs=6e-4)


def test_conger_of_two_complete_raters_is_cohens_kappa():
    rows = [(u, r, v) for u, both in enumerate(["aa", "ab", "bb", "ba", "cc", "ca"]) for r, v in enumerate(both)]
    two = Ratings.from_rows(rows, ["a", "b", "c"])
    assert conger_kappa(two).value == pytest.approx(cohen_kappa(two.contingency(0, 1)).value)


def test_congers_jackknife_is_what_recomputing_without_each_item_gives():
    rng = np.random.default_rng(11)
    rows = [(u, r, int(rng.integers(0, 3))) for u in range(9) for r in range(4) if rng.random() < 0.7 or r < 2]
    rows.append((3, "guest", 1))  # a rater with a single label, who leaves with that item
    whole = conger_kappa(Ratings.from_rows(rows, range(3)))
    without = [conger_kappa(Ratings.from_rows([row for row in rows if row[0] != u], range(3))).value for u in range(9)]
    spread = np.array(without) - np.mean(without)
    assert whole.se == pytest.approx(np.sqrt(8 / 9 * (spread**2).sum()))


def test_conger_says_why_it_cannot_be_computed():
    def code(rows):
        return conger_kappa(Ratings.from_rows(rows, ["yes", "no"])).undefined

    assert code([]) == "no_data"
    assert code([(1, "rita", "yes"), (2, "rita", "no")]) == "fewer_than_two_raters"
    assert code([(1, "rita", "yes"), (2, "rob", "no")]) == "no_pairable_units"
    assert code([(1, "rita", "yes"), (1, "rob", "no")]) == "single_unit"
    assert code([(u, name, "yes") for u in range(3) for name in ("rita", "rob")]) == "no_variation"


@pytest.mark.parametrize(
    ("icc", "value", "bounds"),
    [
        (icc_1, 0.16574, (-0.1329, 0.7226)),
        (icc_2, 0.28976, (0.0188, 0.7611)),
        (icc_3, 0.71484, (0.3425, 0.9459)),
        (icc_1k, 0.44280, None),
        (icc_2k, 0.62005, None),
        (icc_3k, 0.90932, None),
    ],
)
def test_the_six_intraclass_correlations_of_shrout_and_fleiss(icc, value, bounds):
    stat = icc(SHROUT_FLEISS_1979)
    assert stat.value == pytest.approx(value, abs=5e-6)
    assert bounds is None or stat.interval == pytest.approx(bounds, abs=5e-5)
    assert stat.interval[0] < stat.value < stat.interval[1]


def test_the_mean_squares_of_shrout_and_fleiss():
    squares = pairs.icc.mean_squares(np.array(SHROUT_FLEISS_1979, dtype=float))
    found = (squares.between, squares.within, squares.raters, squares.error)
    assert found == pytest.approx((11.2417, 6.2639, 32.4861, 1.0194), abs=5e-5)


@pytest.mark.parametrize("icc", [icc_1, icc_2, icc_3, icc_1k, icc_2k, icc_3k])
@pytest.mark.parametrize(
    ("scores", "code"),
    [
        ([], "no_data"),
        ([[1.0], [2.0]], "fewer_than_two_raters"),
        ([[1.0, 2.0]], "single_unit"),
        ([[1.0, GAP], [2.0, 1.0], [3.0, 3.0]], "design_incomplete"),
        ([[2.0, 2.0], [2.0, 2.0]], "zero_variance"),
    ],
)
def test_an_intraclass_correlation_that_cannot_be_computed_says_why(icc, scores, code):
    assert icc(scores).undefined == code


def test_one_gap_in_five_units_is_left_out():
    block = [*SHROUT_FLEISS_1979, [1, 2, 3, GAP]]
    assert icc_2(block).value == pytest.approx(icc_2(SHROUT_FLEISS_1979).value)
    assert icc_2(block).n == 6


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=2, max_size=8),
    st.sampled_from([icc_1, icc_2, icc_3, icc_1k, icc_2k, icc_3k]),
)
def test_an_intraclass_correlation_never_holds_nan(scores, icc):
    json.dumps(icc(scores).as_dict(), allow_nan=False)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(0, 6), min_size=9, max_size=9), st.sampled_from(["identity", "linear", "quadratic"]))
def test_kappa_never_holds_nan_and_is_the_same_for_swapped_raters(cells, weights):
    table = np.array(cells).reshape(3, 3)
    stat, swapped = cohen_kappa(table, weights=weights), cohen_kappa(table.T, weights=weights)
    json.dumps(stat.as_dict(), allow_nan=False)
    assert stat.undefined == swapped.undefined
    if stat.value is not None:
        assert stat.value == pytest.approx(swapped.value)
