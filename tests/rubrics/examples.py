"""Rubrics that the tests send."""

from __future__ import annotations

from typing import Any

from reviewapp.rubrics.models import Criterion


def level(value: Any, label: str | None = None) -> dict[str, Any]:
    return {"value": value, "label": label or str(value)}


def quality(**more: Any) -> dict[str, Any]:
    """One criterion of every kind, in an order that lets later ones depend on earlier ones."""
    return {
        "slug": "quality",
        "title": "Answer quality",
        "criteria": [
            {"key": "answers", "kind": "binary", "title": "Answers the question"},
            {"key": "faithful", "kind": "ordinal", "title": "Faithful", "levels": [level(n) for n in range(1, 6)],
             "pass_at": 4},
            {"key": "refusal", "kind": "categorical", "title": "Refusal", "required": False,
             "levels": [level("1_full_compliance"), level("2_full_refusal"), level("3_partial_refusal")],
             "pass_at": ["1_full_compliance"]},
            {"key": "faults", "kind": "multiselect", "title": "What went wrong", "required": False,
             "levels": [level("tone"), level("length"), level("facts")], "pass_at": ["tone"],
             "show_if": {"criterion": "faithful", "in": [1, 2]}},
            {"key": "minutes", "kind": "numeric", "title": "Minutes", "minimum": 0, "maximum": 60, "required": False,
             "pass_at": 5},
            {"key": "note", "kind": "text", "title": "Note", "required": False},
            {"key": "spans", "kind": "highlight", "title": "Wrong passages", "required": False,
             "levels": [level("wrong"), level("unsafe")]},
            {"key": "preference", "kind": "preference", "title": "Better", "required": False, "pass_at": ["a"]},
        ],
        **more,
    }  # fmt: skip


def criterion(kind: str, **more: Any) -> Criterion:
    """A criterion that is in no table."""
    levels = [level(value) for value in more.pop("values", [])]
    return Criterion(key=more.pop("key", kind), kind=kind, title=kind.title(), levels=levels, **more)
