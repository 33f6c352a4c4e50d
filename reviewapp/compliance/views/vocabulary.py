"""The closed list of what the log can say."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from reviewapp.access.middleware import PageRequest
from reviewapp.compliance.formats.ocsf import CLASSES
from reviewapp.compliance.selectors import readable_slugs, sees_everything
from reviewapp.compliance.vocabulary import SORTS, by_room, entry_of


@login_required
@require_safe
def vocabulary(request: PageRequest) -> HttpResponse:
    """Every event with its meaning, made from the list in the code; with a way to the events themselves."""
    slugs = readable_slugs(request.actor)
    log = reverse("compliance:log_events") if sees_everything(request.actor) else ""
    if not log and slugs:
        log = reverse("compliance:events", kwargs={"project": slugs[0]})
    rooms = [
        (
            title,
            [(event, SORTS[entry_of(event.value).sort], CLASSES[entry_of(event.value).ocsf][0]) for event in events],
        )
        for title, events in by_room()
    ]
    context = {"rooms": rooms, "log": log, "total": sum(len(events) for _, events in rooms)}
    return render(request, "compliance/vocabulary.html", context)
