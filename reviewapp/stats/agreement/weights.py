"""How close two answers are: agreement weights (1 = same) and disagreement distances (0 = same)."""

from collections.abc import Hashable, Sequence
from typing import Final, Literal

import numpy as np

from reviewapp.stats.arrays import FloatArray

Weights = Literal["identity", "linear", "quadratic", "ordinal"]
Level = Literal["nominal", "ordinal", "interval", "ratio"]
SetDistance = Literal["masi", "jaccard"]

WEIGHTS: Final[tuple[Weights, ...]] = ("identity", "linear", "quadratic", "ordinal")
RATING_LEVELS: Final[tuple[Level, ...]] = ("nominal", "ordinal", "interval", "ratio")


def rating_weights(kind: Weights, positions: FloatArray) -> FloatArray:
    """q x q agreement weights in [0, 1], 1 on the diagonal.

    kind: identity; linear 1 - |d|/max; quadratic 1 - d^2/max^2; ordinal 1 - C(rank distance + 1, 2)/max (ranks only).
    positions: q numbers on the scale. Raises ValueError for an unknown kind.
    Source: Gwet (2014), Handbook of Inter-Rater Reliability, 4th ed., ch. 3.
    """
    q = len(positions)
    if kind == "identity" or q < 2:
        return np.eye(q)
    if kind == "ordinal":
        steps = np.abs(np.subtract.outer(np.argsort(np.argsort(positions)), np.argsort(np.argsort(positions))))
        loss = (steps + 1) * steps / 2.0
    elif kind == "linear":
        loss = np.abs(np.subtract.outer(positions, positions))
    elif kind == "quadratic":
        loss = np.subtract.outer(positions, positions) ** 2
    else:
        raise ValueError(f"unknown weights {kind!r}")
    return np.asarray(1 - loss / loss.max(), dtype=np.float64)


def fixed_distance(level: Level, positions: FloatArray) -> FloatArray:
    """q x q squared distances of the nominal, interval and ratio metrics.

    Raises ValueError for `ordinal`, whose metric depends on the margins. Source: Krippendorff (2011).
    """
    if level == "nominal":
        return 1.0 - np.eye(len(positions))
    gap = np.subtract.outer(positions, positions)
    if level == "interval":
        return np.asarray(gap**2, dtype=np.float64)
    if level == "ratio":
        total = np.add.outer(positions, positions)
        # Two zeros are equal; every other sum of non-negative values is positive.
        return np.asarray((gap / np.where(total == 0, 1.0, total)) ** 2, dtype=np.float64)
    raise ValueError(f"level {level!r} has no fixed distance")


def ordinal_distance(margins: FloatArray) -> FloatArray:
    """Krippendorff's ordinal metric, (sum of n_g from c to k - (n_c + n_k)/2)^2.

    margins: ... x q counts in rank order; leading axes are kept. Returns ... x q x q.
    """
    middle = np.cumsum(margins, axis=-1) - margins / 2
    return np.asarray((middle[..., :, None] - middle[..., None, :]) ** 2, dtype=np.float64)


def set_distance(kind: SetDistance, categories: Sequence[Hashable]) -> FloatArray:
    """q x q distances between sets of options: Jaccard, or MASI = 1 - Jaccard * monotonicity.

    categories: frozensets. Two empty sets are equal; an empty set is at distance 1 from any other.
    Raises TypeError for a category that is no frozenset. Source: Passonneau (2006), LREC.
    """
    sets = [_as_set(category) for category in categories]
    options = {option: position for position, option in enumerate(sorted(frozenset().union(*sets), key=repr))}
    member = np.zeros((len(sets), len(options)))
    for row, chosen in enumerate(sets):
        member[row, [options[option] for option in chosen]] = 1
    size = member.sum(axis=1)
    shared = member @ member.T
    union = size[:, None] + size[None, :] - shared
    jaccard = np.where(union == 0, 1.0, shared / np.where(union == 0, 1.0, union))
    if kind == "jaccard":
        return np.asarray(1 - jaccard, dtype=np.float64)
    smaller = np.minimum.outer(size, size)
    monotonicity = np.where(shared == union, 1.0, np.where(shared == smaller, 2 / 3, np.where(shared > 0, 1 / 3, 0.0)))
    return np.asarray(1 - jaccard * monotonicity, dtype=np.float64)


def _as_set(category: Hashable) -> frozenset[Hashable]:
    if not isinstance(category, frozenset):
        raise TypeError(f"a set distance compares frozensets, not {category!r}")
    return category
