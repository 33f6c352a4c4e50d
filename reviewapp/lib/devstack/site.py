"""The web server as seen from outside: its port, whether it is ready, and the files that it serves."""

import hashlib
import http.client
import socket
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reviewapp.lib.devstack.errors import StartError
from reviewapp.lib.devstack.home import TREE

LOOPBACK: Final = "127.0.0.1"
ANSWER_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Site:
    """The web server on this machine."""

    port: int

    @property
    def url(self) -> str:
        """The address of the first page."""
        return f"http://{LOOPBACK}:{self.port}/"

    def problem(self) -> str | None:
        """None when `/readyz` answers 200, else what it said."""
        try:
            status, text = self._get("/readyz")
        except (OSError, http.client.HTTPException) as error:
            return f"the web server does not answer ({error})"
        return None if status == http.client.OK else f"/readyz answers {status}: {text[:400]}"

    def first_page_problem(self) -> str | None:
        """Ask for the first page as a browser would; None when it came, else why it has not yet come.

        Raises StartError when the server fails at it.
        """
        try:
            status, text = self._get("/")
        except (OSError, http.client.HTTPException) as error:
            return f"the first page does not come ({error})"  # a busy machine compiles templates slowly
        if status >= http.client.INTERNAL_SERVER_ERROR:
            raise StartError(f"The first page answers {status}: {text[:400]}")
        return None

    def _get(self, path: str) -> tuple[int, str]:
        with closing(http.client.HTTPConnection(LOOPBACK, self.port, timeout=ANSWER_SECONDS)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read(4096).decode("utf-8", "replace")


def check_port(port: int) -> None:
    """Raises StartError, with a port that is free, when somebody else listens on `port`."""
    if _is_free(port):
        return
    other = next((candidate for candidate in range(port + 1, min(port + 100, 65536)) if _is_free(candidate)), None)
    advice = f" Start with another one: `make demo PORT={other}`." if other else " Start with another one: PORT=…"
    raise StartError(f"Port {port} is taken, or not open to you.{advice}")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def static_digest() -> str:
    """Changes whenever a file that is served, or a package that brings such files, changes."""
    digest = hashlib.sha256((TREE / "requirements" / "demo.txt").read_bytes())
    for path in sorted((TREE / "static").rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(TREE)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def preparation_digest() -> str:
    """Changes whenever a migration or a package changes: what a kept database was prepared by."""
    digest = hashlib.sha256((TREE / "requirements" / "demo.txt").read_bytes())
    for path in sorted((TREE / "reviewapp" / "migrations").glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def static_is_fresh(var: Path) -> bool:
    """Whether the collected files are those of now."""
    stamp = var / "static" / ".digest"
    return stamp.is_file() and stamp.read_text(encoding="ascii") == static_digest()


def stamp_static(var: Path) -> None:
    """Note that the files were collected."""
    (var / "static" / ".digest").write_text(static_digest(), encoding="ascii")
