"""Outputs through `POST …/outputs/` as NDJSON, against COPY of the rows that they became."""

from __future__ import annotations

from functools import partial
from typing import Any

import psycopg

from bench import payload, rivals
from bench.measure import Reading, Row, in_threads, in_turns, number, rate_row
from bench.sizes import Size
from bench.world import World

# The floor has the same columns, keys, checks and indexes, and no foreign keys.
_TABLE = b"CREATE TABLE IF NOT EXISTS bench_output (LIKE reviewapp_output INCLUDING ALL)"
_READ = """
COPY (SELECT * FROM reviewapp_output WHERE starts_with(external_id, '{prefix}-') ORDER BY external_id) TO STDOUT
"""
_WRITE = b"COPY bench_output FROM STDIN"


def measure(world: World, size: Size) -> list[Row]:
    """One sender and two, and the same records sent again."""
    base = [payload.item(place) for place in range(size.items)]
    with world.stack.owner() as owner:
        owner.execute(_TABLE)
    rows = []
    for senders in (1, 2):
        prefix = f"s{senders}r"
        readings = in_turns(
            size.rounds,
            partial(_send_round, world, senders, base, prefix),
            partial(_copy_round, world, senders, prefix),
        )
        rate = sorted(one.rate for one in readings[0])[size.rounds // 2]
        rows.append(
            rate_row(
                f"ingest, {senders} sender{'s' if senders > 1 else ''}", *readings, floor="COPY",
                rival=f"{rivals.INGEST}; ours {rivals.times(rate, rivals.INGEST_PER_SECOND)}",
                note=f"{size.items:,} outputs of 2.2 KB a round, 1,000 lines a request. Floor: COPY of the same rows "
                "into a table with the same indexes, 1,000 rows a transaction, as many connections as senders.",
            )
        )  # fmt: skip
    again = _send(world, payload.ndjson_bodies(payload.renamed(base, "s1r0")), 1)
    rows.append(Row("the same records again", f"{number(again.rate)}/s, all duplicates"))
    return rows


def _send_round(world: World, senders: int, base: list[dict[str, Any]], prefix: str, turn: int) -> Reading:
    return _send(world, payload.ndjson_bodies(payload.renamed(base, f"{prefix}{turn}")), senders)


def _send(world: World, bodies: list[bytes], senders: int) -> Reading:
    clients = [world.service() for _ in range(senders)]
    counts = [0] * senders

    def work(sender: int) -> None:
        for body in bodies[sender::senders]:
            answer = clients[sender].bulk("outputs/", body)
            counts[sender] += answer["accepted"] + answer["duplicates"]

    with world.stack.meter.reading() as reading:
        reading.seconds = in_threads(senders, work)
        reading.operations = sum(counts)
    for client in clients:
        client.close()
    return reading


def _copy_round(world: World, senders: int, prefix: str, turn: int) -> Reading:
    with world.stack.owner() as owner, owner.cursor().copy(_READ.format(prefix=f"{prefix}{turn}").encode()) as copy:
        lines = b"".join(copy).splitlines(keepends=True)
    step = payload.LINES_PER_REQUEST
    parts = [b"".join(lines[start : start + step]) for start in range(0, len(lines), step)]
    connections = [world.stack.owner() for _ in range(senders)]
    with world.stack.postgres_meter.reading() as reading:
        reading.seconds = in_threads(senders, partial(_copy_parts, connections, parts))
        reading.operations = len(lines)
    for connection in connections:
        connection.close()
    return reading


def _copy_parts(connections: list[psycopg.Connection[Any]], parts: list[bytes], sender: int) -> None:
    for part in parts[sender :: len(connections)]:
        with connections[sender].cursor().copy(_WRITE) as copy:
            copy.write(part)
