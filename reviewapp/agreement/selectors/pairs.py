"""Each pair of people on their shared items."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from reviewapp.agreement.selectors.known import Labels
from reviewapp.stats.agreement import alpha_from_values
from reviewapp.stats.agreement.weights import Weights
from reviewapp.stats.intervals import proportion
from reviewapp.stats.pairs import cohen_kappa
from reviewapp.stats.result import Stat

Cells = Mapping[tuple[Hashable, Hashable], int]
# Thirty people make 435 pairs; a crowd makes thousands that share an item or two. The rest is counted, not listed.
MOST_PAIRS: Final = 500
_WEIGHTS: Final[dict[str, Weights]] = {
    "cohen_kappa": "identity",
    "cohen_kappa_linear": "linear",
    "cohen_kappa_quadratic": "quadratic",
}
_LEVELS: Final = {
    "krippendorff_alpha": "interval",
    "cohen_kappa_linear": "ordinal",
    "cohen_kappa_quadratic": "ordinal",
}


def pair_figures(known: Labels) -> tuple[list[dict[str, Any]], int]:
    """API.md's `pairs`, those with the most shared items first and at most 500, and how many pairs there are.

    Positions of an imported set are no people: they make no pairs.
    """
    raters, pairs = known.raters, known.tables.pairs
    people = [pair for pair in pairs if not any(raters[one].is_slot for one in pair)]
    ordered = sorted(
        ((sum(pairs[pair].values()), sorted((raters[one].name, one) for one in pair), pair) for pair in people),
        key=lambda entry: (-entry[0], [name for name, _ in entry[1]]),
    )
    found = []
    for n_items, named, pair in ordered[:MOST_PAIRS]:
        cells = pairs[pair]
        if named[0][1] != pair[0]:
            cells = {(other, one): n for (one, other), n in cells.items()}
        names = [name for name, _ in named]
        found.append({"reviewers": names, "n_items": n_items, "statistics": _pair_statistics(known, cells)})
    return found, len(people)


def cohen_statistics(known: Labels, cells: Cells, names: Sequence[str]) -> dict[str, Stat]:
    """Cohen's kappas of one pair. cells: {(answer of the one, answer of the other): items}."""
    place = {category: index for index, category in enumerate(known.categories)}
    table = np.zeros((len(place), len(place)), dtype=np.int64)
    for (one, other), n in cells.items():
        table[place[one], place[other]] += n
    return {name: cohen_kappa(table, weights=_WEIGHTS[name], values=known.positions) for name in names}


def _pair_statistics(known: Labels, cells: Cells) -> list[dict[str, Any]]:
    kind = known.question.kind
    if kind == "numeric":
        found = {"krippendorff_alpha": _pair_alpha(cells)}
    elif kind == "multiselect":
        found = {}
    else:
        found = cohen_statistics(known, cells, tuple(_WEIGHTS) if kind == "ordinal" else ("cohen_kappa",))
    same = sum(items for (one, other), items in cells.items() if one == other)
    found["percent_agreement"] = proportion(same, sum(cells.values()))
    return [
        {"name": name, "level": _LEVELS.get(name, "nominal"), "params": {}, **stat.as_dict()}
        for name, stat in found.items()
    ]


def _pair_alpha(cells: Cells) -> Stat:
    values = np.array([cell for cell, n in cells.items() for _ in range(n)], dtype=np.float64).reshape(-1, 2)
    return alpha_from_values(np.repeat(np.arange(len(values)), 2), values.ravel(), level="interval")
