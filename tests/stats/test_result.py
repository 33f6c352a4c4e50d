"""The envelope: a value or a reason, finite numbers, a closed list of codes."""

import json
import math

import pytest

from reviewapp.stats.result import UNDEFINED_SENTENCES, Stat


def test_the_public_shape_has_exactly_the_keys_of_the_contract():
    stat = Stat(0.5, (0.2, 0.8), 0.95, "Wilson", 10, se=0.1)
    assert stat.as_dict() == {
        "value": 0.5,
        "interval": [0.2, 0.8],
        "confidence": 0.95,
        "method": "Wilson",
        "n": 10,
        "undefined": None,
        "reason": None,
        "warnings": [],
    }


@pytest.mark.parametrize("code", UNDEFINED_SENTENCES)
def test_every_code_has_a_plain_sentence(code):
    stat = Stat.undefined_because(code)
    assert stat.value is None
    assert stat.interval is None
    assert stat.reason == UNDEFINED_SENTENCES[code]
    assert json.loads(json.dumps(stat.as_dict(), allow_nan=False))["undefined"] == code


def test_a_reason_of_ones_own_replaces_the_default_sentence():
    stat = Stat.undefined_because("too_few_labels", "29 labels are needed, there are 12")
    assert stat.reason == "29 labels are needed, there are 12"


@pytest.mark.parametrize(
    "fields",
    [
        {"value": math.nan},
        {"value": math.inf},
        {"interval": (0.1, math.inf)},
        {"interval": (0.9, 0.1)},
        {"se": math.nan},
        {"warnings": ("odd",)},
        {"value": None},
        {"undefined": "no_data"},
        {"confidence": 1.0},
    ],
)
def test_what_cannot_be_shown_is_refused_at_construction(fields):
    with pytest.raises(ValueError, match=r"statistic|codes|confidence|inverted"):
        Stat(**{"value": 0.5, "interval": None, "confidence": 0.95, "method": "", "n": 1, **fields})


def test_an_unknown_code_is_refused():
    with pytest.raises(ValueError, match="unknown undefined code"):
        Stat.undefined_because("because")


def test_minus_zero_is_shown_as_zero():
    assert math.copysign(1, Stat(-0.0, (-0.0, 0.1), 0.95, "", 1).as_dict()["value"]) == 1
