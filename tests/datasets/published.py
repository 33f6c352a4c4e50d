"""Published sets read from their folder, and their figures shown beside ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROPERTY = "published figure"
# Properties of tests that are shown at the end of a run, each under its title.
SECTIONS = {
    PROPERTY: "published figures, recomputed through the API",
    "tampering": "what an owner of the database did to the log: with a head kept outside, and without",
    "audit speed": "the audit log, measured",
}


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The records of an NDJSON file."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def printed(folder: Path) -> dict[str, dict[str, Any]]:
    """The figures of a set by what they are."""
    return {entry["what"]: entry for entry in json.loads((folder / "published.json").read_text(encoding="utf-8"))}


def graded(folder: Path) -> list[dict[str, Any]]:
    """The labels of a set as review imports: one line per item and rater."""
    reviews: dict[tuple[str, str], dict[str, Any]] = {}
    for label in rows(folder / "labels.jsonl"):
        key = (label["external_id"], label["rater"])
        review = reviews.setdefault(key, {"external_id": key[0], "reviewer": key[1], "grades": {}})
        review["grades"][label["criterion"]] = label["value"]
    return list(reviews.values())


def outputs(folder: Path) -> list[dict[str, Any]]:
    """The items of a set as outputs."""
    return [
        {
            "external_id": item["external_id"],
            "input": item["input"],
            "output": item["output"],
            "metadata": item["metadata"],
            **({"configuration": {"model": item["model"]}} if item.get("model") else {}),
        }
        for item in rows(folder / "items.jsonl")
    ]


@dataclass(frozen=True)
class Comparison:
    """Shows our figure beside the published one and fails when they differ in the digits that were printed."""

    name: str
    folder: Path
    note: Callable[[str, object], None]

    def same(self, what: str, ours: float, *, decimals: int | None = None) -> None:
        """what: the figure's name in published.json. decimals: how many must agree, where fewer were printed."""
        entry = printed(self.folder)[what]
        theirs = entry["published"] if entry["published"] is not None else entry["computed"]
        digits = entry["decimals"] if decimals is None else decimals
        is_same = abs(ours - theirs) <= 0.5000001 * 10**-digits
        kind = "published" if entry["published"] is not None else "reference"
        sign = "=" if is_same else "DIFFERS"
        line = f"{self.name}: {what}: ours {ours:.12g}, {kind} {theirs:.12g} ({digits} decimals) {sign}"
        self.note(PROPERTY, line)
        print(line)
        assert is_same, line


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Every figure beside its published one, and other tables of results, also when the tests ran elsewhere."""
    reports = [report for state in ("passed", "failed") for report in terminalreporter.getreports(state)]
    for section, title in SECTIONS.items():
        lines = [
            str(value)
            for report in reports
            if isinstance(report, pytest.TestReport) and report.when == "call"
            for name, value in report.user_properties
            if name == section
        ]
        if lines:
            terminalreporter.section(title)
            for line in lines:
                terminalreporter.write_line(line)
