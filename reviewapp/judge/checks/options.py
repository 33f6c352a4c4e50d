"""The options of each check, documented in the room's card; checked when a judge is made, never while it runs."""

from __future__ import annotations

import re
import warnings
from typing import Annotated, Any, Literal

from pydantic import Field

from reviewapp.lib.api import Strict, check
from reviewapp.lib.errors import DomainError, FieldError, Unprocessable
from reviewapp.rubrics.answers import check_value
from reviewapp.rubrics.models import Criterion

TextField = Literal["output", "input", "context"]
Pattern = Annotated[str, Field(min_length=1, max_length=2_000)]


class Band(Strict):
    """A value for everything below a bound; the last band has none."""

    below: float | None = None
    value: Any


Bands = Annotated[list[Band], Field(min_length=1, max_length=50)]


class Regex(Strict):
    """A pattern that is found or missing."""

    field: TextField = "output"
    pattern: Pattern
    found: Any
    missing: Any


class Citation(Strict):
    """Cited ids, and how much of the text carries one."""

    field: TextField = "output"
    pattern: Pattern
    none: Any
    unknown: Any
    bands: Bands


class Length(Strict):
    """How long a text is."""

    field: TextField = "output"
    unit: Literal["words", "characters", "lines"] = "words"
    bands: Bands


class Similarity(Strict):
    """How like another text it is, 0 to 1."""

    field: TextField = "output"
    against: Annotated[str, Field(pattern=r"^(input|context|metadata\..{1,200})$")]
    method: Literal["ratio", "partial_ratio", "token_set_ratio"] = "ratio"
    bands: Bands


class JsonSchema(Strict):
    """Whether the text is JSON of a form."""

    field: TextField = "output"
    schema_: Annotated[dict[str, Any], Field(alias="schema")]
    valid: Any
    invalid: Any


MODELS: dict[str, type[Strict]] = {
    "regex": Regex,
    "citation": Citation,
    "length": Length,
    "similarity": Similarity,
    "json_schema": JsonSchema,
}


def read_options(name: str, options: dict[str, Any]) -> Any:
    """The options as a record of `MODELS[name]`. Raises Unprocessable."""
    return check(options, MODELS[name])


def check_options(name: str, options: dict[str, Any], criterion: Criterion, *, pointer: str) -> None:
    """Raises Unprocessable: a field that is wrong, a pattern that does not compile, a value that is no answer of the
    criterion.
    """
    try:
        read = read_options(name, options)
    except Unprocessable as error:
        raise _moved(error, pointer) from error
    if isinstance(read, Regex | Citation):
        _check_pattern(read, f"{pointer}/pattern")
    if isinstance(read, Citation | Length | Similarity):
        _check_bands(read.bands, f"{pointer}/bands")
    for place, value in _values(read):
        try:
            check_value(criterion, value)
        except DomainError as error:
            detail = f"is no answer of {criterion.key}: {error.detail}"
            raise Unprocessable(f"{pointer}{place} {detail}", errors=(FieldError(pointer + place, detail),)) from error


def _values(read: Any) -> list[tuple[str, Any]]:
    named = [(f"/{name}", getattr(read, name)) for name in ("found", "missing", "none", "unknown", "valid", "invalid")
             if hasattr(read, name)]  # fmt: skip
    return named + [(f"/bands/{number}/value", band.value) for number, band in enumerate(getattr(read, "bands", []))]


def _check_pattern(read: Regex | Citation, pointer: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled = re.compile(read.pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise _wrong(pointer, f"is not a pattern: {error}") from error
    if isinstance(read, Citation) and compiled.groups != 1:
        raise _wrong(pointer, "must have one group, which captures the cited id")


def _check_bands(bands: list[Band], pointer: str) -> None:
    *bounded, last = bands
    if last.below is not None or any(band.below is None for band in bounded):
        raise _wrong(pointer, "must give every band but the last a bound in below, and the last none")
    bounds = [band.below for band in bounded if band.below is not None]
    if bounds != sorted(set(bounds)):
        raise _wrong(pointer, "must rise in below")


def _moved(error: Unprocessable, pointer: str) -> Unprocessable:
    errors = tuple(FieldError(pointer + part.pointer, part.detail) for part in error.errors)
    return Unprocessable(f"{pointer}: {error.detail}", errors=errors)


def _wrong(pointer: str, detail: str) -> Unprocessable:
    return Unprocessable(f"{pointer} {detail}.", errors=(FieldError(pointer, detail),))
