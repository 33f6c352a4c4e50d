"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """items: outputs per round of ingest, and waiting in the queue. labelled: items of an export and of agreement."""

    rounds: int
    items: int
    seconds: float
    labelled: int


SIZES = {
    # For the test that this runs at all: its figures mean nothing.
    "tiny": Size(rounds=1, items=200, seconds=0.3, labelled=50),
    "small": Size(rounds=3, items=10_000, seconds=3.0, labelled=4_000),
    "full": Size(rounds=5, items=100_000, seconds=10.0, labelled=20_000),
}
