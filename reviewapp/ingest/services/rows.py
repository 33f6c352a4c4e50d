"""A checked record as the texts that COPY takes, with the hashes that tell equal content from other content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from reviewapp.ingest.filters import ACTED, Facets, cost_of
from reviewapp.ingest.records import Answered
from reviewapp.lib.ids import new_id

# One encoder for storing and hashing: keys sorted, so that the order in which a sender writes them says nothing.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, check_circular=False).encode
_TEXTS = ("input", "output", "context", "steps", "metadata")
_NUMBERS = ("latency_ms", "time_to_first_token_ms", "cost_usd", "sampling_rate")


@dataclass(slots=True)
class Row:
    """One output on its way into the table. `texts` are JSON texts or None, in the order of `_TEXTS`."""

    id: UUID
    external_id: str
    record: Answered
    texts: list[str | None]
    content_sha256: str
    input_sha256: str
    sampling_unit: float
    configuration: dict[str, Any] | None
    configuration_key: str | None

    @property
    def upstream_rate(self) -> float | None:
        """The share of traffic that the sender kept; None when not stated."""
        return self.record.sampling_rate


def sampling_unit(seed: str, external_id: str) -> float:
    """The one uniform number in [0, 1) of an output: 53 bits of SHA-256(seed, newline, external_id)."""
    digest = hashlib.sha256(f"{seed}\n{external_id}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


def row_of(record: Answered, raw: dict[str, Any], *, external_id: str, seed: str) -> Row:
    """raw: the record as sent, with `input`; its values are stored as they are."""
    texts: list[str | None] = [None if raw.get(name) is None else _encode(raw[name]) for name in _TEXTS]
    rest = {name: value for name, value in raw.items() if value is not None and name not in _TEXTS}
    for name in _NUMBERS:
        if name in rest:
            rest[name] = float(rest[name])
    digest = hashlib.sha256(_encode(rest).encode())
    for text in texts:
        digest.update(b"\n")
        digest.update((text or "").encode())
    document = _configuration_document(raw.get("configuration"))
    return Row(
        id=new_id(),
        external_id=external_id,
        record=record,
        texts=texts,
        content_sha256=digest.hexdigest(),
        input_sha256=hashlib.sha256((texts[0] or "").encode()).hexdigest(),
        sampling_unit=sampling_unit(seed, external_id),
        configuration=document,
        configuration_key=_encode(document) if document else None,
    )


def _configuration_document(configuration: dict[str, Any] | None) -> dict[str, Any] | None:
    """What was said about the configuration; nothing said is no configuration."""
    if configuration is None:
        return None
    return {name: value for name, value in configuration.items() if value not in (None, "", {})} or None


def output_line(row: Row, *, project: str, configuration: str | None, received_at: str) -> tuple[str | None, ...]:
    """The columns of `OUTPUT_COLUMNS` as texts."""
    record = row.record
    return (
        str(row.id), project, row.external_id, configuration, row.content_sha256, row.input_sha256,
        *row.texts[:4], row.texts[4] or "{}",
        record.occurred_at.isoformat() if record.occurred_at else received_at, received_at,
        _text(record.latency_ms), _text(record.time_to_first_token_ms),
        _text(record.input_tokens), _text(record.output_tokens), _text(record.cost_usd),
        record.error or None, record.session_id, record.end_user_id, record.feature,
        _text(record.sampling_rate), repr(row.sampling_unit),
    )  # fmt: skip


OUTPUT_COLUMNS = (
    "id", "project_id", "external_id", "configuration_id", "content_sha256", "input_sha256",
    "input", "output", "context", "steps", "metadata", "occurred_at", "received_at",
    "latency_ms", "time_to_first_token_ms", "input_tokens", "output_tokens", "cost_usd",
    "error", "session_id", "end_user_id", "feature", "sampling_rate", "sampling_unit",
)  # fmt: skip


def hit_lines(row: Row, *, project: str) -> Iterator[tuple[str | None, ...]]:
    """The guardrail decisions of an output, columns of `HIT_COLUMNS`."""
    for position, hit in enumerate(row.record.guardrails):
        spans = _encode([span.model_dump() for span in hit.spans])
        yield (
            str(new_id()), project, str(row.id), str(position), hit.name, hit.version or "", hit.stage, hit.action,
            _text(hit.score), hit.category or "", spans,
        )  # fmt: skip


HIT_COLUMNS = (
    "id", "project_id", "output_id", "position", "name", "version", "stage", "action", "score", "category", "spans",
)  # fmt: skip


def signal_lines(row: Row, *, received_at: str) -> Iterator[tuple[str | None, ...]]:
    """The signals that came with an output, one per (kind, time), columns of `SIGNAL_COLUMNS`."""
    seen: set[tuple[str, datetime | None]] = set()
    for signal in row.record.signals:
        moment = (signal.kind, signal.occurred_at)
        if moment in seen:
            continue
        seen.add(moment)
        value = None if signal.value is None else _encode(signal.value)
        occurred_at = signal.occurred_at.isoformat() if signal.occurred_at else None
        yield (str(new_id()), str(row.id), signal.kind, value, occurred_at, received_at)


SIGNAL_COLUMNS = ("id", "output_id", "kind", "value", "occurred_at", "received_at")


def facets_of(row: Row) -> Facets:
    """What sampling rules may look at; no facts are known about an output that arrives."""
    record = row.record
    return Facets(
        guardrails=frozenset(hit.name for hit in record.guardrails if hit.action in ACTED),
        signals=frozenset(signal.kind for signal in record.signals),
        configuration=row.configuration,
        feature=record.feature,
        metadata=record.metadata,
        latency_ms=record.latency_ms,
        cost_usd=cost_of(record.cost_usd),
        error=record.error or None,
    )


def encode_json(value: Any) -> str:
    """JSON text as stored and hashed."""
    return _encode(value)


def _text(value: float | None) -> str | None:
    return None if value is None else repr(value)
