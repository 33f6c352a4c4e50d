"""Who runs PostgreSQL. It refuses to run as root, so root lends it an account that the system already has."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reviewapp.lib.devstack.errors import StartError

# `postgres` is made for just this where it exists; `nobody` exists nearly everywhere.
CANDIDATES: Final = ("postgres", "nobody", "daemon")


@dataclass(frozen=True)
class Account:
    """An unprivileged account of the system."""

    name: str
    uid: int
    gid: int

    def can_enter(self, folder: Path) -> bool:
        """Whether this account reaches `folder`, or the nearest folder above it that exists."""
        while not folder.is_dir():
            folder = folder.parent
        return self._shell('cd -- "$1"', folder) == 0

    def can_run(self, program: Path) -> bool:
        """Whether this account can execute `program`."""
        return self._shell('"$1" --version', program) == 0

    def _shell(self, script: str, path: Path) -> int:
        command = ["/bin/sh", "-c", script, "sh", str(path)]
        return subprocess.run(  # noqa: S603 (a fixed script, the path is its argument)
            command, user=self.uid, group=self.gid, extra_groups=[], cwd="/", capture_output=True, check=False
        ).returncode


def server_account() -> Account | None:
    """None for a plain user, who runs PostgreSQL himself; for root the account that does it."""
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        account = Account(name, entry.pw_uid, entry.pw_gid)
        if entry.pw_uid != 0 and _can_become(account):
            return account
    raise StartError(
        "PostgreSQL does not run as root, and this system lets root become none of "
        f"{', '.join(CANDIDATES)}. Start as a plain user, or set DATABASE_URL to a server that runs."
    )


def _can_become(account: Account) -> bool:
    try:
        return account.can_enter(Path("/"))
    except (PermissionError, OSError):
        return False
