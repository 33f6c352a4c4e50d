"""The sample judge: a program that needs no key, and what its checks mean.

Every check reads one text (`field`: `output` unless stated) and names the value that it gives for what it finds:

- `regex`: `pattern` (Python syntax, inline flags); `found` is the value when it matches anywhere, else `missing`.
- `citation`: `pattern` with one group that captures a cited id; `none` when the text cites nothing, `unknown` when an
  id is cited that is not in the context, else the value of the first band whose `below` is above the share of
  paragraphs and list lines that hold a citation; the last band has no `below`.
- `length`: `unit` `words`; the value of the first band whose `below` is above the length; the last band has no `below`.

It is wrong in ways that people notice: a right-looking citation on a wrong number pleases it, an honest answer without
citations does not, and texts in Chinese or Japanese characters have few words by its count.
"""

from __future__ import annotations

from typing import Any

REFUSAL = r"(?i)\b(i can.t help|not able to|please be patient|i have (issued|credited)|done!|new letter|stay for)\b"
WARMTH = (
    r"(?i)(good news|i am sorry|you are right|annoy|worr|congrat|of course|be reassured|good to hear|no need|tonight"
    r"|your side|fine name|rather|بارك|加|させて|Ihren Preisen)"
)

SAMPLE_JUDGE: dict[str, Any] = {
    "slug": "rule-check",
    "title": "Rule check",
    "rubric": "support-answer",
    "kind": "program",
    "criteria": ["answers_question", "faithful", "minutes_left", "tone"],
    "checks": [
        {
            "criterion": "answers_question",
            "check": "regex",
            "options": {"field": "output", "pattern": REFUSAL, "found": False, "missing": True},
        },
        {
            "criterion": "faithful",
            "check": "citation",
            "options": {
                "field": "output",
                "pattern": r"\[([A-Za-z0-9-]+)\]",
                "none": 2,
                "unknown": 1,
                "bands": [{"below": 0.4, "value": 2}, {"below": 0.8, "value": 3}, {"value": 4}],
            },
        },
        {
            "criterion": "minutes_left",
            "check": "length",
            "options": {
                "field": "output",
                "unit": "words",
                "bands": [
                    {"below": 25, "value": 20},
                    {"below": 45, "value": 12},
                    {"below": 130, "value": 5},
                    {"value": 10},
                ],
            },
        },
        {
            "criterion": "tone",
            "check": "regex",
            "options": {"field": "output", "pattern": WARMTH, "found": 4, "missing": 3},
        },
    ],
}


def judge_definition() -> dict[str, Any]:
    """The Judge record (API.md) of the sample project."""
    return SAMPLE_JUDGE
