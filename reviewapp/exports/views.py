"""Pages of datasets."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from reviewapp.access.middleware import PageRequest
from reviewapp.access.models import Project
from reviewapp.access.roles import allowed_acts
from reviewapp.access.selectors import project_for
from reviewapp.exports import selectors, services, tasks
from reviewapp.exports.forms import DatasetForm
from reviewapp.exports.models import Dataset, DatasetVersion
from reviewapp.exports.services.definition import definition
from reviewapp.lib.errors import DomainError

ACTS = ("datasets.edit", "datasets.download")
# Why something was left out, and what would let it in: (reason, sentence).
REASONS = {
    "unsettled": "have no settled label: nobody reviewed them yet, or the reviewers disagree",
    "no_text": "have no text any more: it was dropped after the project's retention, or erased",
    "filtered": "do not match the filter",
    "gold": "are known answers, which never leave the house",
    "tie": "are ties: neither answer is preferred",
    "both_bad": "are pairs in which both answers are bad",
    "adjudication": "are answers of adjudicators, which are no raw answers of reviewers",
}


@login_required
@require_safe
def list_datasets(request: PageRequest, project: str) -> HttpResponse:
    """The project's datasets with their newest versions."""
    found = project_for(viewer=request.actor, slug=project, act="datasets.view")
    datasets = selectors.datasets_with_newest(viewer=request.actor, project=found)
    return render(request, "exports/list.html", {"project": found, "datasets": datasets, **_may(request, found)})


@login_required
@require_safe
def new(request: PageRequest, project: str) -> HttpResponse:
    """The empty form."""
    found = project_for(viewer=request.actor, slug=project, act="datasets.edit")
    return render(request, "exports/new.html", {"project": found, "form": DatasetForm(project=found)})


@login_required
@require_POST
def create(request: PageRequest, project: str) -> HttpResponse:
    """Save a definition; a refused form comes back with what was typed."""
    found = project_for(viewer=request.actor, slug=project, act="datasets.edit")
    form = DatasetForm(request.POST, project=found)
    body = form.definition()
    if body is not None:
        try:
            made = services.create_dataset(actor=request.actor, project=found, dataset=body)
        except DomainError as error:
            form.show(error)
        else:
            messages.success(request, f"{made.title} is defined. Freeze a version when the labels are ready.")
            return redirect("exports:detail", project=project, dataset=made.slug)
    return render(request, "exports/new.html", {"project": found, "form": form}, status=422)


@login_required
@require_safe
def detail(request: PageRequest, project: str, dataset: str) -> HttpResponse:
    """The definition and every version."""
    owner = _dataset(request, project, dataset)
    versions = selectors.versions_of(viewer=request.actor, dataset=owner).order_by("-number")
    context = {
        "project": owner.project,
        "dataset": owner,
        "definition": definition(owner),
        "versions": [version_card(version) for version in versions],
        **_may(request, owner.project),
    }
    return render(request, "exports/detail.html", context)


@login_required
@require_safe
def version(request: PageRequest, project: str, dataset: str, number: int) -> HttpResponse:
    """One version as a fragment: it asks again while the build runs."""
    owner = _dataset(request, project, dataset)
    row = selectors.version_for(viewer=request.actor, dataset=owner, number=number)
    context = {"project": owner.project, "dataset": owner, "card": version_card(row), **_may(request, owner.project)}
    return render(request, "exports/_version.html", context)


@login_required
@require_POST
def freeze(request: PageRequest, project: str, dataset: str) -> HttpResponse:
    """Ask for the next version."""
    owner = _dataset(request, project, dataset)
    made = services.request_version(actor=request.actor, dataset=owner)
    tasks.nudge(made)
    return redirect("exports:detail", project=project, dataset=dataset)


@login_required
@require_POST
def retry(request: PageRequest, project: str, dataset: str, number: int) -> HttpResponse:
    """Let a failed version wait again."""
    owner = _dataset(request, project, dataset)
    row = selectors.version_for(viewer=request.actor, dataset=owner, number=number)
    tasks.nudge(services.retry_version(actor=request.actor, version=row))
    return redirect("exports:detail", project=project, dataset=dataset)


def version_card(row: DatasetVersion) -> dict[str, Any]:
    """A version in plain words: `row`, `is_open`, `percent` done, `manifest`, `left_out` [(count, sentence)], `files`,
    `withdrawn` (a sentence or None), `agreement` [(queue, criterion, statistic)].
    """
    manifest = row.manifest or {}
    return {
        "row": row,
        "is_open": row.state in ("waiting", "running"),
        "percent": min(99, 100 * row.done // row.total) if row.total else None,
        "manifest": manifest,
        "left_out": [
            (count, REASONS.get(reason, reason.replace("_", " ")))
            for reason, count in manifest.get("left_out", {}).items()
        ],
        "files": list(row.files.order_by("pk")),
        "withdrawn": selectors.withdrawn_sentence(row) if row.withdrawn_at else None,
        "agreement": _headline_agreement(manifest),
    }


def _headline_agreement(manifest: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """The first coefficient of each criterion, which is the one for its level of measurement."""
    return [
        (queue["queue"], criterion["criterion"], criterion["statistics"][0])
        for queue in manifest.get("agreement", [])
        for criterion in queue["criteria"]
        if criterion["statistics"]
    ]


def _dataset(request: PageRequest, project: str, slug: str) -> Dataset:
    found = project_for(viewer=request.actor, slug=project, act="datasets.view")
    return selectors.dataset_for(viewer=request.actor, project=found, slug=slug)


def _may(request: PageRequest, project: Project) -> dict[str, bool]:
    acts = allowed_acts(request.actor, ACTS, project)
    return {"may_edit": "datasets.edit" in acts, "may_download": "datasets.download" in acts}
