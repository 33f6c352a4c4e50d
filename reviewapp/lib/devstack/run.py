"""`run -- COMMAND`: a command with throw-away servers of its own."""

import fcntl
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from reviewapp.lib.devstack.errors import StartError
from reviewapp.lib.devstack.home import HomeLock, var_folder
from reviewapp.lib.devstack.servers import Servers

STOP_SECONDS = 20.0


def run_command(command: Sequence[str], *, given: Mapping[str, str], keep: bool = False) -> int:
    """Start servers, run the command, stop the servers. Returns the command's exit code (128 + n for signal n).

    Several may run at once in one tree. `keep` leaves the folder, logs and data, for a look after the end.
    """
    runs = var_folder() / "test"
    with _guard(runs):
        _sweep(runs, given=given)
        folder = runs / secrets.token_hex(4)
        lock = HomeLock(folder)
        lock.take()
    servers = Servers(folder, given=given, is_throw_away=True)
    signal.signal(signal.SIGTERM, _raise_exit)
    try:
        servers.start()
        return _run(command, environment=servers.environment(var=folder / "var"))
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        servers.stop()
        if keep:
            print(f"Kept: {folder}")
        else:
            servers.home.remove()
        lock.free()


def _run(command: Sequence[str], *, environment: Mapping[str, str]) -> int:
    """Run the command in our own process group, so that it reads the terminal and gets Ctrl-C by itself."""
    Path(environment["REVIEWAPP_VAR"]).mkdir(parents=True, exist_ok=True)
    program = shutil.which(command[0])
    if program is None:
        raise StartError(f"There is no command {command[0]!r}.")
    process = subprocess.Popen([program, *command[1:]], env=dict(environment))  # noqa: S603 (it is the caller's command)
    try:
        code = _wait(process)
    except SystemExit:
        process.terminate()
        code = _wait_bounded(process)
    return 128 - code if code < 0 else code


def _wait(process: "subprocess.Popen[bytes]") -> int:
    """Wait; at Ctrl-C the command decides when to end, and a second one ends it."""
    for is_last in (False, True):
        try:
            return process.wait()
        except KeyboardInterrupt:
            if is_last:
                break
    process.terminate()
    return _wait_bounded(process)


def _wait_bounded(process: "subprocess.Popen[bytes]") -> int:
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _raise_exit(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


@contextmanager
def _guard(runs: Path) -> Iterator[None]:
    """One at a time: else a sweep could take a folder that another run has made and not locked yet."""
    runs.mkdir(parents=True, exist_ok=True)
    with (runs / ".guard").open("a", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _sweep(runs: Path, *, given: Mapping[str, str]) -> None:
    """Stop and remove what killed runs left: a folder whose lock is free has no owner any more."""
    for folder in runs.iterdir():
        lock = HomeLock(folder)
        if not folder.is_dir() or (folder / "kept").exists() or not lock.take():
            continue
        bare = {name: value for name, value in given.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        servers = Servers(folder, given=bare, is_throw_away=True)
        servers.stop_leftovers()
        servers.home.remove()
        lock.free()
