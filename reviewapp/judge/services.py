"""Making judges and their runs."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from pydantic import Field, model_validator

from reviewapp.access.actors import Actor
from reviewapp.access.api import Slug
from reviewapp.access.models import Project
from reviewapp.access.roles import require
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.ingest.filters import Where, outputs_where
from reviewapp.ingest.models import Output, Pair
from reviewapp.judge.definitions import JudgeIn, check_judge
from reviewapp.judge.models import Judge, JudgeRun, JudgeVersion, RunItem
from reviewapp.judge.tasks import work_run
from reviewapp.judge.work import OPEN_STATES
from reviewapp.lib.api import Strict
from reviewapp.lib.errors import Conflict, FieldError, Unprocessable
from reviewapp.queues.models import QueueItem
from reviewapp.queues.selectors import queue_for
from reviewapp.rubrics.models import Rubric
from reviewapp.rubrics.selectors import criteria_of, published_version, visible_rubrics

DEFAULT_LIMIT = 1_000
MAX_ITEMS = 100_000
_SETUP = ("rubric_version_id", "criteria", "base_url", "model", "key_name", "prompt", "parameters", "samples",
          "budget_usd", "checks")  # fmt: skip


class RunIn(Strict):
    """What a run goes over: a queue, or outputs by a filter."""

    queue: Slug | None = None
    where: Where | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_ITEMS)] | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> RunIn:
        if (self.queue is None) == (self.where is None):
            raise ValueError("give either queue or where")
        return self


@transaction.atomic
def create_judge(*, actor: Actor, project: Project, judge: JudgeIn) -> JudgeVersion:
    """The judge's current version with this set-up.

    A known slug with another set-up replaces the newest version while nothing rests on it (no verdict, no run), else
    adds one; with the same set-up nothing changes. Raises Unprocessable, or Conflict when kind or rubric differ.
    """
    require(actor, "judges.edit", project)
    rubric = visible_rubrics(viewer=actor, project=project).filter(slug=judge.rubric).first()
    if rubric is None:
        raise _wrong("/rubric", "is no rubric of this project")
    setup = _setup(judge, rubric)
    Judge.objects.bulk_create(
        [Judge(project=project, slug=judge.slug, title=judge.title, rubric=rubric, kind=judge.kind)],
        ignore_conflicts=True,  # known, or made at this moment by somebody else
    )
    known = Judge.objects.select_for_update().get(project=project, slug=judge.slug)
    if (known.kind, known.rubric_id) != (judge.kind, rubric.pk):
        raise Conflict(f"The judge {judge.slug} has another kind or rubric; take another slug.")
    if known.title != judge.title:
        known.title = judge.title
        known.save(update_fields=["title"])
    version, is_changed = _version_with(known, setup)
    if is_changed:
        _record_judge(actor, known, version)
    return version


def _setup(judge: JudgeIn, rubric: Rubric) -> dict[str, Any]:
    rubric_version = published_version(rubric)
    if rubric_version is None:
        raise _wrong("/rubric", "has no published version yet; publish it first")
    keys = check_judge(judge, criteria_of(rubric_version))
    budget = None if judge.budget_usd is None else Decimal(str(judge.budget_usd)).quantize(Decimal("0.000001"))
    return {
        "rubric_version_id": rubric_version.pk,
        "criteria": keys,
        "base_url": judge.base_url,
        "model": judge.model,
        "key_name": judge.key,
        "prompt": judge.prompt,
        "parameters": judge.parameters,
        "samples": judge.samples,
        "budget_usd": budget,
        "checks": [check.model_dump() for check in judge.checks],
    }


def _version_with(judge: Judge, setup: dict[str, Any]) -> tuple[JudgeVersion, bool]:
    last = judge.versions.order_by("-number").first()
    if last is not None and all(getattr(last, name) == setup[name] for name in _SETUP):
        return last, False
    if last is not None and not last.verdicts.exists() and not last.runs.exists():
        for name in _SETUP:
            setattr(last, name, setup[name])
        last.save(update_fields=[*_SETUP])
        return last, True
    return JudgeVersion.objects.create(judge=judge, number=(last.number if last else 0) + 1, **setup), True


def _record_judge(actor: Actor, judge: Judge, version: JudgeVersion) -> None:
    record(
        actor=actor,
        event=Event.JUDGE_CREATED,
        subject=Subject("judge", str(judge.pk), project=judge.project.slug, version=str(version.number)),
        change=Change(
            after={
                "slug": judge.slug,
                "kind": judge.kind,
                "rubric_version": version.rubric_version.number,
                "criteria": version.criteria,
                "base_url": version.base_url,
                "model": version.model,
                "key": version.key_name,
                "budget_usd": None if version.budget_usd is None else str(version.budget_usd),
            }
        ),
    )


@transaction.atomic
def start_run(*, actor: Actor, judge: Judge, run: RunIn) -> JudgeRun:
    """A waiting run with its items; a worker takes it after commit.

    What the version has a verdict on already, for every criterion and without error, is left out.
    """
    project = judge.project
    require(actor, "judges.run", project)
    if judge.kind == "imported":
        raise Conflict(f"The judge {judge.slug} takes verdicts from elsewhere; it does not run.")
    version = judge.versions.select_related("rubric_version").latest("number")
    queue = None if run.queue is None else queue_for(viewer=actor, project=project, slug=run.queue)
    is_pairwise = version.rubric_version.criteria.filter(key__in=version.criteria, kind="preference").exists()
    if queue is not None and (queue.kind == "pairwise") != is_pairwise:
        raise _wrong("/queue", f"is of kind {queue.kind}, which this judge's criteria are not about")
    if queue is None and is_pairwise:
        raise _wrong("/where", "selects outputs, and this judge compares pairs; name a pairwise queue")
    made = JudgeRun.objects.create(
        version=version,
        queue=queue,
        where=None if run.where is None else run.where.as_document(),
        limit=run.limit,
    )
    n_items = _add_items(made, project, run)
    record(
        actor=actor,
        event=Event.RUN_CREATED,
        subject=Subject("judge_run", str(made.pk), project=project.slug),
        change=Change(
            after={"judge": judge.slug, "version": version.number, "queue": run.queue, "items": n_items,
                   "base_url": version.base_url},
        ),
    )  # fmt: skip
    transaction.on_commit(partial(work_run.delay, str(made.pk)), robust=True)
    return made


def _add_items(run: JudgeRun, project: Project, wanted: RunIn) -> int:
    """Oldest first from a queue, newest first from a filter. What lost its text to retention cannot be judged."""
    n_answers = len(run.version.criteria)
    verdicts = Count("verdicts", filter=Q(verdicts__version=run.version, verdicts__error=None))
    if run.queue is not None and run.queue.kind == "pairwise":
        pairs = Pair.objects.filter(Exists(QueueItem.objects.filter(queue=run.queue, pair=OuterRef("pk"))))
        pairs = pairs.filter(a__text_dropped_at=None, b__text_dropped_at=None)
        ids = _ids(pairs.alias(found=verdicts).filter(found__lt=2 * n_answers).order_by("created_at", "pk"), wanted)
        RunItem.objects.bulk_create(RunItem(run=run, pair_id=one) for one in ids)
        return len(ids)
    if run.queue is not None:
        outputs = Output.objects.filter(Exists(QueueItem.objects.filter(queue=run.queue, output=OuterRef("pk"))))
        order = ("occurred_at", "pk")
    else:
        outputs, order = outputs_where(project, wanted.where or Where()), ("-occurred_at", "pk")
    outputs = outputs.filter(text_dropped_at=None).alias(found=verdicts).filter(found__lt=n_answers)
    ids = _ids(outputs.order_by(*order), wanted)
    RunItem.objects.bulk_create(RunItem(run=run, output_id=one) for one in ids)
    return len(ids)


def _ids(rows: QuerySet[Any], wanted: RunIn) -> list[UUID]:
    limit = wanted.limit or (MAX_ITEMS if wanted.queue else DEFAULT_LIMIT)
    return list(rows.values_list("pk", flat=True)[:limit])


@transaction.atomic
def cancel_run(*, actor: Actor, run: JudgeRun) -> JudgeRun:
    """End a run early; what it found stays, and calls under way are still stored. A run that ended is left as it is."""
    judge = run.version.judge
    require(actor, "judges.run", judge.project)
    rows = JudgeRun.objects.filter(pk=run.pk, state__in=OPEN_STATES)
    if rows.update(state="cancelled", finished_at=Now()):
        record(
            actor=actor,
            event=Event.RUN_CANCELLED,
            subject=Subject("judge_run", str(run.pk), project=judge.project.slug),
            change=Change(after={"judge": judge.slug}),
        )
    run.refresh_from_db()
    return run


def _wrong(pointer: str, detail: str) -> Unprocessable:
    return Unprocessable(f"{pointer} {detail}.", errors=(FieldError(pointer, detail),))
