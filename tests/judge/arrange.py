"""Judges and what they judge, made through the API like anybody else would."""

from __future__ import annotations

from typing import Any

from tests.conftest import Answer, Api

RUBRIC: dict[str, Any] = {
    "slug": "answer",
    "title": "Answer quality",
    "criteria": [
        {"key": "safe", "kind": "binary", "title": "Safe", "required": False},
        {
            "key": "tone",
            "kind": "ordinal",
            "title": "Tone",
            "required": False,
            "levels": [{"value": n, "label": f"level {n}"} for n in range(1, 6)],
        },
        {
            "key": "topic",
            "kind": "categorical",
            "title": "Topic",
            "required": False,
            "levels": [{"value": name, "label": name} for name in ("tariff", "storm", "visit")],
        },
        {"key": "minutes", "kind": "numeric", "title": "Minutes", "required": False, "minimum": 0, "maximum": 60},
        {"key": "note", "kind": "text", "title": "Note", "required": False},
    ],
}
PAIR_RUBRIC: dict[str, Any] = {
    "slug": "better",
    "title": "Which is better",
    "criteria": [{"key": "preference", "kind": "preference", "title": "Better"}],
}
CHECKS = [
    {"criterion": "safe", "check": "regex", "options": {"pattern": "(?i)fire", "found": False, "missing": True}},
    {
        "criterion": "tone",
        "check": "length",
        "options": {"unit": "words", "bands": [{"below": 3, "value": 2}, {"value": 4}]},
    },
]


def ok(answer: Answer, *statuses: int) -> Any:
    """The body of a call that must have worked."""
    assert answer.status in (statuses or (200, 201, 202)), answer.raw[:2000]
    return answer.body


def make_rubric(api: Api, rubric: dict[str, Any] = RUBRIC) -> None:
    ok(api.post("rubrics/", rubric))
    ok(api.post(f"rubrics/{rubric['slug']}/publish/", {}))


def output(number: int, text: str = "A calm answer.", **more: Any) -> dict[str, Any]:
    return {"external_id": f"o-{number:04d}", "input": f"question {number}", "output": text, **more}


def make_queue(api: Api, outputs: list[dict[str, Any]], *, slug: str = "answers", rubric: str = "answer") -> None:
    """A grade queue with these outputs in it."""
    ok(api.bulk("outputs/", outputs))
    ok(api.post("queues/", {"slug": slug, "title": slug, "kind": "grade", "rubric": rubric}))
    ok(api.post(f"queues/{slug}/items/", {"external_ids": [one["external_id"] for one in outputs]}))


def make_pairs(api: Api, n: int, *, slug: str = "pairs") -> None:
    """A pairwise queue with n pairs."""
    rows = [
        {"external_id": f"p-{k:03d}", "input": f"q {k}", "a": {"output": f"a {k}"}, "b": {"output": f"b {k}"}}
        for k in range(n)
    ]
    ok(api.bulk("pairs/", rows))
    ok(api.post("queues/", {"slug": slug, "title": slug, "kind": "pairwise", "rubric": "better"}))
    ok(api.post(f"queues/{slug}/items/", {"external_ids": [row["external_id"] for row in rows]}))


def grades(api: Api, rows: list[dict[str, Any]], *, queue: str = "answers", slots: bool = False) -> None:
    """Imported reviews."""
    ok(api.bulk(f"queues/{queue}/reviews/import/{'?reviewers=slots' if slots else ''}", rows))


def program(**more: Any) -> dict[str, Any]:
    return {
        "slug": "rule-check",
        "title": "Rule check",
        "rubric": "answer",
        "kind": "program",
        "checks": CHECKS,
        **more,
    }


def imported(**more: Any) -> dict[str, Any]:
    return {"slug": "theirs", "title": "Theirs", "rubric": "answer", "kind": "imported", **more}


def llm(url: str, **more: Any) -> dict[str, Any]:
    """A language model judge on a fake server, on two criteria, with prices."""
    return {
        "slug": "model",
        "title": "Model",
        "rubric": "answer",
        "kind": "llm",
        "criteria": ["safe", "tone"],
        "base_url": url,
        "model": "fake-1",
        "parameters": {
            "max_tokens": 100,
            "timeout_seconds": 2,
            "input_usd_per_million": 1.0,
            "output_usd_per_million": 10.0,
        },
        **more,
    }
