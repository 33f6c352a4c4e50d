"""Witnesses: one installation vouches that the log of another only ever grows. Source: C2SP tlog-witness.

As a client (`Witness`) we bring our newest head to whoever vouches for us, with the proof that it extends the one they
saw before, and keep their signature beside the head. As a witness (`vouch`) we do the same for the logs that
REVIEWAPP_WITNESS_FOR names, and never sign a head that does not extend the newest one that we signed.
"""

from __future__ import annotations

import base64
import binascii
import time
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from reviewapp.access.actors import system_actor
from reviewapp.access.limits import is_first
from reviewapp.audit import keys
from reviewapp.audit.bundle import read_leaf_hashes
from reviewapp.audit.events import Event
from reviewapp.audit.merkle import EMPTY_ROOT, Tree, is_consistent
from reviewapp.audit.models import Checkpoint, Cosignature
from reviewapp.audit.notes import MalformedNote, Note, VerifierKey, read_note, signature_of
from reviewapp.audit.services import Change, Subject, record, record_alone
from reviewapp.compliance.models import WitnessedLog
from reviewapp.compliance.services.places import NotPublished, post
from reviewapp.lib import outbound
from reviewapp.lib.errors import AccessDenied, Conflict, Malformed, NotFound, Unprocessable

MAX_REQUEST = 64 * 1024
MAX_PROOF = 63
DAY_SECONDS = 24 * 3600
WITNESS = system_actor("witness")


class OtherSize(Conflict):
    """The log's idea of what we saw last is not ours; `size` is ours."""

    code = "other-size"

    def __init__(self, size: int) -> None:
        super().__init__(f"The newest head that was vouched for here covers {size} events.")
        self.size = size


class OtherRoot(OtherSize):
    """A second log of the same size under the same name."""


class NotAnExtension(Unprocessable):
    """The proof does not lead from the head that we vouched for to the new one."""

    code = "not-an-extension"


@dataclass(frozen=True)
class Witness:
    """The client. entry: `https://host/prefix` and the witness's verifier key, with a space between."""

    entry: str
    minutes: int
    rung = "witness"

    @property
    def target(self) -> str:
        """The address without the key."""
        return self.entry.partition(" ")[0]

    def send(self, head: Checkpoint, *, known_size: int) -> None:
        """Ask for a signature over the head and keep it; when the witness knows another size, once more from there."""
        url, _, line = self.entry.partition(" ")
        try:
            key = VerifierKey.parse(line)
        except MalformedNote as error:
            raise NotPublished(
                "REVIEWAPP_WITNESSES needs an address, a space and the witness's verifier key."
            ) from error
        answer = self._ask(url, head, known_size)
        if answer.status == 409:
            known_size = _told_size(answer.body)
            if known_size > head.size:
                raise NotPublished(
                    f"The witness vouched for {known_size} events, the log has {head.size}: it was set back."
                )
            answer = self._ask(url, head, known_size)
        if answer.status != 200:
            raise NotPublished(_REFUSALS.get(answer.status, f"The witness answered with status {answer.status}."))
        Cosignature.objects.bulk_create(
            [Cosignature(checkpoint=head, witness=key.name, line=_checked_line(answer.body, head, key))],
            ignore_conflicts=True,
        )

    def _ask(self, url: str, head: Checkpoint, known_size: int) -> outbound.Answer:
        proof = Tree(head.size, read_leaf_hashes).consistency(known_size) if known_size < head.size else []
        lines = [f"old {known_size}", *(base64.b64encode(step).decode() for step in proof), "", head.note]
        return post(f"{url.rstrip('/')}/add-checkpoint", "\n".join(lines).encode(), {"Content-Type": "text/plain"})


_REFUSALS = {
    403: "The witness does not know the key that signs this log.",
    404: "The witness does not vouch for this log.",
    409: "The witness saw another log under this name.",
    422: "The witness says that this log does not extend the one it saw.",
}


def _told_size(body: bytes) -> int:
    text = body.strip()
    if not (text.isdigit() and len(text) <= 16):
        raise NotPublished("The witness saw another log under this name.")
    return int(text)


def _checked_line(body: bytes, head: Checkpoint, key: VerifierKey) -> str:
    """The line of this witness over this head. Raises NotPublished."""
    note = read_note(head.note)
    try:
        for line in body.decode().splitlines():
            signed = Note(note.text, note.origin, note.size, note.root, (signature_of(line),))
            if signed.cosigned_at(key) is not None:
                return line
    except (MalformedNote, UnicodeDecodeError) as error:
        raise NotPublished("The witness's answer is not a signature line.") from error
    raise NotPublished("The witness's answer is not signed by the key that it should have.")


# --- the witness ---
@dataclass(frozen=True)
class Request:
    """What a log asks: to vouch that `note` extends its head over `old_size` events."""

    old_size: int
    proof: tuple[bytes, ...]
    note: Note

    @classmethod
    def parse(cls, body: bytes) -> Request:
        """The body of add-checkpoint. Raises Malformed."""
        try:
            head, _, note = body.decode().partition("\n\n")
            first, *lines = head.split("\n")
            word, _, size = first.partition(" ")
            proof = tuple(base64.b64decode(line, validate=True) for line in lines)
            made = cls(int(size), proof, read_note(note))
        except (ValueError, binascii.Error, MalformedNote) as error:
            raise Malformed("The body is `old <size>`, proof lines, a blank line and a checkpoint.") from error
        is_sound = word == "old" and size.isascii() and size.isdecimal() and size == str(made.old_size)
        if not is_sound or len(proof) > MAX_PROOF or any(len(step) != 32 for step in proof):
            raise Malformed("The first line is `old <size>`; at most 63 lines of 32 bytes in base64 follow.")
        if made.old_size > made.note.size:
            raise Malformed("The old size is larger than the checkpoint's.")
        return made


def vouch(*, request: Request) -> str:
    """A signature line over the note of a log that we vouch for, with its newline.

    Raises NotFound (unknown origin), AccessDenied (unknown key), OtherSize, OtherRoot, NotAnExtension.
    """
    trusted = _trusted(request.note.origin)
    if not any(request.note.is_signed_by(key) for key in trusted):
        raise AccessDenied("The checkpoint is not signed by the key that is known here for this log.")
    try:
        return _vouch(request, trusted)
    except (NotAnExtension, OtherRoot):
        # The log's key signed this head, but heads are public: anybody can send one with a proof that does not fit. So
        # each is told once a day.
        if is_first("witness-refused", request.note.text, seconds=DAY_SECONDS):
            record_alone(
                actor=WITNESS,
                event=Event.WITNESS_REFUSED,
                subject=Subject("log", request.note.origin),
                change=Change(more={"note": request.note.text}),
            )
        raise


def witness_key() -> str:
    """The verifier key by which others check our signatures; made on first use. Raises OSError."""
    return str(keys.load_witness(settings.WITNESS_KEYS_DIR, settings.WITNESS_NAME).verifier)


def _trusted(origin: str) -> list[VerifierKey]:
    known = [VerifierKey.parse(line) for line in settings.WITNESS_FOR]
    found = [key for key in known if key.name == origin]
    if not found:
        raise NotFound("This installation does not vouch for that log.")
    return found


@transaction.atomic
def _vouch(request: Request, trusted: list[VerifierKey]) -> str:
    """Check and remember under the row's lock: of two requests at once, the second sees what the first one left."""
    note = request.note
    first = WitnessedLog(origin=note.origin, verifier_key="", size=0, root=EMPTY_ROOT, note="", seen_at=Now())
    WitnessedLog.objects.bulk_create([first], ignore_conflicts=True)
    seen = WitnessedLog.objects.select_for_update().get(origin=note.origin)
    if request.old_size != seen.size:
        raise OtherSize(seen.size)
    if note.size == seen.size and note.root != bytes(seen.root):
        raise OtherRoot(seen.size)
    if not is_consistent(
        old_size=seen.size, old_root=bytes(seen.root), size=note.size, root=note.root, proof=request.proof
    ):
        raise NotAnExtension("The checkpoint does not extend the newest one that was vouched for here.")
    signer = keys.load_witness(settings.WITNESS_KEYS_DIR, settings.WITNESS_NAME)
    if seen.size == 0:
        facts = {"size": str(note.size), "root": note.root.hex(), "witness_key": str(signer.verifier)}
        record(actor=WITNESS, event=Event.WITNESS_BEGAN, subject=Subject("log", note.origin), facts=facts)
    WitnessedLog.objects.filter(origin=note.origin).update(
        verifier_key=next(str(key) for key in trusted if note.is_signed_by(key)),
        size=note.size,
        root=note.root,
        note=note.text,
        seen_at=Now(),
    )
    return signer.cosignature_line(note.text, at=int(time.time())) + "\n"
