"""Second factors: who must have one, how their secrets are kept, and that a code counts once."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

from allauth.core import context
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, generate_totp_secret
from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.cache import cache
from django.forms import Form
from django.http import HttpRequest

from reviewapp.access.models import User
from reviewapp.access.roles import roles_anywhere

MAIN_KINDS = ("totp", "webauthn")  # recovery codes only stand in for one of these
USED_CODE_SECONDS = 120  # longer than a code lives with the tolerance of one step each way


def must_set_up(user: User) -> bool:
    """Whether this person has no second factor and holds a role that needs one (`REVIEWAPP_SECOND_FACTOR_ROLES`)."""
    wanted: frozenset[str] = settings.SECOND_FACTOR_ROLES
    return bool(wanted) and bool(wanted & roles_anywhere(user)) and not has_factor(user)


def has_factor(user: User) -> bool:
    """Whether signing in as this person takes more than a password."""
    return bool(Authenticator.objects.filter(user=user, type__in=MAIN_KINDS).exists())


def _keeper() -> MultiFernet:
    # A key of its own for this one use; an older SECRET_KEY still opens what it closed.
    keys: list[str] = [str(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    derived = [HKDF(SHA256(), 32, salt=None, info=b"reviewapp second factors").derive(key.encode()) for key in keys]
    return MultiFernet([Fernet(urlsafe_b64encode(key)) for key in derived])


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc] # allauth ships no types
    """allauth's second factors: secrets closed before they reach the database, refusals in plain words."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "This code is wrong, used already or too old. Type the one that is shown now.",
        "cannot_generate_recovery_codes": "Recovery codes stand in for a second factor: set one up first.",
    }

    def encrypt(self, text: str) -> str:
        """Fernet with a key derived from SECRET_KEY."""
        return _keeper().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Raises InvalidToken when it was closed with another key."""
        return _keeper().decrypt(encrypted_text.encode()).decode()

    def get_totp_issuer(self) -> str:
        """What the authenticator app shows beside the code: the address of this installation."""
        return f"reviewapp {self._get_site_name()}"

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        """A first name for a key; people give it a better one."""
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return f"Key {number}"


def take_code(user: User, code: str) -> bool:
    """Whether a one-time code is used for the first time; it is used from then on. Raises when Redis is away: a code
    that nobody can remember is not accepted.
    """
    return bool(cache.add(f"used-code:{user.pk}:{normalize_user_code(code)}", "1", timeout=USED_CODE_SECONDS))


class _OnceForm(Form):
    """A code counts once, whatever step of the clock it belongs to."""

    user: User
    authenticator: Authenticator

    def clean_code(self) -> str:
        """allauth's check, then ours."""
        code: str = super().clean_code()  # type: ignore[misc] # the form that this is mixed with has it
        if self.authenticator.type == Authenticator.Type.TOTP and not take_code(self.user, code):
            raise FactorAdapter().validation_error("incorrect_code")
        return code


class OnceAuthenticateForm(_OnceForm, AuthenticateForm):  # type: ignore[misc] # allauth ships no types
    """The second step of a sign-in."""


class OnceReauthenticateForm(_OnceForm, ReauthenticateForm):  # type: ignore[misc] # allauth ships no types
    """The proof "Is it you?" by code."""


class ActivateForm(ActivateTOTPForm):  # type: ignore[misc] # allauth ships no types
    """Until the first code is typed the secret waits in the session, closed: its row holds no credential."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.user = kwargs.pop("user")
        Form.__init__(self, *args, **kwargs)
        self.secret = _pending_secret(context.request, is_new=not self.is_bound)

    def clean_code(self) -> str:
        """The code that proves the set-up is not good for a sign-in."""
        code: str = super().clean_code()
        take_code(self.user, code)
        return code


def _pending_secret(request: HttpRequest, *, is_new: bool) -> str:
    keeper = FactorAdapter()
    kept = None if is_new else request.session.get(SECRET_SESSION_KEY)
    if kept:
        return keeper.decrypt(kept)
    secret: str = generate_totp_secret()
    request.session[SECRET_SESSION_KEY] = keeper.encrypt(secret)
    return secret
