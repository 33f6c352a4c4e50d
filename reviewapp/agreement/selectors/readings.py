"""A report as people read it: each figure with its interval, what it says, and what follows from it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reviewapp.agreement.selectors.questions import Question, questions_of
from reviewapp.lib.figures import counted, interval, listed, number, percent
from reviewapp.queues.models import Queue
from reviewapp.stats.result import WARNING_SENTENCES

# Krippendorff's bounds, held against the lower end of the interval: above the first, tentative conclusions; above the
# second, reliable ones.
TENTATIVE: Final = 0.667
RELIABLE: Final = 0.80
# Under this many shared items the interval of a pair would span most of the scale.
FEW_SHARED: Final = 10
MOST_PEOPLE: Final = 12

_NAMES: Final[dict[str, str]] = {
    "krippendorff_alpha": "Krippendorff alpha",
    "gwet_ac1": "Gwet AC1",
    "gwet_ac2": "Gwet AC2",
    "percent_agreement": "Percent agreement",
    "fleiss_kappa": "Fleiss kappa",
    "conger_kappa": "Conger kappa",
    "brennan_prediger": "Brennan-Prediger",
    "cohen_kappa": "Cohen kappa",
    "cohen_kappa_linear": "Cohen kappa, linear weights",
    "cohen_kappa_quadratic": "Cohen kappa, quadratic weights",
    "icc_1": "ICC(1,1)",
    "icc_2": "ICC(2,1)",
    "icc_3": "ICC(3,1)",
    "icc_1k": "ICC(1,k)",
    "icc_2k": "ICC(2,k)",
    "icc_3k": "ICC(3,k)",
}
_SAYS: Final[dict[str, str]] = {
    "krippendorff_alpha": "Agreement beyond chance: 1 is perfect, 0 is what shuffled answers would give.",
    "gwet_ac1": "Agreement beyond chance that stays meaningful when one answer is far more frequent.",
    "gwet_ac2": "As AC1, with partial credit for near levels.",
    "percent_agreement": "The share of pairs of reviewers who gave the same answer; chance is not taken off.",
    "fleiss_kappa": "Agreement beyond chance, with one set of answer shares for all reviewers.",
    "conger_kappa": "Agreement beyond chance, each reviewer with answer shares of their own.",
    "brennan_prediger": "Agreement beyond reviewers who draw each answer with equal chance.",
    "cohen_kappa": "Agreement of two reviewers beyond chance.",
    "cohen_kappa_linear": "As Cohen's kappa; a miss by two levels costs twice a miss by one.",
    "cohen_kappa_quadratic": "As Cohen's kappa; far misses cost by the square of their distance.",
    "icc_1": "Reliability of one score when each item has reviewers of its own.",
    "icc_2": "Reliability of one score, reviewers drawn from many; a stricter reviewer lowers it.",
    "icc_3": "Reliability of one score of exactly these reviewers; a steady difference is forgiven.",
    "icc_1k": "Reliability of the mean score when each item has reviewers of its own.",
    "icc_2k": "Reliability of the mean score, reviewers drawn from many.",
    "icc_3k": "Reliability of the mean score of exactly these reviewers.",
}
# What would define an undefined coefficient, or why no data ever will.
_ADVICE: Final[dict[str, str]] = {
    "no_data": "Figures appear with the first reviews.",
    "fewer_than_two_raters": "Ask for two reviewers per item, or for an overlap share above 0.",
    "no_pairable_units": "Ask for two reviewers per item, or for an overlap share above 0.",
    "single_unit": "A second one gives a first figure.",
    "no_variation": "Without variation there is nothing to agree about beyond chance, and raw agreement is no evidence "
    "of reliability. Gold items with another answer would tell.",
}


@dataclass(frozen=True)
class Figure:
    """One statistic in words. reason: the sentence why there is no value. warnings: sentences."""

    name: str
    says: str
    value: float | None
    bounds: list[float] | None
    text: str
    interval_text: str
    n: int
    reason: str
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    """One pair of the matrix. shade: h0 (no value) to h4."""

    text: str
    shade: str
    n: int
    title: str


@dataclass(frozen=True)
class Matrix:
    """Pairs of people. left_out: people beyond the twelve with the most shared items."""

    statistic: str
    names: list[str]
    rows: list[tuple[str, list[Cell | None]]]
    left_out: int


@dataclass(frozen=True)
class Reading:
    """One criterion. state: good, warn, bad, or "" where there is no figure."""

    key: str
    title: str
    kind: str
    headline: Figure
    raw: str
    n_items: int
    n_reviews: int
    n_reviewers: int
    n_pairable: int
    state: str
    verdict: str
    figures: list[Figure]
    warnings: list[str]
    matrix: Matrix | None


def readings(queue: Queue, report: Mapping[str, Any]) -> list[Reading]:
    """The criteria of a report in the rubric's order."""
    questions = {question.key: question for question in questions_of(queue)}
    return [_reading(questions.get(entry["criterion"]), entry) for entry in report["criteria"]]


def conclusion(found: Sequence[Reading]) -> str:
    """What the criteria say together, in one or two sentences."""
    compared = [one for one in found if one.headline.value is not None]
    if not compared:
        return "No criterion can be compared yet: agreement needs two items that two people reviewed."
    good = [one.title for one in compared if one.state == "good"]
    bad = [one.title for one in compared if one.state == "bad"]
    unsure = len(compared) - len(good) - len(bad)
    parts = [f"{len(good)} of {counted(len(compared), 'criterion', 'criteria')} with a coefficient can be relied on"]
    if unsure:
        parts.append(f"{unsure} cannot be told yet" if unsure > 1 else "one cannot be told yet")
    if bad:
        parts.append(f"{listed(bad)} {'is' if len(bad) == 1 else 'are'} not reliable")
    return "; ".join(parts) + "."


def scale_for(found: Sequence[Reading]) -> dict[str, Any]:
    """The axis of the whiskers: from -0.2, or lower where an interval reaches below, to 1."""
    reached = [one.headline.bounds[0] for one in found if one.headline.bounds]
    low = max(-1.0, min([-0.2, *(math.floor(5 * value) / 5 for value in reached)]))
    ticks = [tick / 5 for tick in range(round(5 * low), 6) if low > -0.5 or tick % 2 == 0 or tick == 5]
    shown = [(tick, number(tick, 0 if tick in (-1, 0, 1) else 1)) for tick in ticks if tick > low]
    return {"low": low, "high": 1.0, "low_text": number(low, 1), "ticks": shown, "bounds": [TENTATIVE, RELIABLE]}


def _reading(question: Question | None, entry: Mapping[str, Any]) -> Reading:
    # Cohen's kappas of more than two people stand in the matrix beside, one for each pair.
    of_pairs = {
        stat["name"] for stat in entry["statistics"] if stat["name"].startswith("cohen") and entry["n_pairs"] > 1
    }
    figures = [_figure(stat) for stat in entry["statistics"] if stat["name"] not in of_pairs]
    headline = figures[0]
    raw = next((one.text for one in figures if one.name == _NAMES["percent_agreement"]), "")
    state, verdict = _verdict(headline)
    return Reading(
        key=entry["criterion"],
        title=question.criterion.title if question else entry["criterion"],
        kind=_kind(question, entry["kind"]),
        headline=headline,
        raw=raw,
        n_items=entry["n_items"],
        n_reviews=entry["n_reviews"],
        n_reviewers=entry["n_reviewers"],
        n_pairable=entry["n_pairable_items"],
        state=state,
        verdict=verdict,
        figures=figures,
        warnings=list(dict.fromkeys(warning for figure in figures for warning in figure.warnings)),
        matrix=_matrix(entry),
    )


def _kind(question: Question | None, kind: str) -> str:
    levels = len(question.criterion.levels) if question else 0
    return f"{kind}, {levels} {'levels' if kind == 'ordinal' else 'values'}" if levels else kind


def _figure(stat: Mapping[str, Any]) -> Figure:
    name, is_share = _NAMES[stat["name"]], stat["name"] == "percent_agreement"
    if stat["name"] == "krippendorff_alpha":
        name += f", {(stat.get('params') or {}).get('distance', stat['level'])}".replace("masi", "MASI")
    bounds = stat["interval"]
    if is_share:
        text = "" if stat["value"] is None else percent(stat["value"])
        interval_text = "" if bounds is None else interval([100 * bound for bound in bounds], 1) + "\u00a0%"
    else:
        text = "" if stat["value"] is None else number(stat["value"])
        interval_text = "" if bounds is None else interval(bounds)
    reason = stat["reason"] or ""
    if reason:
        reason = f"{reason[:1].upper()}{reason[1:]}. {_ADVICE.get(stat['undefined'], '')}".strip()
    return Figure(
        name=name if not is_share else _NAMES["percent_agreement"],
        says=_SAYS[stat["name"]],
        value=stat["value"],
        bounds=bounds,
        text=text,
        interval_text=interval_text,
        n=stat["n"],
        reason=reason,
        warnings=tuple(WARNING_SENTENCES[code] for code in stat["warnings"]),
    )


def _verdict(headline: Figure) -> tuple[str, str]:
    """(state, words), by the ends of the interval, never by the value alone."""
    if headline.value is None:
        return "", "no coefficient"
    if headline.bounds is None:
        return "warn", "no interval"
    low, high = headline.bounds
    if low >= RELIABLE:
        return "good", "reliable"
    if low >= TENTATIVE:
        return "good", "usable, tentatively"
    if high >= TENTATIVE:
        return "warn", "cannot be told, straddles 0.67"
    return "bad", "do not use"


_PAIR_STATISTIC: Final[dict[str, str]] = {
    "ordinal": "cohen_kappa_quadratic",
    "numeric": "krippendorff_alpha",
    "multiselect": "percent_agreement",
}


def _matrix(entry: Mapping[str, Any]) -> Matrix | None:
    if not entry["pairs"]:
        return None
    wanted = _PAIR_STATISTIC.get(entry["kind"], "cohen_kappa")
    cells: dict[frozenset[str], Cell] = {}
    shared: dict[str, int] = {}
    for pair in entry["pairs"]:
        stat = next(one for one in pair["statistics"] if one["name"] == wanted)
        cells[frozenset(pair["reviewers"])] = _cell(stat, pair["n_items"])
        for name in pair["reviewers"]:
            shared[name] = shared.get(name, 0) + pair["n_items"]
    names = sorted(sorted(shared, key=lambda name: (-shared[name], name))[:MOST_PEOPLE])
    none = Cell("none", "h0", 0, "the two never answered the same item")
    rows: list[tuple[str, list[Cell | None]]] = [
        (row, [None if row == column else cells.get(frozenset((row, column)), none) for column in names])
        for row in names
    ]
    return Matrix(_NAMES[wanted], names, rows, len(shared) - len(names))


def _cell(stat: Mapping[str, Any], n: int) -> Cell:
    if n < FEW_SHARED:
        return Cell("few", "h0", n, f"under {FEW_SHARED} shared items, the interval would span most of the scale")
    if stat["value"] is None:
        return Cell("undefined", "h0", n, str(stat["reason"]))
    value = float(stat["value"])
    shade = "h4" if value >= 0.75 else "h3" if value >= 0.6 else "h2" if value >= 0.45 else "h1"
    spread = "" if stat["interval"] is None else f"95 % interval {interval(stat['interval'])}"
    return Cell(number(value), shade, n, spread)
