"""The log as a list, at both levels, and the names that its filter suggests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from reviewapp.access.middleware import PageRequest
from reviewapp.access.roles import can
from reviewapp.audit.models import Event
from reviewapp.compliance.formats import FORMATS
from reviewapp.compliance.selectors import (
    COUNTED_TO,
    counted,
    log_state,
    people_called,
    sees_everything,
    shown_events,
    titles,
    visible_events,
    word_for,
)
from reviewapp.compliance.sentences import act_of, wanted_names, words_of
from reviewapp.compliance.services import record_view
from reviewapp.compliance.views.filters import FilterForm, chosen, ranges, with_parts
from reviewapp.compliance.views.levels import Level, level_for
from reviewapp.compliance.vocabulary import meaning_of
from reviewapp.lib.clock import utc_now

PAGE = 50
_OF_THE_PAGE = ("before", "after", "format", "csv_raw")


@login_required
@require_safe
def events(request: PageRequest, project: str | None = None) -> HttpResponse:
    """A page of the log, newest first, with filters in the address; the state of the whole log in plain words."""
    level = level_for(viewer=request.actor, project=project)
    form = FilterForm(request.GET, level=level)
    state = log_state()
    last = state.verification
    context: dict[str, Any] = {
        "level": level,
        "project": level.project,
        "form": form,
        "state": state,
        "last_verification": level.url("verification", verification=last.pk) if last else "",
        "ranges": ranges(request.GET, utc_now()),
        "formats": FORMATS.items(),
        "may_export": _may_export(request, level),
        "may_see_installation": level.project is not None and sees_everything(request.actor),
        "carried": [(name, value) for name, value in request.GET.items() if value and name not in _OF_THE_PAGE],
    }
    if form.is_valid():
        filters = form.filters()
        found = visible_events(viewer=request.actor, filters=filters)
        with transaction.atomic():
            shown = page_of(found, before=form.cleaned_data["before"], after=form.cleaned_data["after"])
            record_view(actor=request.actor, filters=filters, project=level.slug, rows=len(shown.rows))
        context |= {
            "rows": lines(shown.rows, level),
            "older": _turned(request.GET, "before", shown.older),
            "newer": _turned(request.GET, "after", shown.newer),
            "matches": counted(found),
            "counted_to": COUNTED_TO,
            "chosen": chosen(form, request.GET),
        }
    return render(request, "compliance/events.html", context, status=200 if form.is_valid() else 422)


def _may_export(request: PageRequest, level: Level) -> bool:
    if level.project is None:
        return sees_everything(request.actor, "audit.export")
    return sees_everything(request.actor, "audit.export") or can(request.actor, "audit.export", level.project)


@dataclass(frozen=True)
class Page:
    """Rows newest first; older and newer are the ids to go on from, None at an end."""

    rows: list[Event]
    older: int | None
    newer: int | None


def page_of(found: QuerySet[Event], *, before: int | None, after: int | None) -> Page:
    """PAGE rows below an id, above an id, or the newest."""
    if after is not None:
        rows = list(found.filter(id__gt=after).order_by("id")[: PAGE + 1])
        more = len(rows) > PAGE
        rows = rows[:PAGE][::-1]
        if rows or before is not None:
            return Page(rows, older=rows[-1].pk if rows else None, newer=rows[0].pk if more else None)
        before = after + 1  # nothing newer came: show where the reader stood
    below = found.filter(id__lt=before) if before is not None else found
    rows = list(below[: PAGE + 1])
    older = rows[PAGE - 1].pk if len(rows) > PAGE else None
    rows = rows[:PAGE]
    return Page(rows, older=older, newer=rows[0].pk if rows and before is not None else None)


def _turned(query: QueryDict, name: str, at: int | None) -> str:
    return with_parts(query, {name: str(at)}) if at is not None else ""


def lines(rows: Sequence[Event], level: Level) -> list[dict[str, Any]]:
    """Rows for people: API.md's audit event with `moment`, `address`, `act` (after the actor's name) and `meaning`."""
    shown = shown_events(rows)
    names = titles([pair for one in shown for pair in wanted_names(one)])
    found = []
    for one in shown:
        kind = one["object_kind"]
        words = words_of(one, names, {kind: word_for(kind)})
        found.append(
            {
                **one,
                "address": level.url("event", eid=one["id"]),
                "act": act_of(one["event"], words) or f"– {meaning_of(one['event'])}",
                "named": words["object"],
            }
        )
    return found


@login_required
@require_safe
def people(request: PageRequest, project: str | None = None) -> HttpResponse:
    """Names for the filter's list of suggestions: people who stand in this part of the log. Not recorded."""
    level = level_for(viewer=request.actor, project=project)
    asked = request.GET.get("actor", "").strip()[:100]
    slugs = [level.project.slug] if level.project else None
    found = people_called(asked, slugs=slugs) if asked and "\x00" not in asked else []
    return render(request, "compliance/_people.html", {"people": found})
