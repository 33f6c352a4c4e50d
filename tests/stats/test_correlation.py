"""Correlations with intervals, and what they answer for columns without spread."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as oracle

from reviewapp.stats.correlation import kendall_tau_b, pearson, spearman

ALL = [pearson, spearman, kendall_tau_b]


def test_values_and_intervals_against_scipy():
    rng = np.random.default_rng(3)
    x = rng.integers(0, 6, 60).astype(float)
    y = x + rng.integers(-2, 3, 60)
    r = oracle.pearsonr(x, y)
    assert pearson(x, y).value == pytest.approx(r.statistic)
    assert pearson(x, y).interval == pytest.approx(tuple(r.confidence_interval(0.95)))
    rho = oracle.spearmanr(x, y).statistic
    half = 1.959964 * math.sqrt((1 + rho**2 / 2) / 57)
    assert spearman(x, y).value == pytest.approx(rho)
    assert spearman(x, y).interval == pytest.approx(
        (math.tanh(math.atanh(rho) - half), math.tanh(math.atanh(rho) + half))
    )
    tau = oracle.kendalltau(x, y).statistic
    half = 1.959964 * math.sqrt(0.437 / 56)
    assert kendall_tau_b(x, y).value == pytest.approx(tau)
    assert kendall_tau_b(x, y).interval[0] == pytest.approx(math.tanh(math.atanh(tau) - half))


@pytest.mark.parametrize("correlation", ALL)
def test_columns_that_cannot_be_correlated_say_why(correlation):
    assert correlation([], []).undefined == "no_data"
    assert correlation([1.0], [2.0]).undefined == "single_unit"
    assert correlation([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]).undefined == "zero_variance"
    assert correlation([1.0, 2.0, 3.0], [4.0, 4.0, 4.0]).undefined == "zero_variance"


@pytest.mark.parametrize("correlation", ALL)
def test_a_perfect_or_tiny_column_has_a_value_but_no_invented_interval(correlation):
    perfect = correlation([1.0, 2, 3, 4, 5, 6], [2.0, 4, 6, 8, 10, 12])
    assert (perfect.value, perfect.interval) == (pytest.approx(1.0), None)
    assert perfect.warnings == ("ci_degenerate",)
    tiny = correlation([1.0, 2, 3], [1.0, 3, 2])
    assert tiny.interval is None
    assert tiny.warnings == ("low_information",)


@pytest.mark.parametrize("correlation", ALL)
def test_columns_of_unequal_length_or_with_gaps_are_refused(correlation):
    with pytest.raises(ValueError, match="equal length"):
        correlation([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="finite"):
        correlation([1.0, math.nan], [1.0, 2.0])


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(*[st.floats(-1e150, 1e150, allow_nan=False)] * 2), max_size=12),
    st.sampled_from(ALL),
)
def test_a_correlation_never_holds_nan_and_swaps(rows, correlation):
    x, y = [a for a, _ in rows], [b for _, b in rows]
    stat = correlation(x, y)
    json.dumps(stat.as_dict(), allow_nan=False)
    if stat.value is not None:
        assert stat.value == pytest.approx(correlation(y, x).value)
        assert stat.value == pytest.approx(-(correlation(x, [-b for b in y]).value), abs=1e-9)
