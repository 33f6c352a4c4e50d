"""Verdicts from elsewhere: API.md, Verdict import."""

from __future__ import annotations

import json

import pytest

from reviewapp.audit.models import Event
from reviewapp.ingest.models import Fact
from reviewapp.judge.models import Verdict
from tests.conftest import Api, personal_api, service_api
from tests.judge.arrange import PAIR_RUBRIC, imported, make_pairs, make_queue, make_rubric, ok, output, program


@pytest.fixture
def ready(api: Api) -> Api:
    make_rubric(api)
    make_queue(api, [output(k) for k in range(5)])
    ok(api.post("judges/", imported()))
    return api


def line(number: int, criterion: str = "safe", **more: object) -> dict[str, object]:
    return {"external_id": f"o-{number:04d}", "criterion": criterion, **more}


def bulk(api: Api, rows: list[object], judge: str = "theirs"):
    return api.bulk(f"judges/{judge}/verdicts/import/", rows)


def test_good_lines_land_and_bad_lines_are_named(ready):
    answer = bulk(
        ready,
        [
            line(0, value=True, confidence=0.8, rationale="fine", cost_usd=0.001),
            line(0, "tone", value=3.6666666666666665),
            line(0, "topic", value="storm"),
            line(0, "minutes", value=12.5),
            line(1, error="refused"),
            line(9, value=True),
            line(1, "nosuch", value=1),
            line(2, value="yes"),
            line(2, "tone", value=5.01),
            line(2, "tone", value=True),
            line(2, "topic", value="other"),
            line(2, "minutes", value=61),
            line(2, "safe"),
            line(2, value=True, error="timeout"),
            line(2, preference="a"),
            line(2, value=True, order="ab"),
            line(2, value=True, confidence=1.5),
            line(2, value=True, colour="red"),
            line(2, error="unavailable"),
            "prose",
        ],
    )
    assert answer.status == 200
    assert (answer.body["accepted"], answer.body["duplicates"], answer.body["rejected"]) == (5, 0, 15)
    assert {error["line"]: error["pointer"] for error in answer.body["errors"]} == {
        6: "/external_id", 7: "/criterion", 8: "/value", 9: "/value", 10: "/value", 11: "/value", 12: "/value",
        13: "/value", 14: "/error", 15: "/value", 16: "/order", 17: "/confidence", 18: "/colour", 19: "/error", 20: "",
    }  # fmt: skip
    assert Verdict.objects.count() == 5
    assert Fact.objects.get().name == "judge/theirs/safe/confidence"
    event = Event.objects.get(event="judge.verdicts_imported")
    assert json.loads(event.payload.data)["after"]["accepted"] == 5


def test_the_same_verdict_again_is_a_duplicate_and_another_one_is_rejected(ready):
    rows = [line(0, value=True), line(1, error="timeout")]
    ok(bulk(ready, rows))
    again = bulk(ready, [*rows, line(0, value=False), line(1, value=True), line(2, value=True), line(2, value=True)])
    assert (again.body["accepted"], again.body["duplicates"], again.body["rejected"]) == (1, 3, 2)
    assert Verdict.objects.get(output__external_id="o-0000").value is True


def test_nothing_good_is_422_and_lands_nothing(ready):
    answer = bulk(ready, [line(9, value=True)])
    assert answer.status == 422
    assert not Verdict.objects.exists()


def test_in_a_rubric_with_a_preference_an_id_names_a_pair(api):
    make_rubric(api, PAIR_RUBRIC)
    make_pairs(api, 2)
    ok(api.post("judges/", imported(rubric="better")))
    row = {"external_id": "p-000", "criterion": "preference"}
    answer = bulk(
        api,
        [
            {**row, "preference": "a", "order": "ab"},
            {**row, "preference": "b", "order": "ba"},
            {**row, "preference": "b", "order": "ab"},
            {**row, "external_id": "p-000#a", "preference": "a"},
            {**row, "value": "a"},
        ],
    )
    assert (answer.body["accepted"], answer.body["rejected"]) == (2, 3)
    assert set(Verdict.objects.values_list("order", "preference")) == {("ab", "a"), ("ba", "b")}


def test_only_an_imported_judge_takes_verdicts(ready):
    ok(ready.post("judges/", program()))
    assert bulk(ready, [line(0, value=True)], judge="rule-check").status == 409


@pytest.mark.parametrize(("who", "status"), [("max", 200), ("ada", 403), ("otto", 403), ("nemo", 404)])
def test_who_may_import_verdicts(cast, ready, who, status):
    assert bulk(personal_api(getattr(cast, who)), [line(0, value=True)]).status == status


def test_importing_needs_the_scope_manage(cast, ready):
    assert bulk(service_api(cast, ["labels:read"]), [line(0, value=True)]).status == 403
