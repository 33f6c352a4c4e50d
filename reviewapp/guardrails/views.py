"""Guardrails for people: figures per version, and the decisions behind them."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from reviewapp.access.middleware import PageRequest
from reviewapp.access.selectors import project_for
from reviewapp.guardrails.selectors import (
    VersionFigures,
    guardrail_figures,
    visible_decisions,
    with_answers,
)
from reviewapp.stats.result import Stat

SCALE = {"low": 0.0, "high": 1.0, "bounds": [], "ticks": [(0, "0 %"), (0.5, "50 %"), (1, "100 %")]}
PAGE = 50


@dataclass(frozen=True)
class Shown:
    """A figure as a column: `bounds` and `value` are null when it is undefined."""

    name: str
    value: float | None
    bounds: list[float] | None
    text: str
    interval_text: str
    reason: str
    n: int


@dataclass(frozen=True)
class Row:
    """One version with a sentence."""

    figures: VersionFigures
    shown: list[Shown]
    sentence: str


class DecisionFilter(forms.Form):
    """Which decisions; all may be left out."""

    name = forms.CharField(required=False, max_length=200)
    version = forms.CharField(required=False, max_length=200)
    action = forms.ChoiceField(
        required=False,
        choices=[("", "Any"), *((one, one) for one in ("blocked", "flagged", "rewritten", "passed"))],
    )
    page = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)


def percent(share: float) -> str:
    """One decimal, with a space that does not break."""
    return f"{100 * share:.1f}\u00a0%"


def _shown(name: str, stat: Stat) -> Shown:
    low_high = "" if stat.interval is None else f"{100 * stat.interval[0]:.1f} to {percent(stat.interval[1])}"
    reason = (stat.reason or "").rstrip(".")
    return Shown(
        name=name,
        value=stat.value,
        bounds=None if stat.interval is None else list(stat.interval),
        text="" if stat.value is None else percent(stat.value),
        interval_text=low_high,
        reason=f"{reason[:1].upper()}{reason[1:]}." if reason else "",
        n=stat.n,
    )


def _sentence(row: VersionFigures) -> str:
    if row.precision.value is None:
        if not row.n_hits:
            return "It never acted."
        return f"It acted {row.n_hits:,} times; nobody has reviewed one of them yet."
    wrong = 1 - row.precision.value
    said = f"Of {row.n_hits_reviewed} reviewed actions {percent(wrong)} should not have happened"
    if row.miss_rate.value is not None:
        low, high = row.miss_rate.interval or (0.0, 1.0)
        passes = f"of what it passed, {percent(low)} to {percent(high)} should have been stopped"
        return f"{said}; {passes}."
    return f"{said}; what it lets through is not known."


@login_required
@require_safe
def list_guardrails(request: PageRequest, project: str) -> HttpResponse:
    """Every guardrail version with its figures."""
    found = project_for(viewer=request.actor, slug=project, act="guardrails.view")
    rows = [
        Row(
            one,
            [
                _shown("Trigger rate", one.trigger_rate),
                _shown("Precision", one.precision),
                _shown("Miss rate", one.miss_rate),
                _shown("Recall", one.recall),
            ],
            _sentence(one),
        )
        for one in guardrail_figures(viewer=request.actor, project=found)
    ]
    return render(request, "guardrails/list.html", {"project": found, "rows": rows, "scale": SCALE})


@login_required
@require_safe
def decisions(request: PageRequest, project: str) -> HttpResponse:
    """The decisions of one version, or of all: what it did and what people say. No production text."""
    found = project_for(viewer=request.actor, slug=project, act="guardrails.view")
    form = DecisionFilter(request.GET)
    hits = visible_decisions(viewer=request.actor, project=found)
    number = 1
    if form.is_valid():
        data = form.cleaned_data
        wanted = {name: data[name] for name in ("name", "version", "action") if data[name]}
        hits, number = hits.filter(**wanted), data["page"] or 1
    page = Paginator(hits, PAGE).get_page(number)
    rest = request.GET.copy()
    rest.pop("page", None)
    context = {
        "project": found,
        "form": form,
        "page": page,
        "rows": with_answers(found, list(page.object_list)),
        "rest": rest.urlencode(),
    }
    return render(request, "guardrails/decisions.html", context)
