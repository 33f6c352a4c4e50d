"""JSON lines: API.md's audit event, one a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from reviewapp.audit.models import Event
from reviewapp.compliance.selectors import shown_event

# One encoder: `json.dumps` with options makes a new one for every value.
text = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def json_lines(events: Iterable[Event]) -> Iterator[str]:
    """One line an event, ending in a newline."""
    for event in events:
        yield text(shown_event(event)) + "\n"
