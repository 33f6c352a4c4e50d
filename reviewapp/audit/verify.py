"""Verification against the database: recompute every leaf, every commitment and every signed head."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from reviewapp.audit.chain import KeyChain, read_chain
from reviewapp.audit.events import Event
from reviewapp.audit.merkle import CompactRange, leaf_hash
from reviewapp.audit.notes import MalformedNote, Note, VerifierKey, read_note

CHUNK = 5_000
# The columns by which the pages filter. PostgreSQL generates most of them; an owner can make it stop.
_COLUMNS = ("eid", "at", "event", "actor.type", "actor.id", "object.type", "object.id", "project", "outcome")
_READ_LEAVES = """
SELECT l.idx, l.hash, e.env, p.salt, p.data, e.eid::text,
       to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), e.event, e.actor_kind, e.actor, e.object_kind,
       e.object, e.project, e.outcome
FROM audit.leaf l LEFT JOIN audit.event e ON e.id = l.event_id LEFT JOIN audit.payload p ON p.event_id = e.id
WHERE l.idx >= %s AND l.idx < %s ORDER BY l.idx LIMIT %s
"""
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class KnownHead:
    """A head that somebody kept outside the database; without `note` it is only a size and a root (`log.head`)."""

    source: str
    size: int
    root: bytes
    note: Note | None = None

    @classmethod
    def of(cls, source: str, note: Note) -> KnownHead:
        """A kept note; `source` names it in sentences."""
        return cls(source, note.size, note.root, note)


@dataclass(frozen=True)
class Verification:
    """What was checked.

    `problem` is None when all is well, else one sentence that names the first bad index or interval.
    """

    events: int
    checkpoints: int
    erased: int
    problem: str | None
    known: int = 0  # kept heads that the log extends


def verify_log(
    *,
    origin: str,
    trusted: Sequence[VerifierKey],
    known: Sequence[KnownHead] = (),
    on_progress: Progress | None = None,
) -> Verification:
    """Walk the log in order, in constant memory; 5,000 events per query and no transaction around them.

    trusted: one verifier key or more (`keys.load_verifier_keys`); the others follow from it. known: heads kept outside.
    on_progress(done, total) is called after every 5,000 events and may write and commit; an error that it raises ends
    the walk.

    Finds edits, deletions, swaps, insertions and payload edits up to the newest signed head. A log that was rewritten
    and signed again with the key itself, or cut back to an older signed head, is only found with a known head.
    """
    walk = _Walk(origin=origin, chain=read_chain(trusted=trusted), known=known)
    problem = walk.whole_log_problem(trusted)
    while problem is None and walk.tree.size < walk.end:
        problem = walk.next_chunk_problem()
        if on_progress:
            on_progress(walk.tree.size, walk.end)
    problem = problem or walk.end_problem()
    return Verification(walk.tree.size, walk.heads, walk.erased, problem, walk.known_found)


class _Walk:
    """The state between two chunks. Every method named `problem` answers a sentence, or None when all is well."""

    def __init__(self, *, origin: str, chain: KeyChain, known: Sequence[KnownHead]) -> None:
        self.origin = origin
        self.chain = chain
        self.tree = CompactRange()
        self.heads = self.erased = self.known_found = 0
        self._last_head = self._last_known = 0
        self._known: dict[int, list[KnownHead]] = {}
        for head in known:
            self._known.setdefault(head.size, []).append(head)
        with connection.cursor() as cursor:
            # One statement, one snapshot: the sequencer writes leaves and their head in one transaction.
            cursor.execute(
                "SELECT coalesce(max(idx), -1) + 1, coalesce(min(idx), 0),"
                " (SELECT coalesce(max(size), 0) FROM audit.checkpoint) FROM audit.leaf"
            )
            self.end, self._first_index, self._newest_head = cursor.fetchone()

    def whole_log_problem(self, trusted: Sequence[VerifierKey]) -> str | None:
        if self._first_index < 0:
            return f"The log has an event at the impossible place {self._first_index}."
        if not self.chain.knows_any(trusted):
            return "None of the trusted keys is a key of this log."
        for heads in self._known.values():
            for head in heads:
                if head.note and not self._is_ours(head.note, trusted):
                    return f"The head kept in {head.source} over {head.size} events is not signed by a key of this log."
        return _unplaced_problem() or _repeated_problem()

    def _is_ours(self, note: Note, trusted: Sequence[VerifierKey]) -> bool:
        keys = {*trusted, *self.chain.keys}
        return note.origin == self.origin and any(note.is_signed_by(key) for key in keys)

    def next_chunk_problem(self) -> str | None:
        start = self.tree.size
        stop = min(start + CHUNK, self.end)
        with connection.cursor() as cursor:
            cursor.execute(_READ_LEAVES, [start, stop, CHUNK])
            rows = cursor.fetchall()
            cursor.execute(
                "SELECT size, root, note FROM audit.checkpoint WHERE size > %s AND size <= %s", [start, stop]
            )
            heads = {size: (bytes(root), note) for size, root, note in cursor.fetchall()}
        for row in rows:
            problem = self._row_problem(row) or self._size_problem(heads)
            if problem:
                return problem
        return f"Event {self.tree.size} is missing from the log." if self.tree.size < stop else None

    def _row_problem(self, row: tuple[Any, ...]) -> str | None:
        idx, value, env, salt, data, *columns = row
        problem = _leaf_problem(self.tree.size, idx, value, env) or _text_problem(idx, env, columns, salt, data)
        if problem is None:
            self.erased += salt is None
            self.tree.append(bytes(value))
        return problem

    def _size_problem(self, heads: dict[int, tuple[bytes, str]]) -> str | None:
        """Heads in the database and kept outside that cover exactly what was walked so far."""
        size = self.tree.size
        if size in heads:
            problem = self._head_problem(*heads[size])
            if problem:
                return problem
            self.heads, self._last_head = self.heads + 1, size
        for head in self._known.get(size, ()):
            if head.root != self.tree.root():
                return (
                    f"The head kept in {head.source} over {size} events does not fit: the log was rewritten"
                    f" {_interval(self._last_known, size)}."
                )
            self.known_found, self._last_known = self.known_found + 1, size
        return None

    def _head_problem(self, root: bytes, text: str) -> str | None:
        size = self.tree.size
        try:
            note = read_note(text)
        except MalformedNote:
            return f"The checkpoint over {size} events cannot be read."
        if (note.origin, note.size, note.root) != (self.origin, size, root) or not self.chain.has_signed(note):
            return f"The checkpoint over {size} events does not carry the log's signature."
        if root != self.tree.root():
            return f"The log was changed {_interval(self._last_head, size)}: the head signed over {size} does not fit."
        return None

    def end_problem(self) -> str | None:
        """What only shows when everything was walked."""
        size = self.tree.size
        if self._newest_head > size:
            return f"A signed head covers {self._newest_head} events, the log holds {size}: its end was cut off."
        if self._newest_head < size:
            return f"No signed head covers what came {_interval(self._newest_head, size)}."
        beyond = [heads[0] for kept, heads in sorted(self._known.items()) if kept > size]
        if beyond:
            return (
                f"The head kept in {beyond[0].source} covers {beyond[0].size} events, the log holds {size}:"
                f" what came {_interval(size, beyond[0].size)} is gone."
            )
        return _unasked_erasure_problem() if self.erased else None


def _interval(start: int, end: int) -> str:
    return f"at event {start}" if end - start == 1 else f"between event {start} and event {end - 1}"


def _unplaced_problem() -> str | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), min(e.eid::text) FROM audit.event e"
            " WHERE NOT EXISTS (SELECT 1 FROM audit.leaf l WHERE l.event_id = e.id)"
            " AND NOT EXISTS (SELECT 1 FROM audit.pending p WHERE p.event_id = e.id)"
        )
        lost, eid = cursor.fetchone()
    if lost:
        return f"{lost} events have neither a place in the log nor one in the waiting line; one of them is {eid}."
    return None


def _unasked_erasure_problem() -> str | None:
    """A payload that is gone must stand in the list of an erasure; the payloads of those events are never erased."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(l.idx) FROM audit.leaf l JOIN audit.event e ON e.id = l.event_id"
            " WHERE NOT EXISTS (SELECT 1 FROM audit.payload p WHERE p.event_id = e.id)"
            # The app may write such an event with anything in it: what is no list of ids names nothing.
            " AND e.eid::text NOT IN (SELECT named.eid FROM audit.event erasure"
            " JOIN audit.payload said ON said.event_id = erasure.id CROSS JOIN LATERAL jsonb_array_elements_text("
            " CASE jsonb_typeof(said.data::jsonb -> 'eids') WHEN 'array' THEN said.data::jsonb -> 'eids' ELSE '[]' END"
            " ) AS named (eid) WHERE erasure.event = %s AND named.eid IS NOT NULL)",
            [Event.PAYLOAD_ERASED.value],
        )
        index = cursor.fetchone()[0]
    return None if index is None else f"The payload of event {index} is gone, and no erasure in the log names it."


def _repeated_problem() -> str | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.eid::text, max(l.idx) FROM audit.leaf l JOIN audit.event e ON e.id = l.event_id"
            " GROUP BY e.eid HAVING count(*) > 1 ORDER BY 2 LIMIT 1"
        )
        row = cursor.fetchone()
    return f"Event {row[1]} repeats an earlier one ({row[0]})." if row else None


def _leaf_problem(expected: int, idx: int, value: bytes, env: str | None) -> str | None:
    if idx != expected:
        return f"Event {expected} is missing from the log." if idx > expected else f"Two events claim the place {idx}."
    if env is None:
        return f"The text of event {idx} is gone."
    if leaf_hash(env.encode()) != bytes(value):
        return f"Event {idx} was changed after it was sequenced."
    return None


def _text_problem(idx: int, env: str, columns: list[str | None], salt: bytes | None, data: str | None) -> str | None:
    """What the envelope says against the columns beside it and the payload that it commits to."""
    try:
        said = json.loads(env)
        commitment = said["data_commit"]
        values = [_value(said, path) for path in _COLUMNS]
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"Event {idx} cannot be read."
    for path, value, column in zip(_COLUMNS, values, columns, strict=True):
        if value != column:
            return f"The column beside event {idx} says another {path} than the event itself."
    if salt is None or data is None:
        return None  # erased by right: the commitment stays, what it covers is gone
    if hashlib.sha256(bytes(salt) + data.encode()).hexdigest() != commitment:
        return f"The payload of event {idx} was changed."
    return None


def _value(said: dict[str, Any], path: str) -> Any:
    first, _, second = path.partition(".")
    return said[first].get(second) if second else said.get(first)
