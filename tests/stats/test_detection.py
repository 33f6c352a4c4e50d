"""A guardrail's precision, miss rate and recall from samples of both sides."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewapp.stats.detection import Stratum, miss_rate, precision, recall
from reviewapp.stats.intervals import wilson

HITS = Stratum(2000, 400, 240)
PASSED = [Stratum(90000, 400, 0), Stratum(7000, 400, 2), Stratum(1000, 400, 22)]


def test_the_printed_guardrail():
    assert precision(HITS).interval == pytest.approx((0.5513, 0.6468), abs=5e-5)
    stat = recall(HITS, PASSED)
    assert stat.value == pytest.approx(0.930233, abs=1e-6)
    assert stat.interval == pytest.approx((0.750, 0.954), abs=6e-3)


def test_the_same_counts_give_the_same_interval():
    assert recall(HITS, PASSED) == recall(HITS, PASSED)


def test_one_stratum_has_the_wilson_interval_of_its_sample():
    stat = miss_rate([Stratum(1_000_000, 400, 8)])
    assert stat.value == 0.02
    assert stat.interval == pytest.approx(wilson(8, 400), abs=5e-4)


def test_miss_rate_weighs_strata_by_their_totals():
    assert miss_rate(PASSED).value == pytest.approx((7000 * 2 / 400 + 1000 * 22 / 400) / 98000)


def test_without_a_miss_the_upper_bound_of_recall_is_one_and_of_the_miss_rate_is_not_zero():
    assert recall(HITS, [Stratum(9000, 300, 0)]).interval[1] == 1.0
    assert miss_rate([Stratum(9000, 300, 0)]).interval[1] > 0.009


def test_what_cannot_be_computed_says_why():
    assert precision(Stratum(0, 0, 0)).undefined == "no_predicted_positives"
    assert precision(Stratum(10, 0, 0)).undefined == "no_data"
    assert miss_rate([]).undefined == "no_data"
    assert miss_rate([Stratum(10, 0, 0), Stratum(10, 5, 1)]).undefined == "design_incomplete"
    assert recall(Stratum(10, 0, 0), PASSED).undefined == "no_data"
    assert recall(Stratum(10, 5, 0), [Stratum(10, 5, 0)]).undefined == "no_actual_positives"
    assert recall(Stratum(0, 0, 0), [Stratum(10, 5, 2)]).value == 0.0


def test_an_impossible_stratum_is_refused():
    with pytest.raises(ValueError, match="stratum"):
        Stratum(10, 11, 0)


@st.composite
def strata(draw):
    total = draw(st.integers(0, 60))
    reviewed = draw(st.integers(0, total))
    return Stratum(total, reviewed, draw(st.integers(0, reviewed)))


@settings(deadline=None, max_examples=50)
@given(strata(), st.lists(strata(), max_size=3))
def test_a_detector_never_holds_nan(hits, passed):
    for stat in (precision(hits), miss_rate(passed), recall(hits, passed)):
        json.dumps(stat.as_dict(), allow_nan=False)
        assert stat.interval is None or stat.interval[0] - 1e-12 <= stat.value <= stat.interval[1] + 1e-12
