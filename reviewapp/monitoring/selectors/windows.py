"""A stretch of production time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reviewapp.lib.clock import utc_now
from reviewapp.lib.errors import Malformed

MOST_DAYS = 366
_DAYS = re.compile(r"([1-9][0-9]{0,2})d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.IGNORECASE)


@dataclass(frozen=True)
class Window:
    """From `start` up to, not including, `end`; `text` is how it was asked for."""

    text: str
    start: datetime
    end: datetime

    @property
    def days(self) -> int:
        """How many calendar days (UTC) it touches."""
        last = self.end - timedelta(microseconds=1)
        return (last.astimezone(UTC).date() - self.start.astimezone(UTC).date()).days + 1


def parse_window(text: str, *, now: datetime | None = None) -> Window:
    """`7d` (the days up to now) or `<from>/<to>` in RFC 3339. Raises Malformed."""
    days = _DAYS.fullmatch(text)
    if days is not None and int(days[1]) <= MOST_DAYS:
        end = now or utc_now()
        return Window(text, end - timedelta(days=int(days[1])), end)
    start_text, slash, end_text = text.partition("/")
    if slash and _MOMENT.fullmatch(start_text) and _MOMENT.fullmatch(end_text):
        try:
            start, end = datetime.fromisoformat(start_text.upper()), datetime.fromisoformat(end_text.upper())
        except ValueError as error:
            raise Malformed(f"window names a moment that does not exist: {error}.") from error
        if timedelta(0) < end - start <= timedelta(days=MOST_DAYS):
            return Window(text, start, end)
    raise Malformed(
        "window must be a number of days such as 7d, or two moments such as"
        " 2026-11-01T00:00:00Z/2026-11-08T00:00:00Z, the later one last, at most 366 days apart"
        " (write a plus sign as %2B)."
    )
