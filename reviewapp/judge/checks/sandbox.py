"""Our side of the helper process: ask, wait so long, kill.

`re` has no time limit, and no rule on its syntax separates the patterns that explode on some text from those that do
not. A process can be killed at any point. One serves a whole batch of texts; starting it costs about 40 ms.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

SECONDS = 2.0
START_SECONDS = 10.0
MAX_TEXT = 200_000
_HELPER = Path(__file__).with_name("helper.py")


class CheckFailed(Exception):
    """The check has no answer for this text. `failure` is a verdict error."""

    def __init__(self, failure: str, detail: str) -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail


class Sandbox:
    """A context manager; the process starts with the first question and ends with the block."""

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def search(self, pattern: str, texts: list[str]) -> list[bool]:
        """Whether the pattern matches anywhere in each text. Raises CheckFailed."""
        return [bool(found) for found in self._ask({"op": "search", "pattern": pattern, "texts": texts})]

    def capture(self, pattern: str, text: str) -> list[str]:
        """The distinct texts of the pattern's group. Raises CheckFailed."""
        return [str(found) for found in self._ask({"op": "capture", "pattern": pattern, "text": text})]

    def is_of_schema(self, schema: dict[str, Any], text: str) -> bool:
        """Whether the text is JSON of that form. Raises CheckFailed."""
        return bool(self._ask({"op": "schema", "schema": schema, "text": text}))

    def _ask(self, question: dict[str, Any]) -> Any:
        line = json.dumps(question).encode() + b"\n"
        if len(line) > 8 * MAX_TEXT:
            raise CheckFailed("malformed", "the text is longer than a check reads")
        answer = json.loads(self._exchange(line))
        if "error" in answer:
            raise CheckFailed("malformed", f"the check failed with {answer['error']}")
        return answer["found"]

    def _exchange(self, line: bytes) -> bytes:
        is_new = self._process is None
        process = self._process = self._process or self._start()
        source, sink = process.stdout, process.stdin
        if source is None or sink is None:
            raise RuntimeError("the helper process was started without pipes")
        deadline = time.monotonic() + self.seconds + (START_SECONDS if is_new else 0)
        try:
            sink.write(line)
            sink.flush()
        except OSError as error:
            self._stop()
            raise CheckFailed("malformed", "the helper process ended") from error
        answer = b""
        while not answer.endswith(b"\n"):
            ready, _, _ = select.select([source], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                self._stop()
                raise CheckFailed("timeout", f"the check took longer than {self.seconds:g} seconds")
            part = source.read1(1 << 20)  # type: ignore[attr-defined] # a pipe opened for bytes is buffered
            if not part:
                self._stop()
                raise CheckFailed("malformed", "the helper process ended")
            answer += part
        return answer

    def _start(self) -> subprocess.Popen[bytes]:
        # Nothing of the environment, no site hooks of the working directory (-I): it needs only the standard library
        # and this virtual environment.
        return subprocess.Popen(  # noqa: S603 - our own interpreter and our own script
            [sys.executable, "-I", str(_HELPER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={}
        )

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.communicate()
