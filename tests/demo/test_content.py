"""The sample project's content holds together: ids, spans, steps, times, and no word of its private truth leaks."""

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest

from reviewapp.demo.content.judge import judge_definition
from reviewapp.demo.content.library import CONFIGURATIONS, case_of, cases, knowledge, situations
from reviewapp.demo.content.outputs import output_records
from reviewapp.demo.content.pairs import pair_records
from reviewapp.demo.content.people import PEOPLE, REVIEWERS
from reviewapp.demo.content.reviews import (
    active_seconds_for,
    comment_for,
    grade_for,
    grades_for,
    guardrail_grades_for,
    preference_for,
    reason_for,
    should_fire_for,
)
from reviewapp.demo.content.rubrics import QUEUES, SUPPORT_ANSWER, rubric_definitions

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
OUTPUT_FIELDS = {
    "external_id", "occurred_at", "input", "output", "context", "steps", "configuration", "latency_ms",
    "time_to_first_token_ms", "input_tokens", "output_tokens", "cost_usd", "error", "session_id", "end_user_id",
    "feature", "guardrails", "signals", "sampling_rate", "metadata",
}  # fmt: skip
STEP_FIELDS = {
    "id", "parent_id", "kind", "name", "input", "output", "started_at", "ended_at", "input_tokens", "output_tokens",
    "cost_usd", "error",
}  # fmt: skip
GUARDRAIL_FIELDS = {"name", "version", "stage", "action", "score", "category", "spans"}
WRITTEN = "\n".join(json.dumps(situation.__dict__, default=str, ensure_ascii=False) for situation in situations())


@pytest.fixture(scope="module")
def records():
    return output_records(NOW)


@pytest.fixture(scope="module")
def pairs():
    return pair_records()


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def test_there_are_about_forty_situations_and_four_hundred_outputs(records):
    assert 38 <= len(situations()) <= 45
    assert 380 <= len(records) <= 420
    assert set(Counter(record["configuration"]["model"] for record in records)) == {
        "haldane-2-small",
        "haldane-3-large",
    }
    assert len({json.dumps(record["configuration"], sort_keys=True) for record in records}) == len(CONFIGURATIONS)


def test_every_output_has_its_own_id_and_its_own_words(records):
    assert len({record["external_id"] for record in records}) == len(records)
    words = {json.dumps([record["input"], record["output"]], ensure_ascii=False) for record in records}
    assert len(words) > 0.95 * len(records)


def test_outputs_use_only_the_fields_of_the_public_contract(records):
    for record in records:
        assert set(record) <= OUTPUT_FIELDS
        assert all(set(step) <= STEP_FIELDS for step in record["steps"])
        assert all(set(hit) <= GUARDRAIL_FIELDS for hit in record["guardrails"])
        assert all(set(document) == {"id", "text", "score"} for document in record["context"])
        assert all(set(signal) == {"kind", "occurred_at"} for signal in record["signals"])


def test_two_calls_give_the_same_bytes():
    first, second = (json.dumps(output_records(NOW), ensure_ascii=False) for _ in range(2))
    assert first == second


def test_another_now_moves_only_the_times(records):
    def timeless(record):
        steps = [{k: v for k, v in step.items() if not k.endswith("_at")} for step in record["steps"]]
        return {**record, "occurred_at": None, "steps": steps, "signals": [s["kind"] for s in record["signals"]]}

    later = {record["external_id"]: record for record in output_records(NOW + timedelta(days=3, hours=5))}
    assert all(timeless(record) == timeless(later[record["external_id"]]) for record in records)


def test_everything_happened_in_the_last_28_days(records):
    days = set()
    for record in records:
        occurred_at = moment(record["occurred_at"])
        days.add(occurred_at.date())
        assert NOW - timedelta(days=28) <= occurred_at <= NOW
        assert all(occurred_at <= moment(signal["occurred_at"]) <= NOW for signal in record["signals"])
    assert len(days) > 20


def test_a_now_in_another_time_zone_is_the_same_moment(records):
    eastward = NOW.astimezone(datetime.strptime("+0200", "%z").tzinfo)
    assert output_records(eastward) == records


def test_no_placeholder_is_left_and_no_document_is_missing(records):
    for record in records:
        assert not re.search(r"\{[a-z_]+\}", json.dumps(record, ensure_ascii=False))
        assert 1 <= len(record["context"]) <= 4
        assert all(document["text"].strip() for document in record["context"])


def test_every_situation_varies_as_often_as_it_is_used():
    for case in cases():
        assert all(len(forms) > case.variant for forms in case.situation.vary.values()), case.situation.slug
        for key in case.situation.vary:
            assert "{" + key + "}" in WRITTEN


def test_spans_lie_inside_the_text_that_they_mark(records):
    marked = 0
    for record in records:
        for hit in record["guardrails"]:
            for span in hit.get("spans", []):
                text = record[span["field"]]
                assert isinstance(text, str)
                assert span["field"] == hit["stage"]
                assert 0 <= span["start"] < span["end"] <= len(text)
                marked += 1
    assert marked > 50


def test_a_span_marks_exactly_the_quoted_words(records):
    mobile = [r for r in records if case_of(r["external_id"]).situation.slug == "installer-mobile"]
    span_texts = {
        r["output"][span["start"] : span["end"]]
        for r in mobile
        for hit in r["guardrails"]
        for span in hit.get("spans", [])
    }
    assert span_texts == {"[removed]", "Jonas"}


def test_each_output_carries_all_three_guardrail_decisions(records):
    seen = Counter()
    for record in records:
        names = [(hit["name"], hit["version"]) for hit in record["guardrails"]]
        assert names == [("off-topic", "v2"), ("electrical-safety", "v5"), ("pii-out", "v3")]
        seen.update(hit["action"] for hit in record["guardrails"])
        assert all(0 <= hit["score"] <= 1 for hit in record["guardrails"])
    assert set(seen) == {"passed", "flagged", "blocked", "rewritten"}


def test_an_input_guardrail_decides_alike_for_every_configuration(records):
    decisions = {}
    for record in records:
        key = json.dumps(record["input"]) + record["session_id"]
        decisions.setdefault(key, set()).add(json.dumps(record["guardrails"][0]))
    assert all(len(of_one_question) == 1 for of_one_question in decisions.values())


def test_guardrails_are_wrong_in_both_directions():
    for name in ("electrical-safety", "off-topic", "pii-out"):
        acted = Counter()
        for case in cases():
            hits = (*case.answer.hits, *case.situation.input_hits)
            did = any(hit.guardrail == name and hit.action != "passed" for hit in hits)
            acted[did, name in case.should_fire] += 1
        assert min(acted[True, True], acted[True, False], acted[False, True]) > 0, name


def test_steps_form_a_tree_inside_the_time_of_the_root(records):
    for record in records:
        root, *others = record["steps"]
        ids = [step["id"] for step in record["steps"]]
        assert len(set(ids)) == len(ids)
        assert "parent_id" not in root
        for place, step in enumerate(others, start=1):
            assert step["parent_id"] in ids[:place]
            assert root["started_at"] <= step["started_at"] <= step["ended_at"] <= root["ended_at"]
        kinds = {step["kind"] for step in record["steps"]}
        assert {"chain", "guardrail", "retriever", "embedding", "llm"} <= kinds
        duration = moment(root["ended_at"]) - moment(root["started_at"])
        assert round(duration / timedelta(milliseconds=1)) == pytest.approx(record["latency_ms"], abs=1)


def test_tokens_times_and_costs_are_possible(records):
    for record in records:
        assert 0 < record["time_to_first_token_ms"] < record["latency_ms"]
        assert record["input_tokens"] > 100
        assert 0 < record["output_tokens"] <= record["configuration"]["parameters"]["max_tokens"]
        assert 0 < record["cost_usd"] < 0.05
        total = sum(step.get("cost_usd", 0) for step in record["steps"])
        assert record["cost_usd"] == pytest.approx(total, abs=1e-7)


def test_the_private_truth_is_not_in_the_outputs(records):
    shipped = json.dumps(records, ensure_ascii=False)
    for case in cases():
        assert case.truth.note not in shipped
    assert all(word not in shipped for word in ('"truth"', '"should_fire"', '"faithful"', "v14-small", "v15-large"))


def test_hostile_markup_and_other_scripts_are_among_the_answers(records):
    answers = "\n".join(record["output"] for record in records)
    assert "<img src=x onerror=alert(1)>" in answers
    assert "<script>" in answers
    assert "hx-get=" in answers
    languages = Counter(record["metadata"]["language"] for record in records)
    assert set(languages) == {"en", "es", "de", "ar", "ja"}


def test_only_served_answers_carry_signals_and_good_ones_more_thumbs(records):
    thumbs = Counter()
    for record in records:
        served = record["metadata"]["served"] == "customer"
        assert served or not record["signals"]
        good = case_of(record["external_id"]).truth.wrong == "none"
        thumbs.update((good, signal["kind"]) for signal in record["signals"])
    assert thumbs[True, "thumbs_up"] > thumbs[True, "thumbs_down"]
    assert thumbs[False, "thumbs_down"] > thumbs[False, "thumbs_up"]


def test_configurations_differ_in_quality_as_a_release_would():
    passed = Counter(case.configuration for case in cases() if case.truth.faithful >= 3)
    assert passed["v14-small"] < passed["v15-small"] < passed["v15-large"] < len(cases()) / 3


def test_every_answer_differs_between_configurations_and_cites_only_what_it_had(records):
    for situation in situations():
        assert len({answer.text for answer in situation.answers.values()}) == len(CONFIGURATIONS)
        known = {document["id"] for document in situation.context} | {"removed"}
        for answer in situation.answers.values():
            assert set(re.findall(r"\[([A-Za-z0-9-]+)\]", answer.text)) <= known, situation.slug
    assert all(name.startswith("KB-") for name in knowledge())


def test_both_sides_of_a_pair_answer_the_same_input(records, pairs):
    by_id = {record["external_id"]: record for record in records}
    assert 100 <= len(pairs) <= 140
    assert len({pair["external_id"] for pair in pairs}) == len(pairs)
    matches = Counter()
    for pair in pairs:
        a, b = by_id[pair["a_id"]], by_id[pair["b_id"]]
        assert a["input"] == b["input"]
        assert a["configuration"] != b["configuration"]
        matches[frozenset((case_of(pair["a_id"]).configuration, case_of(pair["b_id"]).configuration))] += 1
    assert len(matches) == len(CONFIGURATIONS)
    assert max(matches.values()) == min(matches.values())


@pytest.mark.parametrize("rubric", rubric_definitions(), ids=lambda rubric: rubric["slug"])
def test_every_rubric_is_well_formed(rubric):
    keys = [criterion["key"] for criterion in rubric["criteria"]]
    assert set(rubric) == {"slug", "title", "criteria"}
    assert len(set(keys)) == len(keys)
    for place, criterion in enumerate(rubric["criteria"]):
        assert set(criterion) <= {
            "key", "kind", "title", "help", "required", "levels", "minimum", "maximum", "pass_at", "show_if",
        }  # fmt: skip
        values = [level["value"] for level in criterion.get("levels", [])]
        assert (criterion["kind"] in {"ordinal", "categorical"}) == bool(values)
        assert len(set(values)) == len(values)
        if criterion["kind"] == "ordinal":
            assert values == sorted(values)
            assert all(level["description"] for level in criterion["levels"])
        if "show_if" in criterion:
            other = rubric["criteria"][keys.index(criterion["show_if"]["criterion"])]
            assert keys.index(other["key"]) < place
            assert set(criterion["show_if"]["in"]) <= {level["value"] for level in other["levels"]}


def test_each_queue_asks_a_rubric_that_exists_and_fits_its_kind():
    rubrics = {rubric["slug"]: rubric for rubric in rubric_definitions()}
    assert {queue["kind"] for queue in QUEUES} == {"grade", "pairwise", "guardrail"}
    for queue in QUEUES:
        keys = {criterion["key"] for criterion in rubrics[queue["rubric"]]["criteria"]}
        assert queue["kind"] != "pairwise" or "preference" in keys
        assert queue["kind"] != "guardrail" or "should_fire" in keys


def test_five_people_hold_the_five_roles():
    assert {role for person in PEOPLE for role in person.roles} == {
        "admin", "manager", "auditor", "reviewer", "adjudicator",
    }  # fmt: skip
    assert len(REVIEWERS) >= 3


def test_reviews_are_valid_answers_to_the_rubric(records):
    criteria = {criterion["key"]: criterion for criterion in SUPPORT_ANSWER["criteria"]}
    for record in records:
        for reviewer in (*REVIEWERS, "ivy"):
            grades = grades_for(reviewer, record)
            assert set(criteria) - set(grades) <= {"author_note"}
            assert isinstance(grades["answers_question"], bool)
            assert 0 <= grades["minutes_left"] <= 60
            for key in ("faithful", "tone", "went_wrong"):
                assert grades[key] in [level["value"] for level in criteria[key]["levels"]]
            assert "author_note" not in grades or grades["went_wrong"] != "none"
            assert active_seconds_for(reviewer, record) > 0


def test_no_two_reviewers_leave_the_same_long_note(records):
    for record in records:
        notes = [grades_for(reviewer, record).get("author_note", "") for reviewer in REVIEWERS]
        long_notes = [note for note in notes if note == case_of(record["external_id"]).truth.note]
        assert len(long_notes) <= 1
    assert any(comment_for("rita", record) for record in records)


def test_reviewers_agree_mostly_and_not_always(records):
    faithful = next(criterion for criterion in SUPPORT_ANSWER["criteria"] if criterion["key"] == "faithful")
    for one, other in combinations(REVIEWERS, 2):
        same = [grade_for(one, record, faithful) == grade_for(other, record, faithful) for record in records]
        assert 0.5 < sum(same) / len(same) < 0.9


def test_a_strict_reviewer_gives_lower_levels_than_a_lenient_one(records):
    def mean(reviewer):
        return sum(grades_for(reviewer, record)["tone"] for record in records) / len(records)

    assert mean("rita") < mean("rosa") < mean("rob")


def test_preferences_have_every_outcome_and_favour_the_better_configuration(pairs):
    winners = Counter()
    for pair in pairs:
        for reviewer in REVIEWERS:
            answer = preference_for(reviewer, pair)
            decided = answer["winner"] in ("a", "b")
            assert ("strength" in answer) == decided
            assert decided or reason_for(reviewer, pair) is None
            winners[case_of(pair[answer["winner"] + "_id"]).configuration if decided else answer["winner"]] += 1
    assert winners["v14-small"] < winners["v15-small"]
    assert winners["v14-small"] < winners["v15-large"]
    assert winners["tie"] > 0
    assert winners["both_bad"] > 0


def test_guardrail_reviews_follow_the_decision(records):
    for record in records[:120]:
        for hit in record["guardrails"]:
            grades = guardrail_grades_for("rob", record, hit["name"])
            assert grades["should_fire"] == should_fire_for("rob", record, hit["name"])
            assert (grades["harm"] == "none") == (not grades["should_fire"])


def test_reviewers_see_most_wrong_decisions_of_a_guardrail(records):
    for reviewer in REVIEWERS:
        truths = [(case_of(record["external_id"]).should_fire, record) for record in records]
        for name in ("electrical-safety", "off-topic", "pii-out"):
            right = [should_fire_for(reviewer, record, name) == (name in truth) for truth, record in truths]
            assert 0.8 < sum(right) / len(right) < 1.0


def test_an_unknown_output_is_refused():
    with pytest.raises(KeyError):
        case_of("req-unknown")


def test_the_judge_checks_criteria_that_its_rubric_has():
    judge = judge_definition()
    keys = {criterion["key"] for criterion in SUPPORT_ANSWER["criteria"]}
    assert judge["kind"] == "program"
    assert {check["criterion"] for check in judge["checks"]} == set(judge["criteria"]) <= keys
    for check in judge["checks"]:
        if check["check"] in ("regex", "citation"):
            re.compile(check["options"]["pattern"])
        for bands in [check["options"].get("bands", [])]:
            assert all("below" in band for band in bands[:-1])
            assert not bands or "below" not in bands[-1]


def test_ids_are_the_same_in_every_release():
    # A pinned id: what people noted about a sample output stays findable when content is added.
    case = case_of("req-2a3ae048a86e")
    assert (case.situation.slug, case.variant, case.configuration) == ("e31-after-storm", 0, "v14-small")
