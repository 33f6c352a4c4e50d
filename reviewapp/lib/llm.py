"""One question to an OpenAI-compatible endpoint, over the one outbound client.

`chat.completions` is the surface that every such server speaks. The `openai` package is imported when it is needed: it
costs a second that web processes never use. Nothing it parsed leniently is trusted: the answer's bytes are read by our
own strict reader.

Decided 2026-11-21: the SDK's own retries are off. It sleeps for as long as a server asks (up to two minutes) while
holding the caller's claim, and a repeat after a timeout may be billed twice behind the caller's budget. Who calls
repeats, by its waiting row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import httpx2
from pydantic import BaseModel, ConfigDict, ValidationError

from reviewapp.lib.errors import DomainError
from reviewapp.lib.jsonread import read_json
from reviewapp.lib.outbound import AnswerTooLarge, Destination, outbound_client

Failure = Literal["refused", "timeout", "malformed", "unavailable", "misconfigured"]
# Bad key, no right, no such model or path, a redirect: the next question would fare the same.
_MISCONFIGURED = frozenset({301, 302, 303, 307, 308, 401, 403, 404, 405})
_TRANSIENT = frozenset({408, 409, 425, 429})


class LlmFailure(Exception):
    """No usable answer.

    may_pass: whether asking again later could help. retry_after: seconds, when the server named them.
    """

    def __init__(
        self, failure: Failure, detail: str, *, may_pass: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail
        self.may_pass = may_pass
        self.retry_after = retry_after


@dataclass(frozen=True)
class Endpoint:
    """Where to ask. `key` is never part of any text that this module makes."""

    destination: Destination
    model: str
    key: str = field(repr=False)
    seconds: float = 60.0


@dataclass(frozen=True)
class Token:
    """One token of the answer with the most likely alternatives at its place (itself included): text -> log-prob."""

    text: str
    alternatives: dict[str, float]


@dataclass(frozen=True)
class Reply:
    """What was answered. `tokens` is empty when the server offers no log-probabilities."""

    text: str
    model: str
    input_tokens: int
    output_tokens: int
    stated_cost_usd: float | None
    tokens: tuple[Token, ...] = ()


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class _TopLogprob(_Lenient):
    token: str
    logprob: float


class _Logprob(_TopLogprob):
    top_logprobs: list[_TopLogprob] = []


class _Logprobs(_Lenient):
    content: list[_Logprob] | None = None


class _Message(_Lenient):
    content: str | None = None
    refusal: str | None = None


class _Choice(_Lenient):
    finish_reason: str | None = None
    message: _Message
    logprobs: _Logprobs | None = None


class _Usage(_Lenient):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None


class _Completion(_Lenient):
    model: str = ""
    choices: list[_Choice]
    usage: _Usage | None = None


def ask(
    endpoint: Endpoint,
    *,
    messages: list[dict[str, str]],
    schema: dict[str, Any],
    parameters: dict[str, Any],
) -> Reply:
    """One answer under a strict JSON schema.

    parameters: passed on as they are (`temperature`, `max_completion_tokens`, …). Raises LlmFailure.
    """
    import openai

    body: dict[str, Any] = {
        "model": endpoint.model,
        "messages": messages,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "verdict", "strict": True, "schema": schema},
        },
        "extra_body": parameters | _own_parameters(endpoint),
    }
    with (
        outbound_client(endpoint.destination, seconds=endpoint.seconds) as http,
        openai.OpenAI(
            base_url=endpoint.destination.url,
            api_key=endpoint.key,
            http_client=http,
            timeout=httpx2.Timeout(endpoint.seconds, connect=3),
            max_retries=0,
        ) as client,
    ):
        try:
            raw = client.chat.completions.with_raw_response.create(**body)
        except openai.APIStatusError as error:
            raise _status_failure(error.status_code, error.response) from error
        except openai.APITimeoutError as error:
            raise LlmFailure("timeout", "The endpoint did not answer in time.", may_pass=True) from error
        except openai.APIConnectionError as error:
            raise _connection_failure(error) from error
        except openai.OpenAIError as error:
            raise LlmFailure("malformed", f"The answer could not be read: {type(error).__name__}.") from error
        return _read(raw.http_response.content)


def _own_parameters(endpoint: Endpoint) -> dict[str, Any]:
    # Production text is not to be kept there. Other servers refuse the field.
    return {"store": False} if endpoint.destination.host == "api.openai.com" else {}


def _status_failure(status: int, response: httpx2.Response) -> LlmFailure:
    """A failure for an HTTP status. The body is not shown: it may echo what was sent."""
    if status in _MISCONFIGURED:
        return LlmFailure("misconfigured", f"The endpoint answered {status}; check address, model and key.")
    if status in _TRANSIENT or status >= 500:
        return LlmFailure(
            "unavailable", f"The endpoint answered {status}.", may_pass=True, retry_after=_seconds(response)
        )
    if b"content_filter" in response.content[:20_000]:
        return LlmFailure("refused", f"The endpoint's content filter refused ({status}).")
    return LlmFailure("unavailable", f"The endpoint answered {status}.")


def _seconds(response: httpx2.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) <= 6 else None


def _connection_failure(error: BaseException) -> LlmFailure:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AnswerTooLarge):
            return LlmFailure("malformed", "The answer is larger than allowed.")
        cause = cause.__cause__ or cause.__context__
    return LlmFailure("unavailable", "The endpoint could not be reached.", may_pass=True)


def _read(body: bytes) -> Reply:
    try:
        completion = _Completion.model_validate(read_json(body))
    except (DomainError, ValidationError) as error:
        raise LlmFailure("malformed", "The answer is not a chat completion.") from error
    if len(completion.choices) != 1:
        raise LlmFailure("malformed", "The answer does not hold exactly one choice.")
    choice, usage = completion.choices[0], completion.usage or _Usage()
    if choice.message.refusal or choice.finish_reason == "content_filter":
        raise LlmFailure("refused", "The model refused to answer.")
    if choice.finish_reason == "length":
        raise LlmFailure("malformed", "The answer was cut off at the token limit.")
    content = (choice.logprobs.content if choice.logprobs else None) or []
    return Reply(
        text=choice.message.content or "",
        model=completion.model[:200],
        input_tokens=max(0, usage.prompt_tokens),
        output_tokens=max(0, usage.completion_tokens),
        stated_cost_usd=usage.cost if usage.cost is not None and usage.cost >= 0 else None,
        tokens=tuple(
            Token(part.token, {part.token: part.logprob, **{top.token: top.logprob for top in part.top_logprobs}})
            for part in content
        ),
    )
