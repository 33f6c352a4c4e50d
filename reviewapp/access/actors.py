"""The one who acts: a signed-in person, a program with a token, or the house itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.http import HttpRequest

from reviewapp.audit.services import Who
from reviewapp.lib.errors import AccessDenied

if TYPE_CHECKING:
    from reviewapp.access.models import ApiToken, User


@dataclass(frozen=True)
class Actor:
    """A user (the token's owner when there is a token) with what the log wants to know about the request.

    `user` is None only for the house itself and for somebody without identity.
    """

    user: User | None
    token: ApiToken | None = None
    system: str | None = None
    source_ip: str | None = None
    user_agent: str | None = None
    request_id: str | None = None

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
        )

    @property
    def person(self) -> User:
        """The user. Raises AccessDenied for the house itself: it neither grades nor owns anything."""
        if self.user is None:
            raise AccessDenied("Only a person can do this.")
        return self.user


SYSTEM = Actor(user=None, system="reviewapp")


def system_actor(name: str) -> Actor:
    """A named part of the house: a worker, a command, the sample loader."""
    return Actor(user=None, system=name)


def actor_from(request: HttpRequest, *, user: User | None, token: ApiToken | None = None) -> Actor:
    """The actor behind a request."""
    return Actor(
        user=user,
        token=token,
        source_ip=request.META.get("REMOTE_ADDR") or None,
        user_agent=(request.headers.get("User-Agent") or "")[:400] or None,
        request_id=getattr(request, "request_id", None),
    )
