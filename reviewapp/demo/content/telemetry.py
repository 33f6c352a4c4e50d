"""What the sample application measured while it answered: tokens, costs, times and the tree of steps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from reviewapp.demo.content.chance import between, share
from reviewapp.demo.content.library import CONFIGURATIONS, MAX_TOKENS, Case

# Dollars per token, invented like the models.
PRICES = {"haldane-2-small": (0.25e-6, 1.0e-6), "haldane-3-large": (2.5e-6, 10.0e-6)}
EMBEDDING_PRICE = 0.02e-6
# Slowest and fastest: milliseconds to the first token, and tokens per second after it.
SPEEDS = {"haldane-2-small": ((260, 540), (70, 120)), "haldane-3-large": ((480, 1150), (38, 62))}
PROMPT_TOKENS = {"answer-v14": 310, "answer-v15": 655}
FALLBACK = "I can’t help with that here. Please call us on the number on your battery’s label."


@dataclass(frozen=True)
class Run:
    """The texts of one answered question, with nothing left to fill in."""

    case: Case
    started_at: datetime
    question: str
    prompt: str
    output: str
    drafted: str | None
    context: list[dict[str, Any]]
    guardrails: list[dict[str, Any]]

    @property
    def model(self) -> str:
        return str(CONFIGURATIONS[self.case.configuration]["model"])

    @property
    def prompt_version(self) -> str:
        return str(CONFIGURATIONS[self.case.configuration]["prompt_version"])

    @property
    def written(self) -> int:
        """Tokens that the model wrote; an answer that was cut has used up its limit."""
        if self.case.answer.error:
            return MAX_TOKENS
        return count_tokens(self.drafted or self.output)


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def count_tokens(text: str) -> int:
    """A rough count: four Latin characters or one and a half others to a token."""
    latin = sum(character < "\u0250" for character in text)
    return max(1, round(latin / 4 + (len(text) - latin) / 1.5))


def telemetry(run: Run) -> dict[str, Any]:
    """`steps`, `latency_ms`, `time_to_first_token_ms`, `input_tokens`, `output_tokens`, `cost_usd` of one output."""
    steps = _Steps(run)
    first_token = steps.build()
    llm = next(step for step in steps.rows if step["kind"] == "llm")
    return {
        "steps": steps.rows,
        "latency_ms": steps.clock,
        "time_to_first_token_ms": first_token,
        "input_tokens": llm["input_tokens"],
        "output_tokens": llm["output_tokens"],
        "cost_usd": round(sum(step.get("cost_usd", 0.0) for step in steps.rows), 8),
    }


class _Steps:
    """Lays the steps of one run one after the other. `clock` is milliseconds since the run began."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.rows: list[dict[str, Any]] = []
        self.clock = 0

    def build(self) -> int:
        """Fills `rows` and answers the time to the first token in milliseconds."""
        self._add("root", None, "chain", "support-answer", milliseconds=0)
        self._add("guard-in", "root", "guardrail", "input guardrails", milliseconds=self._span("in", 38, 92))
        if any(not document["id"].startswith("KB-") for document in self.run.context):
            self._add("lookup", "root", "tool", "look up account", milliseconds=self._span("lookup", 80, 240))
        self._retrieve()
        generation_started = self.clock
        wait, duration = self._generation_times()
        self._generate(duration)
        self._guard_output()
        self.rows[0]["ended_at"] = self._at(self.clock)
        return generation_started + wait

    def _retrieve(self) -> None:
        began = len(self.rows)
        query = self.run.question[:200]
        self._add("retrieve", "root", "retriever", "retrieve", milliseconds=0, input=query)
        tokens = count_tokens(query)
        self._add(
            "embed", "retrieve", "embedding", "embed query",
            milliseconds=self._span("embed", 28, 64), input_tokens=tokens, cost_usd=round(tokens * EMBEDDING_PRICE, 8),
        )  # fmt: skip
        if share("search fails", self.run.case.external_id) < 0.02:
            self._add(
                "search-1", "retrieve", "retriever", "search kb-2026-11",
                milliseconds=800, error="no answer within 800 ms, tried again",
            )  # fmt: skip
        found = ", ".join(document["id"] for document in self.run.context if document["id"].startswith("KB-"))
        self._add(
            "search", "retrieve", "retriever", "search kb-2026-11",
            milliseconds=self._span("search", 140, 380), output=found,
        )  # fmt: skip
        self.rows[began]["ended_at"] = self._at(self.clock)

    def _generation_times(self) -> tuple[int, int]:
        (slow_start, late_start), (slow, fast) = SPEEDS[self.run.model]
        wait = self._span("wait", slow_start, late_start)
        tokens_per_second = between(slow, fast, "speed", self.run.case.external_id)
        return wait, wait + round(1000 * self.run.written / tokens_per_second)

    def _generate(self, milliseconds: int) -> None:
        read = PROMPT_TOKENS[self.run.prompt_version] + count_tokens(self.run.prompt)
        read += sum(count_tokens(document["text"]) for document in self.run.context)
        written = self.run.written
        price_in, price_out = PRICES[self.run.model]
        facts: dict[str, Any] = {
            "input_tokens": read,
            "output_tokens": written,
            "cost_usd": round(read * price_in + written * price_out, 8),
        }
        if self.run.drafted:
            facts["output"] = self.run.drafted
        if self.run.case.answer.error:
            facts["error"] = self.run.case.answer.error
        self._add("generate", "root", "llm", "generate", milliseconds=milliseconds, **facts)

    def _guard_output(self) -> None:
        blocked = any(hit["action"] == "blocked" and hit["stage"] == "output" for hit in self.run.guardrails)
        facts = {"output": FALLBACK} if blocked else {}
        milliseconds = self._span("out", 84, 176)
        self._add("guard-out", "root", "guardrail", "output guardrails", milliseconds=milliseconds, **facts)

    def _span(self, what: str, low: int, high: int) -> int:
        return round(between(low, high, what, self.run.case.external_id))

    def _at(self, milliseconds: int) -> str:
        return stamp(self.run.started_at + timedelta(milliseconds=milliseconds))

    def _add(self, identity: str, parent: str | None, kind: str, name: str, *, milliseconds: int, **facts: Any) -> None:
        row: dict[str, Any] = {"id": identity, "kind": kind, "name": name, "started_at": self._at(self.clock)}
        if parent is not None:
            row["parent_id"] = parent
        self.clock += milliseconds
        self.rows.append({**row, "ended_at": self._at(self.clock), **facts})
