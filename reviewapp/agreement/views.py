"""How far reviewers agree, for people."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST, require_safe

from reviewapp.access.middleware import PageRequest
from reviewapp.access.selectors import project_known
from reviewapp.agreement.selectors import current_report, disputed_items, reported_queues
from reviewapp.agreement.selectors.readings import conclusion, readings, scale_for
from reviewapp.agreement.tasks import refresh_due_reports
from reviewapp.ingest.models import Configuration
from reviewapp.queues.selectors import queue_for


@login_required
@require_safe
def report(request: PageRequest, project: str) -> HttpResponse:
    """Every queue that the viewer may see, each criterion with its headline coefficient."""
    found = project_known(viewer=request.actor, slug=project)
    queues = []
    for one in reported_queues(viewer=request.actor, project=found).select_related("project", "rubric"):
        rows = readings(one, current_report(viewer=request.actor, queue=one))
        queues.append({"queue": one, "rows": rows, "scale": scale_for(rows), "conclusion": conclusion(rows)})
    return render(request, "agreement/report.html", {"project": found, "queues": queues})


@login_required
@require_safe
def queue(request: PageRequest, project: str, queue: str) -> HttpResponse:
    """One queue: all statistics, pairs of people, and the items on which they differ most."""
    known = project_known(viewer=request.actor, slug=project)
    found = queue_for(viewer=request.actor, project=known, slug=queue, act="agreement.view")
    chosen = request.GET.get("configuration") or None
    document = current_report(viewer=request.actor, queue=found, configuration=chosen)
    rows = readings(found, document)
    context = {
        "project": known,
        "queue": found,
        "rows": rows,
        "scale": scale_for(rows),
        "conclusion": conclusion(rows),
        "as_of": document["as_of"]["leaf_index"],
        "as_of_at": parse_datetime(document["as_of"]["at"] or ""),
        "disputed": disputed_items(viewer=request.actor, queue=found),
        "configurations": Configuration.objects.filter(project=known).order_by("created_at"),
        "chosen": chosen,
    }
    return render(request, "agreement/queue.html", context)


@login_required
@require_POST
def refresh(request: PageRequest, project: str, queue: str) -> HttpResponse:
    """Ask for stored reports to be brought up to date now. The figures on the page are of now already."""
    known = project_known(viewer=request.actor, slug=project)
    found = queue_for(viewer=request.actor, project=known, slug=queue, act="agreement.view")
    refresh_due_reports.delay()
    messages.success(request, "The stored report is being brought up to date.")
    return redirect("agreement:queue", project=known.slug, queue=found.slug)
