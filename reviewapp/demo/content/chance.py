"""Choices that look like chance and are the same on every run: read from a SHA-256 of what they concern."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from statistics import NormalDist
from typing import TypeVar

T = TypeVar("T")


def digest(*parts: object) -> str:
    """64 hexadecimal digits that depend on all parts and their order."""
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()


def share(*parts: object) -> float:
    """A number in the open interval (0, 1), uniform over different parts."""
    return (int(digest(*parts)[:12], 16) + 0.5) / 16**12


def between(low: float, high: float, *parts: object) -> float:
    """A number in (low, high), uniform over different parts."""
    return low + (high - low) * share(*parts)


def bell(*parts: object) -> float:
    """A standard normal deviate: mean 0, standard deviation 1 over different parts."""
    return NormalDist().inv_cdf(share(*parts))


def pick(choices: Sequence[T], *parts: object) -> T:
    """One of the choices, all equally likely over different parts."""
    return choices[int(share(*parts) * len(choices))]
