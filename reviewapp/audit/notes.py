"""Signed checkpoints: C2SP signed notes with an Ed25519 key. Source: C2SP signed-note and tlog-checkpoint."""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519 = b"\x01"


@dataclass(frozen=True)
class Signer:
    """A named key. The private half stays in a file that only the sequencer's user can read."""

    name: str
    key: Ed25519PrivateKey

    @property
    def public_bytes(self) -> bytes:
        """The 32 bytes of the public key."""
        return self.key.public_key().public_bytes_raw()

    def sign(self, text: str) -> str:
        """The whole note: text (ending in a newline), a blank line, one signature line."""
        signature = key_id(self.name, self.public_bytes) + self.key.sign(text.encode())
        return f"{text}\n— {self.name} {base64.b64encode(signature).decode()}\n"


def key_id(name: str, public: bytes) -> bytes:
    """The first four bytes of SHA-256(name, newline, algorithm, key)."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def load_signer(directory: Path, name: str) -> Signer:
    """The log's key, made on first use with mode 0600. Raises OSError when the directory cannot be written."""
    path = directory / "log.ed25519"
    if not path.exists():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = Ed25519PrivateKey.generate().private_bytes_raw()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(fresh)
    signer = Signer(name, Ed25519PrivateKey.from_private_bytes(path.read_bytes()))
    verifier = directory / "log.vkey"
    if not verifier.exists():
        verifier.write_text(verifier_key(name, signer.public_bytes) + "\n")
    return signer


def load_public_key(directory: Path) -> bytes:
    """The 32 public bytes from `log.vkey`. Raises OSError when the sequencer never ran here."""
    encoded = (directory / "log.vkey").read_text().strip().split("+", 2)[2]  # base64 has plus signs of its own
    return base64.b64decode(encoded)[1:]


def verifier_key(name: str, public: bytes) -> str:
    """The public key as one line: `name+hex key id+base64(algorithm, key)`."""
    return f"{name}+{key_id(name, public).hex()}+{base64.b64encode(_ED25519 + public).decode()}"


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """The three lines that are signed."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def is_signed_by(note: str, *, name: str, public: bytes) -> bool:
    """Whether the note carries a valid signature line of this key over its text."""
    text, _, lines = note.rpartition("\n\n")
    wanted = key_id(name, public)
    for line in lines.splitlines():
        mark, _, rest = line.partition(" ")
        signer, _, encoded = rest.rpartition(" ")
        if mark != "—" or signer != name:
            continue
        raw = base64.b64decode(encoded)
        if raw[:4] != wanted:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], (text + "\n").encode())
        except InvalidSignature:
            return False
        return True
    return False
