"""Taking the log away from a page."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from reviewapp.access.middleware import PageRequest
from reviewapp.access.reauthentication import recent_sign_in
from reviewapp.compliance.api.export import streamed
from reviewapp.compliance.formats import FORMATS
from reviewapp.compliance.services import export_events
from reviewapp.compliance.views.filters import FilterForm
from reviewapp.compliance.views.levels import level_for
from reviewapp.lib.errors import Malformed


@login_required
@recent_sign_in
@require_safe
def export(request: PageRequest, project: str | None = None) -> HttpResponseBase:
    """What the page shows as a file, in the form that was chosen."""
    level = level_for(viewer=request.actor, project=project)
    form = FilterForm(request.GET, level=level)
    format = request.GET.get("format", "jsonl")
    if not form.is_valid() or format not in FORMATS:
        raise Malformed("Go back, correct the filters and choose one of the forms.")
    is_raw = format == "csv" and request.GET.get("csv_raw") == "true"
    return streamed(export_events(actor=request.actor, filters=form.filters(), format=format, is_raw=is_raw))
