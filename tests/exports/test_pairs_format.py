"""Chosen and rejected, from side-by-side reviews."""

import json

from tests.exports.conftest import PREFERENCES

VOTES = {
    "clear": ["a", "a", "a"],
    "two to one": ["b", "b", "a"],
    "even": ["a", "b"],
    "tie": ["tie", "tie"],
    "bad": ["both_bad", "both_bad", "a"],
}


def compared(world, labels="settled"):
    pairs = [
        {
            "external_id": name,
            "input": f"Which of {name}?",
            "a": {"output": f"A of {name}", "configuration": {"model": "halyard-l"}},
            "b": {"output": f"B of {name}", "configuration": {"model": "halyard-s"}},
        }
        for name in VOTES
    ]
    world.ok(world.api.bulk("pairs/", pairs))
    world.queue("sides", kind="pairwise", rubric=PREFERENCES)
    world.reviews(
        "sides",
        *(
            {"external_id": name, "reviewer": f"r{place}", "preference": {"winner": winner}}
            for name, winners in VOTES.items()
            for place, winner in enumerate(winners)
        ),
    )
    world.dataset(queues=["sides"], labels=labels)
    return world.freeze()


def test_pairs_hold_the_chosen_and_the_rejected_answer_and_count_the_rest(world):
    version = compared(world)
    found = {row["external_id"]: row for row in map(json.loads, world.download("pairs").raw.splitlines())}
    assert found == {
        "clear": {
            "external_id": "clear", "prompt": "Which of clear?", "chosen": "A of clear", "rejected": "B of clear",
            "n_reviews": 3, "share": 1.0,
        },
        "two to one": {
            "external_id": "two to one", "prompt": "Which of two to one?", "chosen": "B of two to one",
            "rejected": "A of two to one", "n_reviews": 3, "share": 2 / 3,
        },
    }  # fmt: skip
    assert version["manifest"]["files"]["pairs"]["left_out"] == {"both_bad": 1, "tie": 1, "unsettled": 1}
    assert version["left_out"] == {"both_bad": 1, "tie": 1, "unsettled": 1}
    settled = {row["external_id"]: row for row in map(json.loads, world.download().raw.splitlines())}
    assert settled["clear"]["output"] == {"a": "A of clear", "b": "B of clear"}
    assert settled["clear"]["configuration"]["b"] == {"model": "halyard-s"}
    assert settled["tie"]["labels"]["preference"]["value"] == "tie"


def test_a_raw_dataset_has_every_vote_and_pairs_by_the_most_votes(world):
    version = compared(world, labels="raw")
    assert version["formats"] == ["jsonl-raw", "pairs"]
    raw = [json.loads(line) for line in world.download("jsonl-raw").raw.splitlines()]
    assert len(raw) == version["rows"] == 13
    assert sorted(row["value"]["winner"] for row in raw if row["external_id"] == "bad") == ["a", "both_bad", "both_bad"]
    assert len(world.download("pairs").raw.splitlines()) == 2


def test_a_format_that_a_version_does_not_have_is_absent(world):
    compared(world, labels="raw")
    assert world.download("jsonl").status == 404
