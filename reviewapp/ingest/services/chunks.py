"""A bulk body in chunks of checked records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from reviewapp.lib.api import BulkAnswer, Strict, field_errors
from reviewapp.lib.bodies import Line
from reviewapp.lib.errors import FieldError

CHUNK = 1_000
Record = TypeVar("Record", bound=Strict)


@dataclass(frozen=True, slots=True)
class Checked(Generic[Record]):
    """A record that is right, with its line and the value as sent."""

    line: int
    record: Record
    raw: dict[str, Any]


def chunks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """The lines, at most 1,000 at a time."""
    source = iter(lines)
    while chunk := list(islice(source, CHUNK)):
        yield chunk


def checked_records(lines: Iterable[Line], model: type[Record], answer: BulkAnswer) -> Iterator[Checked[Record]]:
    """The lines that hold a right record; the others are counted as rejected, each with its first error."""
    for line in lines:
        if line.refusal is not None:
            answer.reject_all(line.number, line.refusal)
            continue
        try:
            yield Checked(line.number, model.model_validate(line.value), line.value)
        except ValidationError as error:
            reject(answer, line.number, field_errors(error)[0], value=line.value)


def reject(answer: BulkAnswer, line: int, problem: FieldError, *, value: Any) -> None:
    """Count a line as rejected, with its `external_id` when it has a usable one."""
    external_id = value.get("external_id") if isinstance(value, dict) else None
    shown = external_id[:200] if isinstance(external_id, str) else None
    answer.reject(line, problem.detail, external_id=shown, pointer=problem.pointer)
