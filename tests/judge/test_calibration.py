"""How far people agree with a judge: API.md, Calibration."""

from __future__ import annotations

import json

import pytest

from reviewapp.judge.models import Verdict
from tests.conftest import Api
from tests.judge.arrange import (
    PAIR_RUBRIC,
    RUBRIC,
    grades,
    imported,
    make_pairs,
    make_queue,
    make_rubric,
    ok,
    output,
)

SHAPE = {
    "criterion", "n", "n_errors", "agreement", "cohen_kappa", "spearman", "kendall_tau_b", "human_ceiling", "alt_test",
    "confusion", "calibration", "trust", "position",
}  # fmt: skip


@pytest.fixture
def ready(api: Api) -> Api:
    make_rubric(api)
    models = ("small", "large")
    make_queue(api, [output(k, configuration={"model": models[k % 2]}, feature=f"f{k % 2}") for k in range(40)])
    ok(api.post("judges/", imported()))
    return api


def verdicts(api: Api, rows: list[dict]) -> None:
    ok(api.bulk("judges/theirs/verdicts/import/", rows))


def name(k: int) -> str:
    return f"o-{k:04d}"


def entry(api: Api, criterion: str, more: str = "") -> dict:
    body = ok(api.get(f"judges/theirs/calibration/?queue=answers{more}"))
    json.dumps(body, allow_nan=False)
    return next(one for one in body["criteria"] if one["criterion"] == criterion)


def test_the_answer_has_the_shape_of_the_contract_even_without_a_label(ready):
    body = ok(ready.get("judges/theirs/calibration/?queue=answers"))
    assert set(body) == {"judge", "version", "queue", "label_policy", "folds", "criteria"}
    assert (body["version"], body["label_policy"], body["folds"]) == (1, "settled", 0)
    assert [set(one) for one in body["criteria"]] == [SHAPE] * 4
    first = body["criteria"][0]
    assert (first["n"], first["agreement"]["undefined"], first["position"]) == (0, "no_data", None)
    assert first["alt_test"]["reason"]
    assert first["trust"]["threshold"] is None


def test_errors_are_counted_and_never_scored(ready):
    grades(ready, [{"external_id": name(k), "reviewer": "ann", "grades": {"safe": True}} for k in range(10)])
    rows = [{"external_id": name(k), "criterion": "safe", "value": k != 0} for k in range(8)]
    rows += [{"external_id": name(8), "criterion": "safe", "error": "refused"}]
    verdicts(ready, rows)
    found = entry(ready, "safe")
    assert (found["n"], found["n_errors"]) == (8, 1)
    assert found["agreement"]["value"] == pytest.approx(7 / 8)
    assert found["confusion"] == {"labels": [False, True], "counts": [[0, 0], [1, 7]]}
    assert found["cohen_kappa"]["value"] == 0.0


def test_kappa_correlations_and_the_human_ceiling_beside_each_other(ready):
    tones = [1, 2, 3, 4, 5] * 8
    rows = []
    for k in range(40):
        near = min(5, tones[k] + (k % 4 == 0))
        rows += [
            {"external_id": name(k), "reviewer": who, "grades": {"tone": tone}}
            for who, tone in (("ann", tones[k]), ("bob", tones[k]), ("eve", near))
        ]
    grades(ready, rows)
    verdicts(ready, [{"external_id": name(k), "criterion": "tone", "value": tones[k]} for k in range(40)])
    found = entry(ready, "tone")
    assert found["agreement"]["value"] == found["cohen_kappa"]["value"] == 1.0
    assert [found[one]["value"] for one in ("kendall_tau_b", "spearman")] == pytest.approx([1.0, 1.0])
    # Eve differs on 8 of 40 items (from level 5 there is no way up). There Ann and Bob each face a tie of the others,
    # which counts half, and Eve faces both: (36 + 36 + 32) of 120.
    assert found["human_ceiling"]["value"] == pytest.approx(104 / 120)
    assert found["alt_test"]["winning_rate"] is not None
    assert found["alt_test"]["passes"] is True


def test_verdicts_between_levels_are_compared_by_rank_only(ready):
    grades(ready, [{"external_id": name(k), "reviewer": "ann", "grades": {"tone": k % 5 + 1}} for k in range(40)])
    verdicts(ready, [{"external_id": name(k), "criterion": "tone", "value": (k % 5) * 0.9 + 1.1} for k in range(40)])
    found = entry(ready, "tone")
    assert found["agreement"]["undefined"] == "not_applicable"
    assert found["confusion"] == {"labels": [], "counts": []}
    assert found["kendall_tau_b"]["value"] == pytest.approx(1.0)


def test_answers_without_order_have_no_rank_correlation(ready):
    grades(ready, [{"external_id": name(k), "reviewer": "ann", "grades": {"topic": "storm"}} for k in range(4)])
    verdicts(ready, [{"external_id": name(k), "criterion": "topic", "value": "visit"} for k in range(4)])
    found = entry(ready, "topic")
    assert found["kendall_tau_b"]["undefined"] == "not_applicable"
    assert found["agreement"]["value"] == 0


def test_stated_confidence_is_held_against_what_people_say(ready):
    grades(ready, [{"external_id": name(k), "reviewer": "ann", "grades": {"safe": k % 10 != 0}} for k in range(40)])
    verdicts(
        ready, [{"external_id": name(k), "criterion": "safe", "value": True, "confidence": 0.9} for k in range(40)]
    )
    found = entry(ready, "safe")
    assert found["calibration"]["brier"]["value"] == pytest.approx(0.09)
    assert sum(point["n"] for point in found["calibration"]["curve"]) == 40
    assert found["trust"]["threshold"] is None
    assert found["trust"]["reason"]


def test_a_reliable_judge_may_settle_above_a_threshold(ready):
    grades(ready, [{"external_id": name(k), "reviewer": "ann", "grades": {"safe": True}} for k in range(40)])
    rows = [
        {"external_id": name(k), "criterion": "safe", "value": k < 30, "confidence": 0.95 if k < 30 else 0.4}
        for k in range(40)
    ]
    verdicts(ready, rows)
    trust = entry(ready, "safe")["trust"]
    assert trust["threshold"] == 0.95
    assert trust["coverage"] == 0.75
    assert trust["accuracy"]["value"] == 1.0


def test_slices_and_system_level(ready):
    grades(ready, [{"external_id": name(k), "reviewer": "ann", "grades": {"tone": k % 5 + 1}} for k in range(40)])
    verdicts(ready, [{"external_id": name(k), "criterion": "tone", "value": k % 5 + 1} for k in range(40)])
    body = ok(ready.get("judges/theirs/calibration/?queue=answers&slice=model"))
    tone = {one["slice"]: one["criteria"][1]["n"] for one in body["slices"]}
    assert tone == {"small": 20, "large": 20}
    system = entry(ready, "tone", "&unit=model&labels=mean")
    assert system["n"] == 2
    assert system["agreement"]["undefined"] == "not_applicable"


@pytest.mark.parametrize("more", ["&labels=nosuch", "&unit=nosuch", "&slice=nosuch", "&nosuch=1"])
def test_an_unknown_parameter_is_400(ready, more):
    assert ready.get(f"judges/theirs/calibration/?queue=answers{more}").status == 400


def test_the_queue_must_be_named_exist_and_ask_the_same_rubric(ready):
    assert ready.get("judges/theirs/calibration/").status == 400
    assert ready.get("judges/theirs/calibration/?queue=nosuch").status == 404
    make_rubric(ready, {**RUBRIC, "slug": "other"})
    ok(ready.post("queues/", {"slug": "others", "title": "x", "kind": "grade", "rubric": "other"}))
    assert ready.get("judges/theirs/calibration/?queue=others").status == 422


def test_pairs_judged_in_both_orders_show_position_bias_and_disagreement_is_a_tie(api):
    make_rubric(api, PAIR_RUBRIC)
    make_pairs(api, 4)
    ok(api.post("judges/", imported(rubric="better")))
    said = [("a", "a"), ("b", "b"), ("a", "b"), ("a", "tie")]
    rows = [
        {"external_id": f"p-{k:03d}", "criterion": "preference", "preference": one[side], "order": order}
        for k, one in enumerate(said)
        for side, order in enumerate(("ab", "ba"))
    ]
    verdicts(api, rows)
    people = [
        {"external_id": f"p-{k:03d}", "reviewer": "ann", "preference": {"winner": winner}}
        for k, winner in enumerate(("a", "a", "tie", "tie"))
    ]
    grades(api, people, queue="pairs")
    [found] = ok(api.get("judges/theirs/calibration/?queue=pairs"))["criteria"]
    assert found["n"] == 4
    assert found["agreement"]["value"] == 0.75
    assert found["confusion"]["labels"] == ["a", "b", "tie", "both_bad"]
    assert found["position"]["consistency"]["value"] == 0.5
    assert found["position"]["first_side_rate"]["value"] == pytest.approx(0.625)
    assert api.get("judges/theirs/calibration/?queue=pairs&unit=model").status == 400


def test_no_answer_of_the_api_holds_a_rationale(ready):
    verdicts(
        ready, [{"external_id": name(0), "criterion": "safe", "value": True, "rationale": "CANARY of production text"}]
    )
    assert Verdict.objects.get().rationale.startswith("CANARY")
    for path in ("judges/", "judges/theirs/", "judges/theirs/calibration/?queue=answers", "judges/theirs/runs/"):
        assert b"CANARY" not in ready.get(path).raw
