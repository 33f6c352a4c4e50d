"""Pages of the sign-in through the provider: begin, come back, link, unlink, prove it again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.app_settings import EmailVerificationMethod
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.account.utils import get_next_redirect_url
from allauth.mfa.internal.constants import LoginStageKey
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from reviewapp.access.account_views import record_proof
from reviewapp.access.middleware import PageRequest
from reviewapp.access.models import User
from reviewapp.access.oidc.errors import SignInRefused
from reviewapp.access.oidc.identity import Identity
from reviewapp.access.oidc.provider import authorization_address, identity_from_callback
from reviewapp.access.oidc.services import link_identity, linked_accounts, person_behind, unlink_identities
from reviewapp.access.oidc.wire import configured
from reviewapp.access.reauthentication import recent_sign_in
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record_alone
from reviewapp.lib.errors import Conflict, DomainError

CONFIRM_SECONDS = 300  # how fresh the provider's own proof must be; as everywhere


def _needs_provider(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    def run(request: PageRequest) -> HttpResponse:
        if settings.OIDC is None:
            raise Http404
        return view(request)

    return run


@_needs_provider
@require_POST
def begin(request: PageRequest) -> HttpResponse:
    """To the provider, to sign in."""
    if request.user.is_authenticated:
        return redirect("home:home")
    return _go(request, "login", get_next_redirect_url(request) or "")


@_needs_provider
@require_GET
def callback(request: PageRequest) -> HttpResponse:
    """Back from the provider. What it is for stands in the session's state, never in the request."""
    try:
        identity, state = identity_from_callback(request)
        return _PROCESSES[state["process"]](request, identity, state)
    except (SignInRefused, Conflict) as error:
        return _refused(request, error)


@_needs_provider
@login_required
@require_safe
def linked(request: PageRequest) -> HttpResponse:
    """How I sign in through the provider."""
    links = linked_accounts(request.actor.person)
    return render(request, "account/oidc_linked.html", {"links": links})


@_needs_provider
@login_required
@recent_sign_in
@require_POST
def link(request: PageRequest) -> HttpResponse:
    """To the provider, to link my account with who I am there."""
    return _go(request, "link", reverse("oidc_linked"))


@_needs_provider
@login_required
@recent_sign_in
@require_POST
def unlink(request: PageRequest) -> HttpResponse:
    """End the link. It can be made again."""
    try:
        unlink_identities(actor=request.actor)
    except Conflict as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, "The link is removed. From now on your password signs you in.")
    return redirect("oidc_linked")


@_needs_provider
@login_required
@require_http_methods(["GET", "POST"])
def confirm(request: PageRequest) -> HttpResponse:
    """Is it you? For people who have no password here: the provider asks them anew."""
    next_url = get_next_redirect_url(request) or reverse("home:home")
    if request.method == "POST":
        return _go(request, "confirm", next_url, prompt="login", max_age="0")
    return render(request, "account/oidc_confirm.html", {"next_url": next_url})


def _go(request: PageRequest, process: str, next_url: str, **more: str) -> HttpResponse:
    # A page that moves on by itself, not a redirect: after a form, browsers hold redirects to the policy's form-action,
    # also those that the provider makes to servers that we cannot know.
    try:
        address = authorization_address(request, process=process, next_url=next_url, more=more)
    except SignInRefused as error:
        return _refused(request, error)
    return render(request, "account/oidc_go.html", {"address": address})


def _sign_in(request: PageRequest, identity: Identity, state: dict[str, Any]) -> HttpResponse:
    user = person_behind(actor=request.actor, identity=identity, oidc=configured())
    if request.user.is_authenticated:
        get_account_adapter(request).logout(request)
    _remember(request, user, identity)
    stages: dict[str, Any] = {}
    if identity.is_multi_factor:
        record_authentication(request, user, method="mfa", type="provider", at=_proved_at(identity))
        stages = {LoginStageKey.MFA_AUTHENTICATE.value: {"handled": True}}
    login = Login(
        user=user,
        email_verification=EmailVerificationMethod.NONE,
        redirect_url=state.get("next") or None,
        state={"stages": stages},
    )
    answer: HttpResponse = perform_login(request, login)
    return answer


def _remember(request: PageRequest, user: User, identity: Identity) -> None:
    """When and how this person proved who they are, for `reauthentication`."""
    record_authentication(request, user, method="socialaccount", provider=identity.issuer, at=_proved_at(identity))


def _proved_at(identity: Identity) -> float:
    """Not later than the provider says: a session there may be hours old."""
    now = time.time()
    return now if identity.authenticated_at is None else min(now, identity.authenticated_at)


def _link(request: PageRequest, identity: Identity, state: dict[str, Any]) -> HttpResponse:
    _require_same_person(request, state)
    link_identity(actor=request.actor, identity=identity)
    messages.success(request, "Linked. You can sign in this way from now on.")
    return redirect("oidc_linked")


def _confirm(request: PageRequest, identity: Identity, state: dict[str, Any]) -> HttpResponse:
    _require_same_person(request, state)
    user = request.actor.person
    if identity.subject not in {one.uid for one in linked_accounts(user) if one.provider == identity.issuer}:
        raise SignInRefused("somebody_else", "That was another person than the one who is signed in here.")
    if identity.authenticated_at is None or time.time() - identity.authenticated_at > CONFIRM_SECONDS:
        raise SignInRefused("proof_is_old", "The sign-in service did not ask you anew. Sign out there, then try again.")
    _remember(request, user, identity)
    record_proof(request, "oidc")
    return redirect(state.get("next") or "home:home")


def _require_same_person(request: PageRequest, state: dict[str, Any]) -> None:
    if not request.user.is_authenticated or state["data"]["user"] != str(request.user.pk):
        raise SignInRefused("session_changed", "You are not signed in as the one who began this. Begin again.")


_PROCESSES: dict[str, Callable[[PageRequest, Identity, dict[str, Any]], HttpResponse]] = {
    "login": _sign_in,
    "link": _link,
    "confirm": _confirm,
}


def _refused(request: PageRequest, error: DomainError) -> HttpResponse:
    """A plain page, and one line in the log with the reason that the page does not tell."""
    why = error.why if isinstance(error, SignInRefused) else error.code
    record_alone(
        actor=request.actor,
        event=Event.SIGN_IN_FAILED,
        subject=Subject("sign-in", "oidc"),
        change=Change(reason=error.detail, more={"why": why, "issuer": configured().server}),
    )
    return render(
        request,
        "account/oidc_refused.html",
        {"title": error.title, "detail": error.detail, "reference": request.request_id},
        status=error.status,
    )
