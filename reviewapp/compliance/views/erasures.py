"""Pages of erasures: of end users in a project, of people at the installation."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reviewapp.access.middleware import PageRequest
from reviewapp.access.models import Project, User
from reviewapp.access.reauthentication import recent_sign_in
from reviewapp.access.roles import can, require_installation_admin
from reviewapp.access.selectors import project_for
from reviewapp.compliance import tasks
from reviewapp.compliance.forms import DecisionForm, EndUserForm, PersonForm, RequestForm
from reviewapp.compliance.models import Erasure
from reviewapp.compliance.selectors import erasures as selectors
from reviewapp.compliance.services import erasures as services
from reviewapp.lib.errors import DomainError, NotFound

ASKED = "It is asked for. A second person decides; until then nothing changes."


@login_required
@require_safe
def erasures(request: PageRequest, project: str) -> HttpResponse:
    """The project's erasures, and the form to look for an end user."""
    found = project_for(viewer=request.actor, slug=project, act="erasures.view")
    return _list(request, found, EndUserForm())


@login_required
@require_POST
def look(request: PageRequest, project: str) -> HttpResponse:
    """What would be erased, counted, before anybody asks for it. A POST: an address must not name the subject."""
    found = project_for(viewer=request.actor, slug=project, act="erasures.request")
    form = EndUserForm(request.POST)
    if not form.is_valid():
        return _list(request, found, form)
    name = form.cleaned_data["end_user_id"]
    try:
        held = selectors.held_about_end_user(viewer=request.actor, project=found, end_user_id=name)
    except NotFound as error:
        form.add_error("end_user_id", error.detail)
        return _list(request, found, form)
    return _ask(request, found, RequestForm(initial={"end_user_id": name}), held, name)


@login_required
@recent_sign_in
@require_POST
def ask(request: PageRequest, project: str) -> HttpResponse:
    """Ask for it, with the reason."""
    found = project_for(viewer=request.actor, slug=project, act="erasures.request")
    form = RequestForm(request.POST)
    if form.is_valid():
        try:
            made = services.request_erasure(actor=request.actor, project=found, **form.cleaned_data)
        except DomainError as error:
            form.add_error(None, error.detail)
        else:
            messages.success(request, ASKED)
            return redirect("compliance:erasure", project=project, erasure=made.pk)
    name = request.POST.get("end_user_id", "")
    try:
        held = selectors.held_about_end_user(viewer=request.actor, project=found, end_user_id=name)
    except NotFound as error:
        again = EndUserForm({"end_user_id": name})
        again.add_error("end_user_id", error.detail)
        return _list(request, found, again)
    return _ask(request, found, form, held, name)


def _list(request: PageRequest, project: Project, form: EndUserForm) -> HttpResponse:
    context = {
        "project": project,
        "erasures": selectors.erasures_of(viewer=request.actor, project=project),
        "form": form,
        "may_request": can(request.actor, "erasures.request", project),
        "may_report": can(request.actor, "subjects.report", project),
    }
    return render(request, "compliance/erasures.html", context, status=422 if form.errors else 200)


def _ask(
    request: PageRequest, project: Project, form: RequestForm, held: selectors.Holdings, end_user_id: str
) -> HttpResponse:
    context = {"project": project, "form": form, "held": held, "end_user_id": end_user_id}
    return render(request, "compliance/erasure_request.html", context, status=422 if form.errors else 200)


@login_required
@require_safe
def erasure(request: PageRequest, erasure: UUID, project: str | None = None) -> HttpResponse:
    """One erasure; `project` is absent for a person's."""
    row = _found(request, erasure, project)
    return render(request, "compliance/erasure.html", _context(request, row, DecisionForm()))


@login_required
@require_safe
def progress(request: PageRequest, erasure: UUID, project: str | None = None) -> HttpResponse:
    """How far it is, as a fragment: it asks again while the work runs."""
    row = _found(request, erasure, project)
    return render(request, "compliance/_erasure.html", _context(request, row, DecisionForm()))


@login_required
@recent_sign_in
@require_POST
def decide(request: PageRequest, erasure: UUID, project: str | None = None) -> HttpResponse:
    """Approve or refuse."""
    row = _found(request, erasure, project)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return render(request, "compliance/erasure.html", _context(request, row, form), status=422)
    is_approved = form.cleaned_data["decision"] == "approve"
    made = services.decide_erasure(
        actor=request.actor, erasure=row, approve=is_approved, note=form.cleaned_data["note"]
    )
    if is_approved:
        tasks.nudge(made)
    messages.success(request, "It is approved; a worker begins within seconds." if is_approved else "It is refused.")
    return redirect(_address(made))


def _found(request: PageRequest, erasure: UUID, slug: str | None) -> Erasure:
    project = project_for(viewer=request.actor, slug=slug, act="erasures.view") if slug else None
    return selectors.erasure_for(viewer=request.actor, erasure_id=erasure, project=project)


def _address(row: Erasure, name: str = "erasure") -> str:
    if row.project is not None:
        return reverse(f"compliance:{name}", args=[row.project.slug, row.pk])
    return reverse(f"compliance:person_{name}", args=[row.pk])


def _context(request: PageRequest, row: Erasure, form: DecisionForm) -> dict[str, Any]:
    return {
        "project": row.project,
        "erasure": row,
        "form": form,
        "may_decide": selectors.may_decide(viewer=request.actor, erasure=row),
        "is_mine": row.requested_by_id == request.actor.person.pk,
        "is_open": row.state in ("approved", "running"),
        "percent": min(99, 100 * row.done // row.total) if row.total else None,
        "counts": sorted((row.counts or {}).items()),
        "address": _address(row),
        "progress_address": _address(row, "progress"),
        "decide_address": _address(row, "decide"),
    }


@login_required
@require_safe
def person_erasures(request: PageRequest) -> HttpResponse:
    """Erasures of accounts, for admins and auditors of the installation."""
    rows = selectors.person_erasures(viewer=request.actor)
    return render(request, "compliance/person_erasures.html", {"erasures": rows})


@login_required
@recent_sign_in(methods=("POST",))
@require_http_methods(["GET", "HEAD", "POST"])
def erase_person(request: PageRequest, user: UUID) -> HttpResponse:
    """What would be erased of an account, and asking for it."""
    require_installation_admin(request.actor)
    person = get_object_or_404(User, pk=user)
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.request_person_erasure(actor=request.actor, user=person, reason=form.cleaned_data["reason"])
        except DomainError as error:
            form.add_error(None, error.detail)
        else:
            messages.success(request, ASKED)
            return redirect(_address(made))
    context = {"person": person, "form": form, "held": selectors.held_about_person(person)}
    return render(request, "compliance/erase_person.html", context, status=422 if form.errors else 200)
