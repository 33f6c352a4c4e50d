"""HANNA through the public API only: tau-b of four judges against the mean of the slots, to the printed digits.

The 960 machine-written stories of the published figures (the human stories are not in them). The authors averaged
three tries per score and wrote an unreadable try as -1, so means lie between -1 and 5: the rubric gets -1 as its
lowest level, else the contract would rightly reject such lines. Prints what it read back.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Api, Cast, service_api
from tests.judge.arrange import ok

pytestmark = pytest.mark.datasets
CRITERIA = ("Relevance", "Coherence", "Empathy", "Surprise", "Engagement", "Complexity")
JUDGES = ("Beluga-13B", "Llama-13B", "Mistral-7B", "ChatGPT")
_WHAT = re.compile(r"\|Kendall tau-b\|x100 (story|system)-level (\S+) vs mean human, (\w+)")


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line]


def load(api: Api, folder: Path) -> None:
    """Outputs, rubric, queue, slots, judges, verdicts."""
    items = [item for item in rows(folder / "items.jsonl") if item["model"] != "Human"]
    ids = {item["external_id"] for item in items}
    outputs = [
        {"external_id": item["external_id"], "input": item["input"], "output": item["output"],
         "configuration": {"model": item["model"]}, "metadata": item["metadata"]}
        for item in items
    ]  # fmt: skip
    ok(api.bulk("outputs/", outputs))
    levels = [{"value": n, "label": str(n)} for n in (-1, 1, 2, 3, 4, 5)]
    criteria = [{"key": key, "kind": "ordinal", "title": key, "levels": levels} for key in CRITERIA]
    ok(api.post("rubrics/", {"slug": "story", "title": "Story quality", "criteria": criteria}))
    ok(api.post("rubrics/story/publish/", {}))
    ok(api.post("queues/", {"slug": "stories", "title": "Stories", "kind": "grade", "rubric": "story"}))
    reviews: dict[tuple[str, str], dict[str, Any]] = {}
    for label in rows(folder / "labels.jsonl"):
        if label["external_id"] in ids:
            reviews.setdefault((label["external_id"], label["rater"]), {})[label["criterion"]] = label["value"]
    imported = [{"external_id": item, "reviewer": slot, "grades": grades} for (item, slot), grades in reviews.items()]
    landed = ok(api.bulk("queues/stories/reviews/import/?reviewers=slots", imported))
    assert (landed["accepted"], landed["rejected"]) == (2880, 0)
    verdicts: dict[str, list[dict[str, Any]]] = {}
    for row in rows(folder / "judge.jsonl"):
        if row["external_id"] in ids:
            entry = {"external_id": row["external_id"], "criterion": row["criterion"], "value": row["score"]}
            verdicts.setdefault(row["judge"].split("/")[0], []).append(entry)
    for name in JUDGES:
        slug = name.lower()
        ok(api.post("judges/", {"slug": slug, "title": name, "rubric": "story", "kind": "imported"}))
        landed = ok(api.bulk(f"judges/{slug}/verdicts/import/", verdicts[name]))
        assert (landed["accepted"], landed["rejected"]) == (5760, 0)


def read_back(api: Api) -> dict[tuple[str, str, str], float]:
    """(level, judge, criterion) -> |tau-b| x 100."""
    found = {}
    for name in JUDGES:
        for level, unit in (("story", "output"), ("system", "model")):
            body = ok(api.get(f"judges/{name.lower()}/calibration/?queue=stories&labels=mean&unit={unit}"))
            for entry in body["criteria"]:
                assert entry["n"] == (960 if level == "story" else 10)
                assert entry["n_errors"] == 0
                assert entry["alt_test"]["undefined"] == "not_applicable"
                found[level, name, entry["criterion"]] = abs(entry["kendall_tau_b"]["value"]) * 100
    return found


def test_hanna_gives_the_48_printed_kendall_values(cast: Cast, datasets: Path, capsys: pytest.CaptureFixture[str]):
    api = service_api(cast)
    load(api, datasets / "hanna")
    found = read_back(api)
    printed = {
        match.groups(): figure
        for figure in json.loads((datasets / "hanna" / "published.json").read_text())
        if (match := _WHAT.fullmatch(figure["what"])) and figure["provenance"] == "IN-REPO"
    }
    assert len(printed) == 48
    with capsys.disabled():
        print(f"\n{'level':8}{'judge':12}" + "".join(f"{key:>22}" for key in CRITERIA))
        for level in ("story", "system"):
            for name in JUDGES:
                cells = (
                    f"{found[level, name, key]:.4f} ({printed[level, name, key]['published']})" for key in CRITERIA
                )
                print(f"{level:8}{name:12}" + "".join(f"{cell:>22}" for cell in cells))
    for key, figure in printed.items():
        assert round(found[key]) == figure["published"], key
        assert found[key] == pytest.approx(figure["computed"], abs=1e-9), key
