"""What each check answers for one output."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz

from reviewapp.ingest.models import Output
from reviewapp.judge.checks.options import Band, Citation, JsonSchema, Length, Regex, Similarity
from reviewapp.judge.checks.sandbox import MAX_TEXT, CheckFailed, Sandbox
from reviewapp.judge.texts import context_text, message_text

_LIST_LINE = re.compile(r"\s*(?:[-*•]|\d{1,3}[.)])\s")
_METHODS: Mapping[str, Callable[[str, str], float]] = {
    "ratio": fuzz.ratio,
    "partial_ratio": fuzz.partial_ratio,
    "token_set_ratio": fuzz.token_set_ratio,
}


@dataclass(frozen=True)
class Checked:
    """The value of a check, or why there is none."""

    value: Any = None
    error: str | None = None
    rationale: str = ""


def run_check(options: Any, output: Output, sandbox: Sandbox) -> Checked:
    """options: as `options.read_options` gives them."""
    try:
        return Checked(_RUN[type(options)](options, output, sandbox))
    except CheckFailed as failed:
        return Checked(error=failed.failure, rationale=failed.detail)


def field_text(output: Output, name: str) -> str:
    """One text of an output. Raises CheckFailed when it is longer than a check reads."""
    if name == "context":
        text = context_text(output)
    elif name.startswith("metadata."):
        value = output.metadata.get(name.removeprefix("metadata."))
        text = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
    else:
        text = message_text(getattr(output, name))
    if len(text) > MAX_TEXT:
        raise CheckFailed("malformed", "the text is longer than a check reads")
    return text


def _regex(options: Regex, output: Output, sandbox: Sandbox) -> Any:
    [found] = sandbox.search(options.pattern, [field_text(output, options.field)])
    return options.found if found else options.missing


def _citation(options: Citation, output: Output, sandbox: Sandbox) -> Any:
    text = field_text(output, options.field)
    cited = sandbox.capture(options.pattern, text)
    if not cited:
        return options.none
    known = {str(entry.get("id")) for entry in output.context or []}
    if not set(cited) <= known:
        return options.unknown
    pieces = _pieces(text)
    share = sum(sandbox.search(options.pattern, pieces)) / len(pieces)
    return _in_bands(options.bands, share)


def _pieces(text: str) -> list[str]:
    """Paragraphs, and every line of a list on its own."""
    pieces: list[str] = []
    for paragraph in re.split(r"\n[ \t]*\n", text):
        rest: list[str] = []
        for line in paragraph.splitlines():
            if _LIST_LINE.match(line):
                pieces.append(line)
            elif line.strip():
                rest.append(line)
        if rest:
            pieces.append("\n".join(rest))
    return pieces


def _length(options: Length, output: Output, _: Sandbox) -> Any:
    text = field_text(output, options.field)
    count = {"words": len(text.split()), "characters": len(text), "lines": len(text.splitlines())}[options.unit]
    return _in_bands(options.bands, count)


def _similarity(options: Similarity, output: Output, _: Sandbox) -> Any:
    first, second = field_text(output, options.field), field_text(output, options.against)
    return _in_bands(options.bands, _METHODS[options.method](first, second) / 100)


def _json_schema(options: JsonSchema, output: Output, sandbox: Sandbox) -> Any:
    is_valid = sandbox.is_of_schema(options.schema_, field_text(output, options.field))
    return options.valid if is_valid else options.invalid


def _in_bands(bands: list[Band], number: float) -> Any:
    return next(band.value for band in bands if band.below is None or number < band.below)


_RUN: Mapping[type[Any], Callable[[Any, Output, Sandbox], Any]] = {
    Regex: _regex,
    Citation: _citation,
    Length: _length,
    Similarity: _similarity,
    JsonSchema: _json_schema,
}
