"""What the audit costs: submits through the service by processes of their own, with the audit as it is, without it, and
with a chain that each request extends itself, in turns.
"""

from __future__ import annotations

from functools import partial

from bench import payload, submits
from bench.measure import Reading, Row, in_turns, rate_row
from bench.sizes import Size
from bench.world import World

QUEUE = "auditing"
# Without the audit nothing fills the event that a review must refer to, and nothing may ask for it. A chain inside the
# request is its own order, so nothing waits for the sequencer either.
_OPEN = """
ALTER TABLE reviewapp_review DROP CONSTRAINT IF EXISTS {key};
ALTER TABLE audit.event DISABLE TRIGGER event_enqueue;
CREATE TABLE IF NOT EXISTS bench_chain (idx bigint PRIMARY KEY, hash bytea NOT NULL);
GRANT SELECT, INSERT ON bench_chain TO PUBLIC;
CREATE SEQUENCE IF NOT EXISTS bench_event START 1000000000;
GRANT USAGE ON SEQUENCE bench_event TO PUBLIC;
"""
_GUARDS = "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'needs_event'"
_KEY = """
SELECT conname FROM pg_constraint WHERE conrelid = 'reviewapp_review'::regclass AND contype = 'f'
AND confrelid = 'audit.event'::regclass
"""

_KEY_AGAIN = """
ALTER TABLE reviewapp_review ADD CONSTRAINT review_event FOREIGN KEY (event_id) REFERENCES audit.event NOT VALID
"""


def measure(world: World, size: Size) -> list[Row]:
    """Submits per second, by one process and by four."""
    world.queue(QUEUE)
    waiting = payload.renamed([payload.item(place) for place in range(size.items)], "audited")
    world.send_outputs(waiting)
    world.enqueue(QUEUE, waiting)
    world.stack.settle()
    rows = []
    rounds = min(size.rounds, 2)  # each starts processes three times
    for clients in (1, 4):
        mine, without = in_turns(rounds, partial(_on, world, clients, size), partial(_off, world, clients, size))
        chained = [_chain(world, clients, size, number) for number in range(rounds)]
        who = f"{clients} process{'es' if clients > 1 else ''}"
        rows.append(
            rate_row(
                f"grade submits, audit on, {who}", mine, without, floor="audit off",
                note="Through the services, without HTTP, so that the audit's share is large. On: event, "
                "payload, waiting line, guard of every table, sequencer beside it. Off: none of these.",
            )
        )  # fmt: skip
        rows.append(
            rate_row(
                f"  with a chain inside the request, {who}", chained, without, floor="audit off",
                note="The design not chosen: a lock until the commit, the last hash read, the next one written. "
                "Deadlocks with the rows that a submit locks anyway are tried again and not counted.",
            )
        )  # fmt: skip
    return rows


def _on(world: World, clients: int, size: Size, _turn: int) -> Reading:
    return _run(world, clients, size, "on")


def _off(world: World, clients: int, size: Size, _turn: int) -> Reading:
    _open(world)
    try:
        return _run(world, clients, size, "off")
    finally:
        _close(world)


def _chain(world: World, clients: int, size: Size, _turn: int) -> Reading:
    _open(world)
    try:
        return _run(world, clients, size, "chain")
    finally:
        _close(world)


def _run(world: World, clients: int, size: Size, mode: str) -> Reading:
    with world.stack.meter_of("sequencer").reading() as reading:
        counted = submits.run(dict(world.stack.environment), clients=clients, seconds=size.seconds, mode=mode)
        reading.operations, reading.seconds = counted.operations, counted.seconds
    reading.cpu_seconds = (reading.cpu_seconds or 0.0) + (counted.cpu_seconds or 0.0)
    reading.other_cores = None  # the submitting processes are not of the stack
    return reading


def _open(world: World) -> None:
    with world.stack.owner() as owner:
        key = owner.execute(_KEY.encode()).fetchone()
        owner.execute(_OPEN.format(key=key[0] if key else "none").encode())
        for (table,) in owner.execute(_GUARDS.encode()).fetchall():
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER needs_event".encode())


def _close(world: World) -> None:
    with world.stack.owner() as owner:
        owner.execute(_KEY_AGAIN.encode())
        owner.execute(b"ALTER TABLE audit.event ENABLE ALWAYS TRIGGER event_enqueue")
        for (table,) in owner.execute(_GUARDS.encode()).fetchall():
            owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER needs_event".encode())
