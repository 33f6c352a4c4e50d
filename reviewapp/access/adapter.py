"""allauth, closed: nobody signs up by themselves, and every sign-in, refusal and sign-out is a line in the log."""

from __future__ import annotations

import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from reviewapp.access.actors import actor_from
from reviewapp.access.models import User
from reviewapp.access.oidc.services import may_confirm
from reviewapp.access.sessions import begin
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record, record_alone


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
