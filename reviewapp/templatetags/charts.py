"""Charts drawn on the server as SVG: colour by class, none by attribute, no library. See `whiskers` for tables."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()
WIDTH, TOP, BOTTOM, LEFT, RIGHT = 420, 12, 104, 36, 410


@register.simple_tag
def line_chart(points: Sequence[tuple[str, float | None]], low: float, high: float, label: str) -> SafeString:
    """One line over named steps. A step without a value breaks the line: it is a gap, never 0.

    label: the text that listeners get, with the conclusion. The data belong in a table beside the chart.
    """
    step = (RIGHT - LEFT) / max(len(points) - 1, 1)
    places = [
        None if value is None else (round(LEFT + step * number, 1), _y(value, low, high))
        for number, (_, value) in enumerate(points)
    ]
    dots = format_html_join(
        "", '<circle class="dt" cx="{}" cy="{}" r="3.5"/>', (place for place in places if place is not None)
    )
    return format_html(
        '<svg class="chart" viewBox="0 0 {} 128" role="img" aria-label="{}">{}<path class="ln" d="{}"/>{}{}</svg>',
        WIDTH,
        label,
        _grid(low, high),
        _path(places),
        dots,
        _names(points, step),
    )


def _y(value: float, low: float, high: float) -> float:
    share = (value - low) / (high - low) if high > low else 0.5
    return round(BOTTOM - (BOTTOM - TOP) * min(max(share, 0.0), 1.0), 1)


def _path(places: Sequence[tuple[float, float] | None]) -> str:
    parts = []
    is_open = False
    for place in places:
        if place is not None:
            parts.append(f"{'L' if is_open else 'M'}{place[0]} {place[1]}")
        is_open = place is not None
    return "".join(parts)


def _grid(low: float, high: float) -> SafeString:
    ticks = [(value, _y(value, low, high)) for value in (low, (low + high) / 2, high)]
    return format_html_join(
        "",
        '<line class="gl" x1="{}" x2="{}" y1="{}" y2="{}"/><text class="end" x="{}" y="{}">{}</text>',
        ((LEFT, RIGHT, y, y, LEFT - 6, y + 4, f"{value:g}") for value, y in ticks),
    )


def _names(points: Sequence[tuple[str, float | None]], step: float) -> SafeString:
    # About five names fit under the axis, whatever the number of steps.
    every = max(1, -(-len(points) // 5))
    shown = [(number, name) for number, (name, _) in enumerate(points) if number % every == 0]
    return format_html_join(
        "",
        '<text class="mid" x="{}" y="122">{}</text>',
        ((round(LEFT + step * number, 1), name) for number, name in shown),
    )
