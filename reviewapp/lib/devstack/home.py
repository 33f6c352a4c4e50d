"""Where one stack lives: its folder, its lock, and the folders that have to lie outside it."""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Final

from reviewapp.lib.devstack.account import Account
from reviewapp.lib.devstack.errors import StartError

TREE: Final = Path(__file__).resolve().parents[3]
# sockaddr_un holds 108 bytes on Linux and 104 on macOS; the file name in the folder takes up to 20 of them.
LONGEST_SOCKET_FOLDER: Final = 80
PLAIN_PATH: Final = re.compile(r"[A-Za-z0-9/._+-]+")


def var_folder() -> Path:
    """The folder of everything that the start makes: REVIEWAPP_VAR, else `var` in the tree."""
    return Path(os.environ.get("REVIEWAPP_VAR") or TREE / "var").absolute()


@dataclass(frozen=True)
class Home:
    """One stack's folder, and what must lie outside it: what the account cannot reach, or no socket can be named by."""

    folder: Path
    account: Account | None = None

    @property
    def mark(self) -> str:
        """What every process of this stack carries in its environment."""
        return str(self.folder)

    @property
    def digest(self) -> str:
        """A short name for the places outside."""
        return hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]

    @property
    def logs(self) -> Path:
        """The folder of the processes' output."""
        return self.folder / "logs"

    @cached_property
    def state_folder(self) -> Path:
        """Where PostgreSQL keeps its data: here, or, for root in a closed folder, where its account may go."""
        if self.account and not self.account.can_enter(self.folder):
            return machine_folder() / self.digest
        return self.folder

    @cached_property
    def socket_folder(self) -> Path:
        """A folder with a short, plain path for the sockets."""
        near = self.state_folder / "s"
        if len(os.fsencode(near)) <= LONGEST_SOCKET_FOLDER and PLAIN_PATH.fullmatch(str(near)):
            return near
        base = "" if self.account else os.environ.get("XDG_RUNTIME_DIR", "")
        if not (base and PLAIN_PATH.fullmatch(base) and os.access(base, os.W_OK | os.X_OK) and len(base) < 60):
            base = tempfile.gettempdir()
        if not PLAIN_PATH.fullmatch(base) or len(base) > 60:
            base = "/tmp"  # noqa: S108 (made with mode 0700 and checked to be ours in own_folder)
        return Path(base) / f"reviewapp-{os.getuid()}-{self.digest}"

    def prepare(self) -> None:
        """Make the folders, closed to other people."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True)
        if self.account:
            self.logs.chmod(0o700)
            self.folder.chmod(0o711)
        else:
            self.folder.chmod(0o700)
        if self.state_folder != self.folder:
            own_folder(self.state_folder, mode=0o711)
        own_folder(self.socket_folder, account=self.account)

    def remove(self) -> None:
        """Remove the stack's folders with all that is in them. Its processes must have ended."""
        for folder in dict.fromkeys((self.socket_folder, self.state_folder, self.folder)):
            shutil.rmtree(folder, ignore_errors=True)


def machine_folder() -> Path:
    """For root only: a folder that the servers' account can reach, though the tree is closed to it."""
    return Path("/var/lib/reviewapp")


def own_folder(folder: Path, *, account: Account | None = None, mode: int = 0o700) -> None:
    """Make `folder` with that mode, belonging to us or to the account. Refuses one that somebody else laid there."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(parents=True, mode=mode)
    facts = folder.lstat()
    expected = {os.getuid()} | ({account.uid} if account else set())
    if folder.is_symlink() or not folder.is_dir() or facts.st_uid not in expected:
        raise StartError(f"{folder} exists and is not ours. Remove it, or set XDG_RUNTIME_DIR to a folder of yours.")
    folder.chmod(mode)
    if account:
        os.chown(folder, account.uid, account.gid)


class HomeLock:
    """Held while a stack runs. The system frees it when the holder dies, however it dies."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "lock"
        self.file: IO[str] | None = None

    def take(self) -> bool:
        """Whether the lock is ours now. Writes our process id into it for the others' message."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("a+", encoding="ascii")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self.file = file
        return True

    def holder(self) -> str:
        """The process id of who holds it, as text."""
        try:
            return self.path.read_text(encoding="ascii") or "unknown"
        except OSError:
            return "unknown"

    def free(self) -> None:
        """Let go."""
        if self.file:
            self.file.close()
            self.file = None
