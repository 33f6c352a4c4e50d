"""Groups of the identity provider and the roles that they give in a project."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from config.env import OpenIdConnect
from reviewapp.access.groups import grant_group_role, group_holdings, revoke_group_role
from reviewapp.access.matrix import Role
from reviewapp.access.middleware import PageRequest
from reviewapp.access.models import Project
from reviewapp.access.reauthentication import recent_sign_in
from reviewapp.access.roles import can
from reviewapp.access.selectors import project_for
from reviewapp.home.forms.groups import GroupGrantForm
from reviewapp.lib.errors import Conflict, Unprocessable
from reviewapp.queues.models import Queue


@login_required
@require_safe
def groups(request: PageRequest, project: str) -> HttpResponse:
    """Which groups hold what."""
    return _page(request, project_for(viewer=request.actor, slug=project, act="people.view"))


def _page(request: PageRequest, project: Project, *, form: GroupGrantForm | None = None) -> HttpResponse:
    context = {
        "project": project,
        "holdings": group_holdings(viewer=request.actor, project=project),
        "may_edit": settings.OIDC is not None and can(request.actor, "members.edit", project),
        "form": form or GroupGrantForm(project=project),
    }
    return render(request, "home/groups.html", context, status=422 if form is not None else 200)


@login_required
@recent_sign_in
@require_POST
def grant_group(request: PageRequest, project: str) -> HttpResponse:
    """Give a group a role, with its reason."""
    found = project_for(viewer=request.actor, slug=project, act="members.edit")
    form = GroupGrantForm(request.POST, project=found)
    if not form.is_valid():
        return _page(request, found, form=form)
    name, role = form.cleaned_data["group"], Role(form.cleaned_data["role"])
    target = form.cleaned_data["queue"] or found
    try:
        grant_group_role(
            actor=request.actor, issuer=_provider().server, name=name, role=role, target=target,
            reason=form.cleaned_data["reason"],
        )  # fmt: skip
    except Unprocessable as error:
        form.add_error("group", error.detail)
        return _page(request, found, form=form)
    messages.success(request, f"Whoever is in {name} is {role} of {target} from their next sign-in on.")
    return redirect("home:groups", project=project)


@login_required
@recent_sign_in
@require_POST
def revoke_group(request: PageRequest, project: str) -> HttpResponse:
    """Take a role from a group. It can be given again; the log keeps both."""
    found = project_for(viewer=request.actor, slug=project, act="members.edit")
    slug, name, role = (request.POST.get(part, "") for part in ("queue", "group", "role"))
    target: Project | Queue = get_object_or_404(Queue, project=found, slug=slug) if slug else found
    if role in {one.value for one in Role}:
        revoke_group_role(
            actor=request.actor, issuer=_provider().server, name=name, role=Role(role), target=target,
            reason=request.POST.get("reason", "")[:300],
        )  # fmt: skip
        messages.success(request, f"{name} no longer gives {role} of {target}.")
    return redirect("home:groups", project=project)


def _provider() -> OpenIdConnect:
    oidc: OpenIdConnect | None = settings.OIDC
    if oidc is None:
        raise Conflict("This installation has no identity provider, so no groups.")
    return oidc
