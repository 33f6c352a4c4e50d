"""The benchmarks run. Their figures are nobody's promise, so no time is asserted."""

import os
import subprocess
import sys

from bench.measure import Reading, percentile, ratio_text
from tests.conftest import ROOT


def test_the_benchmarks_run_at_their_smallest_size():
    given = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--size", "tiny", "--given"],
        cwd=ROOT,
        env=given,
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    shown = done.stdout
    for what in (
        "ingest, 2 senders",
        "lease + submit, 8 reviewers",
        "grading page",
        "export, ask",
        "ordinal alpha",
        "audit on",
        "chain inside",
    ):
        assert what in shown
    handed_out = next(line for line in shown.splitlines() if line.startswith("handed out twice"))
    assert " 0 of " in handed_out


def test_a_ratio_shows_its_median_and_its_extremes():
    assert ratio_text([0.1, 0.125, 0.2]) == "1/8.0 (1/10.0 to 1/5.0)"
    assert ratio_text([0.75]) == "0.75"


def test_a_reading_answers_rates_and_cpu_per_operation():
    reading = Reading(operations=200, seconds=4.0, cpu_seconds=1.0)
    assert (reading.rate, reading.cpu_ms) == (50.0, 5.0)
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
