"""Pages of signing in that allauth does not have, and the one-time link."""

from __future__ import annotations

from urllib.parse import urlencode

from allauth.account.views import PasswordChangeView
from allauth.account.views import ReauthenticateView as PasswordReauthenticateView
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from reviewapp.access.forms import NewPasswordForm
from reviewapp.access.invitations import NO_SUCH_LINK, accept_link, find_link
from reviewapp.access.middleware import PageRequest
from reviewapp.access.reauthentication import is_recent, suspended_post
from reviewapp.access.sessions import drop_sessions
from reviewapp.audit.events import Event
from reviewapp.audit.services import Subject, record, record_alone
from reviewapp.lib.errors import NotFound, Unprocessable


@login_required
@require_safe
def go_on(request: PageRequest) -> HttpResponse:
    """What was interrupted by "Is it you?", ready to be sent again."""
    waiting = suspended_post(request)
    if waiting is None:
        return redirect("home:home")
    if not is_recent(request):
        return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': request.path})}")
    return render(request, "account/go_on.html", {"waiting": waiting})


@require_http_methods(["GET", "HEAD", "POST"])
def one_time_link(request: PageRequest, secret: str) -> HttpResponse:
    """Set a password by link. Looking uses nothing up; whoever is signed in here is signed out by using it."""
    link = find_link(secret)
    if link is None:
        raise NotFound(NO_SUCH_LINK)
    form = NewPasswordForm(request.POST or None, user=link.user)
    if request.method == "POST" and form.is_valid():
        try:
            user = accept_link(actor=request.actor, secret=secret, password=form.cleaned_data["password"])
        except Unprocessable as error:
            form.add_error("password", error.detail)
        else:
            logout(request)
            messages.success(request, f"Your password is set. Sign in as {user.username}.")
            return redirect("account_login")
    answer = render(
        request, "account/one_time_link.html", {"link": link, "form": form}, status=422 if form.errors else 200
    )
    # The address is a secret until it is used: no request that this page causes, and no cache, may learn it. Not even
    # the origin would be sent with "no-referrer", but then browsers post `Origin: null`, which the CSRF check refuses.
    answer["Referrer-Policy"] = "strict-origin"
    answer["Cache-Control"] = "no-store"
    return answer


class ChangePassword(PasswordChangeView):  # type: ignore[misc] # allauth ships no types
    """allauth's form; the change is recorded and ends the person's other sessions in one transaction."""

    def dispatch(self, request: PageRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Somebody who only signs in by the identity provider has no password to change."""
        if not request.actor.person.has_usable_password():
            messages.error(request, "You have no password here: you sign in by your organisation's identity provider.")
            return redirect("home:account")
        return super().dispatch(request, *args, **kwargs)  # type: ignore[no-any-return] # a response

    def form_valid(self, form: NewPasswordForm) -> HttpResponse:
        """Keep the session at hand, under a new key."""
        request: PageRequest = self.request
        with transaction.atomic():
            form.save()  # type: ignore[attr-defined] # allauth's form
            user = request.actor.person
            drop_sessions(actor=request.actor, user=user, reason="the password was changed", but_mine=True)
            record(actor=request.actor, event=Event.PASSWORD_CHANGED, subject=Subject("user", str(user.pk)))
            update_session_auth_hash(request, request.user)  # type: ignore[arg-type] # somebody signed in
        messages.success(request, "Your password is changed. Your other sessions have ended.")
        return redirect("home:account")


class ProveByPassword(PasswordReauthenticateView):  # type: ignore[misc] # allauth ships no types
    """ "Is it you?" by password; both answers are recorded."""

    def form_valid(self, form: object) -> HttpResponse:
        """The session is recent from here on."""
        record_proof(self.request, "password")
        return super().form_valid(form)  # type: ignore[no-any-return] # a response

    def form_invalid(self, form: object) -> HttpResponse:
        """The session stays as old as it is."""
        record_failed_proof(self.request, "password")
        return super().form_invalid(form)  # type: ignore[no-any-return] # a response


def record_proof(request: PageRequest, kind: str) -> None:
    """Somebody signed in proved again who they are."""
    subject = Subject("user", str(request.actor.person.pk), version=kind)
    record_alone(actor=request.actor, event=Event.IDENTITY_CONFIRMED, subject=subject, outcome="success")


def record_failed_proof(request: PageRequest, kind: str) -> None:
    """Somebody at a signed-in browser could not prove who they are."""
    record_alone(actor=request.actor, event=Event.SIGN_IN_FAILED, subject=Subject("is-it-you", kind))
