"""Lease and submit through HTTP, one reviewer and eight, against a bare loop of `SKIP LOCKED` and an insert."""

from __future__ import annotations

import random
import time
from collections import Counter
from functools import partial
from statistics import median
from typing import Any

from bench import claims, payload, rivals
from bench.client import Client
from bench.measure import Reading, Row, in_threads, in_turns, milliseconds, rate_row
from bench.sizes import Size
from bench.world import World
from reviewapp.grading.models import Review

QUEUE = "reviewing"
# A bare loop is some ten times as fast: it needs more items, and less time to be steady.
FLOOR_SHARE = 0.5
FLOOR_ITEMS = 20_000


def measure(world: World, size: Size) -> list[Row]:
    """Cycles per second, latencies of both calls, and what was handed out twice."""
    base = [payload.item(place) for place in range(size.items)]
    world.queue(QUEUE)
    waiting = payload.renamed(base, "queue")
    world.send_outputs(waiting)
    world.enqueue(QUEUE, waiting)
    world.stack.settle()
    floor_items = [base[place % len(base)] for place in range(max(FLOOR_ITEMS, size.items))]
    handed_out: Counter[str] = Counter()
    rows = []
    for clients in (1, 8):
        _cycles(world, clients, 0.2, handed_out)  # warms connections, workers and plans
        mine, theirs = in_turns(
            size.rounds,
            partial(_cycles, world, clients, size.seconds, handed_out),
            partial(_bare, world, floor_items, clients, size.seconds * FLOOR_SHARE),
        )
        rows.extend(_rows(clients, mine, theirs, size))
    return [*rows, _duplicates(handed_out)]


def _rows(clients: int, mine: list[Reading], theirs: list[Reading], size: Size) -> list[Row]:
    rate = median(one.rate for one in mine)
    rival = f"{rivals.CYCLES_AT_EIGHT}; ours {rivals.times(rate, rivals.CYCLES_AT_EIGHT_PER_SECOND)}"
    reviewers = f"{clients} reviewer{'s' if clients > 1 else ''}"
    return [
        rate_row(
            f"lease + submit, {reviewers}", mine, theirs, floor="bare loop",
            rival=rival if clients == 8 else rivals.ONE_REVIEWER,
            note=f"{size.items:,} items waiting; one cycle is two requests. Floor: one UPDATE .. SKIP LOCKED that "
            "answers the texts, then one insert of the grades, a transaction each, no rights, rubric, audit or HTTP.",
        ),
        Row(f"  lease p50 / p95, {reviewers}", milliseconds(mine, "lease")),
        Row(f"  submit p50 / p95, {reviewers}", milliseconds(mine, "submit"), rival=rivals.SUBMIT * (clients == 8)),
    ]  # fmt: skip


def _duplicates(handed_out: Counter[str]) -> Row:
    """One seat an item and every lease submitted: an item that came twice was handed out twice."""
    twice = sum(count - 1 for count in handed_out.values())
    total = sum(handed_out.values())
    stored = Review.objects.filter(item__queue__slug=QUEUE).count()
    if stored != total:
        raise RuntimeError(f"{total} reviews were answered with 201 and {stored} are stored")
    return Row(
        "handed out twice", f"{twice} of {total:,}", rival="Label Studio 0, doccano 90 of 94, Phoenix 689 of 720"
    )


def _cycles(world: World, clients: int, seconds: float, handed_out: Counter[str], _turn: int = 0) -> Reading:
    fronts = [world.reviewer(number) for number in range(clients)]
    spent: dict[str, list[float]] = {"lease": [], "submit": []}
    items: list[str] = []
    deadline = time.perf_counter() + seconds

    def work(number: int) -> None:
        rng = random.Random(f"{number} {deadline}")
        while time.perf_counter() < deadline and (item := _cycle(fronts[number], rng, spent)) is not None:
            items.append(item)

    with world.stack.meter.reading() as reading:
        reading.seconds = in_threads(clients, work)
        reading.operations = len(items)
    reading.latencies = spent
    handed_out.update(items)
    for front in fronts:
        front.close()
    return reading


def _cycle(front: Client, rng: random.Random, spent: dict[str, list[float]]) -> str | None:
    """The id of the item that was leased and graded; None when nothing waits."""
    began = time.perf_counter()
    lease: dict[str, Any] | None = front.call("POST", f"queues/{QUEUE}/lease/", expect=(200, 204))
    leased = time.perf_counter()
    if lease is None:
        return None
    answer = {"grades": payload.grades(rng), "active_seconds": 12.5}
    front.call("POST", f"leases/{lease['id']}/submit/", answer, expect=(201,))
    spent["lease"].append(leased - began)
    spent["submit"].append(time.perf_counter() - leased)
    return str(lease["item"]["id"])


def _bare(world: World, items: list[dict[str, Any]], clients: int, seconds: float, _turn: int) -> Reading:
    claims.fill(world.stack.owner_url, items)
    with world.stack.postgres_meter.reading() as reading:
        counted = claims.run(world.stack.owner_url, clients=clients, seconds=seconds)
        reading.operations, reading.seconds = counted.operations, counted.seconds
    return reading
