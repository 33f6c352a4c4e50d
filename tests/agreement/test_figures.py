"""The report's figures are those of the pure statistics on the same labels."""

from __future__ import annotations

import json

import numpy as np
import pytest

from reviewapp.agreement.selectors import current_report
from reviewapp.stats import agreement as pure
from reviewapp.stats.pairs import cohen_kappa, conger_kappa, icc_2
from reviewapp.stats.patterns import PatternTable, Ratings
from tests.agreement.examples import (
    end_review,
    figure,
    figures,
    fill,
    make_item,
    make_queue,
    publish_rubric,
    review,
    slot,
)

# The first two units of twelve that Krippendorff (2011) prints, four observers, and more.
TONES = ["11.1", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", ".555", "..11", ".3.."]


@pytest.fixture
def people(cast):
    return (cast.rita, cast.rob, cast.rosa, cast.ivy)


def rows_of(table):
    return [(unit, who, int(value)) for unit, row in enumerate(table) for who, value in enumerate(row) if value != "."]


def same(shown, stat):
    """Equal but for the order in which the rows are added up."""
    expected = stat.as_dict()
    for key in ("value", "interval"):
        assert shown[key] == pytest.approx(expected.pop(key), rel=1e-12)
    assert {key: shown[key] for key in expected} == expected


def test_an_ordinal_criterion_gives_krippendorffs_published_alphas(cast, people):
    queue = make_queue(cast, "tone")
    fill(queue, "tone", TONES, people)
    report = current_report(viewer=cast.max, queue=queue)
    assert figure(report, "tone", "krippendorff_alpha", level="nominal")["value"] == pytest.approx(0.743421, abs=1e-6)
    assert figure(report, "tone", "krippendorff_alpha", level="ordinal")["value"] == pytest.approx(0.815388, abs=1e-6)
    assert figure(report, "tone", "krippendorff_alpha", level="interval")["value"] == pytest.approx(0.849107, abs=1e-6)


def test_counts_say_how_much_there_was_to_compare(cast, people):
    queue = make_queue(cast, "tone")
    fill(queue, "tone", TONES, people)
    shown = figures(current_report(viewer=cast.max, queue=queue), "tone")
    assert (shown["n_items"], shown["n_reviews"], shown["n_reviewers"], shown["n_pairable_items"]) == (12, 41, 4, 11)


def test_every_ordinal_statistic_equals_the_pure_one(cast, people):
    queue = make_queue(cast, "tone")
    fill(queue, "tone", TONES, people)
    report = current_report(viewer=cast.max, queue=queue)
    ratings = Ratings.from_rows(rows_of(TONES), [1, 2, 3, 4, 5], values=[1, 2, 3, 4, 5])
    table = ratings.patterns()
    for level in ("nominal", "ordinal", "interval"):
        same(figure(report, "tone", "krippendorff_alpha", level=level), pure.krippendorff_alpha(table, level=level))
    same(figure(report, "tone", "gwet_ac2"), pure.gwet_ac2(table, weights="quadratic"))
    same(figure(report, "tone", "fleiss_kappa"), pure.fleiss_kappa(table))
    same(figure(report, "tone", "percent_agreement"), pure.percent_agreement(table))
    same(figure(report, "tone", "conger_kappa"), conger_kappa(ratings))


def test_each_pair_of_people_has_its_own_kappas(cast):
    queue = make_queue(cast, "tone")
    fill(queue, "tone", ["12", "22", "34", "44", "55", "1.", "21"], (cast.rita, cast.rob))
    report = current_report(viewer=cast.max, queue=queue)
    [pair] = figures(report, "tone")["pairs"]
    assert (pair["reviewers"], pair["n_items"]) == (["rita", "rob"], 6)
    table = np.zeros((5, 5), dtype=np.int64)
    for rita, rob in ((1, 2), (2, 2), (3, 4), (4, 4), (5, 5), (2, 1)):
        table[rita - 1, rob - 1] += 1
    by_name = {stat["name"]: stat for stat in pair["statistics"]}
    same(by_name["cohen_kappa"], cohen_kappa(table))
    same(by_name["cohen_kappa_quadratic"], cohen_kappa(table, weights="quadratic", values=[1, 2, 3, 4, 5]))
    assert by_name["percent_agreement"]["value"] == pytest.approx(3 / 6)
    same(figure(report, "tone", "cohen_kappa"), cohen_kappa(table))


def test_nominal_coefficients_know_the_rubrics_categories_not_the_used_ones(cast):
    queue = make_queue(cast, "topic")
    rows = [["tariff", "tariff"], ["storm", "storm"], ["tariff", "storm"], ["storm", "storm"]]
    fill(queue, "topic", rows, (cast.rita, cast.rob))
    report = current_report(viewer=cast.max, queue=queue)
    labels = [(unit, value) for unit, row in enumerate(rows) for value in row]
    table = PatternTable.from_rows(labels, ["tariff", "storm", "visit"], n_raters=2)
    same(figure(report, "topic", "gwet_ac1"), pure.gwet_ac1(table))
    same(figure(report, "topic", "brennan_prediger"), pure.brennan_prediger(table))


def test_sets_of_options_are_compared_by_masi_whatever_their_order(cast):
    queue = make_queue(cast, "faults")
    pairs = ["-", "A-", "A-A", "A-B", "BA-A", "AB-AC", "ABC-CBA", "C-AC", "C-AC"]
    rows = [[list(side) for side in (text.split("-") if "-" in text else ["", ""])] for text in pairs]
    fill(queue, "faults", rows, (cast.rita, cast.rob))
    report = current_report(viewer=cast.max, queue=queue)
    masi = figure(report, "faults", "krippendorff_alpha", params={"distance": "masi"})
    jaccard = figure(report, "faults", "krippendorff_alpha", params={"distance": "jaccard"})
    assert masi["value"] == pytest.approx(0.273081, abs=1e-6)
    assert jaccard["value"] == pytest.approx(0.315620, abs=1e-6)


def test_numbers_are_compared_on_the_interval_scale_and_by_intraclass_correlation(cast, people):
    queue = make_queue(cast, "minutes")
    block = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    fill(queue, "minutes", block, people)
    report = current_report(viewer=cast.max, queue=queue)
    assert figure(report, "minutes", "krippendorff_alpha")["value"] == pytest.approx(0.147308, abs=1e-6)
    assert figure(report, "minutes", "icc_2")["value"] == pytest.approx(icc_2(block).value)
    assert figure(report, "minutes", "icc_3k")["value"] == pytest.approx(0.90932, abs=1e-5)


def test_numbers_with_many_gaps_have_no_intraclass_correlation(cast, people):
    queue = make_queue(cast, "minutes")
    fill(queue, "minutes", [[1, 2, None, None], [None, 3, 4, None], [None, None, 5, 6], [7, None, None, 8]], people)
    report = current_report(viewer=cast.max, queue=queue)
    assert figure(report, "minutes", "icc_2")["undefined"] == "design_incomplete"
    assert figure(report, "minutes", "krippendorff_alpha")["value"] is not None


def test_preferences_are_compared_as_the_pair_names_its_sides(cast):
    queue = make_queue(cast, "preference", kind="grade")
    fill(queue, "preference", [["a", "a"], ["b", "b"], ["tie", "both_bad"], ["a", "b"]], (cast.rita, cast.rob))
    report = current_report(viewer=cast.max, queue=queue)
    assert figure(report, "preference", "percent_agreement")["value"] == pytest.approx(0.5)
    assert figure(report, "preference", "krippendorff_alpha")["level"] == "nominal"


@pytest.mark.parametrize(
    ("key", "rows", "code"),
    [
        ("safe", [], "no_data"),
        ("safe", [[True, None], [False, None]], "fewer_than_two_raters"),
        ("safe", [[True, None], [None, False]], "no_pairable_units"),
        ("safe", [[True, True], [None, False]], "single_unit"),
        ("safe", [[True, True], [True, True], [True, True]], "no_variation"),
        ("minutes", [[3, None], [4, None]], "fewer_than_two_raters"),
        ("minutes", [[3, 3], [3, 3]], "no_variation"),
        ("note", [["one", "two"]], "not_applicable"),
    ],
)  # fmt: skip
def test_what_cannot_be_computed_says_why(cast, key, rows, code):
    queue = make_queue(cast, key)
    fill(queue, key, rows, (cast.rita, cast.rob))
    alpha = figure(current_report(viewer=cast.max, queue=queue), key, "krippendorff_alpha")
    assert (alpha["value"], alpha["interval"], alpha["undefined"]) == (None, None, code)
    assert alpha["reason"]


def test_no_answer_holds_nan(cast, people):
    queue = make_queue(cast, "safe", "tone", "topic", "faults", "minutes", "note")
    fill(queue, "tone", ["1...", "22.."], people)
    json.dumps(current_report(viewer=cast.max, queue=queue), allow_nan=False)


def test_positions_are_not_people(cast):
    queue = make_queue(cast, "tone", "minutes")
    slots = [slot(cast, name) for name in ("slot_1", "slot_2")]
    for number, (one, other) in enumerate([(1, 2), (3, 3), (5, 4), (2, 2)]):
        item = make_item(queue, f"o{number}")
        review(item, slots[0], {"tone": one, "minutes": one}, seat=None)
        review(item, slots[1], {"tone": other, "minutes": other}, seat=None)
    report = current_report(viewer=cast.max, queue=queue)
    assert figures(report, "tone")["pairs"] == []
    for name in ("cohen_kappa", "cohen_kappa_quadratic", "conger_kappa"):
        assert figure(report, "tone", name)["undefined"] == "not_applicable"
    assert figure(report, "minutes", "icc_2")["undefined"] == "not_applicable"
    assert figure(report, "minutes", "icc_1")["value"] is not None
    assert figure(report, "tone", "fleiss_kappa")["value"] is not None


def test_gold_repeats_adjudications_and_ended_reviews_do_not_enter(cast):
    queue = make_queue(cast, "safe")
    item = make_item(queue, "o1")
    review(item, cast.rita, {"safe": True})
    review(item, cast.rob, {"safe": True}, seat="extra")
    review(item, cast.rita, {"safe": False}, seat="repeat", attempt=2)
    review(item, slot(cast, "again"), {"safe": False}, seat=None, attempt=2)
    review(item, cast.ivy, {"safe": False}, seat="adjudicate")
    review(make_item(queue, "gold"), cast.rosa, {"safe": False}, seat="gold")
    end_review(review(make_item(queue, "undone"), cast.rosa, {"safe": False}))
    shown = figures(current_report(viewer=cast.max, queue=queue), "safe")
    assert (shown["n_items"], shown["n_reviews"], shown["n_reviewers"]) == (1, 2, 2)


def test_an_unchanged_question_keeps_its_labels_over_a_new_version_and_a_reworded_one_starts_anew(cast):
    queue = make_queue(cast, "safe", "tone")
    fill(queue, "safe", [[True, True], [False, False]], (cast.rita, cast.rob))
    item = make_item(queue, "old")
    review(item, cast.rita, {"tone": 2})
    publish_rubric(cast, "safe", "tone", slug="rubric-answers", tone={"title": "Tone towards the customer"})
    review(make_item(queue, "new"), cast.rita, {"safe": True, "tone": 3})
    report = current_report(viewer=cast.max, queue=queue)
    assert figures(report, "safe")["n_reviews"] == 5
    assert figures(report, "tone")["n_reviews"] == 1
