"""Agreement of any number of raters, gaps allowed, from pattern tables; see `reviewapp.stats` for the room's card."""

from reviewapp.stats.agreement.alpha import krippendorff_alpha
from reviewapp.stats.agreement.chance import (
    brennan_prediger,
    fleiss_kappa,
    gwet_ac1,
    gwet_ac2,
    percent_agreement,
)
from reviewapp.stats.agreement.numeric import UnitMoments, alpha_from_moments, alpha_from_values
from reviewapp.stats.agreement.weights import WEIGHTS, rating_weights

__all__ = [
    "WEIGHTS",
    "UnitMoments",
    "alpha_from_moments",
    "alpha_from_values",
    "brennan_prediger",
    "fleiss_kappa",
    "gwet_ac1",
    "gwet_ac2",
    "krippendorff_alpha",
    "percent_agreement",
    "rating_weights",
]
