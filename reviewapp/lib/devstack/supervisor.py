"""Keeping a list of processes alive: started in order, watched, started again a few times, stopped in reverse order."""

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from reviewapp.lib.devstack.errors import StartError
from reviewapp.lib.devstack.processes import last_lines, spawn, stop

RESTARTS: Final = 3
# Who has run this long has recovered: its restarts are forgiven, so that one hiccup a day never adds up to a stop.
STEADY_SECONDS: Final = 300.0
POLL_SECONDS: Final = 0.2

Say = Callable[[str], None]


class Supervised(Protocol):
    """One process of the stack, and the log where it says why it ended."""

    name: str
    log: Path
    process: "subprocess.Popen[bytes] | None"

    def start(self) -> None: ...
    def stop(self) -> None: ...


@dataclass
class Service:
    """A process of the application."""

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    grace_seconds: float = 10.0
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it; it is ready when it says so elsewhere."""
        self.process = spawn(self.command, environment=self.environment, log=self.log, folder=self.folder)

    def stop(self) -> None:
        """End it: asked first, killed with all below it when it does not end in `grace_seconds`."""
        if self.process:
            stop(self.process, grace_seconds=self.grace_seconds)
            self.process = None


@dataclass
class _Watch:
    """How often a process was started again, and when last."""

    restarts: int = 0
    started_at: float = field(default_factory=time.monotonic)


class Supervisor:
    """The processes of one stack, in the order of their start."""

    def __init__(self, *, say: Say) -> None:
        self.say = say
        self.members: list[Supervised] = []
        self._watches: dict[str, _Watch] = {}

    def add(self, member: Supervised) -> None:
        """Start a process and watch over it from now on."""
        self.members.append(member)
        member.start()
        self._watches[member.name] = _Watch()

    def check(self) -> None:
        """Start again whoever ended. Raises StartError when one has ended more often than that may happen."""
        for member in self.members:
            code = member.process.poll() if member.process else None
            if code is not None:
                self._restart(member, code)

    def stop(self) -> None:
        """Stop all, last started first."""
        while self.members:
            self.members.pop().stop()

    def _restart(self, member: Supervised, code: int) -> None:
        watch = self._watches[member.name]
        if time.monotonic() - watch.started_at > STEADY_SECONDS:
            watch.restarts = 0
        ended = f"{member.name} ended {ending(code)}"
        if watch.restarts == RESTARTS:
            raise StartError(
                f"{ended}, {RESTARTS + 1} times in a row; the stack stops. The end of {member.log}:\n"
                f"{last_lines(member.log)}"
            )
        watch.restarts += 1
        self.say(f"{ended}; starting it again ({watch.restarts} of {RESTARTS}). Its log: {member.log}")
        member.stop()
        time.sleep(min(watch.restarts, 2) * POLL_SECONDS)
        member.start()
        watch.started_at = time.monotonic()


def ending(code: int) -> str:
    """How a process ended, in words."""
    return f"by signal {-code}" if code < 0 else f"with exit code {code}"
