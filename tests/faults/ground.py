"""What the catalogue of bad inputs stands on: one project with work in it, and short words for sending."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from reviewapp.access.actors import SYSTEM, Actor
from reviewapp.access.services import create_project
from reviewapp.audit.models import Event
from reviewapp.queues.models import Queue
from reviewapp.queues.services import EnqueueIn, enqueue
from tests.conftest import Answer, Api, Cast, personal_api, service_api
from tests.queues.arrange import make_outputs, make_queue

LEAKS = (b"Traceback", b'File "', b"site-packages", b"psycopg", b"django.db", b"SELECT ")


class Ground:
    """The cast's project with a queue `answers` of three items, and everybody's programs."""

    def __init__(self, cast: Cast, client: Client) -> None:
        self.cast = cast
        self.queue: Queue = make_queue(cast, slug="answers")
        make_outputs(cast.project, 3)
        enqueue(actor=cast.max, queue=self.queue, body=EnqueueIn(external_ids=["out-0", "out-1", "out-2"]))
        create_project(actor=SYSTEM, slug="other", title="Other")
        self.api: Api = service_api(cast)
        self.rita: Api = personal_api(cast.rita, scopes=["review"])
        self.rob: Api = personal_api(cast.rob, scopes=["review"])
        self.max: Api = personal_api(cast.max, scopes=["manage", "labels:read", "ingest"])
        self.nobody = Api(None, cast.project.slug)

    def browser(self, actor: Actor, **options: Any) -> Client:
        """Somebody's browser."""
        client = Client(raise_request_exception=False, **options)
        client.force_login(actor.person, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    def send(self, **record: Any) -> Answer:
        """One output."""
        return self.api.post("outputs/", {"external_id": "x", "input": "q", "output": "a", **record})

    def raw(self, body: bytes | str, path: str = "outputs/", **more: Any) -> Answer:
        """A body as it stands."""
        data = body.encode() if isinstance(body, str) else body
        return self.api.call("POST", path, data, **more)

    def lease(self, api: Api | None = None) -> dict[str, Any]:
        """The next item for somebody, Rita by default."""
        answer = (api or self.rita).post("queues/answers/lease/")
        assert answer.status == 200, answer.raw
        return answer.body

    def refused(self) -> int:
        """Refusals that stand in the log."""
        return Event.objects.filter(event="access.denied").count()


@dataclass(frozen=True)
class Row:
    """One line of the catalogue: what is sent and what must come back.

    send: does it and returns the last answer. status: the only ones allowed. then: looks at what is left behind.
    seconds: the answer must be there by then. logged: whether one refusal must stand in the log.
    """

    number: int
    what: str
    send: Callable[[Ground], Any]
    status: tuple[int, ...]
    then: Callable[[Ground, Any], object] | None = None
    seconds: float | None = None
    logged: bool = False
    tags: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """For the name of the test."""
        return f"{self.number:02d}-{self.what.replace(' ', '-')}"


def check(row: Row, ground: Ground) -> None:
    """Send it, and hold the answer against the row."""
    before, began = ground.refused(), time.monotonic()
    answer = row.send(ground)
    took = time.monotonic() - began
    status, headers, raw = parts(answer)
    assert status in row.status, f"{status}: {raw[:500]!r}"
    if status >= 400:
        assert not [leak for leak in LEAKS if leak in raw], raw[:500]
    is_program = isinstance(answer, Answer)
    if is_program and status >= 400 and b'"accepted"' not in raw:
        body = json.loads(raw)
        assert headers["Content-Type"] == "application/problem+json"
        assert {"type", "title", "status", "detail", "instance", "errors"} <= set(body)
        assert body["status"] == status
        assert len(body["detail"]) > 10
    if row.seconds is not None:
        assert took < row.seconds, f"{took:.2f} s"
    if row.logged:
        assert ground.refused() > before
    if row.then is not None:
        assert row.then(ground, answer) is not False, raw[:500]


def parts(answer: Any) -> tuple[int, Any, bytes]:
    """Status, headers and body of an API answer or of a page."""
    if isinstance(answer, Answer):
        return answer.status, answer.headers, answer.raw
    return answer.status_code, answer.headers, answer.content
