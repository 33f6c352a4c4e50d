"""Roles in a project: given and taken away."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from reviewapp.access.invitations import invite_user
from reviewapp.access.matrix import Role
from reviewapp.access.middleware import PageRequest
from reviewapp.access.models import Project, User
from reviewapp.access.reauthentication import recent_sign_in
from reviewapp.access.selectors import project_for
from reviewapp.access.services import grant_role, revoke_role
from reviewapp.home.forms.members import GrantForm, MemberInviteForm
from reviewapp.home.views.people import link_page, reason_of
from reviewapp.home.views.settings import roles_to_give, settings_page
from reviewapp.lib.errors import Conflict, Unprocessable
from reviewapp.queues.models import Queue


@login_required
@recent_sign_in
@require_POST
def grant(request: PageRequest, project: str) -> HttpResponse:
    """Give a role, with its reason."""
    found = project_for(viewer=request.actor, slug=project, act="members.edit")
    form = GrantForm(request.POST, project=found, roles=roles_to_give(request, found))
    if not form.is_valid() or form.user is None:
        return settings_page(request, found, grant=form)
    role = Role(form.cleaned_data["role"])
    target = form.cleaned_data["queue"] or found
    reason = form.cleaned_data["reason"]
    warning = grant_role(actor=request.actor, user=form.user, role=role, target=target, reason=reason)
    messages.success(request, f"{form.user.shown_name} is now {role} of {target}.")
    if warning:
        messages.warning(request, warning)
    return redirect("home:settings", project=project)


@login_required
@recent_sign_in
@require_POST
def revoke(request: PageRequest, project: str) -> HttpResponse:
    """Take a role away, with its reason. It can be given again; the log keeps both."""
    found = project_for(viewer=request.actor, slug=project, act="members.edit")
    user = get_object_or_404(User, username=request.POST.get("username", ""))
    slug = request.POST.get("queue", "")
    target: Project | Queue = get_object_or_404(Queue, project=found, slug=slug) if slug else found
    name, reason = request.POST.get("role", ""), reason_of(request)
    if reason is None or name not in {role.value for role in Role}:
        return redirect("home:settings", project=project)
    revoke_role(actor=request.actor, user=user, role=Role(name), target=target, reason=reason)
    messages.success(request, f"{user.shown_name} is no longer {name} of {target}.")
    return redirect("home:settings", project=project)


@login_required
@recent_sign_in
@require_POST
def invite(request: PageRequest, project: str) -> HttpResponse:
    """Make an account for somebody new, with a first role here; its link is on the answer and nowhere else."""
    found = project_for(viewer=request.actor, slug=project, act="people.invite")
    form = MemberInviteForm(request.POST, project=found, auto_id="invite_%s")
    if not form.is_valid():
        return settings_page(request, found, invite=form)
    asked = form.cleaned_data
    try:
        made = invite_user(
            actor=request.actor,
            username=asked["username"],
            display_name=asked["display_name"],
            email=asked["email"],
            reason=asked["reason"],
            first_role=form.first_role(),
        )
    except (Conflict, Unprocessable) as error:  # the name is taken, or nobody can have it
        form.add_error("username", error.detail)
        return settings_page(request, found, invite=form)
    return link_page(request, made, back=reverse("home:settings", args=[project]))
