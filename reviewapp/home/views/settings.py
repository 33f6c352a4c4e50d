"""Settings of a project: people, roles, tokens and sampling rules on one page."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from reviewapp.access.middleware import PageRequest
from reviewapp.access.models import Project
from reviewapp.access.roles import can
from reviewapp.access.selectors import project_for
from reviewapp.home.forms.members import GrantForm
from reviewapp.home.forms.tokens import TokenForm
from reviewapp.home.selectors import holdings, service_tokens
from reviewapp.ingest.models import SamplingRule


@login_required
@require_safe
def settings(request: PageRequest, project: str) -> HttpResponse:
    """People, roles, tokens and sampling rules of a project."""
    found = project_for(viewer=request.actor, slug=project, act="people.view")
    return settings_page(request, found)


def settings_page(
    request: PageRequest,
    project: Project,
    *,
    grant: GrantForm | None = None,
    token: TokenForm | None = None,
    secret: str | None = None,
) -> HttpResponse:
    """The page with whatever form was refused; 422 then."""
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
