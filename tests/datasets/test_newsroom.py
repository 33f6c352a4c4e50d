"""Newsroom: 420 summaries, three crowd positions, four scales of five. Its fluency alpha is below zero."""

import pytest

from tests.agreement.examples import figure, figures
from tests.datasets.published import graded, outputs

CRITERIA = ("Informativeness", "Relevance", "Fluency", "Coherence")
LEVELS = [{"value": value, "label": str(value)} for value in range(1, 6)]


@pytest.mark.datasets
def test_newsroom_gives_the_published_ordinal_alphas_to_ten_decimals(api, queue_with, load, compare, datasets):
    queue_with("newsroom", [{"key": key, "kind": "ordinal", "title": key, "levels": LEVELS} for key in CRITERIA])
    load("outputs/", outputs(datasets / "newsroom"))
    load("queues/newsroom/reviews/import/?reviewers=slots", graded(datasets / "newsroom"))
    report = api.get("queues/newsroom/agreement/").body
    newsroom = compare("newsroom")
    for key in CRITERIA:
        alpha = figure(report, key, "krippendorff_alpha", level="ordinal")
        newsroom.same(f"Krippendorff alpha ordinal, 3 slots, {key} (n=420)", alpha["value"], decimals=10)
        for level in ("nominal", "interval"):
            value = figure(report, key, "krippendorff_alpha", level=level)["value"]
            newsroom.same(f"Krippendorff alpha {level}, {key}", value, decimals=10)
        entry = figures(report, key)
        assert (entry["n_items"], entry["n_reviews"], entry["n_reviewers"], entry["pairs"]) == (420, 1260, 3, [])
        assert figure(report, key, "conger_kappa")["undefined"] == "not_applicable"
    newsroom.same("gwet weights=quadratic, Informativeness", figure(report, "Informativeness", "gwet_ac2")["value"])
    fluency = figure(report, "Fluency", "krippendorff_alpha", level="ordinal")
    assert fluency["interval"][0] < fluency["value"] < 0 < fluency["interval"][1]
