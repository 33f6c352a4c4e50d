"""Recent sign-in: whoever changes who may do what, or takes the log away, proved who they are in the last five minutes.

A session that was left open on a desk must not be enough for that. The proof is any sign-in, or the page "Is it you?"
(password, one-time code or security key), whose times allauth keeps in the session.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, overload
from urllib.parse import urlencode

from allauth.account import app_settings as account_settings
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from rest_framework.request import Request

from reviewapp.lib.errors import AccessDenied

View = TypeVar("View", bound=Callable[..., Any])
SUSPENDED = "reviewapp.suspended_post"
SUSPENDED_SECONDS = 15 * 60
MAX_KEPT = 64 * 1024  # characters of a form that wait in the session row
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class SignInNotRecent(AccessDenied):
    """The session is good, but the proof of identity is older than this act takes."""

    code, title = "sign-in-not-recent", "Sign in again for this"


@overload
def recent_sign_in(view: View) -> View: ...
@overload
def recent_sign_in(*, methods: tuple[str, ...]) -> Callable[[View], View]: ...
def recent_sign_in(view: View | None = None, *, methods: tuple[str, ...] | None = None) -> Any:
    """Let a view run only for a person who proved who they are in the last five minutes.

    A page goes under `login_required`, so that nobody anonymous comes here::

        @login_required
        @recent_sign_in
        @require_POST
        def grant(request: PageRequest, project: str) -> HttpResponse: ...

    An API view takes it under `api_view`; a bearer token passes (it has no session to leave open), a session cookie
    that is not recent gets 403 `sign-in-not-recent`::

        @api_view(["GET", "POST"])
        @recent_sign_in(methods=("POST",))
        @idempotent
        def tokens(request: Request, project: str) -> Response: ...

    methods: the methods that need it; every one by default. On a page a stale GET comes back to its address after
    "Is it you?". A stale POST waits in the session, and `suspended_post` fills the page from which it is sent again,
    through every middleware and with a fresh CSRF token: nothing that was typed is lost, nothing runs unchecked.
    """
    if view is None:
        return lambda wrapped: _guarded(wrapped, methods)
    return _guarded(view, methods)


def _guarded(view: View, methods: tuple[str, ...] | None) -> View:
    @wraps(view)
    def run(request: Any, *args: Any, **kwargs: Any) -> Any:
        if methods is None or request.method in methods:
            refused = _refusal(request)
            if refused is not None:
                return refused
        return view(request, *args, **kwargs)

    return run  # type: ignore[return-value] # the same signature as the view's


def _refusal(request: HttpRequest | Request) -> HttpResponse | None:
    if isinstance(request, Request):
        if request.auth is None and not is_recent(request._request):
            raise SignInNotRecent("Prove who you are again on the page Is it you?, then send this once more.")
        return None
    if is_recent(request):
        request.session.pop(SUSPENDED, None)
        return None
    return _ask_again(request)


def is_recent(request: HttpRequest) -> bool:
    """Whether the session's last proof of identity is at most five minutes old."""
    records = get_authentication_records(request, request.user)
    limit: float = account_settings.REAUTHENTICATION_TIMEOUT
    return bool(records) and 0 <= time.time() - records[-1]["at"] <= limit


def _ask_again(request: HttpRequest) -> HttpResponse:
    methods = get_adapter(request).get_reauthentication_methods(request.user)
    if not methods:
        raise SignInNotRecent("Sign out and sign in again, then repeat this within five minutes.")
    next_address = request.get_full_path()
    if request.method not in SAFE:
        _suspend(request)
        next_address = reverse("account_go_on")
    target = f"{methods[0]['url']}?{urlencode({REDIRECT_FIELD_NAME: next_address})}"
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=401, headers={"HX-Redirect": target})
    return HttpResponseRedirect(target)


def _suspend(request: HttpRequest) -> None:
    # The row of a session never holds a credential, so a form with a password is not kept.
    fields = [
        [name, value]
        for name, values in request.POST.lists()
        for value in values
        if name != "csrfmiddlewaretoken" and "password" not in name
    ]
    is_kept = sum(len(name) + len(value) for name, value in fields) <= MAX_KEPT
    request.session[SUSPENDED] = {
        "user": str(request.user.pk),
        "at": time.time(),
        "address": request.get_full_path(),
        "fields": fields if is_kept else [],
    }


@dataclass(frozen=True)
class Suspended:
    """A form that waits to be sent again: where to, and what was typed."""

    address: str
    fields: tuple[tuple[str, str], ...]


def suspended_post(request: HttpRequest) -> Suspended | None:
    """What the person at this session was about to send; None when there is nothing, or it waited a quarter hour."""
    kept = request.session.get(SUSPENDED)
    if not kept or kept["user"] != str(request.user.pk) or time.time() - kept["at"] > SUSPENDED_SECONDS:
        return None
    return Suspended(kept["address"], tuple((name, value) for name, value in kept["fields"]))
