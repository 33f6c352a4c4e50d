"""Verification against the database: recompute every leaf, every commitment and every signed head."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from django.db import connection, transaction

from reviewapp.audit import notes
from reviewapp.audit.merkle import CompactRange, leaf_hash


@dataclass(frozen=True)
class Verification:
    """What was checked.

    `problem` is None when all is well, else one sentence that names the first bad index or interval.
    """

    events: int
    checkpoints: int
    erased: int
    problem: str | None


@transaction.atomic
def verify_log(*, name: str, public: bytes) -> Verification:
    """Walk the log in order, in constant memory. name, public: the log's key.

    Finds edits, deletions, swaps, insertions and payload edits up to the newest signed head. A log that was rewritten
    and signed again with the key itself is only found with an older checkpoint that somebody else kept.
    """
    heads = _checkpoints()
    problem = _unsequenced()
    tree = CompactRange()
    erased = checked = 0
    with connection.cursor() as outer:
        outer.execute(
            "DECLARE log_walk NO SCROLL CURSOR FOR SELECT l.idx, l.hash, e.env, p.salt, p.data"
            " FROM audit.leaf l LEFT JOIN audit.event e ON e.id = l.event_id"
            " LEFT JOIN audit.payload p ON p.event_id = e.id ORDER BY l.idx"
        )
        while problem is None:
            outer.execute("FETCH 5000 FROM log_walk")
            rows = outer.fetchall()
            if not rows:
                break
            for idx, value, env, salt, data in rows:
                problem = _leaf_problem(tree.size, idx, value, env) or _payload_problem(idx, env, salt, data)
                if problem:
                    break
                erased += salt is None
                tree.append(bytes(value))
                if tree.size in heads:
                    checked += 1
                    problem = _head_problem(heads[tree.size], tree, name, public)
                    if problem:
                        break
    beyond = [size for size in heads if size > tree.size]
    if problem is None and beyond:
        problem = f"A signed head covers {max(beyond)} events, the log holds {tree.size}: its end was cut off."
    return Verification(events=tree.size, checkpoints=checked, erased=erased, problem=problem)


def _checkpoints() -> dict[int, tuple[bytes, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT size, root, note FROM audit.checkpoint ORDER BY size")
        return {size: (bytes(root), note) for size, root, note in cursor.fetchall()}


def _unsequenced() -> str | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM audit.event e WHERE NOT EXISTS (SELECT 1 FROM audit.leaf l WHERE l.event_id = e.id)"
            " AND NOT EXISTS (SELECT 1 FROM audit.pending p WHERE p.event_id = e.id)"
        )
        lost = cursor.fetchone()[0]
    return f"{lost} events have neither a place in the log nor a place in the waiting line." if lost else None


def _leaf_problem(expected: int, idx: int, value: bytes, env: str | None) -> str | None:
    if idx != expected:
        return f"Event {expected} is missing from the log."
    if env is None:
        return f"The text of event {idx} is gone."
    if leaf_hash(env.encode()) != bytes(value):
        return f"Event {idx} was changed after it was sequenced."
    return None


def _payload_problem(idx: int, env: str, salt: bytes | None, data: str | None) -> str | None:
    if salt is None or data is None:
        return None  # erased by right: the commitment stays, what it covers is gone
    commitment = hashlib.sha256(bytes(salt) + data.encode()).hexdigest()
    return None if json.loads(env)["data_commit"] == commitment else f"The payload of event {idx} was changed."


def _head_problem(head: tuple[bytes, str], tree: CompactRange, name: str, public: bytes) -> str | None:
    root, note = head
    if tree.root() != root:
        return f"The first {tree.size} events do not have the root that was signed for them."
    signed_text = note.rpartition("\n\n")[0] + "\n"
    if signed_text != notes.checkpoint_text(name, tree.size, root) or not notes.is_signed_by(
        note, name=name, public=public
    ):
        return f"The checkpoint over {tree.size} events does not carry the log's signature."
    return None
