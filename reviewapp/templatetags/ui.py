"""How numbers, times, shares and foreign text are shown. Display only."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import nh3
from django import template
from django.utils.dateparse import parse_datetime
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from reviewapp.lib.clock import utc_now

register = template.Library()
MINUS = "\u2212"
NARROW = "\u00a0"
# Characters that change the order or vanish: shown as what they are, so that a text cannot look like another.
_HIDDEN = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
    # Joiners belong to Persian, Indic scripts and emoji; beside an ASCII character they can only hide something.
    "|(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])"
    "|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
)
_TAG = re.compile("(<[^>]*>)")
_TAGS = {
    "p", "br", "strong", "em", "code", "pre", "ul", "ol", "li", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
    "table", "thead", "tbody", "tr", "th", "td", "a", "del",
}  # fmt: skip


@register.filter
def number(value: Any, digits: int = 2) -> str:
    """A number with thousands and a real minus; a dash for None, which a sentence beside it explains."""
    if value is None or value == "":
        return "–"
    text = f"{float(value):,.{digits}f}"
    # What rounds to zero has no sign.
    return text.replace("-", MINUS) if text.strip("-0.,") else text.lstrip("-")


@register.filter
def percent(value: Any, digits: int = 1) -> str:
    """0.912 as "91.2 %"; a dash for None."""
    return "–" if value is None else f"{number(100 * float(value), digits)}{NARROW}%"


@register.filter
def span(interval: Any, digits: int = 2) -> str:
    """An interval as "0.19 to 0.37": a dash would read as a minus."""
    return "" if not interval else f"{number(interval[0], digits)} to {number(interval[1], digits)}"


@register.filter
def percent_span(interval: Any, digits: int = 1) -> str:
    """A share's interval as "88.7 to 93.3 %"."""
    if not interval:
        return ""
    return f"{number(100 * interval[0], digits)} to {number(100 * interval[1], digits)}{NARROW}%"


@register.filter
def when(moment: datetime | str | None) -> SafeString:
    """ "14:31" today, else "20 Nov 14:31", the year added when it is not this one; a dash for None.

    moment: aware, or RFC 3339 text. UTC is said once per page and in the title of each time.
    """
    found = parse_datetime(moment) if isinstance(moment, str) else moment
    if found is None:
        return mark_safe("–")
    return _time(found.astimezone(UTC), "%H:%M")


@register.filter
def when_exactly(moment: datetime) -> SafeString:
    """ "14:31:08" today, else "20 Nov 14:31:08", the year added when it is not this one. moment: aware."""
    return _time(moment.astimezone(UTC), "%H:%M:%S")


def _time(at: datetime, clock: str) -> SafeString:
    today = utc_now()
    year = "" if at.year == today.year else f" {at.year}"
    shown = f"{at:{clock}}" if at.date() == today.date() else f"{at.day} {at:%b}{year} {at:{clock}}"
    return format_html('<time datetime="{}" title="{} UTC">{}</time>', at.isoformat(), f"{at:%Y-%m-%d %H:%M:%S}", shown)


@register.filter
def duration(span: timedelta) -> str:
    """A length of time in its two largest units: "3 s", "2 min 10 s", "5 h 20 min", "3 days 4 h"."""
    seconds = max(0, int(span.total_seconds()))
    days, hours, minutes = seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60
    units = [(days, "day" if days == 1 else "days"), (hours, "h"), (minutes, "min"), (seconds % 60, "s")]
    first = next((place for place, (amount, _) in enumerate(units) if amount), 3)
    return " ".join(f"{amount}{NARROW}{unit}" for amount, unit in units[first : first + 2] if amount) or f"0{NARROW}s"


@register.filter
def visible_controls(value: Any) -> SafeString:
    """Any value as text, with invisible and reordering characters made visible."""
    return mark_safe(_shown(str(value)))  # noqa: S308 - every other character was escaped


def _shown(text: str) -> str:
    return _marked(escape(text))


def _marked(html: str) -> str:
    """HTML text without tags, each hidden character replaced by its number."""
    return _HIDDEN.sub(lambda found: f'<span class="ctl">U+{ord(found[0]):04X}</span>', html)


@register.filter
def render_text(value: Any) -> SafeString:
    """Markdown of a model or a person as inert HTML: no images, styles, classes, ids or scripts survive."""
    return mark_safe(_rendered(str(value)))  # noqa: S308 - cleaned by an allow-list


@lru_cache(maxsize=512)
def _rendered(text: str) -> str:
    html = nh3.clean(
        _markdown().render(text),
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    # Marked after cleaning, because the marks carry a class; inside a tag nothing may be inserted.
    parts = _TAG.split(html)
    return "".join(part if number % 2 else _marked(part) for number, part in enumerate(parts))


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "linkify": True, "breaks": True})
    made.enable(["table", "strikethrough", "linkify"])
    # An image would be fetched, and tell its sender who reads what and when: it is shown as a link.
    made.add_render_rule("image", _image_as_link)
    # The page's own headings end at level 2; a heading of the answer stands below them.
    for rule in ("heading_open", "heading_close"):
        made.add_render_rule(rule, _lower_heading)
    return made


def _lower_heading(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    return f"<{'/' if token.nesting < 0 else ''}h{min(int(token.tag[1]) + 2, 6)}>"


def _image_as_link(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    return f'<a href="{escape(token.attrGet("src") or "")}">{escape(token.content or "image")}</a>'


@register.simple_tag
def figure(stat: dict[str, Any], digits: int = 2, is_share: bool = False) -> SafeString:
    """A {stat} of the API with its interval and n, or "undefined" with the reason. Never a bare number."""
    if stat.get("value") is None:
        return format_html('<span class="st">undefined</span> <span class="dim sm">{}</span>', stat.get("reason") or "")
    value = percent(stat["value"]) if is_share else number(stat["value"], digits)
    interval = percent_span(stat["interval"]) if is_share else span(stat["interval"], digits)
    return format_html("{} <small>{}; n&nbsp;=&nbsp;{}</small>", value, interval or "no interval", stat.get("n", 0))


@register.filter
def fingerprint(value: Any) -> str:
    """A short stable name for an element's id, whatever characters the value has."""
    return hashlib.sha256(str(value).encode()).hexdigest()[:10]
