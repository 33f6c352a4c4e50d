"""Reads the hand-written situations and lists every case: one situation, one surface form, one configuration."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from reviewapp.demo.content.chance import digest

HERE = Path(__file__).parent
PROMPT = "support-answer"
MAX_TOKENS = 260
RETRIEVAL = {"index": "kb-2026-11", "embedding": "haldane-embed-1", "found": 6, "kept": 4}

# Baseline first: it is what the two candidates are compared with.
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "v14-small": {
        "prompt_name": PROMPT,
        "prompt_version": "answer-v14",
        "model": "haldane-2-small",
        "parameters": {"temperature": 0.2, "max_tokens": MAX_TOKENS},
        "retrieval": RETRIEVAL,
    },
    "v15-small": {
        "prompt_name": PROMPT,
        "prompt_version": "answer-v15",
        "model": "haldane-2-small",
        "parameters": {"temperature": 0.2, "max_tokens": MAX_TOKENS},
        "retrieval": RETRIEVAL,
    },
    "v15-large": {
        "prompt_name": PROMPT,
        "prompt_version": "answer-v15",
        "model": "haldane-3-large",
        "parameters": {"temperature": 0.2, "max_tokens": MAX_TOKENS},
        "retrieval": RETRIEVAL,
    },
}


@dataclass(frozen=True)
class Truth:
    """How good an answer really is. Levels as in the rubric `support-answer`; minutes 0..60."""

    answers: bool
    faithful: int
    wrong: str
    minutes: int
    tone: int
    note: str


@dataclass(frozen=True)
class Hit:
    """One remarkable guardrail decision. `quote` is the matched text with its placeholders, or None."""

    guardrail: str
    action: str
    category: str
    score: float
    quote: str | None = None


@dataclass(frozen=True)
class Answer:
    """One configuration's answer. `drafted` is what stood there before a guardrail rewrote it."""

    text: str
    truth: Truth
    hits: tuple[Hit, ...]
    should_fire: frozenset[str]
    drafted: str | None
    error: str | None


@dataclass(frozen=True)
class Situation:
    """One customer's question with its documents and the three answers, all with placeholders still in them."""

    slug: str
    feature: str
    language: str
    input: Any
    vary: dict[str, list[str]]
    context: list[dict[str, Any]]
    answers: dict[str, Answer]
    input_hits: tuple[Hit, ...]
    input_should_fire: frozenset[str]


@dataclass(frozen=True)
class Case:
    """One situation in one surface form, answered by one configuration."""

    situation: Situation
    variant: int
    configuration: str

    @property
    def external_id(self) -> str:
        # Says nothing about the configuration: reviewers of a blind queue may see ids in links of other systems.
        return "req-" + digest("output", self.situation.slug, self.variant, self.configuration)[:12]

    @property
    def answer(self) -> Answer:
        return self.situation.answers[self.configuration]

    @property
    def truth(self) -> Truth:
        return self.answer.truth

    @property
    def should_fire(self) -> frozenset[str]:
        """Names of the guardrails that had reason to act on this output, whether or not they did."""
        return self.answer.should_fire | self.situation.input_should_fire


@cache
def knowledge() -> dict[str, str]:
    """Text by document id; the title is the first sentence."""
    documents: dict[str, str] = json.loads((HERE / "knowledge.json").read_text(encoding="utf-8"))
    return documents


@cache
def situations() -> tuple[Situation, ...]:
    """All situations, by file name and then in the order of the file."""
    files = sorted((HERE / "situations").glob("*.json"))
    return tuple(_situation(raw) for file in files for raw in json.loads(file.read_text(encoding="utf-8")))


@cache
def cases() -> tuple[Case, ...]:
    """Every case; the three configurations of one question stand together."""
    return tuple(
        Case(situation, variant, configuration)
        for place, situation in enumerate(situations())
        for variant in range(4 if place % 5 == 0 else 3)
        for configuration in CONFIGURATIONS
    )


def case_of(external_id: str) -> Case:
    """The case behind a sample output. Raises KeyError for any other id."""
    return _cases_by_id()[external_id]


@cache
def _cases_by_id() -> dict[str, Case]:
    return {case.external_id: case for case in cases()}


def _situation(raw: dict[str, Any]) -> Situation:
    return Situation(
        slug=raw["slug"],
        feature=raw["feature"],
        language=raw["language"],
        input=raw["input"],
        vary=raw["vary"],
        context=raw["context"],
        answers={name: _answer(raw["answers"][name]) for name in CONFIGURATIONS},
        input_hits=tuple(Hit(**hit) for hit in raw.get("input_hits", [])),
        input_should_fire=frozenset(raw.get("input_should_fire", [])),
    )


def _answer(raw: dict[str, Any]) -> Answer:
    return Answer(
        text=raw["text"],
        truth=Truth(**raw["truth"]),
        hits=tuple(Hit(**hit) for hit in raw.get("hits", [])),
        should_fire=frozenset(raw.get("should_fire", [])),
        drafted=raw.get("drafted"),
        error=raw.get("error"),
    )
