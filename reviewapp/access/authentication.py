"""Identity of API calls: `Authorization: Bearer rva_…`, or the session cookie with a CSRF token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from reviewapp.access.actors import Actor, actor_from
from reviewapp.access.models import ApiToken, User
from reviewapp.access.tokens import find_token

if TYPE_CHECKING:
    # At import DRF is still reading its settings, which name this module.
    from rest_framework.views import APIView


class TokenAuthentication(BaseAuthentication):
    """A bearer token. Never from the URL: addresses are logged everywhere."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        header = request.headers.get("Authorization", "")
        scheme, _, text = header.partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = find_token(text.strip())
        if token is None:
            raise AuthenticationFailed("This token is unknown, expired or revoked.")
        return token.owner, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="reviewapp"'


class SessionActorAuthentication(SessionAuthentication):
    """The signed-in person of the pages, with Django's CSRF check."""


class IsKnown(BasePermission):
    """Somebody with an identity; what they may is decided by the services."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(request.user and request.user.is_authenticated)


def api_actor(request: Request) -> Actor:
    """The actor behind an API call."""
    token: Any = request.auth
    return actor_from(
        request._request, user=cast(User, request.user), token=token if isinstance(token, ApiToken) else None
    )
