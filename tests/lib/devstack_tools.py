"""Starting the start-up itself: its commands in a `var/` of the test's own, without the servers that serve the test."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

TREE = Path(__file__).resolve().parents[2]
OF_THE_TEST_RUN = ("DATABASE", "REDIS_URL", "REVIEWAPP", "DJANGO", "PORT", "PYTEST", "MAKE")
BOUND_SECONDS = 60


def bare_environment(var: Path, **added: str) -> dict[str, str]:
    """Our environment without what this test run was told, and with `var` as the folder of all state."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(OF_THE_TEST_RUN)}
    return {**bare, "REVIEWAPP_VAR": str(var), **added}


def start(var: Path, *arguments: str, **added: str) -> "subprocess.Popen[str]":
    """Start `python -m reviewapp.lib.devstack`, both output streams in one pipe."""
    return subprocess.Popen(
        [sys.executable, "-m", "reviewapp.lib.devstack", *arguments],
        cwd=TREE,
        env=bare_environment(var, **added),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@contextlib.contextmanager
def started(var: Path, *arguments: str, **added: str) -> Iterator["subprocess.Popen[str]"]:
    """`start`, and whatever the test finds out, the process has ended afterwards."""
    process = start(var, *arguments, **added)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=BOUND_SECONDS)


def finish(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """The exit code and what was printed."""
    output, _ = process.communicate(timeout=BOUND_SECONDS)
    return process.returncode, output


def devstack(var: Path, *arguments: str, **added: str) -> tuple[int, str]:
    """Run one command to its end."""
    return finish(start(var, *arguments, **added))


def run_python(var: Path, code: str, **added: str) -> tuple[int, str]:
    """`devstack run -- python -c CODE`."""
    return devstack(var, "run", "--", sys.executable, "-c", code, **added)


def processes_of(var: Path) -> list[str]:
    """What runs and was started for something below `var`: by its mark, its command line or its open folder."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            facts = " ".join((*process.cmdline(), process.cwd(), process.environ().get("REVIEWAPP_STACK", "")))
            if str(var) in facts and process.pid != os.getpid():
                found.append(f"{process.pid} {facts}")
    return found
