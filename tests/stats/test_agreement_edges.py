"""What cannot be computed says why; what can be computed at the edge of the scale is not invented."""

import pytest

from reviewapp.stats.agreement import (
    UnitMoments,
    alpha_from_moments,
    alpha_from_values,
    brennan_prediger,
    fleiss_kappa,
    gwet_ac1,
    gwet_ac2,
    krippendorff_alpha,
    percent_agreement,
)
from reviewapp.stats.patterns import PatternTable, Ratings

from .published import GWET_RAW_4_RATERS, set_table, table


def nominal_alpha(patterns):
    return krippendorff_alpha(patterns, level="nominal")


ALL = [nominal_alpha, percent_agreement, fleiss_kappa, gwet_ac1, gwet_ac2, brennan_prediger]


@pytest.mark.parametrize("coefficient", ALL)
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "no_data"),
        ("1 1 0 1", "fewer_than_two_raters"),
        ("1. .1 0.", "no_pairable_units"),
        ("11 .1 0.", "single_unit"),
    ],
)
def test_labels_that_cannot_be_compared_say_why(coefficient, text, code):
    stat = coefficient(table(text, [0, 1]))
    assert stat.undefined == code
    assert stat.value is None


def test_one_answer_throughout_has_no_variation_except_where_chance_does_not_depend_on_it():
    same = table("11 11 11", [0, 1])
    assert [f(same).undefined for f in (nominal_alpha, fleiss_kappa)] == ["no_variation", "no_variation"]
    for coefficient in (percent_agreement, gwet_ac1, brennan_prediger):
        stat = coefficient(same)
        assert stat.value == 1.0
        assert stat.interval[0] < 1.0
        assert "low_information" in stat.warnings


def test_a_rubric_with_one_category_has_no_variation():
    assert gwet_ac1(table("11 11", [1])).undefined == "no_variation"
    assert brennan_prediger(table("11 11", [1])).undefined == "no_variation"
    assert percent_agreement(table("11 11", [1])).value == 1.0


@pytest.mark.parametrize("coefficient", [nominal_alpha, fleiss_kappa, gwet_ac1, brennan_prediger])
def test_perfect_agreement_gets_a_one_sided_bound_and_no_zero_width(coefficient):
    stat = coefficient(table("11 00 11 00 11 00", [0, 1]))
    assert stat.value == pytest.approx(1.0)
    assert stat.interval[1] == 1.0
    assert -1 <= stat.interval[0] < 0.5
    assert "ci_degenerate" in stat.warnings


def test_the_bound_at_perfect_agreement_tightens_with_more_items():
    low = [nominal_alpha(table(" ".join(["11 00"] * n), [0, 1])).interval[0] for n in (3, 30, 300)]
    assert low[0] < low[1] < low[2] < 1


def test_when_taking_one_item_away_gives_perfect_agreement_the_raw_scale_is_used():
    stat = nominal_alpha(table("11 00 11 00 10", [0, 1]))
    assert stat.method == "jackknife on alpha"
    assert stat.interval[1] <= 1


def test_when_one_item_decides_all_the_interval_is_the_whole_scale():
    stat = nominal_alpha(table("11 11 11 10", [0, 1]))
    assert stat.interval == (-1.0, 1.0)
    assert "low_information" in stat.warnings


def test_a_ratio_scale_with_negative_values_does_not_apply():
    signed = PatternTable.from_rows([(1, "a"), (1, "b"), (2, "a"), (2, "a")], ["a", "b"], values=[-1, 1])
    assert krippendorff_alpha(signed, level="ratio").undefined == "not_applicable"
    assert alpha_from_values([1, 1, 2, 2], [-1.0, 1, 1, 1], level="ratio").undefined == "not_applicable"


def test_an_ordinal_metric_has_no_fixed_weights():
    with pytest.raises(ValueError, match="margins"):
        krippendorff_alpha(table(GWET_RAW_4_RATERS, [1, 2, 3, 4, 5]), level="ordinal", se_method="gwet2014")


def test_a_set_distance_needs_sets():
    with pytest.raises(TypeError, match="frozensets"):
        krippendorff_alpha(table("12 11 22", [1, 2]), level="masi")
    assert krippendorff_alpha(set_table(), level="masi").undefined is None


def test_a_large_majority_is_pointed_out():
    stat = nominal_alpha(table(" ".join(["00"] * 60 + ["01"] * 4 + ["11"]), [0, 1]))
    assert set(stat.warnings) == {"low_information", "prevalence_extreme"}


@pytest.mark.parametrize("level", ["interval", "ratio"])
def test_numbers_that_cannot_be_compared_say_why(level):
    def code(units, values):
        return alpha_from_values(units, values, level=level).undefined

    assert code([], []) == "no_data"
    assert code([1, 2], [0.5, 0.7]) == "no_pairable_units"
    assert code([1, 1, 2], [0.5, 0.7, 0.7]) == "single_unit"
    assert code([1, 1, 2, 2], [0.7, 0.7, 0.7, 0.7]) == "no_variation"


def test_numbers_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="finite"):
        alpha_from_values([1, 1], [0.0, float("nan")])


def test_a_large_offset_does_not_change_interval_alpha():
    units = [1, 1, 2, 2, 3, 3]
    near = alpha_from_values(units, [1.0, 1.1, 2.0, 2.2, 3.0, 2.7])
    far = alpha_from_values(units, [1e7 + v for v in (1.0, 1.1, 2.0, 2.2, 3.0, 2.7)])
    assert far.value == pytest.approx(near.value, abs=1e-6)


def test_moments_need_one_entry_per_unit():
    import numpy as np

    with pytest.raises(ValueError, match="one entry per unit"):
        UnitMoments(np.array([2]), np.array([1.0, 2.0]), np.array([1.0]))
    moments = UnitMoments(np.array([2, 2, 1]), np.array([2.0, 5.0, 9.0]), np.array([2.0, 13.0, 81.0]))
    assert alpha_from_moments(moments).value == pytest.approx(alpha_from_values([1, 1, 2, 2], [1, 1, 2, 3]).value)


def test_a_value_outside_the_rubric_is_refused():
    with pytest.raises(ValueError, match="no category"):
        PatternTable.from_rows([(1, "maybe")], ["yes", "no"])
    with pytest.raises(ValueError, match="no category"):
        PatternTable.from_compositions([({"maybe": 2}, 1)], ["yes", "no"])


def test_a_second_label_of_the_same_rater_is_refused():
    with pytest.raises(ValueError, match="two labels"):
        Ratings.from_rows([("i", "rita", "yes"), ("i", "rita", "no")], ["yes", "no"])


def test_rows_and_compositions_give_the_same_table():
    rows = [(1, "a"), (1, "b"), (2, "b"), (2, "a"), (3, "b"), (3, "b"), (4, "a")]
    compositions = [({"a": 1, "b": 1}, 2), ({"b": 2}, 1), ({"a": 1}, 1)]
    first = PatternTable.from_rows(rows, ["a", "b"])
    second = PatternTable.from_compositions(compositions, ["a", "b"])
    as_set = [{(*c, f) for c, f in zip(t.counts.tolist(), t.freq.tolist(), strict=True)} for t in (first, second)]
    assert as_set[0] == as_set[1]
    assert (first.n_units, first.n_pairable) == (4, 3)
