"""Whiskers: an interval and its estimate as a column of a table. The uncertainty is drawn before the estimate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()
LEFT, RIGHT, MIDDLE = 4.0, 236.0, 10
EDGE = 14.0  # a label nearer to the end of the axis than this would be cut


def _x(value: float, scale: Mapping[str, Any]) -> float:
    share = (value - scale["low"]) / (scale["high"] - scale["low"])
    return round(LEFT + (RIGHT - LEFT) * min(max(float(share), 0.0), 1.0), 1)


@register.simple_tag
def whisker(value: float | None, interval: Sequence[float] | None, scale: Mapping[str, Any]) -> SafeString:
    """One row's whisker. scale: `low`, `high`, and `bounds`, the values marked by a dashed line.

    Hidden from listeners: the row says the same in words. An end beyond the scale has no cap.
    """
    bounds = format_html_join(
        "", '<line class="ref" x1="{0}" x2="{0}" y1="0" y2="20"/>', ((_x(bound, scale),) for bound in scale["bounds"])
    )
    path = "" if interval is None else _path(interval, scale)
    drawn = format_html('<path class="wh" d="{}"/>', path) if path else ""
    dot = "" if value is None else format_html('<circle class="dt" cx="{}" cy="10" r="5"/>', _x(value, scale))
    return format_html(
        '<svg class="whisk" viewBox="0 0 240 20" aria-hidden="true">'
        '<line class="gl" x1="4" x2="236" y1="10" y2="10"/>{}{}{}</svg>',
        bounds,
        drawn,
        dot,
    )


@register.simple_tag
def whisker_axis(scale: Mapping[str, Any]) -> SafeString:
    """The axis in the head of the column. scale: `low`, `high`, `ticks` [(value, label)]."""
    labels = [(_x(value, scale), label) for value, label in scale["ticks"]]
    ticks = format_html_join(
        "",
        '<text class="{}" x="{}" y="12">{}</text>',
        ((*_anchor(x), label) for x, label in labels),
    )
    return format_html(
        '<svg class="whisk chart" viewBox="0 0 240 20" aria-hidden="true">{}'
        '<line class="ax" x1="4" x2="236" y1="18" y2="18"/></svg>',
        ticks,
    )


def _anchor(x: float) -> tuple[str, float]:
    """Class and place of a label: at the ends of the axis it is drawn inwards."""
    if x > RIGHT - EDGE:
        return "end", RIGHT + 2
    return ("", LEFT - 2) if x < LEFT + EDGE else ("mid", x)


def _path(interval: Sequence[float], scale: Mapping[str, Any]) -> str:
    low, high = interval
    parts = [f"M{_x(low, scale)} {MIDDLE}H{_x(high, scale)}"]
    parts += [f"M{_x(end, scale)} 6v8" for end in interval if scale["low"] <= end <= scale["high"]]
    return "".join(parts)
