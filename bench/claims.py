"""The floor of reviewing: a bare loop of claim and insert in processes of their own. Imports nothing of the
application, so that a fresh process starts at once.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import time
from typing import Any

import psycopg

from bench import payload
from bench.measure import Reading

_TABLES = b"""
DROP TABLE IF EXISTS bench_review, bench_item;
CREATE TABLE bench_item (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, document jsonb NOT NULL,
    state smallint NOT NULL DEFAULT 0, holder integer, held_until timestamptz);
CREATE INDEX ON bench_item (id) WHERE state = 0;
CREATE TABLE bench_review (item bigint PRIMARY KEY REFERENCES bench_item, reviewer integer NOT NULL,
    grades jsonb NOT NULL, at timestamptz NOT NULL DEFAULT now());
"""
_CLAIM = b"""
UPDATE bench_item SET state = 1, holder = %s, held_until = now() + interval '30 min' WHERE id = (
    SELECT id FROM bench_item WHERE state = 0 ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1)
RETURNING id, document
"""
_FINISH = b"""
WITH done AS (UPDATE bench_item SET state = 2 WHERE id = %s AND holder = %s AND state = 1 RETURNING id)
INSERT INTO bench_review (item, reviewer, grades) SELECT id, %s, %s FROM done
"""


def fill(url: str, items: list[dict[str, Any]]) -> None:
    """Fresh tables with so many items waiting."""
    with psycopg.connect(url) as owner:
        owner.execute(_TABLES)
        with owner.cursor().copy(b"COPY bench_item (document) FROM STDIN") as copy:
            for item in items:
                copy.write_row((json.dumps(item),))
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(b"VACUUM ANALYZE bench_item")


def run(url: str, *, clients: int, seconds: float) -> Reading:
    """Claims with their reviews by so many processes, for so long or until nothing waits."""
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(clients), context.Queue()
    processes = [
        context.Process(target=_loop, args=(url, number, seconds, barrier, answers), daemon=True)
        for number in range(clients)
    ]
    for process in processes:
        process.start()
    counted = [answers.get(timeout=seconds + 60) for _ in processes]
    for process in processes:
        process.join()
    return Reading(operations=sum(count for count, _ in counted), seconds=max(spent for _, spent in counted))


def _loop(url: str, number: int, seconds: float, barrier: Any, answers: Any) -> None:
    rng = random.Random(number)
    count = 0
    with psycopg.connect(url, autocommit=True) as connection:
        barrier.wait(60)
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            row = connection.execute(_CLAIM, (number,)).fetchone()
            if row is None:
                break
            connection.execute(_FINISH, (row[0], number, number, json.dumps(payload.grades(rng))))
            count += 1
        answers.put((count, time.perf_counter() - began))
