"""What a judge may be: the shape of JudgeIn and the rules that a shape cannot say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.conf import settings
from pydantic import Field

from reviewapp.access.api import Slug
from reviewapp.judge.checks.options import check_options
from reviewapp.lib.api import Strict
from reviewapp.lib.errors import FieldError, Unprocessable
from reviewapp.lib.outbound import Destination, checked_destination
from reviewapp.rubrics.models import Criterion

PLACEHOLDERS = ("input", "output", "context", "rubric")
_DOLLAR = re.compile(r"\$(?:(?P<escaped>\$)|(?P<named>[A-Za-z_][A-Za-z0-9_]*)|\{(?P<braced>[^}]*)\}|(?P<bad>))")
# `{name}`, `{0[x]}`, `{item.attribute}`, `{{ name }}`, `{% tag %}`: other template languages; nothing here fills them.
_OTHER_TEMPLATE = re.compile(r"\{\{|\{%|\{\s*[A-Za-z0-9_]*\s*(?:[.\[!:][^{}\n]*)?\}")
_KEY_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,150}_(?:KEY|TOKEN)")
_OWN_NAMES = ("DJANGO_", "REVIEWAPP_", "DATABASE_", "REDIS_", "SECRET_", "CSRF_")
ANSWERABLE = {"binary", "ordinal", "categorical", "multiselect", "numeric", "preference"}
RESERVED_SLUGS = ("new",)


class CheckIn(Strict):
    """One programmatic check and the criterion that it answers."""

    criterion: Annotated[str, Field(min_length=1, max_length=200)]
    check: Literal["regex", "json_schema", "similarity", "length", "citation"]
    options: dict[str, Any]


class JudgeIn(Strict):
    """A judge to make, or the next set-up of one."""

    slug: Slug
    title: Annotated[str, Field(min_length=1, max_length=200)]
    rubric: Slug
    kind: Literal["llm", "program", "imported"]
    criteria: Annotated[list[str], Field(max_length=100)] | None = None
    base_url: Annotated[str, Field(max_length=2_000)] = ""
    model: Annotated[str, Field(max_length=200)] = ""
    key: Annotated[str, Field(max_length=200)] = ""
    prompt: Annotated[str, Field(max_length=100_000)] = ""
    parameters: dict[str, Any] = {}
    samples: Annotated[int, Field(ge=1, le=20)] = 1
    budget_usd: Annotated[float, Field(gt=0, le=1_000_000)] | None = None
    checks: Annotated[list[CheckIn], Field(max_length=100)] = []


class Parameters(Strict):
    """What an LLM judge may set. Prices are dollars per million tokens; a budget needs them."""

    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    max_tokens: Annotated[int, Field(ge=16, le=128_000)] = 2_000
    limit_field: Literal["max_tokens", "max_completion_tokens"] = "max_completion_tokens"
    logprobs: bool = False
    timeout_seconds: Annotated[float, Field(ge=1, le=120)] = 60.0
    input_usd_per_million: Annotated[float, Field(ge=0, le=100_000)] | None = None
    output_usd_per_million: Annotated[float, Field(ge=0, le=100_000)] | None = None

    @property
    def has_prices(self) -> bool:
        """Whether a call's cost can be known beforehand."""
        return self.input_usd_per_million is not None and self.output_usd_per_million is not None

    def cost_usd(self, input_tokens: int, output_tokens: int) -> Decimal:
        """Of one call, in dollars; 0 without prices."""
        price_in = Decimal(str(self.input_usd_per_million or 0))
        price_out = Decimal(str(self.output_usd_per_million or 0))
        return (price_in * input_tokens + price_out * output_tokens) / 1_000_000

    def sent(self) -> dict[str, Any]:
        """What goes to the endpoint beside model, messages and schema."""
        body: dict[str, Any] = {
            name: value
            for name in ("temperature", "top_p", "seed", "reasoning_effort")
            if (value := getattr(self, name)) is not None
        }
        body[self.limit_field] = self.max_tokens
        if self.logprobs:
            body |= {"logprobs": True, "top_logprobs": 5}
        return body


def judge_destination(base_url: str) -> Destination:
    """Where an LLM judge may ask, by this installation's settings. Raises Unprocessable."""
    return checked_destination(
        base_url,
        allowed_hosts=settings.JUDGE_ALLOWED_HOSTS,
        allow_loopback=settings.JUDGE_ALLOW_LOOPBACK,
        pointer="/base_url",
    )


def check_judge(judge: JudgeIn, criteria: Sequence[Criterion]) -> list[str]:
    """The keys that this judge answers, in the rubric's order. Raises Unprocessable with a pointer to what is wrong."""
    if judge.slug in RESERVED_SLUGS:
        raise _wrong("/slug", "is a word of this program's own addresses; choose another")
    by_key = {criterion.key: criterion for criterion in criteria}
    if judge.kind == "program":
        keys = _checked_program(judge, by_key)
    else:
        if judge.checks:
            raise _wrong("/checks", "belongs to judges of kind program")
        keys = _chosen_keys(judge, by_key)
    if judge.kind == "llm":
        _check_llm(judge)
    elif judge.base_url or judge.model or judge.key or judge.prompt or judge.parameters or judge.budget_usd is not None:
        raise _wrong("/kind", "must be llm for base_url, model, key, prompt, parameters and budget_usd")
    return [criterion.key for criterion in criteria if criterion.key in keys]


def _chosen_keys(judge: JudgeIn, by_key: dict[str, Criterion]) -> set[str]:
    if judge.criteria is None:
        return {key for key, criterion in by_key.items() if criterion.kind in ANSWERABLE}
    for position, key in enumerate(judge.criteria):
        _check_key(key, by_key, f"/criteria/{position}")
    if not judge.criteria:
        raise _wrong("/criteria", "must name at least one criterion")
    return set(judge.criteria)


def _checked_program(judge: JudgeIn, by_key: dict[str, Criterion]) -> set[str]:
    if not judge.checks:
        raise _wrong("/checks", "must hold at least one check")
    keys: set[str] = set()
    for position, check in enumerate(judge.checks):
        _check_key(check.criterion, by_key, f"/checks/{position}/criterion")
        if by_key[check.criterion].kind == "preference":
            raise _wrong(f"/checks/{position}/criterion", "is a preference; checks answer criteria of one output")
        if check.criterion in keys:
            raise _wrong(f"/checks/{position}/criterion", "has a check already; a criterion takes one")
        check_options(check.check, check.options, by_key[check.criterion], pointer=f"/checks/{position}/options")
        keys.add(check.criterion)
    if judge.criteria is not None and set(judge.criteria) != keys:
        raise _wrong("/criteria", "must name exactly the criteria that have a check; or leave it out")
    return keys


def _check_key(key: str, by_key: dict[str, Criterion], pointer: str) -> None:
    if key not in by_key:
        raise _wrong(pointer, f"is not a criterion of this rubric; it has {', '.join(by_key)}")
    if by_key[key].kind not in ANSWERABLE:
        raise _wrong(pointer, f"is of kind {by_key[key].kind}, which judges do not answer")


def _check_llm(judge: JudgeIn) -> None:
    judge_destination(judge.base_url)
    if not judge.model.strip():
        raise _wrong("/model", "is required for a judge of kind llm")
    if judge.key and not is_key_name(judge.key):
        raise _wrong(
            "/key",
            "must name an environment variable that ends in _KEY or _TOKEN and is not one of this program's own, "
            "for example OPENAI_API_KEY; never the key itself",
        )
    check_prompt(judge.prompt)
    parameters = read_parameters(judge.parameters)
    if judge.budget_usd is not None and not parameters.has_prices:
        raise _wrong(
            "/budget_usd",
            "needs parameters.input_usd_per_million and parameters.output_usd_per_million: without prices nothing "
            "could be counted",
        )


def is_key_name(name: str) -> bool:
    """Whether a judge may read this environment variable and send its value to its endpoint."""
    return bool(_KEY_NAME.fullmatch(name)) and not name.startswith(_OWN_NAMES)


def read_parameters(value: dict[str, Any]) -> Parameters:
    """Raises Unprocessable with pointers under /parameters."""
    from reviewapp.lib.api import check

    try:
        return check(value, Parameters)
    except Unprocessable as error:
        errors = tuple(FieldError(f"/parameters{part.pointer}", part.detail) for part in error.errors)
        raise Unprocessable(f"/parameters: {error.detail}", errors=errors) from error


def check_prompt(prompt: str) -> None:
    """Only `$input`, `$output`, `$context`, `$rubric` (and `$$` for a dollar). Raises Unprocessable."""
    allowed = ", ".join(f"${name}" for name in PLACEHOLDERS)
    found = set()
    for match in _DOLLAR.finditer(prompt):
        if match["escaped"]:
            continue
        name = match["named"] or match["braced"] or ""
        if name not in PLACEHOLDERS:
            raise _wrong("/prompt", f"has {match[0][:40]!r}; it takes {allowed}, and $$ for a dollar sign")
        found.add(name)
    other = _OTHER_TEMPLATE.search(_DOLLAR.sub("", prompt))
    if other:
        raise _wrong("/prompt", f"has {other[0][:40]!r}, which nothing fills; it takes {allowed}")
    if prompt and "output" not in found:
        raise _wrong("/prompt", "must hold $output: the judge would not see what it judges")


def filled_prompt(prompt: str, values: dict[str, str]) -> str:
    """The prompt with its placeholders filled, in one pass: what is filled in is never read as a template."""

    def fill(match: re.Match[str]) -> str:
        return "$" if match["escaped"] else values[match["named"] or match["braced"]]

    return _DOLLAR.sub(fill, prompt)


def _wrong(pointer: str, detail: str) -> Unprocessable:
    return Unprocessable(f"{pointer} {detail}.", errors=(FieldError(pointer, detail),))
