"""Pages of second factors: allauth's, each change recorded and the other sessions ended in its transaction."""

from __future__ import annotations

from typing import Any

from allauth.mfa.base.views import AuthenticateView, ReauthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import (
    AddWebAuthnView,
    EditWebAuthnView,
    LoginWebAuthnView,
    ReauthenticateWebAuthnView,
    RemoveWebAuthnView,
)
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_safe

from reviewapp.access.account_views import record_failed_proof, record_proof
from reviewapp.access.actors import actor_from
from reviewapp.access.factors import has_factor, must_set_up
from reviewapp.access.middleware import PageRequest
from reviewapp.access.reauthentication import recent_sign_in
from reviewapp.access.sessions import drop_sessions
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record, record_alone


@login_required
@require_safe
def index(request: PageRequest) -> HttpResponse:
    """The second factors of the person at this browser; names and times, never secrets."""
    found = list(Authenticator.objects.filter(user=request.actor.person).order_by("created_at", "pk"))
    codes = next((one for one in found if one.type == "recovery_codes"), None)
    context = {
        "app": next((one for one in found if one.type == "totp"), None),
        "keys": [one for one in found if one.type == "webauthn"],
        "codes": codes,
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else 0,
        "must_set_up": must_set_up(request.actor.person),
        "has_factor": has_factor(request.actor.person),
    }
    return render(request, "mfa/index.html", context)


class Recorded:
    """Mixed into a view of allauth that changes a factor: what was there before and after stands in the log."""

    request: PageRequest
    event: Event
    ends_sessions = True

    def form_valid(self, form: Any) -> HttpResponse:
        """Change, record, end the other sessions: all or nothing."""
        person = self.request.actor.person
        with transaction.atomic():
            before = _kinds(person.pk)
            answer: HttpResponse = super().form_valid(form)  # type: ignore[misc] # allauth's view
            record(
                actor=self.request.actor,
                event=self.event,
                subject=Subject("user", str(person.pk)),
                change=Change(before={"kinds": before}, after={"kinds": _kinds(person.pk)}),
            )
            if self.ends_sessions:
                reason = "a second factor was changed"
                drop_sessions(actor=self.request.actor, user=person, reason=reason, but_mine=True)
        return answer


def _kinds(user: Any) -> list[str]:
    return sorted(Authenticator.objects.filter(user_id=user).values_list("type", flat=True))


class ActivateApp(Recorded, ActivateTOTPView):  # type: ignore[misc] # allauth ships no types
    """Set up an authenticator app."""

    event = Event.SECOND_FACTOR_ADDED


class RemoveApp(Recorded, DeactivateTOTPView):  # type: ignore[misc] # allauth ships no types
    """Take the authenticator app away."""

    event = Event.SECOND_FACTOR_REMOVED


class AddKey(Recorded, AddWebAuthnView):  # type: ignore[misc] # allauth ships no types
    """Register a security key or passkey."""

    event = Event.SECOND_FACTOR_ADDED


class RemoveKey(Recorded, RemoveWebAuthnView):  # type: ignore[misc] # allauth ships no types
    """Take a key away."""

    event = Event.SECOND_FACTOR_REMOVED
    success_url = reverse_lazy("mfa_index")


class RenameKey(Recorded, EditWebAuthnView):  # type: ignore[misc] # allauth ships no types
    """Another name for a key."""

    event = Event.SECOND_FACTOR_RENAMED
    ends_sessions = False
    success_url = reverse_lazy("mfa_index")


class MakeCodes(Recorded, GenerateRecoveryCodesView):  # type: ignore[misc] # allauth ships no types
    """New recovery codes; the old ones stop working."""

    event = Event.RECOVERY_CODES_MADE
    ends_sessions = False


class SecondStep(AuthenticateView):  # type: ignore[misc] # allauth ships no types
    """The second step of a sign-in; a refusal is recorded with the account that it was for."""

    def form_invalid(self, form: Any) -> HttpResponse:
        """The password was right: whose it is is known."""
        kind = "code" if "code" in self.request.POST else "key"
        who = actor_from(self.request, user=None)
        subject, person = Subject("sign-in", f"second factor: {kind}"), self.stage.login.user
        record_alone(
            actor=who, event=Event.SIGN_IN_FAILED, subject=subject, change=Change(more={"username": person.username})
        )
        answer: HttpResponse = super().form_invalid(form)
        return answer


class SignInByPasskey(LoginWebAuthnView):  # type: ignore[misc] # allauth ships no types
    """Sign-in by passkey alone: the key proves possession and, by PIN or finger, the person."""

    def form_invalid(self, form: Any) -> HttpResponse:
        """Said on the sign-in page, in words."""
        record_alone(
            actor=actor_from(self.request, user=None),
            event=Event.SIGN_IN_FAILED,
            subject=Subject("sign-in", "passkey"),
        )
        messages.error(self.request, "This passkey is not known here. Sign in with your password, or try another key.")
        return redirect("account_login")


class ProveByCode(ReauthenticateView):  # type: ignore[misc] # allauth ships no types
    """ "Is it you?" by one-time or recovery code; both answers are recorded."""

    def form_valid(self, form: Any) -> HttpResponse:
        """The session is recent from here on."""
        record_proof(self.request, "code")
        answer: HttpResponse = super().form_valid(form)
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:
        """The session stays as old as it is."""
        record_failed_proof(self.request, "code")
        answer: HttpResponse = super().form_invalid(form)
        return answer


class ProveByKey(ReauthenticateWebAuthnView):  # type: ignore[misc] # allauth ships no types
    """ "Is it you?" by security key; both answers are recorded."""

    def form_valid(self, form: Any) -> HttpResponse:
        """The session is recent from here on."""
        record_proof(self.request, "key")
        answer: HttpResponse = super().form_valid(form)
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:
        """Back to the question, with the reason."""
        record_failed_proof(self.request, "key")
        messages.error(self.request, "This key is not one of yours, or the page was open too long. Try again.")
        return redirect(self.request.get_full_path())


activate_app = recent_sign_in(ActivateApp.as_view())
remove_app = recent_sign_in(RemoveApp.as_view())
add_key = recent_sign_in(AddKey.as_view())
remove_key = recent_sign_in(RemoveKey.as_view())
rename_key = recent_sign_in(RenameKey.as_view())
make_codes = recent_sign_in(MakeCodes.as_view())
show_codes = recent_sign_in(ViewRecoveryCodesView.as_view())
second_step = SecondStep.as_view()
sign_in_by_passkey = SignInByPasskey.as_view()
prove_by_code = ProveByCode.as_view()
prove_by_key = ProveByKey.as_view()
