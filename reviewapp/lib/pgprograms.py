"""PostgreSQL's client programs: from the PATH, or from the wheel that brings the embedded server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from reviewapp.lib.devstack.errors import StartError
from reviewapp.lib.devstack.postgres import installed_programs
from reviewapp.lib.errors import DomainError


class ProgramFailed(DomainError):
    """A program is missing, too old for the server, or ended with an error; `detail` holds what it said."""

    code, title, status = "program-failed", "A program of PostgreSQL failed", 500


def run(name: str, arguments: Sequence[str], *, database: Mapping[str, Any], server_major: int) -> None:
    """Run `pg_dump` or `pg_restore` on a database given as Django's settings. Raises ProgramFailed.

    The password goes through the environment: a command line can be read by everybody on the machine.
    """
    program = _program(name, server_major)
    options = {key.upper(): str(value) for key, value in database["OPTIONS"].items() if key.startswith("ssl")}
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PGDATABASE": database["NAME"],
        "PGUSER": database["USER"],
        "PGPASSWORD": database["PASSWORD"],
        "PGHOST": database["HOST"],
        "PGPORT": str(database["PORT"] or ""),
        **{f"PG{key}": value for key, value in options.items()},
    }
    command = [str(program), "--no-password", *arguments]
    given = {key: value for key, value in environment.items() if value}
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)  # noqa: S603 (our own arguments)
    if done.returncode:
        raise ProgramFailed(f"{name} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")


def _program(name: str, server_major: int) -> Path:
    """One that is not older than the server, which refuses to be dumped by those."""
    found = []
    for path in _places(name):
        version = _major(path)
        found.append(f"{path} is version {version}")
        if version >= server_major:
            return path
    said = "; ".join(found) or "none was found"
    raise ProgramFailed(f"{name} of version {server_major} or newer is needed on the PATH; {said}.")


def _places(name: str) -> Iterator[Path]:
    on_path = shutil.which(name)
    if on_path:
        yield Path(on_path)
    try:
        yield installed_programs(None) / name
    except StartError:
        return


def _major(path: Path) -> int:
    said = subprocess.run([str(path), "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603 (found above)
    match = re.search(r"(\d+)", said)
    return int(match[1]) if match else 0
