"""LLMFAO: 2,139 pairs of 59 models on 13 prompts, 8,931 judgements of 124 workers, four in ten a tie."""

import re

import pytest

from tests.agreement.examples import figure, figures
from tests.datasets.published import printed, rows

SHARE = re.compile(r"Bradley-Terry share \(ties=half win\) human, (.+)")
RANK = re.compile(r"human leaderboard rank of (.+)")


def pair_of(item):
    """A pair with both answers inline."""
    sides = {
        side: {"output": item[f"output_{side}"], "configuration": {"model": item[f"model_{side}"]}} for side in "ab"
    }
    return {"external_id": item["external_id"], "input": item["input"], **sides}


@pytest.mark.datasets
def test_llmfao_gives_the_printed_human_leaderboard(api, queue_with, load, compare, datasets):
    folder = datasets / "llmfao"
    queue_with("llmfao", [{"key": "preference", "kind": "preference", "title": "Better"}], kind="pairwise")
    load("pairs/", [pair_of(item) for item in rows(folder / "items.jsonl")])
    load(
        "queues/llmfao/reviews/import/",
        [
            {
                "external_id": label["external_id"],
                "reviewer": label["rater"],
                "preference": {"winner": label["preference"]},
            }
            for label in rows(folder / "labels.jsonl")
        ],
    )
    board = api.get("preferences/leaderboard/?ties=half&queue=llmfao").body
    assert (board["model"], board["connected"], board["contestant"]) == ("bradley_terry_half", True, "model")
    assert (len(board["contestants"]), board["n_prompts"]) == (59, 13)
    llmfao = compare("llmfao")
    llmfao.same("number of judgements", board["n_comparisons"])
    llmfao.same("number of workers", board["n_reviewers"])
    by_name = {line["name"]: line for line in board["contestants"]}
    for what in printed(folder):
        if named := SHARE.fullmatch(what):
            llmfao.same(what, by_name[named[1]]["share"])
        elif named := RANK.fullmatch(what):
            llmfao.same(what, by_name[named[1]]["rank"])
    assert board["position_effect"]["undefined"] == "no_data"
    report = api.get("queues/llmfao/agreement/").body
    entry = figures(report, "preference")
    assert (entry["n_items"], entry["n_reviews"], entry["n_reviewers"]) == (2139, 8931, 124)
    alpha = figure(report, "preference", "krippendorff_alpha")["value"]
    llmfao.same("Krippendorff alpha nominal, 124 workers (sparse)", alpha, decimals=10)


@pytest.mark.datasets
def test_llmfao_ranks_with_davidsons_ties_by_default(api, queue_with, load, datasets):
    folder = datasets / "llmfao"
    queue_with("llmfao", [{"key": "preference", "kind": "preference", "title": "Better"}], kind="pairwise")
    items = [item for number, item in enumerate(rows(folder / "items.jsonl")) if number % 4 == 0]
    kept = {item["external_id"] for item in items}
    load("pairs/", [pair_of(item) for item in items])
    labels = [label for label in rows(folder / "labels.jsonl") if label["external_id"] in kept]
    load(
        "queues/llmfao/reviews/import/",
        [
            {"external_id": one["external_id"], "reviewer": one["rater"], "preference": {"winner": one["preference"]}}
            for one in labels
        ],
    )
    board = api.get("preferences/leaderboard/").body
    assert (board["model"], board["n_comparisons"]) == ("bradley_terry_davidson", len(labels))
    assert board["connected"]
    assert all(line["interval"][0] < line["strength"] < line["interval"][1] for line in board["contestants"])
