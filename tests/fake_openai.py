"""A server on loopback that speaks `/v1/chat/completions` from a scripted plan. No network, nothing mocked.

The plan is a list of steps, one per request, the last repeated; or a function (request body) -> step.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Step:
    """What one request gets. verdicts: criterion -> verdict; the rest bends the answer.

    raw: the message's content as it stands, instead of the right JSON. body: the whole HTTP body.
    logprobs: criterion -> {token text: probability} at the place of its verdict.
    """

    verdicts: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    raw: str | None = None
    body: bytes | None = None
    refusal: str | None = None
    finish_reason: str = "stop"
    nonce: str | None = None
    logprobs: dict[str, dict[str, float]] | None = None
    usage: tuple[int, int] = (100, 20)


Plan = list[Step] | Callable[[dict[str, Any]], Step]


class FakeOpenAI:
    """`url` is the base URL; `requests` holds every body that came, `headers` their headers."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self._lock = threading.Lock()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                fake._answer(self)

            def do_GET(self) -> None:
                fake.paths.append(self.path)
                self.send_error(404)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign] # a client that gave up is expected
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """As a judge's base_url."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        with self._lock:
            number = len(self.requests)
            self.requests.append(body)
            self.headers.append({name.lower(): value for name, value in handler.headers.items()})
            self.paths.append(handler.path)
        step = self.plan(body) if callable(self.plan) else self.plan[min(number, len(self.plan) - 1)]
        time.sleep(step.delay)
        payload = step.body if step.body is not None else json.dumps(_completion(body, step)).encode()
        handler.send_response(step.status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(payload)),
            **step.headers,
        }.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(payload)

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    def start(self) -> None:
        """Begin serving."""
        self._thread.start()


def asked_nonce(body: dict[str, Any]) -> str:
    """The nonce that the request's schema demands."""
    schema = body["response_format"]["json_schema"]["schema"]
    return str(schema["properties"]["nonce"]["enum"][0])


def _completion(body: dict[str, Any], step: Step) -> dict[str, Any]:
    answers = {key: {"reasoning": f"because of {key}", "verdict": verdict} for key, verdict in step.verdicts.items()}
    text = step.raw
    if text is None:
        text = json.dumps({"nonce": step.nonce or asked_nonce(body), "answers": answers})
    choice: dict[str, Any] = {
        "index": 0,
        "finish_reason": step.finish_reason,
        "message": {"role": "assistant", "content": None if step.refusal else text, "refusal": step.refusal},
    }
    if step.logprobs is not None:
        choice["logprobs"] = {"content": _logprobs(text, step.logprobs), "refusal": None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": body["model"],
        "choices": [choice],
        "usage": {
            "prompt_tokens": step.usage[0],
            "completion_tokens": step.usage[1],
            "total_tokens": sum(step.usage),
        },
    }


def _logprobs(text: str, shares: dict[str, dict[str, float]]) -> list[dict[str, Any]]:
    """The text as tokens: one per character, but the verdicts' first token whole, with its alternatives."""
    import math

    places = {}
    for key, alternatives in shares.items():
        start = text.index('"verdict": ', text.index(f'"{key}": {{')) + len('"verdict": ')
        chosen = max(
            (token for token in alternatives if text.startswith(token, start) or text.startswith(token, start + 1)),
            key=len,
        )
        places[start if text.startswith(chosen, start) else start + 1] = (chosen, alternatives)
    tokens, position = [], 0
    while position < len(text):
        chosen, alternatives = places.get(position, (text[position], {text[position]: 1.0}))
        tops = [{"token": token, "logprob": math.log(share), "bytes": None} for token, share in alternatives.items()]
        tokens.append({"token": chosen, "logprob": math.log(alternatives[chosen]), "bytes": None, "top_logprobs": tops})
        position += len(chosen)
    return tokens


@contextmanager
def fake_openai(plan: Plan) -> Iterator[FakeOpenAI]:
    """A server for one block."""
    server = FakeOpenAI(plan)
    server.start()
    try:
        yield server
    finally:
        server.close()
