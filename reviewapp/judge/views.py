"""Judges for people: what there is, how it runs, how far people agree with it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reviewapp.access.actors import Actor
from reviewapp.access.middleware import PageRequest
from reviewapp.access.models import Project
from reviewapp.access.roles import can
from reviewapp.access.selectors import project_for, project_known
from reviewapp.judge.calibration import calibration
from reviewapp.judge.forms import JudgeForm, StartForm
from reviewapp.judge.models import Judge
from reviewapp.judge.readings import SCALE, readings
from reviewapp.judge.selectors import (
    judge_for,
    newest_version,
    recent_runs,
    run_for,
    run_progress,
    visible_judges,
)
from reviewapp.judge.services import cancel_run, create_judge, start_run
from reviewapp.lib.errors import DomainError
from reviewapp.queues.models import Queue
from reviewapp.queues.selectors import visible_queues
from reviewapp.rubrics.selectors import visible_rubrics


@login_required
@require_safe
def list_judges(request: PageRequest, project: str) -> HttpResponse:
    """Every judge with its newest version and run."""
    found = project_for(viewer=request.actor, slug=project, act="judges.view")
    rows = []
    for judge in visible_judges(viewer=request.actor, project=found).order_by("title"):
        runs = recent_runs(viewer=request.actor, judge=judge, limit=1)
        rows.append({"judge": judge, "version": newest_version(judge), "last": runs[0] if runs else None})
    context = {"project": found, "rows": rows, "may_edit": can(request.actor, "judges.edit", found)}
    return render(request, "judge/list.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_judge(request: PageRequest, project: str) -> HttpResponse:
    """A form for a judge, or for the next set-up of one."""
    found = project_for(viewer=request.actor, slug=project, act="judges.edit")
    rubrics = [(one.slug, one.title) for one in visible_rubrics(viewer=request.actor, project=found).order_by("title")]
    form = JudgeForm(request.POST or None, rubrics=rubrics)
    if request.method == "POST" and form.is_valid():
        try:
            version = create_judge(actor=request.actor, project=found, judge=form.judge())
        except DomainError as error:
            form.add_errors(error)
        else:
            messages.success(request, f"{version.judge.title}, version {version.number}, is ready to run.")
            return redirect("judge:detail", project=found.slug, judge=version.judge.slug)
    status = 422 if request.method == "POST" else 200
    return render(request, "judge/new.html", {"project": found, "form": form, "rubrics": rubrics}, status=status)


@login_required
@require_safe
def detail(request: PageRequest, project: str, judge: str) -> HttpResponse:
    """One judge: its runs, and its calibration against a queue."""
    found = _judge(request.actor, project, judge)
    return render(request, "judge/detail.html", _context(request, found))


@login_required
@require_POST
def start(request: PageRequest, project: str, judge: str) -> HttpResponse:
    """Start a run over a queue; back to the page, which follows it."""
    found = _judge(request.actor, project, judge)
    form = _start_form(request, found, _queues(request.actor, found))
    if form.is_valid():
        try:
            start_run(actor=request.actor, judge=found, run=form.run())
        except DomainError as error:
            form.add_error(None, error.detail)
        else:
            messages.success(request, "The run waits for a worker.")
            return redirect("judge:detail", project=found.project.slug, judge=found.slug)
    return render(request, "judge/detail.html", _context(request, found) | {"form": form}, status=422)


@login_required
@require_safe
def run(request: PageRequest, project: str, judge: str, run_id: UUID) -> HttpResponse:
    """The row of one run, polled while it is open; without htmx, the judge's page."""
    found = _judge(request.actor, project, judge)
    one = run_for(viewer=request.actor, project=found.project, run_id=run_id)
    if not getattr(request, "htmx", False):
        return redirect("judge:detail", project=found.project.slug, judge=found.slug)
    context = {
        "project": found.project,
        "judge": found,
        "progress": run_progress(one),
        "may_run": can(request.actor, "judges.run", found.project),
    }
    return render(request, "judge/_run.html", context)


@login_required
@require_POST
def cancel(request: PageRequest, project: str, judge: str, run_id: UUID) -> HttpResponse:
    """End a run early."""
    found = _judge(request.actor, project, judge)
    cancel_run(actor=request.actor, run=run_for(viewer=request.actor, project=found.project, run_id=run_id))
    return redirect("judge:detail", project=found.project.slug, judge=found.slug)


def _judge(viewer: Actor, project: str, judge: str) -> Judge:
    known: Project = project_known(viewer=viewer, slug=project)
    return judge_for(viewer=viewer, project=known, slug=judge)


def _queues(viewer: Actor, judge: Judge) -> list[Queue]:
    """Those that ask the judge's rubric."""
    return list(visible_queues(viewer=viewer, project=judge.project).filter(rubric=judge.rubric).order_by("title"))


def _start_form(request: PageRequest, judge: Judge, queues: list[Queue]) -> StartForm:
    choices = [(queue.slug, queue.title) for queue in queues]
    return StartForm(request.POST or None, queues=choices, costs=judge.kind == "llm")


def _context(request: PageRequest, judge: Judge) -> dict[str, Any]:
    queues = _queues(request.actor, judge)
    wanted = request.GET.get("queue")
    chosen = next((queue for queue in queues if queue.slug == wanted), queues[0] if queues else None)
    version = newest_version(judge)
    rows = []
    if chosen is not None:
        document = calibration(viewer=request.actor, judge=judge, queue=chosen)
        criteria = {one.key: one for one in version.rubric_version.criteria.all()}
        known = [entry for entry in document["criteria"] if entry["criterion"] in criteria]
        rows = readings(document | {"criteria": known}, criteria)
    return {
        "project": judge.project,
        "judge": judge,
        "version": version,
        "queues": queues,
        "chosen": chosen,
        "rows": rows,
        "scale": SCALE,
        "runs": recent_runs(viewer=request.actor, judge=judge),
        "may_run": can(request.actor, "judges.run", judge.project) and judge.kind != "imported",
        "form": _start_form(request, judge, queues),
    }
