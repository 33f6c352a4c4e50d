"""Judges and runs as the viewer may see them, and the documents that the API answers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from reviewapp.access.actors import Actor
from reviewapp.access.errors import Hidden
from reviewapp.access.models import Project
from reviewapp.access.roles import can, require
from reviewapp.judge.models import Judge, JudgeRun, JudgeVersion
from reviewapp.lib.clock import rfc3339


def visible_judges(*, viewer: Actor, project: Project) -> QuerySet[Judge]:
    """The project's judges; none for who may not see them."""
    if not can(viewer, "judges.view", project):
        return Judge.objects.none()
    return Judge.objects.filter(project=project).select_related("rubric", "project")


def judge_for(*, viewer: Actor, project: Project, slug: str) -> Judge:
    """A judge by its slug. Raises AccessDenied, or Hidden when there is none."""
    require(viewer, "judges.view", project)
    found = visible_judges(viewer=viewer, project=project).filter(slug=slug).first()
    if found is None:
        raise Hidden("There is no such judge in this project.")
    return found


def newest_version(judge: Judge) -> JudgeVersion:
    """A judge always has a version. Reads all of them: a list prefetches `versions`."""
    return max(judge.versions.all(), key=lambda version: version.number)


def judge_document(judge: Judge) -> dict[str, Any]:
    """API.md's Judge with the number of its newest version. `key` is the name of a variable, never its value."""
    version = newest_version(judge)
    document: dict[str, Any] = {
        "slug": judge.slug,
        "title": judge.title,
        "rubric": judge.rubric.slug,
        "kind": judge.kind,
        "criteria": version.criteria,
        "version": version.number,
        "created_at": rfc3339(version.created_at),
    }
    if judge.kind == "llm":
        document |= {
            "base_url": version.base_url,
            "model": version.model,
            "key": version.key_name,
            "prompt": version.prompt,
            "parameters": version.parameters,
            "samples": version.samples,
            "budget_usd": None if version.budget_usd is None else float(version.budget_usd),
        }
    if judge.kind == "program":
        document["checks"] = version.checks
    return document


def visible_runs(*, viewer: Actor, project: Project) -> QuerySet[JudgeRun]:
    """The runs of the project's judges; none for who may not see them."""
    if not can(viewer, "judges.view", project):
        return JudgeRun.objects.none()
    return JudgeRun.objects.filter(version__judge__project=project).select_related("version__judge__project", "queue")


def run_for(*, viewer: Actor, project: Project, run_id: UUID) -> JudgeRun:
    """A run by its id. Raises AccessDenied, or Hidden when there is none."""
    require(viewer, "judges.view", project)
    found = visible_runs(viewer=viewer, project=project).filter(pk=run_id).first()
    if found is None:
        raise Hidden("There is no such run in this project.")
    return found


@dataclass(frozen=True)
class RunProgress:
    """A run with its counts, counted now. `cost_usd` holds what calls under way may cost at most."""

    run: JudgeRun
    done: int
    total: int
    n_errors: int
    cost_usd: Decimal

    @property
    def is_open(self) -> bool:
        """Whether it may still move."""
        return self.run.state in ("waiting", "running")

    @property
    def share_done(self) -> float:
        """0..1; a run without items is done."""
        return self.done / self.total if self.total else 1.0

    def as_dict(self) -> dict[str, Any]:
        """API.md's run, with the judge's version, its queue, and the sentence it ended with."""
        run = self.run
        return {
            "id": str(run.pk),
            "judge": run.version.judge.slug,
            "version": run.version.number,
            "queue": run.queue.slug if run.queue else None,
            "state": run.state,
            "done": self.done,
            "total": self.total,
            "n_errors": self.n_errors,
            "cost_usd": float(self.cost_usd),
            "error": run.error or None,
            "created_at": rfc3339(run.created_at),
            "finished_at": rfc3339(run.finished_at) if run.finished_at else None,
        }


def run_progress(run: JudgeRun) -> RunProgress:
    """Counted from its items and verdicts."""
    items = run.items.aggregate(
        total=Count("id"), done=Count("id", filter=Q(finished_at__isnull=False)), cost=Sum("cost_usd")
    )
    n_errors = run.verdicts.filter(error__isnull=False).count()
    return RunProgress(run, items["done"], items["total"], n_errors, items["cost"] or Decimal(0))


def recent_runs(*, viewer: Actor, judge: Judge, limit: int = 10) -> list[RunProgress]:
    """The newest runs of a judge."""
    runs = visible_runs(viewer=viewer, project=judge.project).filter(version__judge=judge)
    return [run_progress(run) for run in runs.order_by("-created_at")[:limit]]
