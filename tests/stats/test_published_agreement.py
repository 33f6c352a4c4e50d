"""Every published agreement figure of STATS 1.5, to the digits printed there."""

import pytest

from reviewapp.stats.agreement import (
    alpha_from_values,
    brennan_prediger,
    fleiss_kappa,
    gwet_ac1,
    gwet_ac2,
    krippendorff_alpha,
    percent_agreement,
)

from .published import (
    FLEISS_1971,
    GWET_RAW_4_RATERS,
    HAYES_KRIPPENDORFF_2007,
    KRIPPENDORFF_2011,
    SHROUT_FLEISS_1979,
    THREE_ABSTRACTORS,
    count_table,
    pair_table,
    ratings,
    set_table,
    table,
)

ONE_TO_FIVE = [1, 2, 3, 4, 5]
FIRST_15_PATIENTS = " ".join(FLEISS_1971.split()[:15])


@pytest.mark.parametrize(
    ("level", "alpha"), [("nominal", 0.743421), ("ordinal", 0.815388), ("interval", 0.849107), ("ratio", 0.797403)]
)
def test_alpha_of_krippendorffs_own_example(level, alpha):
    stat = krippendorff_alpha(table(KRIPPENDORFF_2011, ONE_TO_FIVE), level=level)
    assert stat.value == pytest.approx(alpha, abs=1e-6)
    assert stat.n == 11


@pytest.mark.parametrize(
    ("level", "alpha"), [("ordinal", 0.759829), ("nominal", 0.476510), ("interval", 0.757378), ("ratio", 0.662123)]
)
def test_alpha_of_hayes_and_krippendorff(level, alpha):
    stat = krippendorff_alpha(table(HAYES_KRIPPENDORFF_2007, [0, 1, 2, 3]), level=level)
    assert stat.value == pytest.approx(alpha, abs=1e-6)


def test_default_interval_of_alpha_is_the_jackknife_on_the_log_scale():
    nominal = krippendorff_alpha(table(GWET_RAW_4_RATERS, ONE_TO_FIVE), level="nominal")
    assert nominal.interval == pytest.approx((-0.1617, 0.9433), abs=1e-4)
    ordinal = krippendorff_alpha(table(HAYES_KRIPPENDORFF_2007, [0, 1, 2, 3]), level="ordinal")
    assert ordinal.interval == pytest.approx((0.6212, 0.8477), abs=1e-4)
    assert ordinal.se == pytest.approx(0.053955, abs=1e-6)
    assert ordinal.method == "jackknife on log(1 - alpha)"


@pytest.mark.parametrize(
    ("coefficient", "value", "se", "low"),
    [
        (gwet_ac1, 0.77544, 0.14295, 0.461),
        (fleiss_kappa, 0.76117, 0.15302, 0.424),
        (brennan_prediger, 0.77273, 0.14472, 0.454),
    ],
)
def test_gwets_four_raters_with_his_standard_error(coefficient, value, se, low):
    stat = coefficient(table(GWET_RAW_4_RATERS, ONE_TO_FIVE), se_method="gwet2014")
    assert stat.value == pytest.approx(value, abs=5e-6)
    assert stat.se == pytest.approx(se, abs=5e-6)
    assert stat.interval == pytest.approx((low, 1.0), abs=5e-4)


def test_gwets_standard_error_of_alpha_follows_the_r_package():
    four = krippendorff_alpha(table(GWET_RAW_4_RATERS, ONE_TO_FIVE), level="nominal", se_method="gwet2014")
    assert four.se == pytest.approx(0.14548, abs=5e-6)
    assert four.interval == pytest.approx((0.423, 1.0), abs=5e-4)
    six = krippendorff_alpha(count_table(FIRST_15_PATIENTS), level="nominal", se_method="gwet2014")
    assert (six.value, six.se) == pytest.approx((0.4204384, 0.08119), abs=5e-6)


@pytest.mark.parametrize(
    ("weights", "ac2", "fleiss", "bp"),
    [
        ("quadratic", 0.914001, 0.864935, 0.901515),
        ("linear", 0.858739, 0.817945, 0.848485),
        ("ordinal", 0.898940, 0.850206, 0.886364),
    ],
)
def test_weighted_coefficients_of_gwets_four_raters(weights, ac2, fleiss, bp):
    four = table(GWET_RAW_4_RATERS, ONE_TO_FIVE)
    found = [coefficient(four, weights=weights).value for coefficient in (gwet_ac2, fleiss_kappa, brennan_prediger)]
    assert found == pytest.approx([ac2, fleiss, bp], abs=1e-6)
    assert percent_agreement(four).value == pytest.approx(0.818182, abs=1e-6)


def test_ac1_depends_on_the_categories_of_the_rubric_and_alpha_does_not():
    six = table(GWET_RAW_4_RATERS, [1, 2, 3, 4, 5, 6])
    assert gwet_ac1(six).value == pytest.approx(0.785527, abs=1e-6)
    assert krippendorff_alpha(six, level="nominal").value == pytest.approx(0.743421, abs=1e-6)


def test_the_thirty_patients_of_fleiss():
    patients = count_table(FLEISS_1971)
    fleiss = fleiss_kappa(patients, se_method="gwet2014")
    assert (fleiss.value, fleiss.se) == pytest.approx((0.430245, 0.05420), abs=5e-6)
    ac1 = gwet_ac1(patients, se_method="gwet2014")
    assert (ac1.value, ac1.se) == pytest.approx((0.447885, 0.055662), abs=1e-6)
    assert percent_agreement(patients).value == pytest.approx(0.55556, abs=5e-6)
    assert brennan_prediger(patients).value == pytest.approx(0.444444, abs=1e-6)
    assert krippendorff_alpha(patients, level="nominal").value == pytest.approx(0.433410, abs=1e-6)


def test_the_first_fifteen_patients_are_gwets_six_rater_table():
    patients = count_table(FIRST_15_PATIENTS)
    assert gwet_ac1(patients).value == pytest.approx(0.4448007, abs=1e-7)
    fleiss = fleiss_kappa(patients, se_method="gwet2014")
    assert (fleiss.value, fleiss.se) == pytest.approx((0.4139265, 0.0811929), abs=1e-7)


@pytest.mark.parametrize(
    ("coefficient", "value", "se"), [(fleiss_kappa, 0.7962397, 0.05905473), (gwet_ac1, 0.8493305, 0.04321747)]
)
def test_two_rater_tables_print_the_divisor_n(coefficient, value, se):
    stat = coefficient(pair_table(THREE_ABSTRACTORS), se_method="gwet2014_pair")
    assert (stat.value, stat.se) == pytest.approx((value, se), abs=1e-7)


def test_alpha_of_two_abstractors():
    alpha = krippendorff_alpha(pair_table(THREE_ABSTRACTORS), level="nominal", se_method="gwet2014_pair")
    assert (alpha.value, alpha.se) == pytest.approx((0.7972585, 0.05905), abs=6e-6)


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.238806), ("jaccard", 0.315620), ("masi", 0.273081)])
def test_alpha_over_sets_of_options(level, alpha):
    assert krippendorff_alpha(set_table(), level=level).value == pytest.approx(alpha, abs=1e-6)


def test_interval_alpha_of_shrout_and_fleiss():
    rows = [(unit, float(score)) for unit, scores in enumerate(SHROUT_FLEISS_1979) for score in scores]
    stat = alpha_from_values([unit for unit, _ in rows], [score for _, score in rows])
    assert stat.value == pytest.approx(0.147308, abs=1e-6)


@pytest.mark.parametrize("level", ["interval", "ratio"])
def test_numbers_give_the_same_alpha_and_interval_as_their_pattern_table(level):
    articles = ratings(HAYES_KRIPPENDORFF_2007, [0, 1, 2, 3])
    from_table = krippendorff_alpha(articles.patterns(), level=level)
    from_numbers = alpha_from_values(articles.unit, articles.code.astype(float), level=level)
    assert from_numbers.value == pytest.approx(from_table.value, abs=1e-12)
    assert from_numbers.interval == pytest.approx(from_table.interval, abs=1e-12)
