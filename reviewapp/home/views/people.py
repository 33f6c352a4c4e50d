"""People of the installation: who there is, inviting, closing and opening accounts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from reviewapp.access.invitations import NewLink, invite_again, invite_user, is_invited, reset_link, withdraw_link
from reviewapp.access.matrix import Role
from reviewapp.access.middleware import PageRequest
from reviewapp.access.models import Project, User
from reviewapp.access.people import (
    State,
    explained,
    factors_of,
    people,
    person_for,
    state_of,
    tokens_of,
    warnings_of,
)
from reviewapp.access.reauthentication import recent_sign_in
from reviewapp.access.roles import is_installation_admin
from reviewapp.access.services import (
    deactivate_user,
    grant_installation_role,
    grant_role,
    reactivate_user,
    revoke_installation_role,
    revoke_role,
)
from reviewapp.access.sessions import end_session, end_sessions, open_sessions, session_named
from reviewapp.access.tokens import revoke_token
from reviewapp.compliance.selectors import Filters
from reviewapp.compliance.services import record_view
from reviewapp.home.forms.people import (
    EVERYWHERE,
    InviteForm,
    LinkForm,
    PlaceForm,
    ReasonForm,
    SearchForm,
    place_named,
)
from reviewapp.home.selectors import told_about
from reviewapp.lib.errors import Conflict, Unprocessable


@login_required
@require_safe
def index(request: PageRequest) -> HttpResponse:
    """Everybody with an account."""
    return _index(request)


def _index(request: PageRequest, *, invite: InviteForm | None = None) -> HttpResponse:
    search = SearchForm(request.GET)
    asked = search.cleaned_data if search.is_valid() else {"q": "", "state": ""}
    state = State(asked["state"]) if asked["state"] else None
    context = {
        "people": people(viewer=request.actor, search=asked["q"].strip(), state=state),
        "search": search,
        "is_filtered": bool(asked["q"] or asked["state"]),
        "may_edit": is_installation_admin(request.actor),
        "invite_form": invite or InviteForm(projects=_projects()),
    }
    is_wrong = (invite is not None and bool(invite.errors)) or not search.is_valid()
    return render(request, "home/people.html", context, status=422 if is_wrong else 200)


def _projects() -> list[Project]:
    return list(Project.objects.filter(archived_at=None).order_by("title"))


@login_required
@recent_sign_in
@require_POST
def invite(request: PageRequest) -> HttpResponse:
    """Make an account that waits for its link; the link is on the answer and nowhere else."""
    form = InviteForm(request.POST, projects=_projects())
    if not form.is_valid():
        return _index(request, invite=form)
    asked, role = form.cleaned_data, form.installation_role()
    try:
        with transaction.atomic():
            made = invite_user(
                actor=request.actor,
                username=asked["username"],
                display_name=asked["display_name"],
                email=asked["email"],
                reason=asked["reason"],
                first_role=form.first_role(),
            )
            if role is not None:
                user = made.invitation.user
                grant_installation_role(actor=request.actor, user=user, role=role, reason=asked["reason"])
    except (Conflict, Unprocessable) as error:  # the name is taken, or nobody can have it
        form.add_error("username", error.detail)
        return _index(request, invite=form)
    return link_page(request, made, back=reverse("home:person", args=[made.invitation.user.pk]))


def link_page(request: PageRequest, made: NewLink, *, back: str) -> HttpResponse:
    """The one answer on which a link stands."""
    address = request.build_absolute_uri(reverse("access:invite", args=[made.secret]))
    return render(request, "home/link.html", {"invitation": made.invitation, "address": address, "back": back})


@login_required
@require_safe
def person(request: PageRequest, person: UUID) -> HttpResponse:
    """What somebody can do and why, where they are signed in, and what they did lately."""
    return _person(request, person_for(viewer=request.actor, pk=person))


def _person(request: PageRequest, user: User, *, role: PlaceForm | None = None) -> HttpResponse:
    held, state = explained(user), state_of(user)
    with transaction.atomic():
        events = told_about(viewer=request.actor, user=user)
        record_view(actor=request.actor, filters=Filters(actor=str(user.pk)), project=None, rows=len(events))
    context: dict[str, Any] = {
        "person": user,
        "state": state,
        "held": held,
        "warnings": warnings_of(held),
        "factors": factors_of(user),
        "sessions": open_sessions(viewer=request.actor, user=user),
        "tokens": tokens_of(user),
        "events": events,
        "may_edit": is_installation_admin(request.actor),
        "is_me": user.pk == request.actor.person.pk,
        "role_form": role or PlaceForm(projects=_projects()),
        "link_form": LinkForm(auto_id="link_%s"),
    }
    return render(request, "home/person.html", context, status=422 if role is not None and role.errors else 200)


@login_required
@recent_sign_in
@require_POST
def give(request: PageRequest, person: UUID) -> HttpResponse:
    """Give a role anywhere, with its reason."""
    user = person_for(viewer=request.actor, pk=person)
    form = PlaceForm(request.POST, projects=_projects())
    if not form.is_valid():
        return _person(request, user, role=form)
    role, reason, warning = Role(form.cleaned_data["role"]), form.cleaned_data["reason"], None
    if form.held_at is None:
        grant_installation_role(actor=request.actor, user=user, role=role, reason=reason)
    else:
        warning = grant_role(actor=request.actor, user=user, role=role, target=form.held_at, reason=reason)
    messages.success(request, f"{user} is now {role} of {form.held_at or 'the whole installation'}.")
    if warning:
        messages.warning(request, warning)
    return redirect("home:person", person=person)


@login_required
@recent_sign_in
@require_POST
def take(request: PageRequest, person: UUID) -> HttpResponse:
    """Take a role away, with its reason."""
    user = person_for(viewer=request.actor, pk=person)
    reason = reason_of(request)
    name, place = request.POST.get("role", ""), request.POST.get("place", "")
    if reason is None or name not in {role.value for role in Role}:
        return redirect("home:person", person=person)
    target = place_named(place or EVERYWHERE)
    if target is None:
        revoke_installation_role(actor=request.actor, user=user, role=Role(name), reason=reason)
    else:
        revoke_role(actor=request.actor, user=user, role=Role(name), target=target, reason=reason)
    messages.success(request, f"{user} is no longer {name} of {target or 'the whole installation'}.")
    return redirect("home:person", person=person)


def reason_of(request: PageRequest) -> str | None:
    """The reason that was typed; without one a message says so and nothing is done."""
    form = ReasonForm(request.POST)
    if form.is_valid():
        reason: str = form.cleaned_data["reason"]
        return reason
    messages.error(request, "Nothing was done: say why, in at most 300 characters. The reason stands in the audit log.")
    return None


@login_required
@recent_sign_in
@require_POST
def close(request: PageRequest, person: UUID) -> HttpResponse:
    """Close an account; every session, token and link of it is dead at once."""
    user = person_for(viewer=request.actor, pk=person)
    reason = reason_of(request)
    if reason is not None:
        deactivate_user(actor=request.actor, user=user, reason=reason)
        messages.success(request, f"The account of {user} is closed. Sessions, tokens and links of it are dead.")
    return redirect("home:person", person=person)


@login_required
@recent_sign_in
@require_POST
def reopen(request: PageRequest, person: UUID) -> HttpResponse:
    """Open a closed account; what it still holds counts again."""
    user = person_for(viewer=request.actor, pk=person)
    reason = reason_of(request)
    if reason is not None:
        reactivate_user(actor=request.actor, user=user, reason=reason)
        messages.success(request, f"The account of {user} is open again, with the roles below.")
    return redirect("home:person", person=person)


@login_required
@recent_sign_in
@require_POST
def make_link(request: PageRequest, person: UUID) -> HttpResponse:
    """A one-time link: the invitation again, or a new password."""
    user = person_for(viewer=request.actor, pk=person)
    form = LinkForm(request.POST)
    if not form.is_valid():
        messages.error(request, "No link was made: say why. The reason stands in the audit log.")
        return redirect("home:person", person=person)
    asked = form.cleaned_data
    if is_invited(user):
        made = invite_again(actor=request.actor, user=user, reason=asked["reason"])
    else:
        made = reset_link(
            actor=request.actor, user=user, reason=asked["reason"], is_factor_lost=asked["is_factor_lost"]
        )
    return link_page(request, made, back=reverse("home:person", args=[person]))


@login_required
@recent_sign_in
@require_POST
def withdraw(request: PageRequest, person: UUID) -> HttpResponse:
    """Make an open link useless."""
    user = person_for(viewer=request.actor, pk=person)
    reason = reason_of(request)
    if reason is not None:
        withdraw_link(actor=request.actor, user=user, reason=reason)
        messages.success(request, f"No link of {user} works any more.")
    return redirect("home:person", person=person)


@login_required
@recent_sign_in
@require_POST
def end_their_sessions(request: PageRequest, person: UUID) -> HttpResponse:
    """End one session of somebody, or all of them."""
    user = person_for(viewer=request.actor, pk=person)
    reason, one = reason_of(request), request.POST.get("session", "")
    if reason is not None and one:
        end_session(actor=request.actor, user=user, session=session_named(one), reason=reason)
        messages.success(request, "The session has ended.")
    elif reason is not None:
        count = end_sessions(actor=request.actor, user=user, reason=reason)
        messages.success(request, f"{count} session{'' if count == 1 else 's'} of {user} ended.")
    return redirect("home:person", person=person)


@login_required
@recent_sign_in
@require_POST
def end_their_token(request: PageRequest, person: UUID, token: UUID) -> HttpResponse:
    """Revoke a token that somebody made."""
    user = person_for(viewer=request.actor, pk=person)
    row = get_object_or_404(tokens_of(user), pk=token)
    revoke_token(actor=request.actor, token=row)
    messages.success(request, f"The token {row.name} is revoked.")
    return redirect("home:person", person=person)
