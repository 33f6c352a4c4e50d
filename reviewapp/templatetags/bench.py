"""What the text under judgement needs beyond `ui`: citations that lead to their source. Display only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
_TAG = re.compile(r"(<[^>]*>)")


@register.filter
def cited(html: SafeString, sources: Sequence[Any]) -> SafeString:
    """Cleaned HTML with each `[id]` of a source as a link to it. Texts in code stay as they are."""
    known = {escape(f"[{source.id}]"): source for source in sources}
    if not known or not isinstance(html, SafeString):
        return html
    pattern = re.compile("|".join(re.escape(mark) for mark in sorted(known, key=len, reverse=True)))
    found, in_code = [], 0
    for piece in _TAG.split(html):
        if piece.startswith("<"):
            in_code += piece.startswith(("<code", "<a ")) - piece.startswith(("</code", "</a"))
            found.append(piece)
        else:
            found.append(piece if in_code else pattern.sub(lambda mark: _link(known[mark[0]]), piece))
    return mark_safe("".join(found))  # noqa: S308 - cleaned before, and the links are built from escaped parts


def _link(source: Any) -> str:
    name = escape(source.id)
    return f'<a class="cite" href="#{escape(source.anchor)}" aria-label="Source {name}">{name}</a>'
