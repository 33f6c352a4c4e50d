"""A keep-alive HTTP client for loopback. One per thread."""

from __future__ import annotations

import http.client
import json
import socket
import time
from dataclasses import dataclass
from typing import Any

CHUNK = 1024 * 1024


class Refused(RuntimeError):
    """The server answered with another status than the benchmark counts on."""


@dataclass(frozen=True)
class Streamed:
    """A download that was read and thrown away."""

    size: int
    lines: int
    first_byte_seconds: float


class Client:
    """Calls with a token under `/api/v1/projects/<project>/`, or with cookies for pages."""

    def __init__(self, port: int, *, project: str = "", token: str | None = None) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._base = f"/api/v1/projects/{project}/"
        self._is_open = False
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.cookies: dict[str, str] = {}

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def send(
        self, method: str, path: str, body: bytes | None = None, *, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers in lower case, body. path: relative to the project, or absolute."""
        answer = self._ask(method, path, body, headers or {})
        data = answer.read()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key.strip()] = rest.split(";")[0]
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, data

    def call(self, method: str, path: str, value: Any = None, *, expect: tuple[int, ...] = (200, 201)) -> Any:
        """The JSON answer, None for an empty one. Raises Refused for another status than expected."""
        body = None if value is None else json.dumps(value, separators=(",", ":")).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        status, _, data = self.send(method, path, body, headers=headers)
        if status not in expect:
            raise Refused(f"{method} {path} answered {status}: {data[:300]!r}")
        return json.loads(data) if data else None

    def bulk(self, path: str, body: bytes) -> dict[str, Any]:
        """Send NDJSON; the counts that came back. Raises Refused when a line was rejected."""
        status, _, data = self.send("POST", path, body, headers={"Content-Type": "application/x-ndjson"})
        counts: dict[str, Any] = json.loads(data) if status == 200 else {}
        if not counts or counts["rejected"]:
            raise Refused(f"POST {path} answered {status}: {data[:300]!r}")
        return counts

    def stream(self, path: str) -> Streamed:
        """Read a download without keeping it."""
        began = time.perf_counter()
        answer = self._ask("GET", path, None, {})
        if answer.status != 200:
            raise Refused(f"GET {path} answered {answer.status}: {answer.read(300)!r}")
        first_byte = time.perf_counter() - began
        size = lines = 0
        while chunk := answer.read(CHUNK):
            size += len(chunk)
            lines += chunk.count(b"\n")
        return Streamed(size, lines, first_byte)

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> http.client.HTTPResponse:
        if not self._is_open:
            self._connection.connect()
            opened: socket.socket = self._connection.sock
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._is_open = True
        sent = {**self._headers, **headers}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        url = path if path.startswith("/") else self._base + path
        self._connection.request(method, url, body=body, headers=sent)
        return self._connection.getresponse()
