"""The first page, and settings."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from reviewapp.access.matrix import Role
from reviewapp.access.middleware import PageRequest
from reviewapp.access.models import ApiToken, Project, User
from reviewapp.access.roles import can
from reviewapp.access.selectors import project_for
from reviewapp.access.services import grant_role, revoke_role
from reviewapp.access.tokens import create_personal_token, create_service_token, revoke_token
from reviewapp.home.forms import GrantForm, PersonalTokenForm, TokenForm
from reviewapp.home.selectors import holdings, home_of, personal_tokens, service_tokens
from reviewapp.ingest.models import SamplingRule
from reviewapp.monitoring.selectors import Window, parse_window, pass_rates, traffic_by_configuration
from reviewapp.monitoring.views import SCALE, RateRow, RateTable, rate_table
from reviewapp.queues.models import Queue

WINDOW = "28d"  # long enough for a team that grades a little every day


@login_required
@require_safe
def home(request: PageRequest) -> HttpResponse:
    """What needs me."""
    found = home_of(viewer=request.actor)
    window = parse_window(WINDOW)
    context = {
        "home": found,
        "window": window,
        "scale": SCALE,
        "tables": [
            (entry.project, table)
            for entry in found.projects
            if entry.sees_quality
            for table in _rates(request, entry.project, window)
        ],
    }
    return render(request, "home/home.html", context)


def _rates(request: PageRequest, project: Project, window: Window) -> list[RateTable]:
    """The first criterion whose pass rate says something; the monitoring page has the others."""
    traffic = traffic_by_configuration(viewer=request.actor, project=project, window=window)
    tables = [rate_table(*one, traffic) for one in pass_rates(viewer=request.actor, project=project, window=window)]
    varied = [table for table in tables if any(_varies(row) for row in table.rows)]
    return (varied or tables)[:1]


def _varies(row: RateRow) -> bool:
    return row.estimate is not None and row.estimate.stat.value not in (None, 0.0, 1.0)


@login_required
@require_safe
def settings(request: PageRequest, project: str) -> HttpResponse:
    """People, roles, tokens and sampling rules of a project."""
    found = project_for(viewer=request.actor, slug=project, act="people.view")
    return _settings(request, found)


def _settings(
    request: PageRequest,
    project: Project,
    *,
    grant: GrantForm | None = None,
    token: TokenForm | None = None,
    secret: str | None = None,
) -> HttpResponse:
    wrong = (grant is not None and bool(grant.errors)) or (token is not None and bool(token.errors))
    context: dict[str, Any] = {
        "project": project,
        "holdings": holdings(project=project),
        "tokens": service_tokens(project=project),
        "rules": SamplingRule.objects.filter(project=project, ended_at=None).order_by("slug"),
        "may_edit_people": can(request.actor, "members.edit", project),
        "may_edit_tokens": can(request.actor, "tokens.edit", project),
        "grant_form": grant or GrantForm(project=project),
        "token_form": token or TokenForm(),
        "secret": secret,
    }
    return render(request, "home/settings.html", context, status=422 if wrong else 200)


@login_required
@require_POST
def grant(request: PageRequest, project: str) -> HttpResponse:
    """Give a role, with its reason."""
    found = project_for(viewer=request.actor, slug=project, act="members.edit")
    form = GrantForm(request.POST, project=found)
    if not form.is_valid() or form.user is None:
        return _settings(request, found, grant=form)
    role = Role(form.cleaned_data["role"])
    target = form.cleaned_data["queue"] or found
    grant_role(actor=request.actor, user=form.user, role=role, target=target, reason=form.cleaned_data["reason"])
    messages.success(request, f"{form.user.shown_name} is now {role} of {target}.")
    return redirect("home:settings", project=project)


@login_required
@require_POST
def revoke(request: PageRequest, project: str) -> HttpResponse:
    """Take a role away. It can be given again; the log keeps both."""
    found = project_for(viewer=request.actor, slug=project, act="members.edit")
    user = get_object_or_404(User, username=request.POST.get("username", ""))
    slug = request.POST.get("queue", "")
    target: Project | Queue = get_object_or_404(Queue, project=found, slug=slug) if slug else found
    name = request.POST.get("role", "")
    if name not in {role.value for role in Role}:
        return redirect("home:settings", project=project)
    revoke_role(actor=request.actor, user=user, role=Role(name), target=target, reason=request.POST.get("reason", ""))
    messages.success(request, f"{user.shown_name} is no longer {name} of {target}.")
    return redirect("home:settings", project=project)


@login_required
@require_POST
def add_token(request: PageRequest, project: str) -> HttpResponse:
    """Make a service token; its text is on the answer and nowhere else."""
    found = project_for(viewer=request.actor, slug=project, act="tokens.edit")
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _settings(request, found, token=form)
    made = create_service_token(actor=request.actor, project=found, **form.cleaned_data)
    return _settings(request, found, secret=made.secret)


@login_required
@require_POST
def end_token(request: PageRequest, project: str, token: UUID) -> HttpResponse:
    """Revoke a service token at once."""
    found = project_for(viewer=request.actor, slug=project, act="tokens.edit")
    row = get_object_or_404(ApiToken, pk=token, project=found)
    revoke_token(actor=request.actor, token=row)
    messages.success(request, f"The token {row.name} is revoked.")
    return redirect("home:settings", project=project)


@login_required
@require_safe
def account(request: PageRequest) -> HttpResponse:
    """My own tokens."""
    return _account(request)


def _account(request: PageRequest, *, form: PersonalTokenForm | None = None, secret: str | None = None) -> HttpResponse:
    context = {"tokens": personal_tokens(viewer=request.actor), "form": form or PersonalTokenForm(), "secret": secret}
    return render(request, "home/account.html", context, status=422 if form is not None and form.errors else 200)


@login_required
@require_POST
def add_own_token(request: PageRequest) -> HttpResponse:
    """Make a personal token."""
    form = PersonalTokenForm(request.POST)
    if not form.is_valid():
        return _account(request, form=form)
    made = create_personal_token(actor=request.actor, **form.cleaned_data)
    return _account(request, secret=made.secret)


@login_required
@require_POST
def end_own_token(request: PageRequest, token: UUID) -> HttpResponse:
    """Revoke one of my tokens at once."""
    row = get_object_or_404(personal_tokens(viewer=request.actor), pk=token)
    revoke_token(actor=request.actor, token=row)
    messages.success(request, f"The token {row.name} is revoked.")
    return redirect("home:account")
