"""The button that has the whole log recomputed, and how far that is."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from reviewapp.access.middleware import PageRequest
from reviewapp.compliance import tasks
from reviewapp.compliance.errors import VerificationRunning
from reviewapp.compliance.models import Verification
from reviewapp.compliance.services.verifying import OPEN, request_verification
from reviewapp.compliance.views.levels import Level, level_for


@login_required
@require_POST
def verify(request: PageRequest, project: str | None = None) -> HttpResponse:
    """Ask for a verification and go to its page; 409 with the running one when there is one."""
    level = level_for(viewer=request.actor, project=project)
    try:
        row = request_verification(actor=request.actor, project=level.project)
    except VerificationRunning as error:
        row = Verification.objects.select_related("requested_by").get(pk=error.running)
        return _shown(request, level, row, refused=error.detail)
    tasks.nudge_verification(row)
    return redirect(level.url("verification", verification=row.pk))


@login_required
@require_safe
def verification(request: PageRequest, verification: UUID, project: str | None = None) -> HttpResponse:
    """How far one verification is, or what it found. Polled by its own fragment; a plain reload works as well."""
    level = level_for(viewer=request.actor, project=project)
    row = get_object_or_404(Verification.objects.select_related("requested_by"), pk=verification)
    return _shown(request, level, row)


def _shown(request: PageRequest, level: Level, row: Verification, refused: str = "") -> HttpResponse:
    context = {
        "level": level,
        "project": level.project,
        "row": row,
        "is_open": row.state in OPEN,
        "address": level.url("verification", verification=row.pk),
        "percent": min(100, 100 * row.done // row.total) if row.total else None,
        "refused": refused,
    }
    template = "compliance/_verification.html" if request.htmx else "compliance/verification.html"
    return render(request, template, context, status=409 if refused else 200)
