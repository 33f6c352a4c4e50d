"""Intervals of proportions and paired differences against printed values."""

import pytest

from reviewapp.stats.intervals import clopper_pearson, proportion, tango, wilson


@pytest.mark.parametrize(
    ("k", "n", "bounds"),
    [
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
        (240, 400, (0.5513, 0.6468)),
    ],
)
def test_wilson(k, n, bounds):
    assert wilson(k, n) == pytest.approx(bounds, abs=5e-5)


def test_wilson_takes_an_effective_size():
    low, high = wilson(0.5 * 12.5, 12.5)
    assert low == pytest.approx(1 - high)
    assert wilson(0.5 * 25, 25)[0] > low


@pytest.mark.parametrize(("k", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_an_impossible_proportion_is_refused(k, n):
    for interval in (wilson, clopper_pearson):
        with pytest.raises(ValueError, match="successes"):
            interval(k, n)


def test_clopper_pearson_is_exact_at_the_ends():
    assert clopper_pearson(0, 10) == pytest.approx((0.0, 1 - 0.025**0.1))
    assert clopper_pearson(10, 10) == pytest.approx((0.025**0.1, 1.0))
    assert clopper_pearson(5, 10)[0] < wilson(5, 10)[0]


def test_a_proportion_of_nothing_is_undefined():
    assert proportion(0, 0).undefined == "no_data"
    assert proportion(0, 0, code="no_predicted_positives").undefined == "no_predicted_positives"
    assert proportion(3, 4).value == 0.75


@pytest.mark.parametrize(
    ("b", "c", "n", "bounds"),
    [
        (6, 16, 161, (-0.124023, -0.005433)),
        (1, 7, 21, (-0.517232, -0.026003)),
        (34, 16, 200, (0.0214, 0.1601)),
        (0, 0, 73, (-0.049992, 0.049992)),
    ],
)
def test_tango(b, c, n, bounds):
    assert tango(b, c, n) == pytest.approx(bounds, abs=5e-5)


def test_tango_reaches_the_end_of_the_scale():
    low, high = tango(5, 0, 5)
    assert high == 1.0
    assert -1 < low < 1
    assert tango(0, 5, 5) == pytest.approx((-1.0, -low))
