"""Settings of a project: people, roles, tokens and sampling rules on one page."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from reviewapp.access.matrix import QUEUE_ROLES, Role
from reviewapp.access.middleware import PageRequest
from reviewapp.access.models import Project
from reviewapp.access.roles import can, is_installation_reader
from reviewapp.access.selectors import project_for
from reviewapp.home.forms.members import GrantForm, MemberInviteForm
from reviewapp.home.forms.tokens import TokenForm
from reviewapp.home.selectors import holdings, service_tokens
from reviewapp.ingest.models import SamplingRule


@login_required
@require_safe
def settings(request: PageRequest, project: str) -> HttpResponse:
    """People, roles, tokens and sampling rules of a project."""
    found = project_for(viewer=request.actor, slug=project, act="people.view")
    return settings_page(request, found)


def roles_to_give(request: PageRequest, project: Project) -> tuple[Role, ...]:
    """The roles that the viewer may give and take here: an admin all, a manager those of queues, others none."""
    may_all, may_queues = can(request.actor, "people.edit", project), can(request.actor, "members.edit", project)
    return tuple(Role) if may_all else QUEUE_ROLES if may_queues else ()


def settings_page(
    request: PageRequest,
    project: Project,
    *,
    grant: GrantForm | None = None,
    invite: MemberInviteForm | None = None,
    token: TokenForm | None = None,
    secret: str | None = None,
) -> HttpResponse:
    """The page with whatever form was refused; 422 then."""
    wrong = any(form is not None and form.errors for form in (grant, invite, token))
    roles = roles_to_give(request, project)
    context: dict[str, Any] = {
        "project": project,
        "holdings": holdings(project=project),
        "tokens": service_tokens(project=project),
        "rules": SamplingRule.objects.filter(project=project, ended_at=None).order_by("slug"),
        "may_give": roles,
        "may_invite": can(request.actor, "people.invite", project),
        "sees_people": is_installation_reader(request.actor),
        "may_edit_tokens": can(request.actor, "tokens.edit", project),
        "grant_form": grant or GrantForm(project=project, roles=roles),
        "invite_form": invite or MemberInviteForm(project=project, auto_id="invite_%s"),
        "token_form": token or TokenForm(),
        "secret": secret,
    }
    return render(request, "home/settings.html", context, status=422 if wrong else 200)
