"""Which answers are right, which pass, and what number stands for them."""

import pytest

from reviewapp.lib.errors import Unprocessable
from reviewapp.rubrics.answers import (
    category_values,
    check_answers,
    check_value,
    check_verdict_value,
    measurement_level,
    numeric_value,
    passes,
)
from tests.rubrics.examples import criterion

ORDINAL = criterion("ordinal", values=[1, 2, 3, 4, 5], pass_at=4)
WORDS = criterion("ordinal", values=["poor", "fair", "good"], pass_at=2)
CHOICE = criterion("categorical", values=["1_full_compliance", "2_full_refusal"], pass_at=["1_full_compliance"])
SEVERAL = criterion("multiselect", values=["tone", "length", "facts"], pass_at=["tone"])
MINUTES = criterion("numeric", minimum=0, maximum=60, pass_at=5)
MARKS = criterion("highlight", values=["wrong", "unsafe"])
YES = criterion("binary")
BETTER = criterion("preference", pass_at=["a", "tie"])
NOTE = criterion("text", is_required=False)
SPAN = {"field": "output", "start": 0, "end": 4, "label": "wrong"}


@pytest.mark.parametrize(
    ("asked", "value", "kept"),
    [
        (YES, True, True),
        (ORDINAL, 3, 3),
        (ORDINAL, 3.0, 3),
        (WORDS, "fair", "fair"),
        (CHOICE, "2_full_refusal", "2_full_refusal"),
        (SEVERAL, ["facts", "tone"], ["tone", "facts"]),
        (SEVERAL, [], []),
        (MINUTES, 7.5, 7.5),
        (MINUTES, -0.0, 0),
        (NOTE, "<b>kept as it is</b>", "<b>kept as it is</b>"),
        (MARKS, [SPAN | {"severity": "major"}], [SPAN | {"severity": "major"}]),
        (BETTER, {"winner": "a", "strength": 3}, {"winner": "a", "strength": 3}),
        (BETTER, {"winner": "both_bad"}, {"winner": "both_bad"}),
    ],
)
def test_a_right_value_is_kept_in_the_rubrics_spelling(asked, value, kept):
    found = check_value(asked, value)
    assert found == kept
    assert repr(found) == repr(kept)


@pytest.mark.parametrize(
    ("asked", "value"),
    [
        (YES, 1),
        (YES, "true"),
        (YES, None),
        (ORDINAL, True),
        (ORDINAL, "3 "),
        (ORDINAL, "3"),
        (ORDINAL, 3.0000001),
        (ORDINAL, 6),
        (ORDINAL, 0),
        (WORDS, 1),
        (CHOICE, "3_partial_refusal"),
        (SEVERAL, "tone"),
        (SEVERAL, ["tone", "tone"]),
        (SEVERAL, ["colour"]),
        (MINUTES, True),
        (MINUTES, "7"),
        (MINUTES, 60.5),
        (MINUTES, -1),
        (MINUTES, float("nan")),
        (NOTE, 7),
        (NOTE, "x" * 20_001),
        (MARKS, SPAN),
        (MARKS, [SPAN | {"end": 0}]),
        (MARKS, [SPAN | {"start": -1}]),
        (MARKS, [SPAN | {"label": "ugly"}]),
        (MARKS, [SPAN | {"colour": "red"}]),
        (MARKS, [SPAN | {"start": True}]),
        (BETTER, "a"),
        (BETTER, {"winner": "left"}),
        (BETTER, {"winner": "a", "strength": 4}),
        (BETTER, {"winner": "tie", "strength": 1}),
    ],
)
def test_a_wrong_value_is_refused(asked, value):
    with pytest.raises(Unprocessable):
        check_value(asked, value)


def test_a_judge_may_answer_between_two_levels_but_not_outside_the_scale():
    assert check_verdict_value(ORDINAL, 3.6) == 3.6
    assert numeric_value(ORDINAL, 3.6) == 3.6
    for wrong in (5.01, 0.5, True, "3"):
        with pytest.raises(Unprocessable):
            check_verdict_value(ORDINAL, wrong)
    with pytest.raises(Unprocessable):
        check_verdict_value(CHOICE, 1)


def test_levels_that_are_words_count_by_position():
    assert [numeric_value(WORDS, value) for value in ("poor", "fair", "good")] == [1.0, 2.0, 3.0]
    assert check_verdict_value(WORDS, 2.5) == 2.5


@pytest.mark.parametrize(
    ("asked", "value", "expected"),
    [
        (YES, True, True),
        (YES, False, False),
        (ORDINAL, 4, True),
        (ORDINAL, 3, False),
        (WORDS, "fair", True),
        (WORDS, "poor", False),
        (CHOICE, "2_full_refusal", False),
        (SEVERAL, [], True),
        (SEVERAL, ["tone", "facts"], False),
        (MINUTES, 5, True),
        (BETTER, {"winner": "tie"}, True),
        (BETTER, {"winner": "b"}, False),
        (NOTE, "fine", None),
        (criterion("ordinal", values=[1, 2]), 2, None),
    ],
)
def test_pass_at_decides_what_passes(asked, value, expected):
    assert passes(asked, value) is expected


def test_each_kind_has_its_scale_and_its_categories():
    assert [measurement_level(asked) for asked in (ORDINAL, MINUTES, CHOICE)] == ["ordinal", "interval", "nominal"]
    assert category_values(YES) == [False, True]
    assert category_values(BETTER) == ["a", "b", "tie", "both_bad"]
    assert category_values(ORDINAL) == [1, 2, 3, 4, 5]
    assert category_values(MINUTES) == []
    assert (numeric_value(YES, True), numeric_value(MINUTES, 7), numeric_value(CHOICE, "x")) == (1.0, 7.0, None)


FOLLOW_UP = criterion("text", key="why", show_if={"criterion": "ordinal", "in": [1, 2]})
RUBRIC = [ORDINAL, FOLLOW_UP, NOTE]


def errors_of(grades, **more):
    with pytest.raises(Unprocessable) as refused:
        check_answers(RUBRIC, grades, **more)
    return {(part.pointer, part.detail) for part in refused.value.errors}


def test_every_wrong_answer_is_named_at_once():
    found = errors_of({"ordinal": 9, "tone": 1})
    assert {pointer for pointer, _ in found} == {"/grades/ordinal", "/grades/tone"}


def test_a_required_criterion_must_be_answered_when_it_is_asked():
    assert errors_of({}) == {("/grades/ordinal", "is required")}
    assert errors_of({"ordinal": 1}) == {("/grades/why", "is required")}
    assert errors_of({"ordinal": 1, "why": " \n"}) == {("/grades/why", "is required")}
    assert check_answers(RUBRIC, {"ordinal": 4}) == {"ordinal": 4}


def test_a_hidden_criterion_must_not_be_answered():
    assert errors_of({"ordinal": 4, "why": "because"}) == {
        ("/grades/why", "is not asked after the answers above; leave it out")
    }


def test_null_is_no_answer_except_in_an_import():
    assert errors_of({"ordinal": None}) == {("/grades/ordinal", "must be one of 1, 2, 3, 4, 5")}
    assert check_answers(RUBRIC, {"ordinal": None, "why": "kept"}, is_import=True) == {"why": "kept"}
    assert errors_of({"ordinal": 5, "why": "kept"}, is_import=True)


def test_blank_optional_text_is_not_an_answer():
    assert check_answers(RUBRIC, {"ordinal": 4, "text": "  "}) == {"ordinal": 4}


def test_a_multiselect_shows_what_depends_on_any_chosen_value():
    asked = [SEVERAL, criterion("text", key="why", show_if={"criterion": "multiselect", "in": ["facts"]})]
    assert check_answers(asked, {"multiselect": ["tone"]}) == {"multiselect": ["tone"]}
    assert check_answers(asked, {"multiselect": ["tone", "facts"], "why": "x"})["why"] == "x"


def test_a_key_with_a_slash_has_an_escaped_pointer():
    with pytest.raises(Unprocessable) as refused:
        check_answers([criterion("binary", key="a/b~c")], {"a/b~c": 1})
    assert refused.value.errors[0].pointer == "/grades/a~1b~0c"
