"""The one process that gives events their place. Design: SECURITY.md section 2.3."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Stop

from django.conf import settings
from django.db import connection, transaction

from reviewapp.audit import keys, notes
from reviewapp.audit.events import Event
from reviewapp.audit.merkle import CompactRange, leaf_hash
from reviewapp.audit.services import Subject, Who, record
from reviewapp.lib.clock import rfc3339, utc_now
from reviewapp.lib.errors import DomainError

logger = logging.getLogger(__name__)
# Only one sequencer may number events: two would give one index twice. Held for the connection, so a crash frees it.
SEQUENCER_LOCK = 0x5245_5649_4557
BATCH = 2_000
# A head at least every 60 seconds; the rest is room for the step that follows.
HEARTBEAT_SECONDS = 55
ANNOUNCE_SECONDS = 60
LOADED_AT_ONCE = 20_000


class LogRewritten(DomainError):
    """The tables do not extend the last signed head: an old backup was restored, or rows were changed. Nothing more is
    signed.
    """

    code = "log-rewritten"
    status = 500


@dataclass(frozen=True)
class _System:
    who: Who


SYSTEM = _System(Who(kind="system", id="sequencer", name="sequencer"))


class Sequencer:
    """Moves pending events into the tree and signs heads. One instance per process, after `acquire`."""

    def __init__(self, *, origin: str, keys_dir: Path, verifier_dir: Path | None = None) -> None:
        self.origin = origin
        self.keys_dir = keys_dir
        self.verifier_dir = verifier_dir or keys_dir
        self.signer: notes.Signer  # from `load` on: while another process holds the lock, it may change the key
        self.tree = CompactRange()
        self.newest_note = ""

    def acquire(self, stop: Stop, poll_seconds: float = 1.0) -> bool:
        """Wait for the lock; False when told to stop before it came."""
        while not stop.is_set():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_lock(%s)", [SEQUENCER_LOCK])
                if cursor.fetchone()[0]:
                    return True
            stop.wait(poll_seconds)
        return False

    def load(self) -> None:
        """Rebuild the tree from the leaves and hold it against the head kept outside the database; fetch the key.

        Every leaf is read, 20,000 at a time: a stored prefix would be faster and would not notice rewritten rows.
        Raises LogRewritten.
        """
        self._load_tree()
        self._load_key()

    def _load_tree(self) -> None:
        known_size, known_root = keys.read_head(self.keys_dir)
        self.tree = CompactRange()
        with connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(max(idx), -1) + 1 FROM audit.leaf")
            held = cursor.fetchone()[0]
            if held < known_size:
                raise LogRewritten(
                    f"The log holds {held} events, fewer than the {known_size} already signed; nothing is signed."
                    " Restore a newer copy, or begin a new log under another REVIEWAPP_ORIGIN."
                )
            while self.tree.size < held:
                cursor.execute(
                    "SELECT idx, hash FROM audit.leaf WHERE idx >= %s ORDER BY idx LIMIT %s",
                    [self.tree.size, LOADED_AT_ONCE],
                )
                for idx, value in cursor.fetchall():
                    if idx != self.tree.size:
                        raise LogRewritten(f"Leaf {self.tree.size} is missing; nothing is signed.")
                    self.tree.append(bytes(value))
                    if self.tree.size == known_size and self.tree.root() != known_root:
                        raise LogRewritten(
                            f"The first {known_size} events are not those that were signed; nothing is signed."
                        )

    @transaction.atomic
    def step(self) -> int:
        """Give places to at most BATCH waiting events and sign the new head; how many were placed.

        A prepared key is adopted first: the event that names it comes last in the batch, and both keys sign the head.
        """
        successor = keys.successor(self.keys_dir, self.origin)
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM audit.pending WHERE event_id IN"
                " (SELECT event_id FROM audit.pending ORDER BY event_id LIMIT %s) RETURNING event_id",
                [BATCH],
            )
            ids = sorted(row[0] for row in cursor.fetchall())
            if successor:
                ids.append(self._announce(successor))
            if not ids:
                return 0
            tree = self._place(ids)
            signers = [self.signer, successor] if successor else [self.signer]
            note = notes.sign_note(notes.checkpoint_text(self.origin, tree.size, tree.root()), signers)
            cursor.execute(
                "INSERT INTO audit.checkpoint (size, root, at, note) VALUES (%s, %s, clock_timestamp(), %s)",
                [tree.size, tree.root(), note],
            )
        transaction.on_commit(lambda: self._committed(tree, note, successor))
        return len(ids)

    def _place(self, ids: list[int]) -> CompactRange:
        """Write the leaves of these events after the newest one. Returns the tree with them."""
        tree = self.tree.copy()
        rows = []
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, env FROM audit.event WHERE id = ANY(%s) ORDER BY id", [ids])
            for event_id, env in cursor.fetchall():
                value = leaf_hash(env.encode())
                rows.append((tree.size, event_id, value))
                tree.append(value)
            cursor.executemany("INSERT INTO audit.leaf (idx, event_id, hash) VALUES (%s, %s, %s)", rows)
        return tree

    def _announce(self, successor: notes.Signer) -> int:
        """Record the new key and take the event out of the waiting line; its id."""
        old, new = self.signer.verifier, successor.verifier
        said = notes.rotation_text(old, new).encode()
        facts = {
            "old_key": str(old),
            "new_key": str(new),
            "old_signature": self.signer.key.sign(said).hex(),
            "new_signature": successor.key.sign(said).hex(),
        }
        # In the public list before the log names it: who reads a head never meets a key that is not there.
        keys.introduce(self.verifier_dir, successor.verifier)
        event = record(actor=SYSTEM, event=Event.KEY_ROTATED, subject=Subject("log", self.origin), facts=facts)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM audit.pending WHERE event_id = %s", [event.id])
        return event.id

    def _committed(self, tree: CompactRange, note: str, successor: notes.Signer | None) -> None:
        self.tree, self.newest_note = tree, note
        keys.write_head(self.keys_dir, tree.size, tree.root())
        if successor:
            keys.adopt_successor(self.keys_dir)
            self.signer = successor
            logger.info("the log is signed by a new key: %s", successor.verifier)

    def _load_key(self) -> None:
        """The key that the newest head asks for. Raises LogRewritten when it is not here.

        After a crash between the commit and the exchange of the files, that is the prepared one.
        """
        with connection.cursor() as cursor:
            cursor.execute("SELECT note FROM audit.checkpoint ORDER BY size DESC LIMIT 1")
            row = cursor.fetchone()
        if row and not keys.has_signer(self.keys_dir):
            raise LogRewritten(
                "The log is signed already, and its key is not here (REVIEWAPP_KEYS); nothing is signed."
            )
        self.signer = keys.load_signer(self.keys_dir, self.origin)
        if row:
            self.newest_note = row[0]
            newest = notes.read_note(row[0])
            successor = keys.successor(self.keys_dir, self.origin)
            if successor and newest.is_signed_by(successor.verifier):
                keys.adopt_successor(self.keys_dir)
                self.signer = successor
            elif not newest.is_signed_by(self.signer.verifier):
                raise LogRewritten("The newest head is not signed by the key that lies here; nothing is signed.")
        keys.introduce(self.verifier_dir, self.signer.verifier)

    def heartbeat(self) -> None:
        """An event that says the log is alive: a silence of more than a minute is then an alarm."""
        first = self.tree.size == 0
        with transaction.atomic():
            record(
                actor=SYSTEM,
                event=Event.LOG_STARTED if first else Event.HEARTBEAT,
                subject=Subject(kind="log", id=self.origin),
            )

    def announcement(self) -> str:
        """The newest head as one line of JSON, for the collector of the process's output."""
        size, root = self.tree.size, self.tree.root().hex()
        line = {
            "at": rfc3339(utc_now()),
            "event": "audit.checkpoint",
            "origin": self.origin,
            "size": size,
            "root": root,
        }
        return json.dumps({**line, "note": self.newest_note}, ensure_ascii=True)


def run(stop: Stop, *, say: Callable[[str], object], idle_seconds: float = 0.25) -> None:
    """Sequence until told to stop. `say` gets the newest head as a line of JSON, at most once a minute.

    Raises LogRewritten, and the database's errors when it is gone: the supervisor starts it anew.
    """
    sequencer = Sequencer(origin=settings.LOG_ORIGIN, keys_dir=settings.KEYS_DIR, verifier_dir=settings.VERIFIER_DIR)
    if not sequencer.acquire(stop):
        return
    sequencer.load()
    logger.info("sequencing %s from event %s", sequencer.origin, sequencer.tree.size)
    last_signed = last_said = float("-inf")
    said_size = 0
    while not stop.is_set():
        if sequencer.step():
            last_signed = time.monotonic()
        elif time.monotonic() - last_signed > HEARTBEAT_SECONDS:
            sequencer.heartbeat()
        else:
            stop.wait(idle_seconds)
        if sequencer.tree.size > said_size and time.monotonic() - last_said >= ANNOUNCE_SECONDS:
            say(sequencer.announcement())
            last_said, said_size = time.monotonic(), sequencer.tree.size
