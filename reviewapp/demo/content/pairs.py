"""The sample pairs: the same question answered by two configurations."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from reviewapp.demo.content.chance import digest, share
from reviewapp.demo.content.library import CONFIGURATIONS, Case, situations

VARIANTS_PAIRED = 3
MATCHES = tuple(combinations(CONFIGURATIONS, 2))


def pair_records() -> list[dict[str, Any]]:
    """Pair records (API.md) by `a_id` and `b_id`: three a situation, each of the three matches once.

    Which configuration is `a` is drawn by hash, so that it tells nothing.
    """
    records = []
    for place, situation in enumerate(situations()):
        for variant in range(VARIANTS_PAIRED):
            match = MATCHES[(place + variant) % len(MATCHES)]
            first, second = (Case(situation, variant, name).external_id for name in match)
            if share("swap", situation.slug, variant) < 0.5:
                first, second = second, first
            name = "pair-" + digest("pair", first, second)[:12]
            records.append({"external_id": name, "a_id": first, "b_id": second})
    return records
