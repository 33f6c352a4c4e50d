"""The journal of erasures: a file beside the database, so that a backup from before is erased again after its restore.

One JSON object a line, appended and synced before an erasure is called done: `erasure`, `kind`, `project` (id),
`digest`, `at`, `eids` (events whose payloads went). No clear text: the digest is keyed, and the key lies beside it, not
in the database and not in a backup of it. Who holds both could try names against it; keep the folder as closed as the
log's keys.
"""

from __future__ import annotations

import fcntl
import hmac
import json
import os
import secrets
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from django.conf import settings

from reviewapp.lib.canonical import canonical_bytes


@dataclass(frozen=True)
class Entry:
    """One finished erasure."""

    erasure: str
    kind: str
    project: str | None
    digest: str
    at: str
    eids: tuple[str, ...]


def digest_of(*, kind: str, project: UUID | None, subject: str) -> str:
    """HMAC-SHA-256 of kind, project and subject in hex. Raises OSError when the key can neither be read nor made."""
    said = canonical_bytes([kind, str(project or ""), subject])
    return hmac.new(_key(), said, "sha256").hexdigest()


def append(entry: Entry) -> None:
    """Write one line and bring it to the disk. A line that is there twice does no harm."""
    folder = _folder()
    with (folder / "journal.jsonl").open("ab+") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        os.fchmod(journal.fileno(), 0o600)
        if journal.seek(0, os.SEEK_END):
            journal.seek(-1, os.SEEK_END)
            if journal.read(1) != b"\n":  # a power cut left half a line; it must not take this one with it
                journal.write(b"\n")
        journal.write(canonical_bytes(asdict(entry)) + b"\n")
        journal.flush()
        os.fsync(journal.fileno())


def entries() -> list[Entry]:
    """Every finished erasure, oldest first. A line that a power cut left unfinished is passed over: it was not done."""
    path = Path(settings.ERASURES_DIR) / "journal.jsonl"
    if not path.exists():
        return []
    found = []
    for line in path.read_bytes().split(b"\n"):
        try:
            read = json.loads(line)
        except ValueError:
            continue
        found.append(Entry(**{**read, "eids": tuple(read["eids"])}))
    return found


def _folder() -> Path:
    folder = Path(settings.ERASURES_DIR)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _key() -> bytes:
    """32 random bytes, made on first use: linked into place, so that of two first users one wins and both read it."""
    path = _folder() / "erasures.key"
    return _read_key(str(path))


@lru_cache(maxsize=4)
def _read_key(name: str) -> bytes:
    """Kept in memory: after a restore every end user's digest is computed once."""
    path = Path(name)
    if not path.exists():
        fresh = path.with_name(f".{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_bytes()
