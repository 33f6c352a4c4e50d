"""Signed checkpoints: C2SP signed notes with Ed25519 keys.

Source: C2SP signed-note, tlog-checkpoint and tlog-cosignature.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from reviewapp.lib.errors import DomainError

ED25519 = b"\x01"  # the signature of a log over its note
COSIGNATURE = b"\x04"  # the signature of a witness over the note's text and a time


class MalformedNote(DomainError):
    """A note or a verifier key that does not have the form of C2SP."""

    code, title, status = "malformed-note", "This is not a signed note", 400


@dataclass(frozen=True)
class VerifierKey:
    """A public key with its name. As text: `name+hex key id+base64(algorithm, key)`."""

    name: str
    public: bytes
    algorithm: bytes = ED25519

    @classmethod
    def parse(cls, line: str) -> VerifierKey:
        """The key of one line. Raises MalformedNote."""
        name, _, rest = line.strip().partition("+")
        hex_id, _, encoded = rest.partition("+")  # base64 has plus signs of its own
        raw = _decoded(encoded)
        if not name or len(raw) != 33 or raw[:1] not in (ED25519, COSIGNATURE):
            raise MalformedNote(f"Not a verifier key: {line.strip()[:100]!r}.")
        key = cls(name, raw[1:], raw[:1])
        if key.id.hex() != hex_id:
            raise MalformedNote(f"The verifier key {name} does not have the key id that it names.")
        return key

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(self.algorithm + self.public).decode()}"

    @property
    def id(self) -> bytes:
        """The first four bytes of SHA-256(name, newline, algorithm, key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + self.algorithm + self.public).digest()[:4]

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether the 64 bytes are this key's Ed25519 signature of the message."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class Signer:
    """A named key with its private half, which stays in a file that only its process can read."""

    name: str
    key: Ed25519PrivateKey
    algorithm: bytes = ED25519

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        return VerifierKey(self.name, self.key.public_key().public_bytes_raw(), self.algorithm)

    def line(self, text: str) -> str:
        """The signature line of a log over a note's text, without its newline."""
        return _signature_line(self.name, self.verifier.id + self.key.sign(text.encode()))

    def cosignature_line(self, text: str, *, at: int) -> str:
        """A witness's line over a checkpoint's text at a POSIX time in seconds (C2SP cosignature/v1)."""
        signature = at.to_bytes(8, "big") + self.key.sign(_cosigned(text, at))
        return _signature_line(self.name, self.verifier.id + signature)


@dataclass(frozen=True)
class Note:
    """A checkpoint and its signature lines. `text` is what was signed: origin, size, base64 root, each with newline."""

    text: str
    origin: str
    size: int
    root: bytes
    signatures: tuple[tuple[str, bytes], ...]  # name; key id and signature

    def is_signed_by(self, key: VerifierKey) -> bool:
        """Whether a line of the note is a valid signature of this log key."""
        return key.algorithm == ED25519 and any(
            key.verifies(raw[4:], self.text.encode()) for raw in self._lines_of(key, length=68)
        )

    def cosigned_at(self, key: VerifierKey) -> int | None:
        """The POSIX time at which this witness vouched for the checkpoint; None when no valid line says so."""
        if key.algorithm != COSIGNATURE:
            return None
        for raw in self._lines_of(key, length=76):
            at = int.from_bytes(raw[4:12], "big")
            if key.verifies(raw[12:], _cosigned(self.text, at)):
                return at
        return None

    def _lines_of(self, key: VerifierKey, *, length: int) -> list[bytes]:
        return [raw for name, raw in self.signatures if name == key.name and raw[:4] == key.id and len(raw) == length]


def sign_note(text: str, signers: list[Signer]) -> str:
    """The whole note: text (ending in a newline), a blank line, one line per signer."""
    return f"{text}\n" + "".join(f"{signer.line(text)}\n" for signer in signers)


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """The three lines that are signed."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def read_notes(content: str) -> list[Note]:
    """The notes of a text: one or more C2SP notes one after another, or the JSON answer of the checkpoint's address.

    Raises MalformedNote.
    """
    if content.lstrip().startswith("{"):
        try:
            answer = json.loads(content)
        except ValueError as error:
            raise MalformedNote("The text begins like JSON and is none.") from error
        content = answer.get("note") if isinstance(answer.get("note"), str) else ""
    notes: list[Note] = []
    body: list[str] = []
    lines: list[str] = []
    for line in [*content.splitlines(), ""]:
        if line.startswith("— "):
            lines.append(line)
        elif lines:
            notes.append(_note(body, lines))
            body, lines = [line] if line else [], []
        elif line:
            body.append(line)
    if body or not notes:
        raise MalformedNote("The text holds no whole signed note: three lines, a blank line, and a signature line.")
    return notes


def read_note(content: str) -> Note:
    """The one note of a text. Raises MalformedNote."""
    notes = read_notes(content)
    if len(notes) != 1:
        raise MalformedNote("Exactly one signed note was expected.")
    return notes[0]


def rotation_text(old: VerifierKey, new: VerifierKey) -> str:
    """What both keys sign when one follows the other; its second line is no number, so it is never a checkpoint."""
    return f"log key rotation\n{old}\n{new}\n"


def signature_of(line: str) -> tuple[str, bytes]:
    """(name, key id and signature) of one signature line. Raises MalformedNote."""
    mark, _, rest = line.partition(" ")
    name, _, encoded = rest.rpartition(" ")
    raw = _decoded(encoded)
    if mark != "—" or not name or len(raw) < 5:
        raise MalformedNote("A signature line is an em dash, a name and base64, with single spaces.")
    return name, raw


def _note(body: list[str], lines: list[str]) -> Note:
    # At most 16 digits: no log has more events, and the column that a size is compared with is a bigint.
    if len(body) != 3 or not (body[1].isascii() and body[1].isdigit() and len(body[1]) <= 16):
        raise MalformedNote("A checkpoint has three lines: the log's origin, the number of events, the root in base64.")
    if body[1] != str(int(body[1])):
        raise MalformedNote("The size of a checkpoint has no leading zeros.")
    root = _decoded(body[2])
    if len(root) != 32:
        raise MalformedNote("The root of a checkpoint is 32 bytes in base64.")
    text = "".join(f"{line}\n" for line in body)
    return Note(text, body[0], int(body[1]), root, tuple(signature_of(line) for line in lines))


def _signature_line(name: str, raw: bytes) -> str:
    return f"— {name} {base64.b64encode(raw).decode()}"


def _cosigned(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedNote("The text is not base64.") from error
