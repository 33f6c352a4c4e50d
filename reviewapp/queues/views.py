"""Pages of queues."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from reviewapp.access.matrix import Role
from reviewapp.access.middleware import PageRequest
from reviewapp.access.roles import allowed_acts, holders
from reviewapp.access.selectors import project_for, project_known
from reviewapp.lib.api import BulkAnswer
from reviewapp.lib.errors import DomainError
from reviewapp.queues import selectors, services
from reviewapp.queues.forms import EnqueueForm, QueueForm
from reviewapp.queues.models import Queue

ACTS = ("grade", "adjudicate", "queues.enqueue", "agreement.view", "reviews.view", "queues.edit")


@login_required
@require_safe
def list_queues(request: PageRequest, project: str) -> HttpResponse:
    """The queues that the viewer may open, with counted progress and what waits for them."""
    found = project_for(viewer=request.actor, slug=project, act="queues.view")
    lines = selectors.queue_lines(viewer=request.actor, project=found)
    may_edit = bool(allowed_acts(request.actor, ["queues.edit"], found))
    return render(request, "queues/list.html", {"project": found, "lines": lines, "may_edit": may_edit})


@login_required
@require_safe
def new(request: PageRequest, project: str) -> HttpResponse:
    """The empty form."""
    found = project_for(viewer=request.actor, slug=project, act="queues.edit")
    return render(request, "queues/new.html", {"project": found, "form": QueueForm(project=found)})


@login_required
@require_POST
def create(request: PageRequest, project: str) -> HttpResponse:
    """Make a queue; a refused form comes back with what was typed."""
    found = project_for(viewer=request.actor, slug=project, act="queues.edit")
    form = QueueForm(request.POST, project=found)
    body = form.record()
    if body is not None:
        try:
            made = services.create_queue(actor=request.actor, project=found, queue=body)
        except DomainError as error:
            form.show(error)
        else:
            messages.success(request, f"{made.title} is made. Give people the role reviewer on it under Settings.")
            return redirect("queues:detail", project=project, queue=made.slug)
    return render(request, "queues/new.html", {"project": found, "form": form}, status=422)


@login_required
@require_safe
def detail(request: PageRequest, project: str, queue: str) -> HttpResponse:
    """One queue: progress by state, why items wait, who works here, and a form to put items in."""
    return _detail(request, _queue(request, project, queue))


@login_required
@require_POST
def put_in(request: PageRequest, project: str, queue: str) -> HttpResponse:
    """Enqueue by name or filter; a refused form comes back with what was typed."""
    found = _queue(request, project, queue)
    form = _enqueue_form(found, request.POST)
    body = form.record()
    if body is not None:
        try:
            answer = services.enqueue(actor=request.actor, queue=found, body=body)
        except DomainError as error:
            if error.status != 422:
                raise
            form.show(error)
        else:
            return _said(request, found, form, answer)
    return _detail(request, found, form, status=422)


def _said(request: PageRequest, queue: Queue, form: EnqueueForm, answer: BulkAnswer) -> HttpResponse:
    """Back to the page with the count; with the form when some names were refused."""
    if answer.rejected:
        shown = [f"{each['external_id']} {each['detail']}" for each in answer.errors[:10]]
        more = f"; {answer.rejected - 10} more" if answer.rejected > 10 else ""
        form.add_error(
            "external_ids", f"{answer.accepted} put in, {answer.rejected} refused: {', '.join(shown)}{more}."
        )
        return _detail(request, queue, form, status=422)
    already = f", {answer.duplicates} were there already" if answer.duplicates else ""
    messages.success(request, f"{answer.accepted} put in{already}.")
    return redirect("queues:detail", project=queue.project.slug, queue=queue.slug)


def _queue(request: PageRequest, project: str, queue: str) -> Queue:
    found = project_known(viewer=request.actor, slug=project)
    return selectors.queue_for(viewer=request.actor, project=found, slug=queue)


def _enqueue_form(queue: Queue, data: Any = None) -> EnqueueForm:
    people = list(holders(queue, Role.REVIEWER).filter(is_active=True).order_by("username"))
    return EnqueueForm(data, kind=queue.kind, people=people)


def _detail(request: PageRequest, queue: Queue, form: EnqueueForm | None = None, *, status: int = 200) -> HttpResponse:
    acts = allowed_acts(request.actor, ACTS, queue)
    context = {
        "project": queue.project,
        "queue": queue,
        "line": selectors.queue_line(viewer=request.actor, queue=queue),
        # What could unblind is for those who do not review here.
        "sees_reasons": bool(acts & {"queues.edit", "reviews.view"}),
        "reasons": selectors.open_reasons(queue=queue),
        "reviewers": holders(queue, Role.REVIEWER).order_by("username"),
        "adjudicators": holders(queue, Role.ADJUDICATOR).order_by("username"),
        "sees_agreement": "agreement.view" in acts,
        "form": (form or _enqueue_form(queue)) if "queues.enqueue" in acts else None,
    }
    return render(request, "queues/detail.html", context, status=status)
