"""Which key signs which part of the log: from any one trusted key to all the others.

A rotation counts when its event names both keys and carries the signature of each over the two names, and the first
head that covers the event is signed by both. The signatures in the event are what binds: the app may write any event,
the log's key signs the head over it unread, and whoever owns the database can add a line of their own to that head.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from reviewapp.audit.events import Event
from reviewapp.audit.notes import MalformedNote, Note, VerifierKey, read_note, rotation_text


@dataclass(frozen=True)
class Rotation:
    """One key following another: the index of the event that says so, and the size of the head that both signed."""

    index: int
    head: int
    old: VerifierKey
    new: VerifierKey


@dataclass(frozen=True)
class KeyChain:
    """The keys of the log in order; `rotations[n]` leads from `keys[n]` to `keys[n + 1]`."""

    keys: tuple[VerifierKey, ...]
    rotations: tuple[Rotation, ...]

    def key_at(self, size: int) -> VerifierKey:
        """The key that must have signed a head over so many events."""
        return self.keys[sum(rotation.index < size for rotation in self.rotations)]

    def has_signed(self, note: Note) -> bool:
        """Whether the key of that time signed it."""
        return note.is_signed_by(self.key_at(note.size))

    def knows_any(self, trusted: Sequence[VerifierKey]) -> bool:
        """Whether one of the trusted keys is a key of this log."""
        return any(key in self.keys for key in trusted)


def read_chain(*, trusted: Sequence[VerifierKey]) -> KeyChain:
    """The chain that the log's tables tell. trusted: one key or more, for a log whose key was never changed.

    It proves nothing before `knows_any` is true and the events that it rests on were verified.
    """
    rotations: list[Rotation] = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.idx, e.env FROM audit.event e JOIN audit.leaf l ON l.event_id = e.id WHERE e.event = %s"
            " ORDER BY l.idx",
            [Event.KEY_ROTATED.value],
        )
        for index, env in cursor.fetchall():
            found = _rotation(index, env, note=_first_note_over(index))
            if found and (not rotations or rotations[-1].new == found.old):
                rotations.append(found)
    if rotations:
        first = rotations[0].old
    else:
        newest = _first_note_over(-1)
        first = next((key for key in trusted if newest and newest.is_signed_by(key)), trusted[0])
    return KeyChain((first, *(rotation.new for rotation in rotations)), tuple(rotations))


def _rotation(index: int, env: str, *, note: Note | None) -> Rotation | None:
    try:
        facts = json.loads(env)["facts"]
        old, new = VerifierKey.parse(facts["old_key"]), VerifierKey.parse(facts["new_key"])
        signatures = bytes.fromhex(facts["old_signature"]), bytes.fromhex(facts["new_signature"])
    except (ValueError, KeyError, TypeError, AttributeError, MalformedNote):
        return None  # not an event of the sequencer
    if note is None or not (note.is_signed_by(old) and note.is_signed_by(new)):
        return None
    text = rotation_text(old, new).encode()
    if not (old.verifies(signatures[0], text) and new.verifies(signatures[1], text)):
        return None
    return Rotation(index, note.size, old, new)


def _first_note_over(index: int) -> Note | None:
    """The smallest head that covers an event."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT note FROM audit.checkpoint WHERE size > %s ORDER BY size LIMIT 1", [index])
        row = cursor.fetchone()
    try:
        return read_note(row[0]) if row else None
    except MalformedNote:
        return None
