"""A part of the log, or all of it, as one zip that verifies on a machine that knows nothing of this house."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import connection

from reviewapp.audit import keys
from reviewapp.audit.chain import KeyChain, read_chain
from reviewapp.audit.events import Event
from reviewapp.audit.merkle import Tree
from reviewapp.audit.notes import VerifierKey
from reviewapp.audit.selectors import newest_checkpoint
from reviewapp.lib.clock import rfc3339
from reviewapp.lib.errors import Conflict

CHUNK = 2_000
LINES_AT_ONCE = 50
# Heads on the way to the newest one, by which a rewritten stretch is narrowed down: each costs the reader some
# milliseconds of arithmetic.
STEPS = 16
_READ = """
SELECT l.idx, l.hash, e.env, p.salt, p.data
FROM audit.leaf l JOIN audit.event e ON e.id = l.event_id LEFT JOIN audit.payload p ON p.event_id = e.id
WHERE l.idx > %(after)s AND l.idx < %(size)s
"""
# Without the rotations of the key the newest head could not be checked by somebody who trusts an older one.
_SCOPE = """
AND (e.event = %(rotated)s OR (
    (%(projects)s::text[] IS NULL OR e.project = ANY(%(projects)s::text[]))
    AND (%(since)s::timestamptz IS NULL OR e.at >= %(since)s::timestamptz)
    AND (%(until)s::timestamptz IS NULL OR e.at < %(until)s::timestamptz)
))
"""
_README = """\
The audit log of {origin}: {scope}
Written {at}. It covers the log up to its newest signed head at that moment: {size} events.

How to check it
    Unpack the zip, and run:   python3 verify.py
    It needs Python 3.10 or newer and nothing else, no network either. It answers OK, or what was changed and where.
    Better:                    python3 verify.py --known head.txt --key "..."
    head.txt is a signed head that you kept on an earlier day: a mail, a file, or the answer of
    GET /api/v1/audit/checkpoint. The key is the line of log.vkey as you got it from somewhere else than this zip.

What is in it
    events.jsonl      one event per line: i its place in the log, env what was recorded (who, what, when, on what), leaf
                      its hash, salt and data the part that can be erased: names, addresses, values before and after.
                      salt and data are null when they were erased by right; env proves that they were there.
    checkpoints.txt   signed heads of the log: so many events, with this root, signed with this key.
    log.vkey          the public keys that the log had, newest last.
{proofs}    verify.py         the check. It is short on purpose: read it, or write your own from the standards it names.

What it proves, and what not
    {proves}
    It does not prove that what an event says was true, or that everything was recorded at all.
    Whoever holds the log's private key can write a whole log anew. Only a head kept elsewhere before that tells.
"""
_PROOFS = """\
    proofs.jsonl      for every event its path to the newest head, for every older head its path to the newest.
"""
_WHOLE = "Nothing was changed, removed, added in between or moved since it was signed."
_PART = (
    "No event here was changed since it was signed, and each stands in the signed log at its place.\n"
    "    It does not prove that nothing was left out of this part; the bundle of the whole log does."
)


class NothingSigned(Conflict):
    """The log has no head yet."""

    code = "nothing-signed"


def stream_bundle(*, projects: list[str] | None, since: datetime | None, until: datetime | None) -> Iterator[bytes]:
    """The zip, in pieces of some kilobytes, in bounded memory.

    projects: slugs whose events are in it, None for all. since, until: the period, [since, until). With none of the
    three it is the whole log and proves that nothing is missing; else every event carries its inclusion proof. Who may
    have which part is the caller's question.
    Raises before the first byte: VerifierKeyMissing, NothingSigned.
    """
    newest = newest_checkpoint()
    if newest is None:
        raise NothingSigned(
            "The log has no signed head yet; the sequencer signs the first within seconds of its start."
        )
    trusted = keys.load_verifier_keys(settings.VERIFIER_DIR)
    part = _Part(
        size=newest.size,
        projects=projects,
        since=since,
        until=until,
        trusted=trusted,
        chain=read_chain(trusted=trusted),
    )
    return _zipped(part)


@dataclass(frozen=True)
class _Part:
    """What a bundle covers: the events below `size` within the scope."""

    size: int
    projects: list[str] | None
    since: datetime | None
    until: datetime | None
    trusted: list[VerifierKey]
    chain: KeyChain

    @property
    def is_whole(self) -> bool:
        return self.projects is None and self.since is None and self.until is None

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """(index, leaf hash, env, salt, data) in order."""
        query = f"{_READ}{'' if self.is_whole else _SCOPE} ORDER BY l.idx LIMIT {CHUNK}"
        values = {
            "after": -1,
            "size": self.size,
            "projects": self.projects,
            "since": self.since,
            "until": self.until,
            "rotated": Event.KEY_ROTATED.value,
        }
        while True:
            with connection.cursor() as cursor:
                cursor.execute(query, values)
                rows = cursor.fetchall()
            yield from rows
            if len(rows) < CHUNK:
                return
            values["after"] = rows[-1][0]

    def heads(self) -> list[tuple[int, str]]:
        """(size, note with its witnesses' lines) of the heads that are needed, the newest last."""
        wanted = {self.size, *(rotation.head for rotation in self.chain.rotations if rotation.head <= self.size)}
        with connection.cursor() as cursor:
            for step in range(1, STEPS) if self.is_whole else ():
                cursor.execute("SELECT min(size) FROM audit.checkpoint WHERE size >= %s", [self.size * step // STEPS])
                wanted.add(cursor.fetchone()[0])
            cursor.execute(
                "SELECT c.size, c.note || coalesce((SELECT string_agg(s.line || chr(10), '' ORDER BY s.witness)"
                " FROM audit.cosignature s WHERE s.size = c.size), '')"
                " FROM audit.checkpoint c WHERE c.size = ANY(%s) AND c.size <= %s ORDER BY c.size",
                [list(wanted), self.size],
            )
            return list(cursor.fetchall())

    def tree(self) -> Tree:
        """The tree that proofs come from."""
        return Tree(self.size, read_leaf_hashes)

    def readme(self) -> str:
        """The text for the auditor."""
        scope = "the whole log." if self.is_whole else "a part of the log."
        if self.projects is not None:
            scope = f"the events of {', '.join(self.projects) or 'no project'}."
        if self.since or self.until:
            since = rfc3339(self.since) if self.since else "the beginning"
            until = rfc3339(self.until) if self.until else "its newest event"
            scope = f"{scope.rstrip('.')}, from {since} to {until}."
        with connection.cursor() as cursor:
            cursor.execute("SELECT now()")
            at = rfc3339(cursor.fetchone()[0])
        return _README.format(
            origin=settings.LOG_ORIGIN,
            scope=scope,
            at=at,
            size=self.size,
            proofs="" if self.is_whole else _PROOFS,
            proves=_WHOLE if self.is_whole else _PART,
        )


def read_leaf_hashes(start: int, end: int) -> list[bytes]:
    """The stored leaf hashes of a range, in order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT hash FROM audit.leaf WHERE idx >= %s AND idx < %s ORDER BY idx", [start, end])
        return [bytes(row[0]) for row in cursor.fetchall()]


class _Sink:
    """What zipfile writes to: bytes stay here until they are taken."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.held = 0

    def write(self, data: bytes, /) -> int:
        self._pieces.append(bytes(data))
        self.held += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing waits anywhere else."""

    def close(self) -> None:
        """Nothing is open."""

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        self.held = 0
        return taken


def _zipped(part: _Part) -> Iterator[bytes]:
    sink = _Sink()
    script = files("reviewapp.audit.offline").joinpath("verify.py").read_text(encoding="utf-8")
    heads = part.heads()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        for name, lines in _members(part, heads, script):
            with archive.open(name, "w", force_zip64=True) as member:
                # Line by line would spend most of its time between the layers of zipfile.
                while block := "".join(islice(lines, LINES_AT_ONCE)):
                    member.write(block.encode())
                    if sink.held > 65_536:
                        yield sink.take()
    yield sink.take()


def _members(part: _Part, heads: list[tuple[int, str]], script: str) -> Iterator[tuple[str, Iterator[str]]]:
    """The files of the zip, each as an iterator of texts."""
    yield "README.txt", iter([part.readme()])
    yield "verify.py", iter([script])
    yield "log.vkey", (f"{key}\n" for key in part.trusted)
    yield "checkpoints.txt", (f"{note}\n" for _, note in heads)
    yield "events.jsonl", (_event_line(*row) for row in part.rows())
    if not part.is_whole:
        yield "proofs.jsonl", _proof_lines(part, [size for size, _ in heads])


def _event_line(index: int, value: bytes, env: str, salt: bytes | None, data: str | None) -> str:
    line = {
        "i": index,
        "env": env,
        "leaf": bytes(value).hex(),
        "salt": None if salt is None else bytes(salt).hex(),
        "data": data,
    }
    return _json_line(line)


def _proof_lines(part: _Part, sizes: list[int]) -> Iterator[str]:
    tree = part.tree()
    for row in part.rows():
        yield _json_line({"i": row[0], "path": [step.hex() for step in tree.inclusion(row[0])]})
    for size in sizes[:-1]:
        yield _json_line({"size": size, "path": [step.hex() for step in tree.consistency(size)]})


def _json_line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"
