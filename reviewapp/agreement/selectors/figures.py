"""The figures of one question: which statistic for which kind of answer (STATS 1.1), as API.md shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

import numpy as np

from reviewapp.agreement.selectors.known import Labels
from reviewapp.agreement.selectors.pairs import cohen_statistics, pair_figures
from reviewapp.stats.agreement import (
    UnitMoments,
    alpha_from_moments,
    brennan_prediger,
    fleiss_kappa,
    gwet_ac1,
    gwet_ac2,
    krippendorff_alpha,
    percent_agreement,
)
from reviewapp.stats.pairs import conger_kappa, icc_1, icc_1k, icc_2, icc_2k, icc_3, icc_3k
from reviewapp.stats.result import Stat

SLOTS: Final = "the reviewers are positions, not people"
# Under this share of answered (item, reviewer) places no block can be complete enough for an intraclass correlation.
ICC_SHARE: Final = 0.8
_ICCS: Final = (
    *(("icc_1", icc_1), ("icc_2", icc_2), ("icc_3", icc_3)),
    *(("icc_1k", icc_1k), ("icc_2k", icc_2k), ("icc_3k", icc_3k)),
)


def criterion_figures(known: Labels) -> dict[str, Any]:
    """API.md's entry of one criterion, with `title` and how many pairs of reviewers there are in all."""
    tables = known.tables
    pairs, n_pairs = pair_figures(known)
    return {
        "criterion": known.question.key,
        "kind": known.question.kind,
        "n_items": tables.n_items,
        "n_reviews": tables.n_labels,
        "n_reviewers": known.n_raters,
        "n_pairable_items": tables.n_pairable,
        "statistics": _STATISTICS[known.question.kind](known),
        "pairs": pairs,
        "n_pairs": n_pairs,
    }


def shown(name: str, level: str, stat: Stat, **params: str) -> dict[str, Any]:
    """One statistic of the answer. params: what else decides the figure, such as weights or the distance of sets."""
    return {"name": name, "level": level, "params": params, **stat.as_dict()}


def _alpha(known: Labels, level: Literal["nominal", "ordinal", "interval"]) -> dict[str, Any]:
    return shown("krippendorff_alpha", level, krippendorff_alpha(known.patterns, level=level))


def _nominal(known: Labels) -> list[dict[str, Any]]:
    table = known.patterns
    return [
        _alpha(known, "nominal"),
        shown("gwet_ac1", "nominal", gwet_ac1(table)),
        shown("percent_agreement", "nominal", percent_agreement(table)),
        shown("fleiss_kappa", "nominal", fleiss_kappa(table)),
        _conger(known),
        shown("brennan_prediger", "nominal", brennan_prediger(table)),
        *_cohen(known, ("cohen_kappa",)),
    ]


def _ordinal(known: Labels) -> list[dict[str, Any]]:
    table = known.patterns
    return [
        _alpha(known, "ordinal"),
        *([_alpha(known, "interval")] if known.has_numbers else []),
        _alpha(known, "nominal"),
        shown("gwet_ac2", "ordinal", gwet_ac2(table, weights="quadratic"), weights="quadratic"),
        shown("percent_agreement", "nominal", percent_agreement(table)),
        shown("fleiss_kappa", "nominal", fleiss_kappa(table)),
        _conger(known),
        *_cohen(known, ("cohen_kappa", "cohen_kappa_linear", "cohen_kappa_quadratic")),
    ]


def _sets(known: Labels) -> list[dict[str, Any]]:
    table = known.patterns
    masi, jaccard = (krippendorff_alpha(table, level=distance) for distance in ("masi", "jaccard"))
    return [
        shown("krippendorff_alpha", "nominal", masi, distance="masi"),
        shown("krippendorff_alpha", "nominal", jaccard, distance="jaccard"),
        shown("percent_agreement", "nominal", percent_agreement(table)),
    ]


def _numeric(known: Labels) -> list[dict[str, Any]]:
    alpha = shown("krippendorff_alpha", "interval", _interval_alpha(known))
    return [alpha, *(shown(name, "interval", stat) for name, stat in _intraclass(known))]


def _interval_alpha(known: Labels) -> Stat:
    if known.n_raters == 1:
        return Stat.undefined_because("fewer_than_two_raters")
    moments = np.array(known.tables.moments, dtype=np.float64).reshape(-1, 3)
    return alpha_from_moments(UnitMoments(moments[:, 0].astype(np.int64), moments[:, 1], moments[:, 2]))


def _intraclass(known: Labels) -> list[tuple[str, Stat]]:
    tables = known.tables
    if tables.n_labels < ICC_SHARE * tables.n_items * known.n_raters:
        code = "design_incomplete" if known.n_raters > 1 else "no_data"
        return [(name, Stat.undefined_because(code)) for name, _ in _ICCS]
    scores = np.full((tables.n_items, known.n_raters), np.nan)
    for item, rater, text in known.long():
        scores[item, rater] = float(text)
    found = []
    for name, icc in _ICCS:
        # One-way forms take the reviewers of an item as interchangeable, so positions will do.
        is_person_needed = known.has_slots and name not in ("icc_1", "icc_1k")
        found.append((name, Stat.undefined_because("not_applicable", SLOTS) if is_person_needed else icc(scores)))
    return found


def _incomparable(known: Labels) -> list[dict[str, Any]]:
    reason = "free answers are not compared by a coefficient"
    return [shown("krippendorff_alpha", "nominal", Stat.undefined_because("not_applicable", reason))]


def _conger(known: Labels) -> dict[str, Any]:
    if known.has_slots:
        return shown("conger_kappa", "nominal", Stat.undefined_because("not_applicable", SLOTS))
    return shown("conger_kappa", "nominal", conger_kappa(known.ratings))


def _cohen(known: Labels, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Cohen's kappas of the whole: two people only; of more than two, each pair has its own."""
    tables = known.tables
    if known.has_slots:
        stats = {name: Stat.undefined_because("not_applicable", SLOTS) for name in names}
    elif known.n_raters < 2:
        code = "fewer_than_two_raters" if known.n_raters else "no_data"
        stats = {name: Stat.undefined_because(code) for name in names}
    elif known.n_raters > 2:
        reason = "it compares two reviewers and there are more; each pair has its own"
        stats = {name: Stat.undefined_because("not_applicable", reason) for name in names}
    elif not tables.pairs:
        stats = {name: Stat.undefined_because("no_pairable_units") for name in names}
    else:
        stats = cohen_statistics(known, next(iter(tables.pairs.values())), names)
    return [shown(name, "nominal" if name == "cohen_kappa" else "ordinal", stat) for name, stat in stats.items()]


_STATISTICS: Final[dict[str, Callable[[Labels], list[dict[str, Any]]]]] = {
    "binary": _nominal,
    "categorical": _nominal,
    "preference": _nominal,
    "ordinal": _ordinal,
    "multiselect": _sets,
    "numeric": _numeric,
    "text": _incomparable,
    "highlight": _incomparable,
}
