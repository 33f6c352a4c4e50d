"""Starting processes so that they can be found again, and ending them, with everything below them, in bounded time."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import psutil

from reviewapp.lib.devstack.account import Account

MARK: Final = "REVIEWAPP_STACK"
POLL_SECONDS: Final = 0.05


def spawn(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    log: Path,
    folder: Path,
    account: Account | None = None,
) -> "subprocess.Popen[bytes]":
    """Start a process as the leader of its own session, its output appended to `log`.

    Its own session, so that Ctrl-C reaches only the supervisor, which then ends the processes in its order.
    """
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 (the commands are this package's own)
            [os.fspath(part) for part in command],
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )


def stop(process: "subprocess.Popen[bytes]", *, first: signal.Signals = signal.SIGTERM, grace_seconds: float) -> int:
    """Ask with `first`, wait, then kill the process's whole group. Returns the exit code of the process."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(first)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace_seconds)
    # Also after a clean end: a worker that its leader left behind would hold the port or the sockets.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def marked(mark: str) -> list[psutil.Process]:
    """The living processes that carry the mark of a stack, but for this one and those above it."""
    above = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid not in above and process.environ().get(MARK) == mark and is_alive(process):
                found.append(process)
    return found


def working_in(folder: Path) -> list[psutil.Process]:
    """The living processes whose working directory is `folder`: PostgreSQL's, when it is a data directory."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.cwd() == str(folder) and is_alive(process):
                found.append(process)
    return found


def end(leftovers: Sequence[psutil.Process], *, first: signal.Signals, grace_seconds: float) -> None:
    """End processes that are not our children any more."""
    for number, seconds in ((first, grace_seconds), (signal.SIGKILL, 5.0)):
        alive = [process for process in leftovers if is_alive(process)]
        for process in alive:
            with contextlib.suppress(psutil.Error):
                process.send_signal(number)
        wait_until(partial(have_ended, alive), seconds=seconds)


def have_ended(processes: Sequence[psutil.Process]) -> bool:
    """Whether none of them runs."""
    return not any(map(is_alive, processes))


def is_alive(process: psutil.Process) -> bool:
    """Whether it still runs. A zombie does not: in a container nobody may ever collect it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def wait_until(is_done: Callable[[], bool], *, seconds: float) -> bool:
    """Whether it became true within that time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_done():
            return True
        time.sleep(POLL_SECONDS)
    return is_done()


def last_lines(log: Path, count: int = 12) -> str:
    """The end of a log, for an error message."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join("    " + line for line in lines[-count:])
