"""The auditor's pages."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from reviewapp.access.middleware import PageRequest
from reviewapp.access.selectors import project_for
from reviewapp.audit.events import Event
from reviewapp.audit.models import Event as EventRow
from reviewapp.compliance.selectors import Filters, event_for, log_state, shown_event, visible_events
from reviewapp.compliance.services import record_view

PAGE = 50


class FilterForm(forms.Form):
    """What an auditor looks for; everything may be left out."""

    actor = forms.CharField(label="Person", required=False, max_length=150)
    event = forms.ChoiceField(
        label="Event", required=False, choices=[("", "All events"), *((event.value, event.value) for event in Event)]
    )
    object = forms.CharField(label="Object", required=False, max_length=100)
    since = forms.DateField(label="From", required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))
    outcome = forms.ChoiceField(
        label="Outcome",
        required=False,
        choices=[("", "Any"), ("success", "allowed"), ("denied", "refused"), ("error", "failed")],
    )
    before = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def filters(self, project: str) -> Filters:
        """The filters of a valid form; days are whole days in UTC."""
        data: dict[str, Any] = self.cleaned_data
        return Filters(
            actor=data["actor"] or None,
            events=(data["event"],) if data["event"] else None,
            object=data["object"] or None,
            project=project,
            outcome=data["outcome"] or None,
            since=_midnight(data["since"]) if data["since"] else None,
            until=_midnight(data["until"]) + timedelta(days=1) if data["until"] else None,
        )


def _midnight(day: Any) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)


@login_required
@require_safe
def events(request: PageRequest, project: str) -> HttpResponse:
    """The project's part of the log, newest first, with filters; the state of the whole log in plain words."""
    found = project_for(viewer=request.actor, slug=project, act="audit.view")
    form = FilterForm(request.GET)
    rows: list[EventRow] = []
    if form.is_valid():
        filters = form.filters(found.slug)
        matching = visible_events(viewer=request.actor, filters=filters)
        if form.cleaned_data["before"]:
            matching = matching.filter(id__lt=form.cleaned_data["before"])
        with transaction.atomic():
            rows = list(matching[: PAGE + 1])
            record_view(actor=request.actor, filters=filters, project=found.slug, rows=min(len(rows), PAGE))
    older = request.GET.copy()
    if len(rows) > PAGE:
        older["before"] = str(rows[PAGE - 1].pk)
    context = {
        "project": found,
        "form": form,
        "events": [{**shown_event(row), "moment": row.at} for row in rows[:PAGE]],
        "older": older.urlencode() if len(rows) > PAGE else "",
        "state": log_state(),
        "is_filtered": any(form.data.get(name) for name in form.fields),
    }
    return render(request, "compliance/events.html", context)


@login_required
@require_safe
def event(request: PageRequest, project: str, eid: UUID) -> HttpResponse:
    """One event with its payload and its place in the log."""
    found = project_for(viewer=request.actor, slug=project, act="audit.view")
    shown = shown_event(event_for(viewer=request.actor, eid=eid))
    payload = shown["payload"] or {}
    context = {
        "project": found,
        "event": shown,
        "changes": _changes(payload.get("before"), payload.get("after")),
        "more": {key: value for key, value in payload.items() if key not in _SHOWN_APART},
    }
    return render(request, "compliance/event.html", context)


_SHOWN_APART = frozenset({"before", "after", "reason", "actor_name", "source_ip", "user_agent"})


def _changes(before: Any, after: Any) -> list[tuple[str, Any, Any]]:
    """(field, before, after) rows; a value that is not an object is one row named "value"."""
    if before is None and after is None:
        return []
    if not isinstance(before or {}, dict) or not isinstance(after or {}, dict):
        return [("value", before, after)]
    old, new = before or {}, after or {}
    return [(key, old.get(key), new.get(key)) for key in [*new, *(key for key in old if key not in new)]]
