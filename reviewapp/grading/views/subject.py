"""What is judged, arranged for the templates. Everything here comes out of `subject_of`, so nothing blind can enter."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

ROLES = {"user": "User", "assistant": "Assistant", "system": "Instructions to the application", "tool": "Tool"}
_OPEN = (
    ("external_id", "Id"), ("occurred_at", "Time"), ("configuration", "Configuration"), ("latency_ms", "Latency, ms"),
    ("time_to_first_token_ms", "First token, ms"), ("input_tokens", "Tokens in"), ("output_tokens", "Tokens out"),
    ("cost_usd", "Cost, USD"), ("error", "Error"), ("feature", "Feature"), ("metadata", "Metadata"),
    ("signals", "Signals"),
)  # fmt: skip
BAR_WIDTH = 400  # of the viewBox in which the time bars are drawn


@dataclass(frozen=True)
class Part:
    """A piece of a text, matched by a guardrail or not."""

    text: str
    is_hit: bool = False


@dataclass(frozen=True)
class Message:
    """One text of the conversation; `extra` is what came beside the text, as JSON."""

    role: str
    text: str
    parts: tuple[Part, ...] = ()
    extra: str = ""

    @property
    def words(self) -> int:
        """How long it is."""
        return len(self.text.split())


@dataclass(frozen=True)
class Source:
    """One retrieved passage. `anchor` is its id on the page."""

    number: int
    anchor: str
    id: str
    text: str
    url: str
    is_cited: bool


@dataclass(frozen=True)
class Step:
    """One step of the trace at its depth, with its bar when times are known."""

    name: str
    kind: str
    depth: int
    input: str
    output: str
    error: str
    seconds: float | None = None
    bar_from: int = 0
    bar_width: int = 0


@dataclass(frozen=True)
class Side:
    """One answer with what it was made from."""

    answer: Message
    sources: list[Source] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    is_dropped: bool = False
    erased_at: datetime | None = None

    @property
    def has_bars(self) -> bool:
        """Whether the steps have times."""
        return any(step.seconds is not None for step in self.steps)


@dataclass(frozen=True)
class Shown:
    """Everything on the left of the bench: `single`, or `left` and `right` of a pair."""

    messages: list[Message]
    single: Side | None = None
    left: Side | None = None
    right: Side | None = None
    guardrail: Mapping[str, Any] | None = None
    has_same_sources: bool = False


def shown(subject: Mapping[str, Any]) -> Shown:
    """The subject of a lease for the templates."""
    guardrail = subject.get("guardrail")
    spans = guardrail["spans"] if guardrail else []
    messages = _messages(subject["input"], [span for span in spans if span.get("field") == "input"])
    if "left" in subject:
        left, right = subject["left"], subject["right"]
        is_same = _texts(left) == _texts(right)
        sides = _side(left, "l"), _side(right, "l" if is_same else "r")
        if is_same:
            left_sources, right_sources = (side.sources for side in sides)
            # One list stands for both: a source counts as cited when either answer cites it.
            both = [
                replace(one, is_cited=one.is_cited or other.is_cited)
                for one, other in zip(left_sources, right_sources, strict=True)
            ]
            sides = replace(sides[0], sources=both), sides[1]
        return Shown(messages, left=sides[0], right=sides[1], has_same_sources=is_same)
    single = _side(subject, "s", [span for span in spans if span.get("field") == "output"], marks=guardrail is not None)
    return Shown(messages, single=single, guardrail=guardrail)


def answer_text(subject: Mapping[str, Any]) -> str:
    """The plain text of the one answer; "" for a pair."""
    return "" if "left" in subject else _text_of(subject["output"])[0]


def _texts(side: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    return [(passage.get("id"), passage.get("text")) for passage in side["context"]]


def _side(one: Mapping[str, Any], prefix: str, spans: Sequence[Mapping[str, Any]] = (), *, marks: bool = False) -> Side:
    text, extra = _text_of(one["output"])
    sources = [
        Source(
            number=number,
            anchor=f"{prefix}-src-{number}",
            id=str(passage.get("id", number)),
            text=str(passage.get("text", "")),
            url=str(passage.get("url") or ""),
            is_cited=f"[{passage.get('id')}]" in text,
        )
        for number, passage in enumerate(one["context"], start=1)
    ]
    return Side(
        answer=Message("assistant", text, _parts(text, spans) if marks else (), extra),
        sources=sources,
        steps=_steps(one["steps"]),
        facts=[(label, _plain(one[name])) for name, label in _OPEN if one.get(name) not in (None, {}, [], "")],
        is_dropped=one["output"] is None,
        erased_at=parse_datetime(one.get("erased_at") or ""),
    )


def _messages(asked: Any, spans: Sequence[Mapping[str, Any]]) -> list[Message]:
    if isinstance(asked, list):
        found = []
        for message in asked:
            text, extra = _text_of(message)
            role = message.get("role", "user") if isinstance(message, dict) else "user"
            found.append(Message(ROLES.get(role, str(role)), text, (), extra))
        return found
    text, extra = _text_of(asked)
    return [Message(ROLES["user"], text, _parts(text, spans) if spans else (), extra)]


def _text_of(value: Any) -> tuple[str, str]:
    """The text of a message, and what else it holds as JSON."""
    if value is None or isinstance(value, str):
        return value or "", ""
    if not isinstance(value, dict):
        return _plain(value), ""
    content = value.get("content")
    rest = {key: part for key, part in value.items() if key not in ("role", "content") and part not in (None, [], {})}
    if isinstance(content, list):
        texts = [part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)]
        others = [part for part in content if not (isinstance(part, dict) and isinstance(part.get("text"), str))]
        content, rest = "\n\n".join(texts), {**rest, **({"content": others} if others else {})}
    return str(content or ""), _plain(rest) if rest else ""


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def _parts(text: str, spans: Iterable[Mapping[str, Any]]) -> tuple[Part, ...]:
    """The text cut at the edges of the spans; overlapping spans become one mark."""
    parts, at = [], 0
    for start, end in sorted((int(span["start"]), int(span["end"])) for span in spans):
        if end <= at:
            continue
        start = max(start, at)
        parts += [Part(text[at:start])] if start > at else []
        parts.append(Part(text[start:end], is_hit=True))
        at = end
    return (*parts, Part(text[at:])) if at < len(text) else tuple(parts)


def _steps(steps: Sequence[Mapping[str, Any]]) -> list[Step]:
    """Parents before their children, with a bar for each step that says when it ran."""
    children: dict[Any, list[Mapping[str, Any]]] = {}
    known = {step.get("id") for step in steps}
    for step in steps:
        parent = step.get("parent_id")
        children.setdefault(parent if parent in known else None, []).append(step)
    times = {id(step): _times(step) for step in steps}
    bounds = [pair for pair in times.values() if pair]
    began, over = (min(a for a, _ in bounds), max(b for _, b in bounds)) if bounds else (0.0, 0.0)
    scale = BAR_WIDTH / (over - began) if over > began else 0.0
    found: list[Step] = []
    waiting = [(step, 0) for step in reversed(children.get(None, []))]
    while waiting:
        step, depth = waiting.pop()
        found.append(_step(step, depth, times[id(step)], began, scale))
        waiting += [(child, depth + 1) for child in reversed(children.get(step.get("id"), []))]
    return found


def _step(step: Mapping[str, Any], depth: int, ran: tuple[float, float] | None, began: float, scale: float) -> Step:
    kind = str(step.get("kind") or "step")
    return Step(
        name=str(step.get("name") or kind),
        kind=kind,
        depth=min(depth, 3),
        input=_plain(step["input"]) if step.get("input") is not None else "",
        output=_plain(step["output"]) if step.get("output") is not None else "",
        error=str(step.get("error") or ""),
        seconds=ran[1] - ran[0] if ran else None,
        bar_from=round((ran[0] - began) * scale) if ran else 0,
        bar_width=max(2, round((ran[1] - ran[0]) * scale)) if ran else 0,
    )


def _times(step: Mapping[str, Any]) -> tuple[float, float] | None:
    pair = [parse_datetime(str(step.get(name) or "")) for name in ("started_at", "ended_at")]
    if pair[0] is None or pair[1] is None:
        return None
    return pair[0].timestamp(), pair[1].timestamp()
