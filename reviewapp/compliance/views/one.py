"""One event, and the proof of its place."""

from __future__ import annotations

import json
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from reviewapp.access.middleware import PageRequest
from reviewapp.compliance.selectors import event_for
from reviewapp.compliance.selectors.one import proof_of, reading_of
from reviewapp.compliance.services import record_opened
from reviewapp.compliance.views.levels import level_for
from reviewapp.compliance.vocabulary import meaning_of


@login_required
@require_safe
def event(request: PageRequest, eid: UUID, project: str | None = None) -> HttpResponse:
    """One event with its payload and its place in the log; opening it is recorded."""
    level = level_for(viewer=request.actor, project=project)
    row = event_for(viewer=request.actor, eid=eid, project=level.slug)
    record_opened(actor=request.actor, eid=eid, project=level.slug)
    reading = reading_of(row)
    address = reading.object_address
    context = {
        "level": level,
        "project": level.project,
        "reading": reading,
        "shown": reading.shown,
        "said": reading.shown["payload"] or {},
        "meaning": meaning_of(row.event),
        "canonical": json.dumps(reading.env, ensure_ascii=False, indent=2),
        "proof_address": level.url("proof", eid=eid),
        "object_page": reverse(address[0], kwargs=dict(address[1])) if address else None,
    }
    return render(request, "compliance/event.html", context)


@login_required
@require_safe
def proof(request: PageRequest, eid: UUID, project: str | None = None) -> HttpResponse:
    """The event with its path to a signed head, as a file that verifies without us."""
    level = level_for(viewer=request.actor, project=project)
    row = event_for(viewer=request.actor, eid=eid, project=level.slug)
    found = proof_of(row)
    record_opened(actor=request.actor, eid=eid, project=level.slug)
    response = JsonResponse(found, json_dumps_params={"ensure_ascii": False, "indent": 1})
    response["Content-Disposition"] = f'attachment; filename="audit-proof-{found["leaf_index"]}.json"'
    return response
