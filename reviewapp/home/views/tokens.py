"""API tokens: those of a project's programs, and one's own."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from reviewapp.access.middleware import PageRequest
from reviewapp.access.models import ApiToken
from reviewapp.access.reauthentication import recent_sign_in
from reviewapp.access.selectors import project_for
from reviewapp.access.tokens import create_personal_token, create_service_token, revoke_token, rotate_token
from reviewapp.home.forms.tokens import PersonalTokenForm, TokenForm
from reviewapp.home.selectors import personal_tokens, service_tokens
from reviewapp.home.views.account import account_page
from reviewapp.home.views.settings import settings_page
from reviewapp.lib.errors import Conflict


@login_required
@recent_sign_in
@require_POST
def add_token(request: PageRequest, project: str) -> HttpResponse:
    """Make a service token; its text is on the answer and nowhere else."""
    found = project_for(viewer=request.actor, slug=project, act="tokens.edit")
    form = TokenForm(request.POST)
    if not form.is_valid():
        return settings_page(request, found, token=form)
    made = create_service_token(actor=request.actor, project=found, **form.cleaned_data)
    return settings_page(request, found, secret=made.secret)


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
@recent_sign_in
@require_POST
def rotate(request: PageRequest, project: str, token: UUID) -> HttpResponse:
    """Make a successor; its text is on the answer and nowhere else."""
    found = project_for(viewer=request.actor, slug=project, act="tokens.edit")
    row = get_object_or_404(service_tokens(project=found), pk=token)
    try:
        made = rotate_token(actor=request.actor, token=row)
    except Conflict as error:
        messages.error(request, error.detail)
        return redirect("home:settings", project=project)
    return settings_page(request, found, secret=made.secret)


@login_required
@recent_sign_in
@require_POST
def add_own_token(request: PageRequest) -> HttpResponse:
    """Make a personal token."""
    form = PersonalTokenForm(request.POST)
    if not form.is_valid():
        return account_page(request, form=form)
    made = create_personal_token(actor=request.actor, **form.cleaned_data)
    return account_page(request, secret=made.secret)


@login_required
@require_POST
def end_own_token(request: PageRequest, token: UUID) -> HttpResponse:
    """Revoke one of my tokens at once."""
    row = get_object_or_404(personal_tokens(viewer=request.actor), pk=token)
    revoke_token(actor=request.actor, token=row)
    messages.success(request, f"The token {row.name} is revoked.")
    return redirect("home:account")


@login_required
@recent_sign_in
@require_POST
def rotate_own(request: PageRequest, token: UUID) -> HttpResponse:
    """Make a successor of one of my tokens."""
    row = get_object_or_404(personal_tokens(viewer=request.actor), pk=token)
    try:
        made = rotate_token(actor=request.actor, token=row)
    except Conflict as error:
        messages.error(request, error.detail)
        return redirect("home:account")
    return account_page(request, secret=made.secret)
