"""The log in the forms that other programs read. Each turns events into text, event by event, in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from reviewapp.audit.models import Event
from reviewapp.compliance.formats.jsonl import json_lines
from reviewapp.compliance.formats.ocsf import ocsf_lines
from reviewapp.compliance.formats.table import csv_rows

Lines = Callable[[Iterable[Event]], Iterator[str]]


@dataclass(frozen=True)
class Format:
    """One form. `meaning` is one sentence for the person who chooses; `lines` is None for the bundle, a zip."""

    title: str
    meaning: str
    suffix: str
    content_type: str
    lines: Lines | None


FORMATS: dict[str, Format] = {
    "jsonl": Format(
        "JSON lines", "One event a line, exactly as the API answers it.", "jsonl", "application/x-ndjson", json_lines
    ),
    "csv": Format(
        "CSV",
        "A table for a spreadsheet; cells that a spreadsheet would run as a formula are disarmed.",
        "csv",
        "text/csv; charset=utf-8",
        csv_rows,
    ),
    "ocsf": Format(
        "OCSF",
        "For a SIEM: one event a line in the Open Cybersecurity Schema Framework.",
        "ocsf.jsonl",
        "application/x-ndjson",
        ocsf_lines,
    ),
    "bundle": Format(
        "Bundle that proves itself",
        "A zip with signed heads, proofs and a short script that checks it offline. Only project and time narrow it.",
        "zip",
        "application/zip",
        None,
    ),
}

__all__ = ["FORMATS", "Format", "csv_rows", "json_lines", "ocsf_lines"]
