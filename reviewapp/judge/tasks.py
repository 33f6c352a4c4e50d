"""Celery's side of runs: thin, by id, safe to deliver twice."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from reviewapp.judge.work import runs_with_work, work_on


@shared_task
def work_run(run_id: str) -> None:
    """Answer what waits in one run."""
    work_on(UUID(run_id))


@shared_task
def sweep_runs() -> None:
    """Nudge every run with work: what a lost message or a dead worker left."""
    for run_id in runs_with_work():
        work_run.delay(str(run_id))
