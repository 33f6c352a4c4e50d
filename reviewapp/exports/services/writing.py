"""One pass over the items and one over the raw answers, into every file of a version at once."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from reviewapp.exports.models import Dataset
from reviewapp.exports.services import rows
from reviewapp.exports.services.files import HashedFile, Workshop
from reviewapp.exports.services.rows import Item, Labels, RawRow, Side, Votes
from reviewapp.ingest.models import Configuration
from reviewapp.lib.clock import rfc3339
from reviewapp.lib.spreadsheets import safe_cell
from reviewapp.queues.models import Queue

Step = Callable[[], None]


# Compact JSON, never NaN. One encoder: `json.dumps` with options makes a new one for every value.
text = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


@dataclass
class Contents:
    """What was written, for the manifest."""

    splits: Counter[str] = field(default_factory=Counter)
    probabilities: Counter[str] = field(default_factory=Counter)
    labels: dict[str, Counter[str]] = field(default_factory=dict)


class Writer:
    """Writes the files of one version. `step` is called once for everything that was looked at."""

    def __init__(self, dataset: Dataset, shop: Workshop, step: Step) -> None:
        self.dataset = dataset
        self.shop = shop
        self.step = step
        self.contents = Contents()
        self.queues = rows.queues_of(dataset)
        self.configurations: Mapping[UUID | None, str] = {
            row.pk: text(row.document) for row in Configuration.objects.filter(project=dataset.project)
        }

    def write(self) -> None:
        """Every format that this dataset has."""
        is_settled = self.dataset.labels != "raw"
        pairwise = [queue for queue in self.queues if queue.kind == "pairwise"]
        raw = self.shop.open("jsonl-raw")
        lines = self.shop.open("jsonl") if is_settled else None
        table = Table(self.shop.open("csv"), self._columns()) if is_settled else None
        pairs = self.shop.open("pairs") if pairwise else None
        for queue in self.queues:
            labels = rows.labels_of(self.dataset, queue) if is_settled else {}
            votes = rows.votes_of(queue) if queue.kind == "pairwise" else {}
            for item in rows.items_of(self.dataset, queue) if is_settled or queue in pairwise else ():
                found = labels.get(item.id, {})
                if lines is not None and table is not None:
                    self._write_item(lines, table, item, found)
                if pairs is not None and item.b is not None:
                    self._write_pair(pairs, item, found, votes.get(item.id))
                self.step()
            self._write_raw(raw, queue)

    def _columns(self) -> list[str]:
        keys = self.dataset.criteria
        if not keys:
            asked = (criterion_keys(queue) for queue in self.queues)
            return list(dict.fromkeys(key for some in asked for key in some))
        return list(keys)

    def _write_item(self, lines: HashedFile, table: Table, item: Item, labels: Labels) -> None:
        reason = why_left_out(item) or (None if labels else "unsettled")
        if reason is not None:
            for file in (lines, table.file):
                file.left_out[reason] += 1
            return
        split = rows.split_of(item, self.dataset.split)
        shown = {key: shown_label(label) for key, label in sorted(labels.items())}
        lines.write(self._line(item, shown, split))
        table.write(item, shown, split)
        self.contents.splits[split or ""] += 1
        self.contents.probabilities["known" if item.probability is not None else "unknown"] += 1
        for key, label in labels.items():
            self.contents.labels.setdefault(key, Counter())[str(label.source)] += 1

    def _line(self, item: Item, labels: Mapping[str, Any], split: str | None) -> str:
        a, b = item.a, item.b
        return (
            f'{{"external_id":{text(item.external_id)},"input":{item.input},'
            f'"output":{_sides(a, b, lambda side: side.output)},'
            f'"context":{_sides(a, b, lambda side: side.context)},'
            f'"configuration":{_sides(a, b, lambda side: self.configurations.get(side.configuration))},'
            f'"labels":{text(labels)},"correction":{text(item.correction)},'
            f'"inclusion_probability":{text(item.probability)},"split":{text(split)}}}\n'
        )

    def _write_pair(self, pairs: HashedFile, item: Item, labels: Labels, votes: Votes | None) -> None:
        winner = overall_winner(labels, votes, is_raw=self.dataset.labels == "raw")
        reason = why_left_out(item) or ("unsettled" if winner is None or votes is None else None)
        if reason is None and winner in ("tie", "both_bad"):
            reason = winner
        if reason is not None or votes is None or item.b is None:
            pairs.left_out[reason or "unsettled"] += 1
            return
        chosen, rejected = (item.a, item.b) if winner == "a" else (item.b, item.a)
        share = votes.counts.get(str(winner), 0) / votes.n
        pairs.write(
            f'{{"external_id":{text(item.external_id)},"prompt":{item.input},"chosen":{chosen.output},'
            f'"rejected":{rejected.output},"n_reviews":{votes.n},"share":{text(share)}}}\n'
        )

    def _write_raw(self, raw: HashedFile, queue: Queue) -> None:
        for row in rows.raw_rows_of(self.dataset, queue):
            self.step()
            reason = why_left_out_raw(row)
            if reason is not None:
                raw.left_out[reason] += 1
                continue
            source = "imported" if row.is_imported else "leased"
            raw.write(
                f'{{"external_id":{text(row.external_id)},"reviewer":{text(row.reviewer)},'
                f'"criterion":{text(row.criterion)},"value":{row.value},"attempt":{row.attempt},'
                f'"submitted_at":"{rfc3339(row.submitted_at)}","source":"{source}"}}\n'
            )


def criterion_keys(queue: Queue) -> list[str]:
    """The keys that any published version of the queue's rubric asks, in its order."""
    versions = queue.rubric.versions.filter(published_at__isnull=False).order_by("number")
    found = versions.values_list("criteria__key", flat=True).order_by("number", "criteria__position")
    return [key for key in dict.fromkeys(found) if key is not None]


def why_left_out(item: Item) -> str | None:
    """The reason that keeps an item out of settled rows and pairs, whatever its labels."""
    if item.source == "gold":
        return "gold"
    if not item.matches:
        return "filtered"
    return None if item.has_text else "no_text"


def why_left_out_raw(row: RawRow) -> str | None:
    """The reason that keeps a raw answer out."""
    if row.item_source == "gold" or row.seat == "gold":
        return "gold"
    if row.seat == "adjudicate":
        return "adjudication"
    return None if row.matches else "filtered"


def shown_label(label: Any) -> dict[str, Any]:
    """API.md's label."""
    return {
        "value": label.value,
        "policy": label.policy,
        "confidence": label.confidence,
        "n_reviews": label.n_reviews,
    }


def overall_winner(labels: Labels, votes: Votes | None, *, is_raw: bool) -> str | None:
    """a, b, tie or both_bad: the settled one, for a raw dataset what most reviewers said."""
    if is_raw:
        return votes.most if votes else None
    label = labels.get(rows.OVERALL)
    value = label.value if label is not None else None
    return str(value["winner"] if isinstance(value, Mapping) else value) if value is not None else None


def _sides(a: Side, b: Side | None, part: Callable[[Side], str | None]) -> str:
    if b is None:
        return part(a) or "null"
    return f'{{"a":{part(a) or "null"},"b":{part(b) or "null"}}}'


class Table:
    """The settled labels as CSV (RFC 4180): one column group a criterion, texts last, formulas disarmed."""

    def __init__(self, file: HashedFile, keys: list[str]) -> None:
        self.file = file
        self.keys = keys
        self._line = io.StringIO()
        self._csv = csv.writer(self._line, lineterminator="\r\n")
        parts = [f"{key}{part}" for key in keys for part in ("", ".policy", ".confidence", ".n_reviews")]
        self._write(["external_id", "split", "inclusion_probability", *parts, "correction", "input", "output"], count=0)

    def write(self, item: Item, labels: Mapping[str, Any], split: str | None) -> None:
        """One row."""
        cells: list[Any] = [item.external_id, split, item.probability]
        for key in self.keys:
            label = labels.get(key, {})
            value = label.get("value")
            cells.append(value if isinstance(value, str | int | float) or value is None else text(value))
            cells += [label.get("policy"), label.get("confidence"), label.get("n_reviews")]
        output = _sides(item.a, item.b, lambda side: side.output)
        self._write([*cells, item.correction, plain_text(item.input), plain_text(output)], count=1)

    def _write(self, cells: list[Any], *, count: int) -> None:
        self._csv.writerow([safe_cell(cell) for cell in cells])
        self.file.write(self._line.getvalue(), rows=count)
        self._line.seek(0)
        self._line.truncate()


def plain_text(raw: str | None) -> str | None:
    """A JSON string as its text; any other JSON value as it is written."""
    return str(json.loads(raw)) if raw is not None and raw.startswith('"') else raw
