"""The leaderboard: strengths, shares and ranks with intervals, or the reason why there are none."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import numpy as np

from reviewapp.stats.arrays import FloatArray
from reviewapp.stats.intervals import normal_quantile, t_quantile
from reviewapp.stats.preference.comparisons import Comparison, Games, PairCount
from reviewapp.stats.preference.fit import FEW_CLUSTERS, Fit, components, fit_davidson, fit_half_ties
from reviewapp.stats.result import DEFAULT_CONFIDENCE, UNDEFINED_SENTENCES, Stat

Ties = Literal["davidson", "half"]

MODEL_NAMES: Final[dict[Ties, str]] = {"davidson": "bradley_terry_davidson", "half": "bradley_terry_half"}
_EXISTENCE: Final[tuple[tuple[Literal["weak", "strong"], str], ...]] = (
    ("weak", "not_connected"),
    ("strong", "not_strongly_connected"),
)
# Log-worths closer than this share a rank: the fit is no more exact.
SAME_STRENGTH: Final = 1e-8


@dataclass(frozen=True)
class Contestant:
    """One line. strength: log-worth, mean 0 over all. share: exp(strength) over its sum. rank: 1 is best.

    rank_interval: the ranks that the intervals leave open. Counts are over its own comparisons: wins, losses, ties
    and both_bad add up to them. All but the counts are null when the strengths are undefined.
    """

    name: str
    wins: int
    losses: int
    ties: int
    both_bad: int
    strength: float | None = None
    interval: tuple[float, float] | None = None
    rank: int | None = None
    rank_interval: tuple[int, int] | None = None
    share: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """The contract's contestant."""
        return {
            "name": self.name,
            "strength": self.strength,
            "interval": None if self.interval is None else list(self.interval),
            "rank": self.rank,
            "rank_interval": None if self.rank_interval is None else list(self.rank_interval),
            "share": self.share,
            "wins": self.wins,
            "losses": self.losses,
            "ties": self.ties,
            "both_bad": self.both_bad,
        }


@dataclass(frozen=True)
class Leaderboard:
    """Contestants, best first (by name when undefined), and how they were ranked.

    model: bradley_terry_davidson or bradley_terry_half. connected: whether strengths exist. components: the groups of
    contestants, largest first, when they do not. tie_parameter: Davidson's nu. fit, names: for further contrasts.
    """

    model: str
    n_comparisons: int
    connected: bool
    position_effect: Stat
    contestants: tuple[Contestant, ...]
    confidence: float = DEFAULT_CONFIDENCE
    undefined: str | None = None
    reason: str | None = None
    components: tuple[tuple[str, ...], ...] = ()
    warnings: tuple[str, ...] = ()
    tie_parameter: float | None = None
    fit: Fit | None = field(default=None, repr=False, compare=False)
    names: tuple[str, ...] = field(default=(), repr=False)

    def difference(self, first: str, second: str) -> Stat:
        """How much stronger `first` is than `second`, in log-worth, with its interval. Raises ValueError for a
        contestant that is not here; undefined as the leaderboard is."""
        places = [self.names.index(name) for name in (first, second)]
        method = "difference of log-worths"
        if self.fit is None:
            code = self.undefined or "no_data"
            return Stat.undefined_because(code, self.reason, method=method, confidence=self.confidence)
        contrast = np.zeros(len(self.names))
        contrast[places[0]] += 1
        contrast[places[1]] -= 1
        value = float(contrast @ self.fit.log_worth)
        se = math.sqrt(max(0.0, self.fit.variance(contrast)))
        half = _quantile(self.fit, self.confidence) * se
        bounds = (value - half, value + half)
        return Stat(value, bounds, self.confidence, method, self.n_comparisons, warnings=self.warnings, se=se)

    def as_dict(self) -> dict[str, Any]:
        """The contract's leaderboard, with the reason and the components when there are no strengths."""
        return {
            "model": self.model,
            "n_comparisons": self.n_comparisons,
            "connected": self.connected,
            "position_effect": self.position_effect.as_dict(),
            "contestants": [one.as_dict() for one in self.contestants],
            "undefined": self.undefined,
            "reason": self.reason,
            "components": [list(group) for group in self.components],
            "warnings": list(self.warnings),
        }


def leaderboard(
    comparisons: Iterable[Comparison], *, ties: Ties = "davidson", confidence: float = DEFAULT_CONFIDENCE
) -> Leaderboard:
    """Strengths of all contestants named in `comparisons`. See `leaderboard_from_counts`."""
    return _board(Games.from_comparisons(comparisons), ties, confidence)


def leaderboard_from_counts(
    rows: Sequence[PairCount], *, ties: Ties = "davidson", confidence: float = DEFAULT_CONFIDENCE
) -> Leaderboard:
    """Strengths from counted comparisons; both_bad counts as a tie and is counted apart.

    Intervals: sandwich clustered by prompt with Student t (prompts - 1 df) when every row has a prompt and there are
    two or more, else model-based normal. With only ties every strength is 0, by the half-win model (Davidson's nu has
    no bound there). Undefined: no_data (under two contestants), not_connected, not_strongly_connected; then
    `components` says which groups could be ranked apart. Raises ValueError for a contestant compared with itself.
    Source: Bradley, Terry (1952); Davidson (1970); Ford (1957) for existence.
    """
    return _board(Games.from_counts(rows), ties, confidence)


def _board(games: Games, ties: Ties, confidence: float) -> Leaderboard:
    decided = bool(games.wins_i.any() or games.wins_j.any())
    used: Ties = ties if decided else "half"
    tallies = zip(games.names, games.tallies().tolist(), strict=True)
    board = Leaderboard(
        model=MODEL_NAMES[used],
        n_comparisons=games.total,
        connected=False,
        position_effect=position_effect(games, ties=used, confidence=confidence),
        contestants=tuple(Contestant(name, *counts) for name, counts in tallies),
        confidence=confidence,
        names=games.names,
    )
    code, groups = _why_not(games)
    if code is not None:
        return replace(board, undefined=code, reason=UNDEFINED_SENTENCES[code], components=groups)
    return _ranked(board, fit_davidson(games) if used == "davidson" else fit_half_ties(games))


def position_effect(games: Games, *, ties: Ties = "davidson", confidence: float = DEFAULT_CONFIDENCE) -> Stat:
    """What being shown first is worth, in log-worth: 0 none, positive when the first side wins more than it should.

    n counts the comparisons whose shown side is known; only they are used. Fitted as a term of its own beside the
    strengths. Undefined: no_data (no side known), no_variation (one side won every decided comparison), not_connected
    and not_strongly_connected as the strengths, design_incomplete (always shown the same way round), unattainable.
    """
    known = games.with_known_side()
    n, method = known.total, "first-shown term of the Bradley-Terry model"

    def undefined(code: str, reason: str | None = None) -> Stat:
        return Stat.undefined_because(code, reason, method=method, n=n, confidence=confidence)

    if n == 0:
        return undefined("no_data", "which side was shown first is not recorded")
    first_wins = float(np.where(known.side > 0, known.wins_i, known.wins_j).sum())
    second_wins = float(np.where(known.side > 0, known.wins_j, known.wins_i).sum())
    if first_wins == 0 or second_wins == 0:
        return undefined("no_variation", "no comparison was won by the side shown first, or none by the other")
    code, _ = _why_not(known)
    if code is not None:
        return undefined(code)
    fit = (fit_davidson if ties == "davidson" else fit_half_ties)(known, with_position=True)
    contrast = np.zeros(len(fit.model_covariance))
    contrast[-1] = 1
    variance = fit.variance(contrast)
    if not _is_told_apart(known):
        return undefined("design_incomplete", "each pair was always shown the same way round")
    if not fit.converged or fit.position is None or not variance > 0:
        return undefined("unattainable", "the effect of the shown side has no bound in these comparisons")
    half = _quantile(fit, confidence) * math.sqrt(variance)
    bounds = (fit.position - half, fit.position + half)
    return Stat(fit.position, bounds, confidence, method, n, warnings=_warnings(fit), se=math.sqrt(variance))


def _is_told_apart(games: Games) -> bool:
    """Whether the shown side is no mere difference of contestants, as when A always stands before B."""
    merged = games.merged(keep_side=True)
    rows = np.arange(len(merged.i))
    design = np.zeros((len(rows), games.n_contestants))
    design[rows, merged.i] = 1
    design[rows, merged.j] = -1
    rest = merged.side - design @ np.linalg.lstsq(design, merged.side, rcond=None)[0]
    return bool(np.abs(rest).max() > 1e-8)


def _why_not(games: Games) -> tuple[str | None, tuple[tuple[str, ...], ...]]:
    if games.n_contestants < 2:
        return "no_data", ()
    for kind, code in _EXISTENCE:
        count, label = components(games, kind)
        if count > 1:
            groups = [
                tuple(name for name, its in zip(games.names, label, strict=True) if its == group)
                for group in range(count)
            ]
            return code, tuple(sorted(groups, key=lambda group: (-len(group), group)))
    return None, ()


def _quantile(fit: Fit, confidence: float) -> float:
    if fit.clustered_covariance is None:
        return normal_quantile(confidence)
    return t_quantile(confidence, fit.n_clusters - 1)


def _warnings(fit: Fit) -> tuple[str, ...]:
    warnings = [] if fit.converged else ["not_converged"]
    if fit.clustered_covariance is not None and fit.n_clusters < FEW_CLUSTERS:
        warnings.append("low_information")
    return tuple(warnings)


def _ranked(board: Leaderboard, fit: Fit) -> Leaderboard:
    k = len(board.names)
    half = _quantile(fit, board.confidence) * np.sqrt([max(0.0, fit.variance(one)) for one in np.eye(k)])
    low, high = fit.log_worth - half, fit.log_worth + half
    best, worst = _rank_bounds(low, high)
    lines = [
        replace(
            board.contestants[place],
            strength=float(fit.log_worth[place]) + 0.0,
            interval=(float(low[place]), float(high[place])),
            rank=1 + int((fit.log_worth > fit.log_worth[place] + SAME_STRENGTH).sum()),
            rank_interval=(int(best[place]), int(worst[place])),
            share=float(fit.share[place]),
        )
        for place in range(k)
    ]
    lines.sort(key=lambda line: (line.rank or 0, line.name))
    return replace(
        board,
        connected=True,
        contestants=tuple(lines),
        warnings=_warnings(fit),
        tie_parameter=fit.tie_parameter,
        fit=fit,
    )


def _rank_bounds(low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Best and worst rank: one more than those surely above, and all but those surely below."""
    above = (low[None, :] > high[:, None]).sum(axis=1)
    below = (high[None, :] < low[:, None]).sum(axis=1)
    return np.asarray(1 + above, dtype=np.float64), np.asarray(len(low) - below, dtype=np.float64)
