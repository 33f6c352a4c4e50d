"""What answering a subject yields: verdicts that are not stored yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from reviewapp.ingest.models import Output, Pair
from reviewapp.rubrics.models import Criterion

MAX_TEXT = 20_000
Subject = Output | Pair


@dataclass(frozen=True)
class Draft:
    """One answer on one criterion: a value, a preference, or an error. `order` is set for pairs."""

    criterion: Criterion
    value: Any = None
    preference: str | None = None
    error: str | None = None
    order: str | None = None
    confidence: float | None = None
    rationale: str = ""
    raw: str = ""
    cost_usd: Decimal | None = None


@dataclass(frozen=True)
class Answered:
    """All answers on one subject, what they cost, and whether a failure among them may pass with time.

    fatal: the next subject would fare the same; the run ends with this sentence.
    """

    drafts: list[Draft] = field(default_factory=list)
    cost_usd: Decimal = Decimal(0)
    may_pass: bool = False
    retry_after: float | None = None
    fatal: str | None = None


Answer = Callable[[Subject], Answered]


def stored_text(text: str) -> str:
    """A text that the table takes: no NUL, no lone surrogate, not longer than MAX_TEXT."""
    return text[:MAX_TEXT].replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
