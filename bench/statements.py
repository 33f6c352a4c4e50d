"""How many SQL statements a request needs, counted in process around Django's connection."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test import Client

from bench import payload, rivals
from bench.measure import Row
from bench.reviewing import QUEUE
from bench.world import PROJECT, World

REPEATS = 5


class Counted:
    """Django's execute wrapper that keeps the statements."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.statements.append(" ".join(str(sql).split()))
        return execute(sql, params, many, context)


def measure(world: World) -> list[Row]:
    """Statements of a lease and of a submit, after a first pair that fills caches; the list of the last ones."""
    rng = random.Random(1)
    leases, submits = [], []
    for _ in range(REPEATS + 1):
        with connection.execute_wrapper(leased := Counted()):
            lease = _post(world, f"queues/{QUEUE}/lease/", None)
        with connection.execute_wrapper(submitted := Counted()):
            _post(world, f"leases/{lease['id']}/submit/", {"grades": payload.grades(rng)})
        leases.append(len(leased.statements))
        submits.append(len(submitted.statements))
    note = "Without BEGIN, COMMIT and COPY."
    return [
        Row("SQL statements of a lease", _shown(leases[1:]), rival=rivals.LEASE_STATEMENTS, note=note),
        Row("SQL statements of a submit", _shown(submits[1:]), rival=rivals.SUBMIT_STATEMENTS, note=note),
    ]


def _shown(counts: list[int]) -> str:
    return str(counts[0]) if len(set(counts)) == 1 else f"{min(counts)}-{max(counts)}"


def _post(world: World, path: str, value: Any) -> dict[str, Any]:
    client = Client(SERVER_NAME="127.0.0.1", headers={"Authorization": f"Bearer {world.reviewer_tokens[0]}"})
    body = b"" if value is None else json.dumps(value).encode()
    answer = client.generic("POST", f"/api/v1/projects/{PROJECT}/{path}", body, content_type="application/json")
    if answer.status_code not in (200, 201):
        raise RuntimeError(f"{path} answered {answer.status_code}: {answer.content[:300]!r}")
    found: dict[str, Any] = json.loads(answer.content)
    return found
