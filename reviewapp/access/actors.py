"""The one who acts: a signed-in person, a program with a token, or the house itself."""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.http import HttpRequest

from reviewapp.audit.services import Who
from reviewapp.lib.errors import AccessDenied

if TYPE_CHECKING:
    from reviewapp.access.models import ApiToken, User


@dataclass(frozen=True)
class Actor:
    """A user (the token's owner when there is a token) with what the log wants to know about the request.

    `user` is None only for the house itself and for somebody without identity. `session_id` tells the person's sessions
    apart (`session_mark`); `mfa` is the kind of second factor that this session was proved with, None without one.
    """

    user: User | None
    token: ApiToken | None = None
    system: str | None = None
    source_ip: str | None = None
    user_agent: str | None = None
    request_id: str | None = None
    session_id: str | None = None
    mfa: str | None = None
    # Roles found in this request, so that the door and the services behind it ask once. None: ask every time.
    found_roles: dict[Any, Any] | None = field(default=None, repr=False, compare=False)

    @property
    def who(self) -> Who:
        """The actor as the log keeps it."""
        if self.system is not None:
            return Who(kind="system", id=self.system, name=self.system, request_id=self.request_id)
        return Who(
            kind="token" if self.token else "user",
            id=str(self.user.pk) if self.user else "anonymous",
            name=self.user.username if self.user else "anonymous",
            source_ip=self.source_ip,
            user_agent=self.user_agent,
            request_id=self.request_id,
            auth_method="token" if self.token else "session",
            token_prefix=self.token.prefix if self.token else None,
            session=self.session_id,
            mfa=self.mfa,
        )

    @property
    def person(self) -> User:
        """The user. Raises AccessDenied for the house itself: it neither grades nor owns anything."""
        if self.user is None:
            raise AccessDenied("Only a person can do this.")
        return self.user

    def as_user(self, user: User) -> Actor:
        """The same request, once it is known who sent it."""
        return replace(self, user=user)


SYSTEM = Actor(user=None, system="reviewapp")


def system_actor(name: str) -> Actor:
    """A named part of the house: a worker, a command, the sample loader."""
    return Actor(user=None, system=name)


def session_mark(key: str | None) -> str:
    """The first 8 hex digits of a session key's SHA-256: they tell sessions apart and lead back to none."""
    return hashlib.sha256((key or "").encode()).hexdigest()[:8]


def client_ip(request: HttpRequest) -> str | None:
    """Where the request came from: the address that the outermost trusted proxy saw (`TRUSTED_PROXY_COUNT`).

    What stands further left in X-Forwarded-For was written by the caller and is not read.
    """
    address = request.META.get("REMOTE_ADDR", "")
    count: int = settings.ALLAUTH_TRUSTED_PROXY_COUNT
    header = request.headers.get("X-Forwarded-For", "")
    forwarded = [part.strip() for part in header.split(",")] if header else []
    if 0 < count <= len(forwarded):
        address = forwarded[-count]
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return None


def actor_from(request: HttpRequest, *, user: User | None, token: ApiToken | None = None) -> Actor:
    """The actor behind a request."""
    session = getattr(request, "session", None) if token is None and user is not None else None
    return Actor(
        user=user,
        token=token,
        source_ip=client_ip(request),
        user_agent=(request.headers.get("User-Agent") or "")[:400] or None,
        request_id=getattr(request, "request_id", None),
        session_id=session_mark(session.session_key) if session is not None and session.session_key else None,
        mfa=_second_factor(request, user) if session is not None else None,
        found_roles=request.__dict__.setdefault("found_roles", {}),
    )


def _second_factor(request: HttpRequest, user: User | None) -> str | None:
    """The kind of the last second factor among the proofs that allauth keeps in the session."""
    kinds = [proof.get("type") for proof in get_authentication_records(request, user) if proof.get("method") == "mfa"]
    return kinds[-1] if kinds else None
