"""Calibration in words and cells, for the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reviewapp.rubrics.models import Criterion

SCALE = {"low": 0.0, "high": 1.0, "bounds": [], "ticks": [(0, "0"), (0.5, "0.5"), (1, "1")]}
_NAMES = {
    "agreement": "Agreement with people",
    "human_ceiling": "Agreement among people",
    "cohen_kappa": "Cohen's kappa",
    "kendall_tau_b": "Kendall's tau-b",
    "spearman": "Spearman's rho",
}


@dataclass(frozen=True)
class Figure:
    """One statistic as the page shows it. `bounds` and `value` are null when it is undefined; `reason` says why."""

    name: str
    value: float | None
    bounds: list[float] | None
    text: str
    interval_text: str
    n: int
    reason: str


@dataclass(frozen=True)
class Cell:
    """One cell of the confusion matrix: count, share of its row in per cent, and the shade."""

    count: int
    share: str
    shade: str


@dataclass(frozen=True)
class Reading:
    """One criterion: its figures, the matrix, and a sentence for each."""

    key: str
    title: str
    n: int
    n_errors: int
    figures: list[Figure]
    columns: list[str]
    matrix: list[tuple[str, list[Cell]]]
    matrix_sentence: str
    conclusion: str
    trust_sentence: str
    confidence_sentence: str
    curve: list[dict[str, Any]]
    position_sentence: str


def readings(document: dict[str, Any], criteria: dict[str, Criterion]) -> list[Reading]:
    """document: API.md's Calibration."""
    return [_reading(entry, criteria[entry["criterion"]]) for entry in document["criteria"]]


def _reading(entry: dict[str, Any], criterion: Criterion) -> Reading:
    columns, matrix = _matrix(entry["confusion"], criterion)
    return Reading(
        key=criterion.key,
        title=criterion.title,
        n=entry["n"],
        n_errors=entry["n_errors"],
        figures=[_figure(name, entry[name]) for name in _NAMES],
        columns=columns,
        matrix=matrix,
        matrix_sentence=_matrix_sentence(entry["confusion"], columns),
        conclusion=_conclusion(entry),
        trust_sentence=_trust_sentence(entry["trust"]),
        confidence_sentence=_confidence_sentence(entry["calibration"]),
        curve=entry["calibration"]["curve"],
        position_sentence=_position_sentence(entry["position"]),
    )


def percent(share: float) -> str:
    """One decimal, with a space that does not break."""
    return f"{100 * share:.1f}\u00a0%"


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "\u2212")


def _figure(name: str, stat: dict[str, Any]) -> Figure:
    is_share = name in ("agreement", "human_ceiling") and "tau" not in stat["method"]
    shown = percent if is_share else _number
    interval = stat["interval"]
    return Figure(
        name=_NAMES[name],
        value=stat["value"],
        bounds=interval,
        text="" if stat["value"] is None else shown(stat["value"]),
        interval_text="" if interval is None else f"{shown(interval[0])} to {shown(interval[1])}",
        n=stat["n"],
        reason=_sentence(stat["reason"]) if stat["reason"] else "",
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _conclusion(entry: dict[str, Any]) -> str:
    agreement, ceiling, kappa = entry["agreement"], entry["human_ceiling"], entry["cohen_kappa"]
    if not entry["n"]:
        return "No settled label has a verdict yet. Run the judge over a queue whose items people have answered."
    if agreement["value"] is None:
        tau = entry["kendall_tau_b"]
        if tau["value"] is None:
            return _sentence(agreement["reason"])
        return f"Judge and people rank alike with a tau-b of {_number(tau['value'])} on {tau['n']} pairs of numbers."
    low, high = agreement["interval"]
    share = f"{percent(agreement['value'])} of {agreement['n']} items ({percent(low)} to {percent(high)})"
    said = f"Judge and people agree on {share}"
    if ceiling["value"] is not None:
        said += f"; one person and the others on {percent(ceiling['value'])}"
    elif kappa["value"] is not None:
        said += f"; kappa is {_number(kappa['value'])}, and no item has two people's answers to compare with"
    return f"{said}."


def _matrix(confusion: dict[str, Any], criterion: Criterion) -> tuple[list[str], list[tuple[str, list[Cell]]]]:
    labels = [_label(criterion, value) for value in confusion["labels"]]
    rows = []
    for label, counts in zip(labels, confusion["counts"], strict=True):
        total = sum(counts)
        rows.append((label, [_cell(count, total) for count in counts]))
    return labels, rows


def _cell(count: int, total: int) -> Cell:
    share = count / total if total else 0.0
    step = 0 if not count else 1 if share < 0.1 else 2 if share < 0.4 else 3 if share < 0.65 else 4
    return Cell(count, f"{100 * share:.0f}\u00a0%" if total else "", f"h{max(step, 1)}" if total else "h0")


def _label(criterion: Criterion, value: Any) -> str:
    if criterion.kind == "binary":
        return "Yes" if value else "No"
    for level in criterion.levels:
        if level["value"] == value:
            text = str(level["label"])
            return text if text == str(value) or criterion.kind != "ordinal" else f"{value} {text}"
    return str(value).replace("_", " ").capitalize() if criterion.kind == "preference" else str(value)


def _matrix_sentence(confusion: dict[str, Any], labels: list[str]) -> str:
    counts = confusion["counts"]
    apart = [(counts[row][column], row, column) for row in range(len(counts)) for column in range(len(counts))
             if row != column]  # fmt: skip
    total = sum(map(sum, counts))
    wrong = sum(count for count, _, _ in apart)
    if not total:
        return "Nothing to compare yet."
    if not wrong:
        return f"Judge and people say the same on all {total} items."
    most, row, column = max(apart)
    return (
        f"They differ on {wrong} of {total} items, most often ({most} times) where people say "
        f"“{labels[row]}” and the judge “{labels[column]}”."
    )


def _trust_sentence(trust: dict[str, Any]) -> str:
    if trust["threshold"] is None:
        return f"May settle nothing: {trust['reason']}."
    return (
        f"May settle {percent(trust['coverage'])} of its verdicts, from confidence {trust['threshold']:.2f} upward: "
        f"with {percent(1 - trust['delta'])} certainty at most {percent(trust['alpha'])} of them contradict people."
    )


def _confidence_sentence(calibration: dict[str, Any]) -> str:
    ece = calibration["ece"]
    if ece["value"] is None:
        return _sentence(ece["reason"])
    return f"Stated confidence and the share that people confirm differ by {percent(ece['value'])} on average."


def _position_sentence(position: dict[str, Any] | None) -> str:
    if position is None:
        return ""
    same, first = position["consistency"], position["first_side_rate"]
    if same["value"] is None:
        return "No pair was judged in both orders."
    return (
        f"Asked in both orders it names the same answer for {percent(same['value'])} of {same['n']} pairs; the one "
        f"shown first wins {percent(first['value'])} of the time."
    )
