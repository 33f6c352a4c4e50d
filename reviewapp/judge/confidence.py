"""How likely each allowed answer was at the place where the verdict stands, from token log-probabilities."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any

from reviewapp.lib.llm import Token

# Under this mass the listed alternatives say too little about the allowed answers.
LEAST_MASS = 0.8


def answer_shares(tokens: Sequence[Token], text: str, key: str, allowed: Sequence[Any]) -> dict[str, float] | None:
    """Share per allowed answer (by its `repr`), summing to 1, from the first token of the verdict on `key`.

    None without log-probabilities, when the tokens do not spell the text, when two answers begin with the same token,
    or when the alternatives on record hold less than LEAST_MASS of the probability. Source: ECOSYSTEM 4.
    """
    if not tokens or not allowed or "".join(token.text for token in tokens) != text:
        return None
    place = _verdict_place(text, key)
    if place is None:
        return None
    start = 0
    for token in tokens:
        if start + len(token.text) > place:
            return _shares(token, token.text[: place - start], allowed)
        start += len(token.text)
    return None


def _verdict_place(text: str, key: str) -> int | None:
    """Where the verdict's own characters begin: after the quote of a text, at the first character of anything else.

    The last `"verdict":` between this answer's key and the next is the real one: reasoning stands before it, and a
    quote inside reasoning is escaped.
    """
    own = re.search(re.escape(json.dumps(key, ensure_ascii=False)) + r"\s*:\s*\{", text)
    if own is None:
        return None
    pattern = re.compile(r'"(?P<name>reasoning|verdict)"\s*:\s*(?P<text>"(?:[^"\\]|\\.)*")?')
    position = own.end()
    while (found := pattern.search(text, position)) is not None:
        if found["name"] == "verdict":
            return found.start("text") + 1 if found["text"] is not None else found.end()
        position = found.end()
    return None


def _shares(token: Token, before: str, allowed: Sequence[Any]) -> dict[str, float] | None:
    """before: what of the token stands before the verdict; an alternative that differs there is another story."""
    spelled = {repr(value): value if isinstance(value, str) else json.dumps(value) for value in allowed}
    mass = dict.fromkeys(spelled, 0.0)
    for alternative, logprob in token.alternatives.items():
        rest = alternative.removeprefix(before)
        if not alternative.startswith(before) or not rest:
            continue
        meant = [name for name, spelling in spelled.items() if spelling.startswith(rest) or rest.startswith(spelling)]
        if len(meant) > 1:
            return None
        if meant:
            mass[meant[0]] += math.exp(min(0.0, logprob))
    total = sum(mass.values())
    if total < LEAST_MASS:
        return None
    return {name: share / total for name, share in mass.items()}
