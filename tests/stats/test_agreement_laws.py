"""Laws that hold for any labels, and the independent `krippendorff` package as judge of alpha."""

import json

import krippendorff as oracle
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewapp.stats.agreement import (
    alpha_from_values,
    brennan_prediger,
    fleiss_kappa,
    gwet_ac1,
    gwet_ac2,
    krippendorff_alpha,
    percent_agreement,
)
from reviewapp.stats.patterns import PatternTable, Ratings

MARKS = st.lists(st.lists(st.integers(-1, 3), min_size=3, max_size=3), min_size=0, max_size=12)
LEVELS = ["nominal", "ordinal", "interval", "ratio"]


def as_ratings(marks):
    rows = [(u, r, mark) for u, unit in enumerate(marks) for r, mark in enumerate(unit) if mark >= 0]
    return Ratings.from_rows(rows, range(4))


def every_statistic(patterns):
    stats = [krippendorff_alpha(patterns, level=level) for level in LEVELS]
    for coefficient in (percent_agreement, fleiss_kappa, gwet_ac2, brennan_prediger):
        stats += [coefficient(patterns, weights=w) for w in ("identity", "linear", "quadratic", "ordinal")]
        stats += [coefficient(patterns, se_method="gwet2014")]
    return [*stats, gwet_ac1(patterns)]


@settings(deadline=None, max_examples=60)
@given(MARKS)
def test_no_statistic_ever_holds_nan_and_every_interval_holds_its_value(marks):
    for stat in every_statistic(as_ratings(marks).patterns()):
        json.dumps(stat.as_dict(), allow_nan=False)
        if stat.interval is not None:
            assert stat.interval[0] - 1e-9 <= stat.value <= stat.interval[1] + 1e-9
            assert stat.interval[1] <= 1


@settings(deadline=None, max_examples=100)
@given(MARKS, st.randoms(use_true_random=False))
def test_the_order_of_raters_and_items_does_not_matter(marks, random):
    mixed = [random.sample(unit, len(unit)) for unit in marks]
    random.shuffle(mixed)
    pairs = zip(
        every_statistic(as_ratings(marks).patterns()), every_statistic(as_ratings(mixed).patterns()), strict=True
    )
    for first, second in pairs:
        if {first.undefined, second.undefined} & {"fewer_than_two_raters"}:
            continue  # moving a lone rater's marks between seats changes how many people rated
        assert first.undefined == second.undefined
        if first.value is not None:
            assert first.value == pytest.approx(second.value, abs=1e-9)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=30))
def test_fleiss_with_two_raters_is_scotts_pi(pairs):
    stat = fleiss_kappa(as_ratings([list(pair) for pair in pairs]).patterns())
    shares = np.bincount(np.ravel(pairs), minlength=4) / (2 * len(pairs))
    chance = float((shares**2).sum())
    if stat.value is None:
        assert chance == pytest.approx(1)
    else:
        observed = np.mean([a == b for a, b in pairs])
        assert stat.value == pytest.approx((observed - chance) / (1 - chance))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 3), min_size=2, max_size=12).filter(lambda marks: len(set(marks)) > 1))
def test_perfect_agreement_is_one(marks):
    for stat in every_statistic(as_ratings([[mark] * 3 for mark in marks]).patterns()):
        assert stat.value == pytest.approx(1)
        assert stat.interval is None or stat.interval[0] < 1


@settings(deadline=None, max_examples=50)
@given(MARKS, st.permutations(range(4)))
def test_renaming_nominal_categories_changes_nothing(marks, names):
    renamed = [[names[mark] if mark >= 0 else -1 for mark in unit] for unit in marks]
    first, second = (krippendorff_alpha(as_ratings(m).patterns(), level="nominal") for m in (marks, renamed))
    assert first.undefined == second.undefined
    if first.value is not None:
        assert first.value == pytest.approx(second.value)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("level", LEVELS)
def test_alpha_equals_the_krippendorff_package(level, seed):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 5, size=(40, 1))
    marks = np.clip(truth + rng.integers(-1, 2, size=(40, 4)), 0, 4).astype(float)
    marks[rng.random(marks.shape) < 0.3] = np.nan
    expected = oracle.alpha(marks.T, level_of_measurement=level, value_domain=[0, 1, 2, 3, 4])
    unit, rater = np.nonzero(~np.isnan(marks))
    codes = marks[unit, rater].astype(int)
    found = krippendorff_alpha(PatternTable.from_codes(unit, codes, range(5)), level=level)
    assert found.value == pytest.approx(expected, abs=1e-9)
    if level in ("interval", "ratio"):
        assert alpha_from_values(unit, codes.astype(float), level=level).value == pytest.approx(expected, abs=1e-9)


def test_leaving_one_out_is_what_recomputing_without_that_item_gives():
    rng = np.random.default_rng(5)
    marks = rng.integers(-1, 4, size=(14, 3)).tolist()
    for level in LEVELS:
        whole = krippendorff_alpha(as_ratings(marks).patterns(), level=level)
        without = [
            krippendorff_alpha(as_ratings(marks[:u] + marks[u + 1 :]).patterns(), level=level) for u in range(14)
        ]
        pairable = [u for u, unit in enumerate(marks) if sum(mark >= 0 for mark in unit) >= 2]
        values = np.array([without[u].value for u in pairable])
        n = len(values)
        assert whole.se == pytest.approx(np.sqrt((n - 1) / n * ((values - values.mean()) ** 2).sum()))


def test_a_million_labels_are_a_handful_of_patterns():
    rng = np.random.default_rng(1)
    units = np.repeat(np.arange(333_334), 3)
    codes = rng.integers(0, 5, size=len(units))
    patterns = PatternTable.from_codes(units, codes, range(5))
    assert len(patterns.freq) == 35
    assert patterns.n_pairable == 333_334
    assert abs(krippendorff_alpha(patterns, level="ordinal").value) < 0.01
