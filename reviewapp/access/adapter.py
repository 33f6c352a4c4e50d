"""allauth, closed: nobody signs up by themselves, and every sign-in, refusal and sign-out is a line in the log."""

from __future__ import annotations

import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal.ratelimit import get_ip
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from reviewapp.access.actors import actor_from, client_ip
from reviewapp.access.errors import LimitReached
from reviewapp.access.limits import is_first
from reviewapp.access.models import User
from reviewapp.access.oidc.services import may_confirm
from reviewapp.access.sessions import begin
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record, record_alone

SIGN_IN_WINDOW = 15 * 60  # seconds; what ACCOUNT_RATE_LIMITS says of failed sign-ins


class ClosedAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc] # allauth ships no types
    """Accounts come from an admin; passwords are checked by allauth with its own throttling."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def login(self, request: HttpRequest, user: User) -> None:
        """Sign in and record it in one transaction."""
        with transaction.atomic():
            super().login(request, user)
            begin(request, now=time.time())
            record(actor=actor_from(request, user=user), event=Event.SIGNED_IN, subject=Subject("user", str(user.pk)))

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """The password was right, but the account is closed or waits for its link."""
        record_alone(
            actor=actor_from(request, user=None),
            event=Event.SIGN_IN_FAILED,
            subject=Subject("sign-in", "closed account"),
            change=Change(more={"username": user.username}),
        )
        messages.error(request, "This account is closed. Ask an administrator whether it should be.")
        return redirect("account_login")

    def logout(self, request: HttpRequest) -> None:
        """Sign out and record it."""
        user: Any = request.user
        with transaction.atomic():
            if user.is_authenticated:
                record(
                    actor=actor_from(request, user=user), event=Event.SIGNED_OUT, subject=Subject("user", str(user.pk))
                )
            super().logout(request)

    def get_reauthentication_methods(self, user: User) -> list[dict[str, str]]:
        """allauth's ways to prove it again, then the identity provider for whoever it can sign in."""
        methods: list[dict[str, str]] = super().get_reauthentication_methods(user)
        oidc = settings.OIDC
        if oidc is not None and user.is_authenticated and may_confirm(user, oidc):
            words = f"Confirm with {oidc.name} instead"
            methods.append({"id": "oidc_confirm", "description": words, "url": reverse("oidc_confirm")})
        return methods

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that counts: never one that the caller wrote into a header."""
        return client_ip(request) or "unknown"

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Failures count for a name from an address. By the name alone, anybody could keep its owner out."""
        name = str(credentials.get("username") or credentials.get("email") or "").lower()
        return f"{get_ip(request)} {name}"

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Raises LimitReached after 5 failures for a name, or 20 for any, from an address in 15 minutes."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError as error:
            self._record_throttled(request, str(credentials.get("username", ""))[:150])
            minutes = SIGN_IN_WINDOW // 60
            detail = (
                f"Too many failed attempts from your address. Wait {minutes} minutes, or use another way to sign in."
            )
            raise LimitReached(detail, retry_after=SIGN_IN_WINDOW) from error

    def _record_throttled(self, request: HttpRequest, username: str) -> None:
        # Once a window and address: whoever sprays a thousand names must not write a thousand lines.
        address = get_ip(request)
        if is_first("throttled-sign-in", address, seconds=SIGN_IN_WINDOW):
            record_alone(
                actor=actor_from(request, user=None),
                event=Event.SIGN_IN_FAILED,
                subject=Subject("sign-in", "throttled"),
                change=Change(more={"username": username, "window_seconds": SIGN_IN_WINDOW}),
            )

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """A wrong password.

        The name that was typed goes to the erasable payload: it may be a password in the wrong field.
        """
        super().authentication_failed(request, **credentials)
        record_alone(
            actor=actor_from(request, user=None),
            event=Event.SIGN_IN_FAILED,
            subject=Subject("sign-in", "password"),
            change=Change(more={"username": str(credentials.get("username", ""))[:150]}),
        )
