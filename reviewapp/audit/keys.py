"""The keys of the log on disk, and how one follows another.

`log.ed25519` (mode 0600) is the sequencer's alone; `log.ed25519.next` waits for its next step. `log.vkey` is public:
every verifier key that the log ever had, one line each, newest last. It may lie in a folder of its own
(REVIEWAPP_VERIFIER), so that the web process can read it without seeing the others.

Every file appears whole or not at all, under its name at once: a process may be killed between any two of these steps.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reviewapp.audit.notes import COSIGNATURE, ED25519, Signer, VerifierKey
from reviewapp.lib.errors import Conflict, DomainError

CURRENT = "log.ed25519"
NEXT = "log.ed25519.next"
VERIFIERS = "log.vkey"
WITNESS = "witness.ed25519"
HEAD = "log.head"  # the newest signed size and root, outside the database


class VerifierKeyMissing(DomainError):
    """The public key of the log is not where this process looks for it."""

    code, title, status = "log-key-missing", "The log's public key is not here", 503


def has_signer(directory: Path) -> bool:
    """Whether the log's key lies here."""
    return (directory / CURRENT).exists()


def load_signer(directory: Path, name: str) -> Signer:
    """The log's key, made on first use. Raises OSError when the directory cannot be written."""
    return _load(directory / CURRENT, name, ED25519)


def load_witness(directory: Path, name: str) -> Signer:
    """The key with which this installation vouches for the logs of others, made on first use. Raises OSError."""
    return _load(directory / WITNESS, name, COSIGNATURE)


def _load(path: Path, name: str, algorithm: bytes) -> Signer:
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # another process was first; its key is the one
            _write_secret(path)
    return Signer(name, Ed25519PrivateKey.from_private_bytes(path.read_bytes()), algorithm)


def prepare_successor(directory: Path, name: str) -> VerifierKey:
    """A new key that the sequencer adopts at its next step. Raises Conflict when one waits already, and OSError."""
    if not has_signer(directory):
        raise Conflict("The log has no key here yet. Run this where the sequencer's keys are (REVIEWAPP_KEYS).")
    try:
        _write_secret(directory / NEXT)
    except FileExistsError as error:
        raise Conflict("A new key is prepared already; the sequencer adopts it at its next step.") from error
    prepared = successor(directory, name)
    if prepared is None:
        raise Conflict("The sequencer has adopted the key already.")
    return prepared.verifier


def successor(directory: Path, name: str) -> Signer | None:
    """The prepared key, None when there is none."""
    try:
        return Signer(name, Ed25519PrivateKey.from_private_bytes((directory / NEXT).read_bytes()))
    except FileNotFoundError:
        return None


def adopt_successor(directory: Path) -> None:
    """Put the prepared key in the place of the old one, whose private half is gone from then on."""
    (directory / NEXT).replace(directory / CURRENT)
    _sync(directory)


def introduce(directory: Path, key: VerifierKey) -> None:
    """Add a verifier key to the public list; nothing happens when it stands there."""
    path = directory / VERIFIERS
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    known = path.read_text() if path.exists() else ""
    if str(key) not in known.splitlines():
        write_whole(path, f"{known}{key}\n")


def load_verifier_keys(directory: Path) -> list[VerifierKey]:
    """Every key that the log ever had, newest last. Raises VerifierKeyMissing, and MalformedNote for a broken line."""
    try:
        lines = (directory / VERIFIERS).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise VerifierKeyMissing(
            f"The log's public key (log.vkey) cannot be read in {directory}. The sequencer writes it;"
            " REVIEWAPP_VERIFIER names the folder."
        ) from error
    found = [VerifierKey.parse(line) for line in lines if line.strip()]
    if not found:
        raise VerifierKeyMissing("The file with the log's public key is empty.")
    return found


def read_head(directory: Path) -> tuple[int, bytes]:
    """The size and root that were signed last; (0, b"") before the first. Raises OSError, ValueError."""
    path = directory / HEAD
    if not path.exists():
        return 0, b""
    size, root = path.read_text().split()
    return int(size), bytes.fromhex(root)


def write_head(directory: Path, size: int, root: bytes) -> None:
    """Keep what was just signed."""
    write_whole(directory / HEAD, f"{size} {root.hex()}\n")


def write_whole(path: Path, text: str) -> None:
    """Replace a file in one step, so that a reader or a crash sees the old text or the new one."""
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    _sync(path.parent)


def _write_secret(path: Path) -> None:
    """A fresh private key under a name that must be free. Raises FileExistsError."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(Ed25519PrivateKey.generate().private_bytes_raw())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(part, path)  # unlike a rename, this fails when the name is taken
    finally:
        part.unlink()
    _sync(path.parent)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
