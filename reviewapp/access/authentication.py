"""Identity of API calls: `Authorization: Bearer rva_…`, or the session cookie with a CSRF token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from reviewapp.access.actors import Actor, actor_from, client_ip
from reviewapp.access.doors import ask, need_of
from reviewapp.access.limits import take_call
from reviewapp.access.models import ApiToken, User
from reviewapp.access.tokens import find_token

if TYPE_CHECKING:
    # At import DRF is still reading its settings, which name this module.
    from rest_framework.views import APIView


def is_bearer(header: str) -> bool:
    """Whether an Authorization header claims to be a token: then it is one or the call is refused, never a session."""
    return header.partition(" ")[0].lower() == "bearer"


class TokenAuthentication(BaseAuthentication):
    """A bearer token. Never from the URL: addresses are logged everywhere.

    The limit is taken here and not by a throttle of DRF, which comes after the permissions and would leave refused
    calls, and their lines in the log, without one.
    """

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        header = request.headers.get("Authorization", "")
        if not is_bearer(header):
            return None
        token = find_token(header.partition(" ")[2].strip(), ip=client_ip(request._request))
        if token is None:
            raise AuthenticationFailed("This token is unknown, expired or revoked.")
        take_call(token)
        return token.owner, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="reviewapp"'


class SessionActorAuthentication(SessionAuthentication):
    """The signed-in person of the pages, with Django's CSRF check."""


class MayEnter(BasePermission):
    """The door of an API call: asked before anything of the body is read. The services ask again."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """False becomes 401. Raises Hidden or AccessDenied, and MethodNotAllowed for a method without a row."""
        match = request.resolver_match
        if match is None:  # only when a view is called without its address
            return False
        need = need_of(match.view_name, request.method)
        if not (request.user and request.user.is_authenticated):
            return False
        if need is None:
            raise MethodNotAllowed(request.method or "")
        ask(api_actor(request), need, match.kwargs)
        return True


def api_actor(request: Request) -> Actor:
    """The actor behind an API call."""
    token: Any = request.auth
    return actor_from(
        request._request, user=cast(User, request.user), token=token if isinstance(token, ApiToken) else None
    )
