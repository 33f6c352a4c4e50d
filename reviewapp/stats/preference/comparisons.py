"""Comparisons as people made them, and the arrays that the fit works on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Self

import numpy as np

from reviewapp.stats.arrays import FloatArray, IntArray

Side = Literal["a", "b"]
Outcome = Literal["a", "b", "tie", "both_bad"]

OUTCOMES: Final[tuple[Outcome, ...]] = ("a", "b", "tie", "both_bad")
SIDE_SIGN: Final[dict[Side | None, int]] = {None: 0, "a": 1, "b": -1}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One answer: contestant `a` against `b`. cluster: the prompt, null where it is not known.

    first_shown: which of the two stood first or left, null where it was not recorded.
    """

    a: str
    b: str
    outcome: Outcome
    cluster: str | None = None
    first_shown: Side | None = None


@dataclass(frozen=True, slots=True)
class PairCount:
    """Equal comparisons counted, as a database groups them. ties leave out both_bad."""

    a: str
    b: str
    wins_a: int = 0
    wins_b: int = 0
    ties: int = 0
    both_bad: int = 0
    cluster: str | None = None
    first_shown: Side | None = None


@dataclass(frozen=True, eq=False)
class Games:
    """Rows of counts between contestants i and j (indices into the sorted `names`, i != j).

    ties: equal outcomes of every kind; both_bad: how many of them were both bad. side: +1 where i was shown first, -1
    where j was, 0 unknown. cluster: index of the prompt per row, null unless every row has one.
    Raises ValueError for a contestant compared with itself, and for negative counts.
    """

    names: tuple[str, ...]
    i: IntArray
    j: IntArray
    wins_i: FloatArray
    wins_j: FloatArray
    ties: FloatArray
    both_bad: FloatArray
    side: FloatArray
    cluster: IntArray | None = None

    def __post_init__(self) -> None:
        if (self.i == self.j).any():
            raise ValueError("a contestant is not compared with itself")
        if (self.counts < 0).any() or (self.both_bad > self.ties).any():
            raise ValueError("counts are not negative, and both_bad is a part of the ties")

    @classmethod
    def from_comparisons(cls, comparisons: Iterable[Comparison]) -> Self:
        """One row per comparison. Raises ValueError for an unknown outcome."""
        place = {outcome: position for position, outcome in enumerate(OUTCOMES)}
        names, prompts = _Index(), _Index()
        rows = [
            (names[one.a], names[one.b], place.get(one.outcome, -1), SIDE_SIGN[one.first_shown], prompts[one.cluster])
            for one in comparisons
        ]
        i, j, outcome, side, cluster = np.array(rows, dtype=np.int64).reshape(-1, 5).T
        if (outcome < 0).any():
            raise ValueError(f"an outcome is one of {', '.join(OUTCOMES)}")
        counts = np.eye(len(OUTCOMES))[outcome]
        return cls._sorted(names, (i, j), counts, (side, cluster, None not in prompts))

    @classmethod
    def from_counts(cls, rows: Iterable[PairCount]) -> Self:
        """One row per entry; entries without any comparison are dropped."""
        names, prompts = _Index(), _Index()
        table = [
            (
                *(names[row.a], names[row.b], row.wins_a, row.wins_b, row.ties, row.both_bad),
                *(SIDE_SIGN[row.first_shown], prompts[row.cluster]),
            )
            for row in rows
            if row.wins_a or row.wins_b or row.ties or row.both_bad
        ]
        columns = np.array(table, dtype=np.int64).reshape(-1, 8).T
        counts = columns[2:6].T.astype(np.float64)
        return cls._sorted(names, (columns[0], columns[1]), counts, (columns[6], columns[7], None not in prompts))

    @classmethod
    def from_rows(cls, rows: Sequence[tuple[int, int, float, float, float]], names: Sequence[str]) -> Self:
        """From (i, j, wins of i, wins of j, ties), without prompts or sides; i and j index `names`."""
        table = np.array(rows, dtype=np.float64).reshape(-1, 5)
        i, j = table[:, 0].astype(np.int64), table[:, 1].astype(np.int64)
        none = np.zeros(len(table))
        return cls(tuple(names), i, j, table[:, 2], table[:, 3], table[:, 4], none, none)

    @classmethod
    def _sorted(
        cls,
        names: "_Index",
        pair: tuple[IntArray, IntArray],
        counts: FloatArray,
        about: tuple[IntArray, IntArray, bool],
    ) -> Self:
        """Contestants renumbered by name, so that the order of the rows changes nothing."""
        seen = [str(name) for name in names]
        ordered = sorted(seen)
        number = {name: position for position, name in enumerate(ordered)}
        renumber = np.array([number[name] for name in seen], dtype=np.int64)
        side, cluster, has_clusters = about
        wins_a, wins_b, ties, both_bad = counts.T
        known = cluster if has_clusters and len(cluster) else None
        i, j = renumber[pair[0]], renumber[pair[1]]
        return cls(tuple(ordered), i, j, wins_a, wins_b, ties + both_bad, both_bad, side.astype(np.float64), known)

    @property
    def n_contestants(self) -> int:
        """All contestants, compared or not."""
        return len(self.names)

    @property
    def counts(self) -> FloatArray:
        """rows x 3: wins of i, wins of j, ties."""
        return np.stack([self.wins_i, self.wins_j, self.ties], axis=1)

    @property
    def total(self) -> int:
        """All comparisons."""
        return int(self.counts.sum())

    @property
    def n_clusters(self) -> int:
        """Different prompts, 0 where they are not known for all."""
        return 0 if self.cluster is None else len(np.unique(self.cluster))

    def with_known_side(self) -> "Games":
        """The rows whose shown side is known, with the contestants that they name."""
        kept = self.side != 0
        seen = np.unique(np.r_[self.i[kept], self.j[kept]])
        return Games(
            names=tuple(self.names[int(place)] for place in seen),
            i=np.searchsorted(seen, self.i[kept]).astype(np.int64),
            j=np.searchsorted(seen, self.j[kept]).astype(np.int64),
            wins_i=self.wins_i[kept],
            wins_j=self.wins_j[kept],
            ties=self.ties[kept],
            both_bad=self.both_bad[kept],
            side=self.side[kept],
            cluster=None if self.cluster is None else self.cluster[kept],
        )

    def merged(self, *, keep_side: bool) -> "Games":
        """The same counts with prompts forgotten, and sides too unless kept; one row per pair (and side)."""
        flip = self.i > self.j
        low, high = np.where(flip, self.j, self.i), np.where(flip, self.i, self.j)
        side = np.where(flip, -self.side, self.side) if keep_side else np.zeros(len(self.i))
        keys = (low * self.n_contestants + high) * 3 + side.astype(np.int64) + 1
        distinct, place = np.unique(keys, return_inverse=True)

        def total(row: FloatArray) -> FloatArray:
            return np.bincount(place, row, minlength=len(distinct)).astype(np.float64)

        pair = distinct // 3
        return Games(
            names=self.names,
            i=pair // max(self.n_contestants, 1),
            j=pair % max(self.n_contestants, 1),
            wins_i=total(np.where(flip, self.wins_j, self.wins_i)),
            wins_j=total(np.where(flip, self.wins_i, self.wins_j)),
            ties=total(self.ties),
            both_bad=total(self.both_bad),
            side=(distinct % 3 - 1).astype(np.float64),
        )

    def tallies(self) -> IntArray:
        """contestants x 4: wins, losses, ties that are not both bad, both bad; each over its own comparisons."""

        def total(of_i: FloatArray, of_j: FloatArray) -> FloatArray:
            k = self.n_contestants
            both = np.bincount(self.i, of_i, minlength=k) + np.bincount(self.j, of_j, minlength=k)
            return both.astype(np.float64)

        plain = self.ties - self.both_bad
        columns = [
            (self.wins_i, self.wins_j),
            (self.wins_j, self.wins_i),
            (plain, plain),
            (self.both_bad, self.both_bad),
        ]
        return np.stack([total(*column) for column in columns], axis=1).astype(np.int64)


class _Index(dict[str | None, int]):
    """Numbers names as they come."""

    def __missing__(self, name: str | None) -> int:
        self[name] = number = len(self)
        return number
