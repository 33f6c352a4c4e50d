"""What each programmatic check answers, and that no pattern can hold up a worker."""

from __future__ import annotations

import time

import pytest

from reviewapp.demo.content.judge import judge_definition
from reviewapp.demo.content.outputs import output_records
from reviewapp.demo.content.rubrics import SUPPORT_ANSWER
from reviewapp.ingest.models import Output
from reviewapp.judge.checks.options import read_options
from reviewapp.judge.checks.run import Checked, run_check
from reviewapp.judge.checks.sandbox import Sandbox
from reviewapp.judge.models import JudgeRun, Verdict
from reviewapp.judge.work import work_on
from reviewapp.lib.clock import utc_now
from tests.judge.arrange import ok

CITED = {
    "pattern": r"\[([A-Za-z0-9-]+)\]",
    "none": 2,
    "unknown": 1,
    "bands": [{"below": 0.6, "value": 3}, {"value": 4}],
}


def answer(check: str, options: dict, text: object, **more: object) -> Checked:
    with Sandbox(seconds=0.5) as sandbox:
        return run_check(read_options(check, options), Output(output=text, **more), sandbox)


@pytest.mark.parametrize(
    ("text", "value"), [("call FIRE brigade", False), ("all calm", True), ("", True), (None, True)]
)
def test_regex_says_whether_the_pattern_is_found(text, value):
    assert answer("regex", {"pattern": "(?i)fire", "found": False, "missing": True}, text).value is value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Nothing cited.", 2),
        ("Known [kb-1]. And [kb-9].", 1),
        ("One [kb-1].\n\nTwo [kb-2].", 4),
        ("One [kb-1].\n\nTwo.\n- three\n- four", 3),
    ],
)
def test_citation_looks_at_ids_and_at_how_much_is_cited(text, value):
    context = [{"id": "kb-1", "text": "x"}, {"id": "kb-2", "text": "y"}]
    assert answer("citation", CITED, text, context=context).value == value


@pytest.mark.parametrize(
    ("unit", "text", "value"), [("words", "a b c", 2), ("characters", "ab", 1), ("lines", "a\nb\nc", 2)]
)
def test_length_counts_what_it_is_told_to(unit, text, value):
    options = {"unit": unit, "bands": [{"below": 3, "value": 1}, {"value": 2}]}
    assert answer("length", options, text).value == value


def test_similarity_compares_with_another_text():
    options = {"against": "metadata.reference", "bands": [{"below": 0.9, "value": False}, {"value": True}]}
    assert answer("similarity", options, "forty two", metadata={"reference": "forty two"}).value is True
    assert answer("similarity", options, "forty two", metadata={}).value is False


def test_json_schema_says_whether_the_text_is_of_that_form():
    options = {"schema": {"type": "object", "required": ["a"]}, "valid": True, "invalid": False}
    assert answer("json_schema", options, '{"a": 1}').value is True
    assert answer("json_schema", options, '{"b": 1}').value is False
    assert answer("json_schema", options, "prose").value is False


def test_a_schema_fetches_nothing():
    options = {"schema": {"$ref": "http://127.0.0.1:9/x.json"}, "valid": True, "invalid": False}
    assert answer("json_schema", options, "{}").error == "malformed"


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|a)*$", r"(\w+\s?)+$"])
def test_a_pattern_that_explodes_is_cut_off_and_the_next_text_is_answered(pattern):
    options = read_options("regex", {"pattern": pattern, "found": True, "missing": False})
    with Sandbox(seconds=0.5) as sandbox:
        run_check(options, Output(output="a"), sandbox)
        begun = time.monotonic()
        assert run_check(options, Output(output="a" * 40 + "!"), sandbox).error == "timeout"
        assert time.monotonic() - begun < 2
        assert run_check(options, Output(output="a"), sandbox).value is True


def test_an_endless_text_is_an_error_and_no_value():
    checked = answer("regex", {"pattern": "x", "found": True, "missing": False}, "y" * 300_000)
    assert (checked.value, checked.error) == (None, "malformed")


def test_the_judge_of_the_sample_project_answers_all_of_its_criteria(api):
    ok(api.post("rubrics/", SUPPORT_ANSWER))
    ok(api.post("rubrics/support-answer/publish/", {}))
    outputs = output_records(utc_now())[:60]
    ok(api.bulk("outputs/", outputs))
    ok(api.post("judges/", judge_definition()))
    run = ok(api.post("judges/rule-check/runs/", {"where": {}}))
    assert run["total"] == 60
    work_on(JudgeRun.objects.get().pk)
    done = api.get(f"runs/{run['id']}/").body
    assert (done["state"], done["done"], done["n_errors"], done["cost_usd"]) == ("done", 60, 0, 0.0)
    assert Verdict.objects.count() == 240
    faithful = set(Verdict.objects.filter(criterion__key="faithful").values_list("value", flat=True))
    assert len(faithful) > 1
