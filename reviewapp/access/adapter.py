"""allauth, closed: nobody signs up by themselves, and every sign-in, refusal and sign-out is a line in the log."""

from __future__ import annotations

import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from reviewapp.access.actors import actor_from
from reviewapp.access.models import User
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
