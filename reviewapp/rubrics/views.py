"""Pages of rubrics: the list, one rubric with its versions, the builder."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reviewapp.access.middleware import PageRequest
from reviewapp.access.models import Project
from reviewapp.access.roles import allowed_acts
from reviewapp.access.selectors import project_for
from reviewapp.lib.api import check
from reviewapp.lib.errors import DomainError, FieldError, Unprocessable
from reviewapp.lib.jsonread import check_strings
from reviewapp.rubrics import forms, selectors, services
from reviewapp.rubrics.models import Rubric, RubricVersion
from reviewapp.rubrics.records import RubricIn

MAX_REASON = 2_000


@login_required
@require_safe
def list_rubrics(request: PageRequest, project: str) -> HttpResponse:
    """The project's rubrics, what is asked today and what is being drafted."""
    found = project_for(viewer=request.actor, slug=project, act="rubrics.view")
    rows = selectors.rubric_rows(viewer=request.actor, project=found)
    return render(request, "rubrics/list.html", {"project": found, "rows": rows, "may_edit": _may_edit(request, found)})


@login_required
@require_safe
def detail(request: PageRequest, project: str, rubric: str) -> HttpResponse:
    """One version (the newest, or `?version=`), what it changed, and all versions."""
    row = _rubric(request, project, rubric)
    version = selectors.version_of(row, request.GET.get("version"))
    return render(request, "rubrics/detail.html", _detail(request, row, version))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: PageRequest, project: str) -> HttpResponse:
    """The builder for a rubric that does not exist yet."""
    found = project_for(viewer=request.actor, slug=project, act="rubrics.edit")
    if request.method == "POST":
        return _build(request, found, rubric=None)
    return _builder(request, found, forms.RubricFields(), rubric=None)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: PageRequest, project: str, rubric: str) -> HttpResponse:
    """The builder over the newest version; saving makes or replaces the draft."""
    found = project_for(viewer=request.actor, slug=project, act="rubrics.edit")
    row = selectors.rubric_for(viewer=request.actor, project=found, slug=rubric)
    if request.method == "POST":
        return _build(request, found, rubric=row)
    newest = selectors.newest_version(row)
    fields = forms.fields_of_document(selectors.rubric_document(newest), tag=selectors.version_tag(newest))
    return _builder(request, found, fields, rubric=row)


@login_required
@require_POST
def publish(request: PageRequest, project: str, rubric: str) -> HttpResponse:
    """Freeze the draft; a refusal comes back on the rubric's page with the reason that was typed."""
    row = _rubric(request, project, rubric)
    reason = request.POST.get("reason", "").strip()
    check_strings(reason)
    if len(reason) > MAX_REASON:
        detail = _detail(request, row, selectors.newest_version(row))
        detail |= {"reason": reason, "reason_error": f"Keep the reason within {MAX_REASON:,} characters."}
        return render(request, "rubrics/detail.html", detail, status=422)
    version = services.publish(actor=request.actor, rubric=row, reason=reason)
    messages.success(request, f"Version {version.number} is published. Reviewers are asked it from their next item on.")
    return redirect("rubrics:detail", project, rubric)


def _build(request: PageRequest, project: Project, *, rubric: Rubric | None) -> HttpResponse:
    fields = forms.fields_of_post(request.POST)
    if rubric is not None:
        fields.slug = rubric.slug
    do = request.POST.get("do", "")
    if do != "save":
        forms.change(fields, do)
        return _builder(request, project, fields, rubric=rubric)
    return _save(request, project, fields, rubric=rubric)


def _save(request: PageRequest, project: Project, fields: forms.RubricFields, *, rubric: Rubric | None) -> HttpResponse:
    forms.complete(fields)
    if rubric is None and selectors.visible_rubrics(viewer=request.actor, project=project).filter(slug=fields.slug):
        fields.errors["slug"] = "There is a rubric with this address already; choose another, or edit that one."
        return _builder(request, project, fields, rubric=rubric, status=422)
    document = forms.document_of(fields)
    check_strings(document)
    try:
        body = check(document, RubricIn)
        version = services.save_draft(actor=request.actor, project=project, rubric=body, tag=fields.tag or None)
    except Unprocessable as refusal:
        forms.place_errors(fields, refusal.errors or (FieldError("", refusal.detail),))
        return _builder(request, project, fields, rubric=rubric, status=422)
    except DomainError as refusal:
        if refusal.status not in (409, 412):
            raise
        fields.errors["form"] = refusal.detail
        return _builder(request, project, fields, rubric=rubric, status=409)
    messages.success(request, f"Version {version.number} is saved as a draft. Nobody is asked it until you publish it.")
    return redirect("rubrics:detail", project.slug, body.slug)


def _builder(
    request: PageRequest, project: Project, fields: forms.RubricFields, *, rubric: Rubric | None, status: int = 200
) -> HttpResponse:
    context = {
        "project": project,
        "rubric": rubric,
        "fields": fields,
        "kinds": forms.KINDS,
        "cards": selectors.criterion_cards(forms.document_of(fields)["criteria"]),
    }
    name = "rubrics/_builder.html" if request.htmx else "rubrics/edit.html"
    return render(request, name, context, status=status)


def _rubric(request: PageRequest, project: str, slug: str) -> Rubric:
    found = project_for(viewer=request.actor, slug=project, act="rubrics.view")
    return selectors.rubric_for(viewer=request.actor, project=found, slug=slug)


def _detail(request: PageRequest, rubric: Rubric, version: RubricVersion) -> dict[str, Any]:
    versions = list(selectors.versions_of(rubric))
    older = next((one for one in versions if one.number < version.number), None)
    return {
        "project": rubric.project,
        "rubric": rubric,
        "version": version,
        "versions": versions,
        "published": selectors.published_version(rubric),
        "draft": selectors.draft_version(rubric),
        "older": older,
        "differences": selectors.differences(older, version) if older else [],
        "cards": selectors.criterion_cards(selectors.rubric_document(version)["criteria"]),
        "may_edit": _may_edit(request, rubric.project),
    }


def _may_edit(request: PageRequest, project: Project) -> bool:
    return "rubrics.edit" in allowed_acts(request.actor, ["rubrics.edit"], project)
