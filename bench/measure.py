"""Rounds, medians, CPU of process trees, and the table that is printed."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import psutil

NOISE_CORES = 0.3
# The system counts CPU in hundredths of a second: in less than this the strangers' part is rounding.
SHORTEST_SECONDS = 0.5


@dataclass
class Reading:
    """Operations in one round, the seconds they took, and, where they were read, the CPU seconds of the measured
    processes and the cores that programs other than the benchmark and its stack used meanwhile.
    """

    operations: int = 0
    seconds: float = 0.0
    cpu_seconds: float | None = None
    other_cores: float | None = None
    latencies: dict[str, list[float]] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Operations per second."""
        return self.operations / self.seconds if self.seconds else math.nan

    @property
    def cpu_ms(self) -> float | None:
        """CPU milliseconds per operation."""
        return None if self.cpu_seconds is None else self.cpu_seconds / max(self.operations, 1) * 1_000


class Meter:
    """CPU seconds of the process trees below some pids; PostgreSQL's ended backends are counted by its postmaster.

    stack: the pids of all that belongs to the benchmark, so that strangers can be told from it.
    """

    def __init__(self, pids: Sequence[int], *, stack: Sequence[int]) -> None:
        self._pids = pids
        self._stack = stack

    def seconds(self) -> float:
        """CPU used so far."""
        return sum(_tree_seconds(pid) for pid in self._pids)

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """A reading whose time and CPU are those of the block; the block sets `operations`."""
        reading = Reading()
        cpu, everybody, began = self.seconds(), _strangers_seconds(self._stack), time.perf_counter()
        yield reading
        passed = time.perf_counter() - began
        reading.seconds = reading.seconds or passed
        reading.cpu_seconds = self.seconds() - cpu
        if passed > SHORTEST_SECONDS:
            reading.other_cores = max(0.0, (_strangers_seconds(self._stack) - everybody) / passed)


def _tree_seconds(pid: int) -> float:
    total: float = 0.0
    try:
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            times = process.cpu_times()
            total += times.user + times.system
        reaped = root.cpu_times()
        total += reaped.children_user + reaped.children_system
    except psutil.NoSuchProcess:
        return float(total)
    return float(total)


def _strangers_seconds(stack: Sequence[int]) -> float:
    """CPU seconds of this machine, without those of the stack and of this process with its ended children."""
    machine = psutil.cpu_times()
    mine = psutil.Process().cpu_times()
    busy = sum(machine) - machine.idle - getattr(machine, "iowait", 0.0) - getattr(machine, "guest", 0.0)
    own = mine.user + mine.system + mine.children_user + mine.children_system
    return float(busy - own - sum(_tree_seconds(pid) for pid in stack))


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share lies, between its neighbours; nan of nothing."""
    if not values:
        return math.nan
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def in_turns(
    rounds: int, ours: Callable[[int], Reading], floor: Callable[[int], Reading]
) -> tuple[list[Reading], list[Reading]]:
    """Both, round by round: what disturbs one disturbs its neighbour too."""
    mine, theirs = [], []
    for number in range(rounds):
        mine.append(ours(number))
        theirs.append(floor(number))
    return mine, theirs


def in_threads(workers: int, work: Callable[[int], None]) -> float:
    """Run `work(number)` in so many threads that begin together; the seconds until all were done.

    Raises the first error of a thread.
    """
    barrier = threading.Barrier(workers + 1)
    errors: list[BaseException] = []

    def run(number: int) -> None:
        barrier.wait()
        try:
            work(number)
        except Exception as error:  # raised again below, in the thread that waits
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(workers)]
    for thread in threads:
        thread.start()
    barrier.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    if errors:
        raise errors[0]
    return seconds


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    ours: str
    floor: str = ""
    ratio: str = ""
    rival: str = ""
    note: str = ""


def rate_row(
    what: str, mine: Sequence[Reading], theirs: Sequence[Reading], *, floor: str, rival: str = "", note: str = ""
) -> Row:
    """Rates of rounds, and their ratio round by round: median, smallest and largest."""
    ratios = [one.rate / other.rate for one, other in zip(mine, theirs, strict=True)]
    return Row(
        what, _rates(mine), f"{_rates(theirs)} ({floor})", ratio_text(ratios) + _noise([*mine, *theirs]), rival, note
    )


def _rates(readings: Sequence[Reading]) -> str:
    cpu = [one.cpu_ms for one in readings if one.cpu_ms is not None]
    shown = f"{spread([one.rate for one in readings])}/s"
    return f"{shown}, {median(cpu):.3g} ms CPU" if cpu else shown


def _noise(readings: Sequence[Reading]) -> str:
    """` ~` where others used more than 0.3 cores in the median round: the rates are then low by what they took."""
    others = [one.other_cores for one in readings if one.other_cores is not None]
    return f" ~{median(others):.1f}" if others and median(others) > NOISE_CORES else ""


def ratio_text(ratios: Sequence[float]) -> str:
    """Median with its extremes: `1/12 (1/13 to 1/11)`, or `0.62 (0.60 to 0.66)` from a half on."""
    if len(ratios) == 1:
        return _ratio(ratios[0])
    return f"{_ratio(median(ratios))} ({_ratio(min(ratios))} to {_ratio(max(ratios))})"


def _ratio(value: float) -> str:
    return f"{value:.2f}" if value >= 0.5 or value == 0 else f"1/{1 / value:.1f}"


def spread(values: Sequence[float]) -> str:
    """The median, with the extremes in brackets when there is more than one."""
    if len(values) == 1:
        return number(values[0])
    return f"{number(median(values))} [{number(min(values))}-{number(max(values))}]"


def number(value: float) -> str:
    """Three digits that mean something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def milliseconds(readings: Sequence[Reading], name: str) -> str:
    """`p50 / p95 ms` of one kind of call, over all rounds."""
    values = [value for reading in readings for value in reading.latencies.get(name, [])]
    return f"{percentile(values, 0.5) * 1_000:.1f} / {percentile(values, 0.95) * 1_000:.1f} ms"


def print_table(rows: Sequence[Row]) -> None:
    """A plain table; notes stand below it, numbered."""
    heads = ("what", "ours", "floor", "ours/floor", "best rival (elsewhere)")
    notes = list(dict.fromkeys(row.note for row in rows if row.note))
    cells: list[tuple[str, ...]] = [heads]
    for row in rows:
        mark = f" ({notes.index(row.note) + 1})" if row.note else ""
        cells.append((row.what + mark, row.ours, row.floor, row.ratio, row.rival))
    widths = [max(len(line[column]) for line in cells) for column in range(len(heads))]
    for place, line in enumerate(cells):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        if place == 0:
            print("  ".join("-" * width for width in widths))
    for place, note in enumerate(notes, start=1):
        print(f"({place}) {note}")
    if any("~" in row.ratio for row in rows):
        print("~N: N cores were used by other programs meanwhile; CPU per operation is the figure to compare then.")


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds and the result."""
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result
