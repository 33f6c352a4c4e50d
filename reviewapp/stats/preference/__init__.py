"""Strengths from pairwise comparisons: Bradley-Terry with ties, intervals, ranks and the effect of the shown side."""

from reviewapp.stats.preference.comparisons import Comparison, Games, PairCount
from reviewapp.stats.preference.fit import Fit, components, fit_davidson, fit_half_ties
from reviewapp.stats.preference.leaderboard import (
    Contestant,
    Leaderboard,
    leaderboard,
    leaderboard_from_counts,
    position_effect,
)

__all__ = [
    "Comparison",
    "Contestant",
    "Fit",
    "Games",
    "Leaderboard",
    "PairCount",
    "components",
    "fit_davidson",
    "fit_half_ties",
    "leaderboard",
    "leaderboard_from_counts",
    "position_effect",
]
