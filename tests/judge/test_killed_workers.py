"""Runs survive workers that are killed: real Celery processes, a real broker, `kill -9`. Source: SECURITY.md 4."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from django.db.models import Count

from reviewapp.judge.models import JudgeRun, RunItem, Verdict
from reviewapp.judge.tasks import sweep_runs
from tests.conftest import ROOT, Cast, environment_for, service_api
from tests.fake_openai import Step, fake_openai
from tests.judge.arrange import llm, make_queue, make_rubric, ok, output

ITEMS = 200
KILLS = 3


def start_worker(database: str, folder: Path) -> subprocess.Popen[bytes]:
    """One Celery worker in a process group of its own."""
    command = [sys.executable, "-m", "celery", "-A", "config.celery:app", "worker", "-c", "2", "-l", "WARNING"]
    environment = environment_for(database, REVIEWAPP_VAR=str(folder))
    with (folder / "worker.log").open("ab") as log:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)


def kill(worker: subprocess.Popen[bytes]) -> None:
    """Without a chance to clean up, children included: the group is this worker's own."""
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait(timeout=10)


def wait_until(holds: Callable[[], bool], *, seconds: float, log: Path) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return
        sweep_runs.delay()  # what beat does every ten seconds
        time.sleep(0.3)
    raise AssertionError(f"it did not happen in {seconds} s: {log.read_text()[-3000:]}")


def test_workers_killed_again_and_again_lose_nothing_and_do_nothing_twice(
    committed_db: str, committed_cast: Cast, tmp_path: Path
):
    api = service_api(committed_cast)
    make_rubric(api)
    make_queue(api, [output(k) for k in range(ITEMS)])
    with fake_openai([Step({"safe": True, "tone": 4}, delay=0.05)]) as server:
        parameters = {"timeout_seconds": 1, "input_usd_per_million": 1.0, "output_usd_per_million": 10.0}
        ok(api.post("judges/", llm(server.url, parameters=parameters)))
        ok(api.post("judges/model/runs/", {"queue": "answers"}))
        finished = RunItem.objects.exclude(finished_at=None)
        for kills in range(1, KILLS + 1):
            worker = start_worker(committed_db, tmp_path)
            try:
                goal = kills * ITEMS // (KILLS + 2)
                wait_until(lambda goal=goal: finished.count() >= goal, seconds=60, log=tmp_path / "worker.log")
            finally:
                kill(worker)
        assert finished.count() < ITEMS
        worker = start_worker(committed_db, tmp_path)
        try:
            wait_until(lambda: JudgeRun.objects.get().state == "done", seconds=90, log=tmp_path / "worker.log")
        finally:
            kill(worker)
    assert finished.count() == ITEMS
    counts = Verdict.objects.values("output", "criterion").annotate(n=Count("id"))
    assert len(counts) == 2 * ITEMS
    assert {row["n"] for row in counts} == {1}
    assert not Verdict.objects.exclude(error=None).exists()
    # Killed calls were paid for and are counted at the most that they can have cost.
    shown = api.get(f"runs/{JudgeRun.objects.get().pk}/").body
    assert shown["cost_usd"] >= 0.0003 * len(server.requests) - 1e-9
    assert len(server.requests) <= ITEMS + KILLS * 8
