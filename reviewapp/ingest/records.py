"""API.md's records as compiled models.

Unknown fields are refused, types are strict, an integer may stand for a float.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, PlainValidator, Tag, WithJsonSchema, model_validator

from reviewapp.lib.api import Strict
from reviewapp.lib.errors import FieldError
from reviewapp.lib.jsonread import MAX_INTEGER

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
FIRST_YEAR, LAST_YEAR = 1970, 2199


def moment_of(value: object) -> datetime:
    """An RFC 3339 text with zone as UTC. Raises ValueError for anything else and for years outside 1970 to 2199."""
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise ValueError("must be an RFC 3339 time with zone, such as 2026-11-20T10:00:00Z")
    try:
        moment = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("is not a moment of the calendar") from error
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"must lie in the years {FIRST_YEAR} to {LAST_YEAR}")
    return moment


def _written_moment(value: str) -> str:
    moment_of(value)
    return value


Moment = Annotated[datetime, PlainValidator(moment_of), WithJsonSchema({"type": "string", "format": "date-time"})]
WrittenMoment = Annotated[
    str, AfterValidator(_written_moment), WithJsonSchema({"type": "string", "format": "date-time"})
]
ExternalId = Annotated[str, Field(min_length=1, max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Short = Annotated[str, Field(max_length=500)]
# PostgreSQL's double and numeric(20, 10) hold more; beyond these a value is a mistake of unit.
Milliseconds = Annotated[float, Field(ge=0, le=1e12)]
Dollars = Annotated[float, Field(ge=0, le=1e9)]
Count = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
SignalKind = Literal["thumbs_up", "thumbs_down", "edit", "retry", "escalation", "copied"]


def _is_text(value: object) -> str:
    return "Text" if isinstance(value, str) else "Other"


Parts = Annotated[
    Annotated[str, Tag("Text")] | Annotated[list[dict[str, Any]] | None, Tag("Other")], Discriminator(_is_text)
]


class Message(Strict):
    """One turn: its content is a text or a list of parts; null when the turn only calls tools."""

    role: Annotated[str, Field(min_length=1, max_length=50)]
    content: Parts
    name: Short | None = None
    tool_call_id: Short | None = None
    tool_calls: list[dict[str, Any]] | None = None


Conversation = Annotated[list[Message], Field(min_length=1)]
InputText = Annotated[
    Annotated[str, Tag("Text")] | Annotated[Conversation, Tag("Other")],
    Discriminator(_is_text, custom_error_type="input_type", custom_error_message="must be a text or messages"),
]
OutputText = Annotated[Annotated[str, Tag("Text")] | Annotated[Message, Tag("Other")], Discriminator(_is_text)]


class ContextIn(Strict):
    """One retrieved passage."""

    id: Annotated[str, Field(max_length=500)]
    text: str
    score: float | None = None
    url: Annotated[str, Field(max_length=4_000)] | None = None


class StepIn(Strict):
    """One span of the trace."""

    id: Name
    parent_id: Name | None = None
    kind: Literal["llm", "retriever", "tool", "guardrail", "chain", "agent", "embedding"]
    name: Annotated[str, Field(max_length=500)]
    input: Any = None
    output: Any = None
    started_at: WrittenMoment | None = None
    ended_at: WrittenMoment | None = None
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cost_usd: Dollars | None = None
    error: str | None = None


class ConfigurationIn(Strict):
    """What answered: change any part and it is another configuration."""

    prompt_name: Short | None = None
    prompt_version: Short | None = None
    model: Short | None = None
    parameters: dict[str, Any] | None = None
    retrieval: dict[str, Any] | None = None


class SpanIn(Strict):
    """What a guardrail matched: characters from `start` up to, not including, `end`."""

    field: Literal["input", "output"]
    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=1)]


class GuardrailIn(Strict):
    """One decision of a guardrail."""

    name: Name
    version: Short | None = None
    stage: Literal["input", "output"]
    action: Literal["blocked", "flagged", "rewritten", "passed"]
    score: float | None = None
    category: Short | None = None
    spans: Annotated[list[SpanIn], Field(max_length=1_000, default_factory=list)]


class SignalIn(Strict):
    """What the end user did."""

    kind: SignalKind
    value: Any = None
    occurred_at: Moment | None = None


class Answered(Strict):
    """Everything of an output but its id and its input: one side of a pair."""

    occurred_at: Moment | None = None
    output: OutputText
    context: Annotated[list[ContextIn], Field(max_length=1_000)] | None = None
    steps: Annotated[list[StepIn], Field(max_length=5_000)] | None = None
    configuration: ConfigurationIn | None = None
    latency_ms: Milliseconds | None = None
    time_to_first_token_ms: Milliseconds | None = None
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cost_usd: Dollars | None = None
    error: str | None = None
    session_id: Short | None = None
    end_user_id: Short | None = None
    feature: Short | None = None
    guardrails: Annotated[list[GuardrailIn], Field(max_length=1_000, default_factory=list)]
    signals: Annotated[list[SignalIn], Field(max_length=1_000, default_factory=list)]
    sampling_rate: Annotated[float, Field(gt=0, le=1)] | None = None
    metadata: Annotated[dict[str, Any], Field(default_factory=dict)]


class OutputIn(Answered):
    """One output, as API.md says."""

    external_id: ExternalId
    input: InputText


class PairIn(Strict):
    """Two answers to the same input: given inline, or named by the ids of two outputs."""

    external_id: Annotated[str, Field(min_length=1, max_length=200)]
    input: InputText | None = None
    a: Answered | None = None
    b: Answered | None = None
    a_id: ExternalId | None = None
    b_id: ExternalId | None = None

    @model_validator(mode="after")
    def _inline_or_named(self) -> PairIn:
        inline = [self.input, self.a, self.b]
        named = [self.a_id, self.b_id]
        if None not in inline and named == [None, None]:
            if len(self.external_id) > 198:
                raise ValueError("external_id of an inline pair has at most 198 characters: #a and #b are added to it")
            return self
        if None not in named and inline == [None, None, None]:
            if self.a_id == self.b_id:
                raise ValueError("a_id and b_id must name two outputs")
            return self
        raise ValueError("send either input, a and b, or a_id and b_id")


class LateSignalIn(SignalIn):
    """A signal that arrives after its output."""

    external_id: ExternalId


def problem_of(record: Answered, text_in: Any) -> FieldError | None:
    """What is wrong with an output beyond single fields: spans outside the text, steps that do not form a tree.

    text_in: the input as sent.
    """
    for number, guardrail in enumerate(record.guardrails):
        for place, span in enumerate(guardrail.spans):
            at = f"/guardrails/{number}/spans/{place}"
            text = text_in if span.field == "input" else _plain_output(record.output)
            if not isinstance(text, str):
                return FieldError(at, f"offsets need a plain text, and {span.field} is a list of messages or parts")
            if span.end <= span.start:
                return FieldError(f"{at}/end", "must be more than start")
            if span.end > len(text):
                return FieldError(f"{at}/end", f"lies outside the {span.field}, which has {len(text)} characters")
    return _step_problem(record.steps) if record.steps else None


def _plain_output(output: str | Message) -> Any:
    return output if isinstance(output, str) else output.content


def _step_problem(steps: list[StepIn]) -> FieldError | None:
    parents: dict[str, str | None] = {}
    for number, step in enumerate(steps):
        if step.id in parents:
            return FieldError(f"/steps/{number}/id", "stands twice; every step needs an id of its own")
        parents[step.id] = step.parent_id
    rooted: set[str] = set()
    for number, step in enumerate(steps):
        path: list[str] = []
        at: str | None = step.id
        while at is not None and at in parents and at not in rooted:
            path.append(at)
            rooted.add(at)  # seen: meeting it again on this path is a ring
            at = parents[at]
            if at in path:
                return FieldError(f"/steps/{number}/parent_id", "leads back to the step itself")
    return None
