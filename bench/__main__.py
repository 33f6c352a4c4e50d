"""`python -m bench`: run the benchmarks and print their table."""

from __future__ import annotations

import argparse
import os
import platform
import time

import psutil

from bench.measure import Row, print_table, timed
from bench.sizes import SIZES, Size
from bench.stack import Stack, running_stack

PARTS = ("ingest", "reviewing", "statements", "pages", "exporting", "agreeing", "auditing")


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--size", choices=sorted(SIZES), default="small")
    parser.add_argument("--given", action="store_true", help="use the servers named by DATABASE_URL and REDIS_URL")
    parser.add_argument("--only", choices=PARTS, action="append", help="a part; may be given several times")
    asked = parser.parse_args()
    began = time.monotonic()
    with running_stack(is_given=asked.given) as stack:
        _print_circumstances(stack, asked.size)
        print(f"The stack stood after {time.monotonic() - began:.0f} s.", flush=True)
        rows = _measure(stack, SIZES[asked.size], set(asked.only or PARTS))
    print_table(rows)
    print(f"\nTook {time.monotonic() - began:.0f} s.")


def _measure(stack: Stack, size: Size, parts: set[str]) -> list[Row]:
    os.environ.update(stack.environment, DJANGO_SETTINGS_MODULE="config.settings")
    # The settings read the environment when Django starts, and the parts need Django.
    import django

    django.setup()
    from django.db import connection, connections
    from django.db.backends.postgresql.base import DatabaseWrapper

    from bench import agreeing, auditing, exporting, ingest, pages, reviewing, statements
    from bench.world import make_world

    rows: list[Row] = []
    world = make_world(stack)
    steps = {
        "ingest": lambda: ingest.measure(world, size),
        "reviewing": lambda: reviewing.measure(world, size),
        "statements": lambda: statements.measure(world),
        "pages": lambda: pages.measure(world),
        "exporting": lambda: exporting.measure(world, size),
        "agreeing": lambda: agreeing.measure(world, size),
        "auditing": lambda: auditing.measure(world, size),
    }
    if parts & {"statements", "pages"}:
        parts.add("reviewing")  # its queue is what they look at
    try:
        for name in PARTS:
            if name in parts:
                seconds, found = timed(steps[name])
                rows.extend(found)
                print(f"{name}: {seconds:.0f} s", flush=True)
    finally:
        connection.close()
        if isinstance(pooled := connections["default"], DatabaseWrapper):
            pooled.close_pool()  # else its threads hold the database that is dropped next
    return rows


def _print_circumstances(stack: Stack, size: str) -> None:
    with stack.owner() as owner:
        settings = [
            f"{name} {owner.execute(b'SELECT current_setting(%s)', [name]).fetchone()[0]}"  # type: ignore[index] # one row
            for name in ("server_version", "fsync", "synchronous_commit", "shared_buffers")
        ]
    print(f"Size {size}; Python {platform.python_version()}; PostgreSQL " + ", ".join(settings))
    busy = psutil.cpu_percent(interval=1.0) / 100 * (psutil.cpu_count() or 1)
    print(f"{psutil.cpu_count()} cores, {busy:.1f} of them busy before the start (with a quiet machine 0.0)")


if __name__ == "__main__":
    main()
