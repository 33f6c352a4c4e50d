"""What an auditor looks for, in the address: a form, the filters that are set, and quick ranges of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.http import QueryDict

from reviewapp.compliance.selectors import NO_PROJECT, YEARS, Filters, readable_projects
from reviewapp.compliance.selectors.names import KINDS
from reviewapp.compliance.views.levels import Level
from reviewapp.compliance.vocabulary import SORTS, WITHOUT_LOG, by_room, events_of_sort

OUTCOMES = {"success": "allowed", "denied": "refused", "error": "failed"}
RANGES = (("Last hour", timedelta(hours=1)), ("24 hours", timedelta(days=1)), ("7 days", timedelta(days=7)))
_MINUTE = "%Y-%m-%dT%H:%M"


def _event_choices() -> list[tuple[str, Any]]:
    sorts = [(WITHOUT_LOG, "All but the log's own"), *((sort.value, title) for sort, title in SORTS.items())]
    rooms = [(title, [(event.value, event.value) for event in events]) for title, events in by_room()]
    return [("", "All events"), ("Kinds of events", sorts), *rooms]


class FilterForm(forms.Form):
    """What an auditor looks for; everything may be left out. Times are UTC."""

    actor = forms.CharField(
        label="Person or token", required=False, max_length=400, widget=forms.TextInput({"list": "people"})
    )
    event = forms.ChoiceField(label="Event", required=False, choices=_event_choices)
    kind = forms.ChoiceField(
        label="Kind of object",
        required=False,
        choices=[("", "Any"), *((name, kind.word) for name, kind in KINDS.items())],
    )
    object = forms.CharField(
        label="Object", required=False, max_length=400, widget=forms.TextInput({"placeholder": "Id or short name"})
    )
    project = forms.ChoiceField(label="Project", required=False)
    since = forms.DateTimeField(label="From", required=False)
    until = forms.DateTimeField(label="Before", required=False)
    outcome = forms.ChoiceField(label="Outcome", required=False, choices=[("", "Any"), *OUTCOMES.items()])
    request = forms.UUIDField(required=False, widget=forms.HiddenInput)
    before = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)
    after = forms.IntegerField(required=False, min_value=0, max_value=2**62, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict, *, level: Level) -> None:
        super().__init__(data)
        self.level = level
        for name in ("since", "until"):
            self.fields[name].widget = forms.DateTimeInput({"type": "datetime-local"}, format=_MINUTE)
        if level.project is not None:
            del self.fields["project"]
        else:
            known = [(slug, title) for slug, title in readable_projects()]
            self.fields["project"].choices = [("", "All"), (NO_PROJECT, "None (the installation's own)"), *known]  # type: ignore[attr-defined] # a ChoiceField

    def clean(self) -> dict[str, Any]:
        """Times that a zone or a margin can shift."""
        for name in ("since", "until"):
            moment = self.cleaned_data.get(name)
            if moment is not None and moment.year not in YEARS:
                self.add_error(name, f"Choose a time between the years {YEARS[0]} and {YEARS[-1]}.")
        return self.cleaned_data

    def filters(self) -> Filters:
        """The filters of a valid form."""
        data: dict[str, Any] = self.cleaned_data
        name = data["event"]
        events = (events_of_sort(name) or (name,)) if name else None
        return Filters(
            actor=data["actor"].strip() or None,
            events=events,
            object_kind=data["kind"] or None,
            object=data["object"].strip() or None,
            project=self.level.slug or data.get("project") or None,
            outcome=data["outcome"] or None,
            since=data["since"],
            until=data["until"],
            request=str(data["request"]) if data["request"] else None,
        )


@dataclass(frozen=True)
class Chosen:
    """One filter that is set, in words, and the address without it."""

    label: str
    value: str
    address: str


def chosen(form: FilterForm, query: QueryDict) -> list[Chosen]:
    """The filters that are set, each with the way to take it away."""
    found = []
    for name, field in form.fields.items():
        value = form.cleaned_data.get(name)
        if value in (None, "") or name in ("before", "after"):
            continue
        label = "Request" if name == "request" else str(field.label)
        found.append(Chosen(label, _shown(field, value), without(query, name)))
    return found


def _shown(field: forms.Field, value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%-d %b %Y %H:%M} UTC"
    for key, title in _flat(getattr(field, "choices", ())):
        if key == value:
            return title
    return str(value)


def _flat(choices: Any) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, title in choices:
        found += title if isinstance(title, list | tuple) else [(key, title)]
    return found


def without(query: QueryDict, *names: str) -> str:
    """The address's question without some of its parts, and from its newest page."""
    rest = query.copy()
    for name in (*names, "before", "after"):
        rest.pop(name, None)
    return _question(rest)


def with_parts(query: QueryDict, parts: Mapping[str, str]) -> str:
    """The address's question with some parts set, and from its newest page."""
    rest = query.copy()
    for name in ("before", "after"):
        rest.pop(name, None)
    for name, value in parts.items():
        rest[name] = value
    return _question(rest)


def _question(query: QueryDict) -> str:
    kept = query.copy()
    for name in [name for name, value in query.items() if not value]:
        del kept[name]
    return f"?{kept.urlencode()}" if kept else "?"


def ranges(query: QueryDict, now: datetime) -> list[tuple[str, str]]:
    """(label, question) of ranges that end now; written as times, so that the address means the same tomorrow."""
    rest = query.copy()
    rest.pop("until", None)
    return [(label, with_parts(rest, {"since": f"{now - span:{_MINUTE}}"})) for label, span in RANGES]
