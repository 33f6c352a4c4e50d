"""Numbers as people read them: a true minus, thousands with commas, intervals with "to"."""

from __future__ import annotations

from collections.abc import Sequence

MINUS = "\u2212"


def number(value: float, digits: int = 2) -> str:
    """0.3849 as "0.38", -0.016 as "−0.02"; what rounds to zero has no sign."""
    text = f"{value:,.{digits}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def interval(bounds: Sequence[float], digits: int = 2) -> str:
    """(0.19, 0.37) as "0.19 to 0.37": a dash would read as a minus."""
    return f"{number(bounds[0], digits)} to {number(bounds[1], digits)}"


def percent(share: float, digits: int = 1) -> str:
    """0.958 as "95.8 %", with a space that does not break."""
    return f"{number(100 * share, digits)}\u00a0%"


def counted(n: int, one: str, many: str | None = None) -> str:
    """(1, "item") as "1 item", (1200, "item") as "1,200 items"."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def listed(words: Sequence[str]) -> str:
    """["a", "b", "c"] as "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""
