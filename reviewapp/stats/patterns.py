"""Inputs of the count statistics: the pattern table (who answered is forgotten) and ratings (who answered is kept)."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from reviewapp.stats.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class PatternTable:
    """How many units show each composition of answers.

    categories: the rubric version's answers in its order (sets of options: the observed frozensets are enough).
    counts: patterns x categories, how many raters chose each answer. freq: units with that pattern, > 0.
    values: the position of each category on a numeric scale; null: their order 0, 1, 2, ...
    n_raters: how many different people rated, where known; it only sharpens the reason when nothing can be compared.
    Raises ValueError when shapes or values do not fit together.
    """

    categories: tuple[Hashable, ...]
    counts: IntArray
    freq: IntArray
    values: tuple[float, ...] | None = None
    n_raters: int | None = None

    def __post_init__(self) -> None:
        if self.counts.ndim != 2 or self.counts.shape != (len(self.freq), len(self.categories)):
            raise ValueError(f"counts {self.counts.shape} do not fit {len(self.freq)} x {len(self.categories)}")
        if (self.counts < 0).any() or (self.freq <= 0).any():
            raise ValueError("counts are not negative and frequencies are positive")
        if len(set(self.categories)) != len(self.categories):
            raise ValueError("a category is listed twice")
        if self.values is not None and not (
            len(self.values) == len(self.categories) == len(set(self.values)) and np.isfinite(self.values).all()
        ):
            raise ValueError("each category needs a finite position of its own")

    @classmethod
    def from_rows(
        cls,
        rows: Iterable[tuple[Hashable, Hashable]],
        categories: Sequence[Hashable],
        *,
        values: Sequence[float] | None = None,
        n_raters: int | None = None,
    ) -> Self:
        """From (unit, value) pairs, one per label. Raises ValueError for a value that is no category."""
        units, codes = _coded(rows, categories)
        return cls.from_codes(units, codes, categories, values=values, n_raters=n_raters)

    @classmethod
    def from_codes(
        cls,
        units: IntArray,
        codes: IntArray,
        categories: Sequence[Hashable],
        *,
        values: Sequence[float] | None = None,
        n_raters: int | None = None,
    ) -> Self:
        """From two arrays, one entry per label: any unit number, and the index of its category."""
        counts, freq = _patterns(units, codes, len(categories))
        return cls(tuple(categories), counts, freq, None if values is None else tuple(values), n_raters)

    @classmethod
    def from_compositions(
        cls,
        rows: Iterable[tuple[Mapping[Hashable, int], int]],
        categories: Sequence[Hashable],
        *,
        values: Sequence[float] | None = None,
        n_raters: int | None = None,
    ) -> Self:
        """From what a database groups: ({value: how many raters}, how many units). Equal rows are added up."""
        index = {category: position for position, category in enumerate(categories)}
        total: dict[tuple[int, ...], int] = {}
        for composition, freq in rows:
            pattern = [0] * len(categories)
            for value, count in composition.items():
                pattern[_position(index, value)] = count
            total[tuple(pattern)] = total.get(tuple(pattern), 0) + freq
        counts = np.array(list(total), dtype=np.int64).reshape(len(total), len(categories))
        freq_array = np.array(list(total.values()), dtype=np.int64)
        return cls(tuple(categories), counts, freq_array, None if values is None else tuple(values), n_raters)

    @property
    def ratings_per_unit(self) -> IntArray:
        """Ratings of one unit of each pattern."""
        return np.asarray(self.counts.sum(axis=1), dtype=np.int64)

    @property
    def pairable(self) -> BoolArray:
        """Which patterns hold two ratings or more."""
        return np.asarray(self.ratings_per_unit >= 2)

    @property
    def n_units(self) -> int:
        """Units with at least one rating."""
        return int(self.freq[self.ratings_per_unit > 0].sum())

    @property
    def n_pairable(self) -> int:
        """Units with two ratings or more."""
        return int(self.freq[self.pairable].sum())

    @property
    def positions(self) -> FloatArray:
        """Each category's place on the scale."""
        return np.array(self.values if self.values is not None else range(len(self.categories)), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Ratings:
    """Labels with their raters: label j says that rater `rater[j]` gave unit `unit[j]` the answer `code[j]`.

    unit, rater: 0 .. n-1, indices into `units` and `raters`. code: index into `categories`.
    One label per (unit, rater). Raises ValueError for a second one and for values that are no category.
    """

    categories: tuple[Hashable, ...]
    units: tuple[Hashable, ...]
    raters: tuple[Hashable, ...]
    unit: IntArray
    rater: IntArray
    code: IntArray
    values: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        seats = self.unit * max(len(self.raters), 1) + self.rater
        if len(np.unique(seats)) != len(seats):
            raise ValueError("a rater has two labels on one unit")

    @classmethod
    def from_rows(
        cls,
        rows: Iterable[tuple[Hashable, Hashable, Hashable]],
        categories: Sequence[Hashable],
        *,
        values: Sequence[float] | None = None,
    ) -> Self:
        """From (unit, rater, value) triples."""
        index = {category: position for position, category in enumerate(categories)}
        units: dict[Hashable, int] = {}
        raters: dict[Hashable, int] = {}
        triples = [
            (units.setdefault(unit, len(units)), raters.setdefault(rater, len(raters)), _position(index, value))
            for unit, rater, value in rows
        ]
        unit, rater, code = np.array(triples, dtype=np.int64).reshape(-1, 3).T
        positions = None if values is None else tuple(values)
        return cls(tuple(categories), tuple(units), tuple(raters), unit, rater, code, positions)

    def patterns(self) -> PatternTable:
        """The same labels with the raters forgotten."""
        return PatternTable.from_codes(
            self.unit, self.code, self.categories, values=self.values, n_raters=len(self.raters)
        )

    def matrix(self) -> IntArray:
        """units x raters, category indices, -1 where there is no label."""
        table = np.full((len(self.units), len(self.raters)), -1, dtype=np.int64)
        table[self.unit, self.rater] = self.code
        return table

    def contingency(self, first: Hashable, second: Hashable) -> IntArray:
        """categories x categories: units that both raters answered, rows `first`, columns `second`."""
        places = [np.full(len(self.units), -1, dtype=np.int64) for _ in range(2)]
        for place, name in zip(places, (first, second), strict=True):
            mine = self.rater == self.raters.index(name)
            place[self.unit[mine]] = self.code[mine]
        both = (places[0] >= 0) & (places[1] >= 0)
        q = len(self.categories)
        flat = np.bincount(places[0][both] * q + places[1][both], minlength=q * q)
        return flat.reshape(q, q).astype(np.int64)


def _position(index: Mapping[Hashable, int], value: Hashable) -> int:
    if value not in index:
        raise ValueError(f"{value!r} is no category of this rubric")
    return index[value]


def _coded(rows: Iterable[tuple[Hashable, Hashable]], categories: Sequence[Hashable]) -> tuple[IntArray, IntArray]:
    index = {category: position for position, category in enumerate(categories)}
    units: dict[Hashable, int] = {}
    pairs = [(units.setdefault(unit, len(units)), _position(index, value)) for unit, value in rows]
    unit, code = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return unit, code


def _patterns(units: IntArray, codes: IntArray, q: int) -> tuple[IntArray, IntArray]:
    """Distinct compositions and their frequencies, without ever building units x categories."""
    order = np.lexsort((codes, units))
    sorted_units, sorted_codes = units[order], codes[order]
    starts = np.flatnonzero(np.r_[True, sorted_units[1:] != sorted_units[:-1]]) if len(units) else np.zeros(0, np.int64)
    sizes = np.diff(np.r_[starts, len(units)])
    all_counts = [np.zeros((0, q), dtype=np.int64)]
    all_freq = [np.zeros(0, dtype=np.int64)]
    for size in np.unique(sizes):
        members = sorted_codes[starts[sizes == size][:, None] + np.arange(size)]
        distinct, freq = _distinct_rows(members, q)
        counts = np.zeros((len(distinct), q), dtype=np.int64)
        np.add.at(counts, (np.arange(len(distinct))[:, None], distinct), 1)
        all_counts.append(counts)
        all_freq.append(freq)
    return np.concatenate(all_counts), np.concatenate(all_freq)


def _distinct_rows(rows: IntArray, q: int) -> tuple[IntArray, IntArray]:
    """Distinct rows of sorted codes; one integer per row where that fits, because sorting integers is far cheaper."""
    size = rows.shape[1]
    if size * np.log2(max(q, 2)) < 62:
        keys = rows @ (q ** np.arange(size, dtype=np.int64))
        _, first, freq = np.unique(keys, return_index=True, return_counts=True)
        return rows[first], freq.astype(np.int64)
    distinct, freq = np.unique(rows, axis=0, return_counts=True)
    return distinct, freq.astype(np.int64)
