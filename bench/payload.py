"""What is sent: items of about 2.2 KB and grades on three criteria, the same for the same seed."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from typing import Any

SEED = 7
LINES_PER_REQUEST = 1_000
WORDS = re.findall(
    r"\w+",
    "account answer balance because before bill billing cancel card charge check claim contact "
    "customer date delay delivery describe detail device error explain file follow form free help "
    "invoice issue item later letter line link list login month need number offer order package "
    "password payment phone plan please policy price problem product question reason receive refund "
    "reply report request reset return review send service ship status step store support system "
    "team ticket time track update upgrade usage user version visit wait week window work zone",
)
CHOICES = ("correct", "partly", "wrong")
RUBRIC: dict[str, Any] = {
    "slug": "answer",
    "title": "Is the answer good?",
    "criteria": [
        {
            "key": "rating",
            "kind": "ordinal",
            "title": "How good is it?",
            "levels": [{"value": level, "label": str(level)} for level in range(1, 6)],
            "pass_at": 4,
        },
        {
            "key": "choice",
            "kind": "categorical",
            "title": "Is it correct?",
            "levels": [{"value": choice, "label": choice} for choice in CHOICES],
        },
        {"key": "remark", "kind": "text", "title": "What should change?"},
    ],
}


def text(rng: random.Random, characters: int) -> str:
    """Words of exactly so many characters."""
    words: list[str] = []
    length = 0
    while length < characters:
        words.append(rng.choice(WORDS))
        length += len(words[-1]) + 1
    return " ".join(words)[:characters]


def item(number: int) -> dict[str, Any]:
    """One output in API.md's form; every value of the rivals' payload has its place."""
    rng = random.Random(SEED * 1_000_003 + number)
    return {
        "external_id": f"item-{number:08d}",
        "input": text(rng, 400),
        "output": text(rng, 1_200),
        "configuration": {
            "model": rng.choice(["m-small", "m-large", "m-xl"]),
            "prompt_version": f"v{rng.randint(1, 9)}",
            "parameters": {"temperature": rng.choice([0.0, 0.2, 0.7, 1.0])},
        },
        "latency_ms": rng.randint(80, 9_000),
        "input_tokens": rng.randint(50, 900),
        "output_tokens": rng.randint(50, 900),
        "cost_usd": round(rng.random() / 50, 6),
        "metadata": {
            "trace_id": f"{rng.getrandbits(128):032x}",
            "locale": rng.choice(["en", "de", "fr", "ja"]),
            "finish_reason": rng.choice(["stop", "length"]),
        },
    }


def grades(rng: random.Random) -> dict[str, Any]:
    """One answer to the rubric."""
    return {"rating": rng.randint(1, 5), "choice": rng.choice(CHOICES), "remark": text(rng, 60)}


def agreeing_grades(rng: random.Random, truth: int) -> dict[str, Any]:
    """An answer near a truth of 1 to 5, so that agreement is neither nothing nor perfect."""
    rating = truth if rng.random() < 0.7 else min(5, max(1, truth + rng.choice((-1, 1))))
    return {"rating": rating, "choice": CHOICES[(5 - rating) // 2], "remark": text(rng, 60)}


def renamed(items: Sequence[dict[str, Any]], prefix: str) -> list[dict[str, Any]]:
    """The same items under other ids, so that each round sends new records."""
    return [{**one, "external_id": f"{prefix}-{one['external_id']}"} for one in items]


def ndjson_bodies(rows: Sequence[dict[str, Any]]) -> list[bytes]:
    """Request bodies of at most 1,000 lines."""
    return [b"".join(json.dumps(row, separators=(",", ":")).encode() + b"\n" for row in part) for part in _parts(rows)]


def _parts(rows: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    for start in range(0, len(rows), LINES_PER_REQUEST):
        yield rows[start : start + LINES_PER_REQUEST]
