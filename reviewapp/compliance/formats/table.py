"""CSV (RFC 4180): every cell quoted, UTF-8, CRLF; cells that a spreadsheet would run are disarmed.

Columns: those of API.md's audit event in its order, the payload spread over `source_ip`, `user_agent`, `reason`,
`before`, `after` and `more` (the last three as JSON), and `meaning`, the sentence of the vocabulary.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from reviewapp.audit.models import Event
from reviewapp.compliance.formats.jsonl import text
from reviewapp.compliance.selectors import shown_event
from reviewapp.compliance.vocabulary import meaning_of
from reviewapp.lib.spreadsheets import safe_cell

COLUMNS = (
    "leaf_index", "at", "actor", "actor_kind", "event", "meaning", "object_kind", "object", "project", "outcome",
    "reason", "before", "after", "more", "source_ip", "user_agent", "request_id", "id", "leaf_hash",
    "payload_commitment", "payload",
)  # fmt: skip
_SPREAD = frozenset({"actor_name", "source_ip", "user_agent", "before", "after", "reason"})


def csv_rows(events: Iterable[Event], *, is_raw: bool = False) -> Iterator[str]:
    """The head, then one row an event. is_raw leaves formulas as they are, for programs that parse the file."""
    line = io.StringIO()
    writer = csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    disarmed: Callable[[Any], Any] = (lambda cell: cell) if is_raw else safe_cell
    written = partial(_written, line, writer)
    yield written(COLUMNS)
    for event in events:
        yield written([disarmed(cell) for cell in _cells(shown_event(event))])


def _written(line: io.StringIO, writer: Any, cells: Iterable[Any]) -> str:
    writer.writerow(cells)
    row = line.getvalue()
    line.seek(0)
    line.truncate()
    return row


def _cells(shown: dict[str, Any]) -> list[Any]:
    payload = shown["payload"]
    said = payload or {}
    more = {key: value for key, value in said.items() if key not in _SPREAD}
    found = {
        **shown,
        "meaning": meaning_of(shown["event"]),
        "source_ip": said.get("source_ip"),
        "user_agent": said.get("user_agent"),
        "reason": said.get("reason"),
        "before": text(said["before"]) if "before" in said else None,
        "after": text(said["after"]) if "after" in said else None,
        "more": text(more) if more else None,
        "payload": "erased" if payload is None else "kept",
    }
    return [found[column] for column in COLUMNS]
