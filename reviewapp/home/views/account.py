"""One's own account: sign-in, sessions, tokens, what one holds and why, what one did lately."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from reviewapp.access.middleware import PageRequest
from reviewapp.access.people import explained, factors_of, warnings_of
from reviewapp.access.sessions import end_session, end_sessions, open_sessions, session_named
from reviewapp.home.forms.tokens import PersonalTokenForm
from reviewapp.home.selectors import personal_tokens, told_about_me


@login_required
@require_safe
def account(request: PageRequest) -> HttpResponse:
    """Everything about the one who is signed in."""
    return account_page(request)


def account_page(
    request: PageRequest, *, form: PersonalTokenForm | None = None, secret: str | None = None
) -> HttpResponse:
    """The page with whatever form was refused (422), or with the token just made."""
    person = request.actor.person
    held = explained(person)
    context: dict[str, Any] = {
        "tokens": personal_tokens(viewer=request.actor),
        "form": form or PersonalTokenForm(),
        "secret": secret,
        "held": held,
        "warnings": warnings_of(held),
        "factors": factors_of(person),
        "sessions": open_sessions(viewer=request.actor, user=person),
        "events": told_about_me(viewer=request.actor),
    }
    return render(request, "home/account.html", context, status=422 if form is not None and form.errors else 200)


@login_required
@require_POST
def end_my_sessions(request: PageRequest) -> HttpResponse:
    """End one of my sessions, or all but this one. A stale sign-in may do it: it only takes access away."""
    me, one = request.actor.person, request.POST.get("session", "")
    if one:
        end_session(actor=request.actor, user=me, session=session_named(one))
        messages.success(request, "The session has ended.")
    else:
        end_sessions(actor=request.actor, user=me, reason="asked for by the person", but_mine=True)
        messages.success(request, "Every session but this one has ended.")
    return redirect("home:account")
