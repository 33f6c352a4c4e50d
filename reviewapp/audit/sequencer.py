"""The one process that gives events their place. Design: SECURITY.md section 2.3."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Stop

from django.conf import settings
from django.db import connection, transaction

from reviewapp.audit import notes
from reviewapp.audit.events import Event
from reviewapp.audit.merkle import CompactRange, leaf_hash
from reviewapp.audit.services import Subject, Who, record
from reviewapp.lib.errors import DomainError

logger = logging.getLogger(__name__)
# Only one sequencer may number events: two would give one index twice. Held for the connection, so a crash frees it.
SEQUENCER_LOCK = 0x5245_5649_4557
BATCH = 2_000
HEARTBEAT_SECONDS = 60


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

    def __init__(self, *, origin: str, keys: Path) -> None:
        self.origin = origin
        self.signer = notes.load_signer(keys, origin)
        self.head_file = keys / "log.head"
        self.tree = CompactRange()

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
        """Rebuild the tree from the leaves and hold it against the head kept outside the database.

        Raises LogRewritten.
        """
        known_size, known_root = self._known_head()
        self.tree = CompactRange()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM audit.leaf")
            if cursor.fetchone()[0] < known_size:
                raise LogRewritten(
                    f"The log holds fewer events than the {known_size} already signed; nothing is signed."
                )
            cursor.execute("SELECT idx, hash FROM audit.leaf ORDER BY idx")
            while rows := cursor.fetchmany(10_000):
                for idx, value in rows:
                    if idx != self.tree.size:
                        raise LogRewritten(f"Leaf {self.tree.size} is missing; nothing is signed.")
                    self.tree.append(bytes(value))
                    if self.tree.size == known_size and self.tree.root() != known_root:
                        raise LogRewritten(f"The first {known_size} events are not those that were signed.")

    @transaction.atomic
    def step(self) -> int:
        """Give places to at most BATCH waiting events and sign the new head; how many were placed."""
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM audit.pending WHERE event_id IN"
                " (SELECT event_id FROM audit.pending ORDER BY event_id LIMIT %s) RETURNING event_id",
                [BATCH],
            )
            ids = sorted(row[0] for row in cursor.fetchall())
            if not ids:
                return 0
            cursor.execute("SELECT id, env FROM audit.event WHERE id = ANY(%s) ORDER BY id", [ids])
            tree = CompactRange()
            tree.size, tree._roots = self.tree.size, list(self.tree._roots)
            rows = []
            for event_id, env in cursor.fetchall():
                value = leaf_hash(env.encode())
                rows.append((tree.size, event_id, value))
                tree.append(value)
            cursor.executemany("INSERT INTO audit.leaf (idx, event_id, hash) VALUES (%s, %s, %s)", rows)
            note = self.signer.sign(notes.checkpoint_text(self.origin, tree.size, tree.root()))
            cursor.execute(
                "INSERT INTO audit.checkpoint (size, root, at, note) VALUES (%s, %s, clock_timestamp(), %s)",
                [tree.size, tree.root(), note],
            )
        transaction.on_commit(lambda: self._commit(tree))
        return len(rows)

    def _commit(self, tree: CompactRange) -> None:
        self.tree = tree
        text = f"{tree.size} {tree.root().hex()}\n"
        part = self.head_file.with_suffix(".part")
        part.write_text(text)
        part.replace(self.head_file)

    def _known_head(self) -> tuple[int, bytes]:
        if not self.head_file.exists():
            return 0, b""
        size, root = self.head_file.read_text().split()
        return int(size), bytes.fromhex(root)

    def heartbeat(self) -> None:
        """An event that says the log is alive: a silence of more than a minute is then an alarm."""
        first = self.tree.size == 0
        with transaction.atomic():
            record(
                actor=SYSTEM,
                event=Event.LOG_STARTED if first else Event.HEARTBEAT,
                subject=Subject(kind="log", id=self.origin),
            )


def run(stop: Stop, *, idle_seconds: float = 0.25) -> None:
    """Sequence until told to stop.

    Raises LogRewritten, and the database's errors when it is gone: the supervisor starts it anew.
    """
    sequencer = Sequencer(origin=settings.LOG_ORIGIN, keys=settings.KEYS_DIR)
    if not sequencer.acquire(stop):
        return
    sequencer.load()
    logger.info("sequencing %s from event %s", sequencer.origin, sequencer.tree.size)
    last_signed = 0.0
    while not stop.is_set():
        if sequencer.step():
            last_signed = time.monotonic()
        elif time.monotonic() - last_signed > HEARTBEAT_SECONDS or not sequencer.tree.size:
            sequencer.heartbeat()
        else:
            stop.wait(idle_seconds)
