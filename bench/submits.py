"""Processes that lease and submit through the services, with the audit as it is or replaced by something else."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Callable
from typing import Any

from bench import payload
from bench.measure import Reading

# Connections, imports and plans of the first rounds are not what is measured.
WARMING = 5
_CHAIN_LOCK = 7_077
_LAST = "SELECT idx, hash FROM bench_chain ORDER BY idx DESC LIMIT 1"


def run(environment: dict[str, str], *, clients: int, seconds: float, mode: str) -> Reading:
    """Submits by so many processes, for so long or until nothing waits. mode: `on`, `off` or `chain`."""
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(clients), context.Queue()
    processes = [
        context.Process(target=_loop, args=(environment, number, seconds, mode, barrier, answers), daemon=True)
        for number in range(clients)
    ]
    for process in processes:
        process.start()
    counted = [answers.get(timeout=seconds + 120) for _ in processes]
    for process in processes:
        process.join()
    return Reading(
        operations=sum(count for count, _, _ in counted),
        seconds=max(spent for _, spent, _ in counted),
        cpu_seconds=sum(cpu for _, _, cpu in counted),
    )


def _loop(environment: dict[str, str], number: int, seconds: float, mode: str, barrier: Any, answers: Any) -> None:
    os.environ.update(environment, DJANGO_SETTINGS_MODULE="config.settings", DATABASE_POOL_SIZE="1")
    import django

    django.setup()
    import psycopg
    from django.db import OperationalError

    from reviewapp.access.actors import Actor
    from reviewapp.access.models import User
    from reviewapp.grading.services import submit_review
    from reviewapp.grading.services.answers import AnswerIn
    from reviewapp.queues.models import Queue
    from reviewapp.queues.services import lease_next

    if mode != "on":
        _replace_record(_unrecorded if mode == "off" else _chained())
    queue = Queue.objects.select_related("project").get(slug="auditing")
    actor = Actor(user=User.objects.get(username=f"reviewer{number}"))
    rng, count = random.Random(number), 0

    def submitted() -> bool:
        if (lease := lease_next(actor=actor, queue=queue)) is None:
            return False
        submit_review(actor=actor, lease=lease, answer=AnswerIn(grades=payload.grades(rng), active_seconds=12.5))
        return True

    def tried() -> int:
        """1 for a submit, 0 for one that ended in a deadlock: a lock that every request takes meets its other locks."""
        try:
            return int(submitted())
        except OperationalError as error:
            if not isinstance(error.__cause__, psycopg.errors.DeadlockDetected):
                raise
            return 0

    for _ in range(WARMING):
        tried()
    barrier.wait(120)
    began, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds:
        count += tried()
    answers.put((count, time.perf_counter() - began, time.process_time() - cpu))


def _replace_record(other: Callable[..., Any]) -> None:
    """In every module that took the function by its name."""
    from reviewapp.audit import services

    known = services.record
    for module in list(sys.modules.values()):
        if module.__name__.startswith("reviewapp.") and getattr(module, "record", None) is known:
            module.record = other  # type: ignore[attr-defined] # just seen to be there


def _unrecorded(**_: Any) -> Any:
    from django.db import connection

    from reviewapp.audit.services import Recorded
    from reviewapp.lib.ids import new_id

    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('bench_event'), clock_timestamp()")
        number, at = cursor.fetchone()
    return Recorded(id=number, eid=new_id(), at=at)


def _chained() -> Callable[..., Any]:
    from django.db import connection

    from reviewapp.audit.services import record

    def chained(**said: Any) -> Any:
        recorded = record(**said)
        with connection.cursor() as cursor:
            # Until the commit: whoever read the last hash must be the one to extend it. In a statement of its own,
            # because the next one must see what the lock waited for.
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_CHAIN_LOCK])
            cursor.execute(_LAST)
            index, last = cursor.fetchone() or (-1, b"")
            cursor.execute(
                "INSERT INTO bench_chain (idx, hash) VALUES (%s, %s)",
                [index + 1, hashlib.sha256(bytes(last) + recorded.eid.bytes).digest()],
            )
        return recorded

    return chained
