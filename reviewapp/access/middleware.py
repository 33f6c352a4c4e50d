"""What every request gets: an id, an actor, and its refusals turned into pages."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject
from django_htmx.middleware import HtmxDetails
from redis.exceptions import RedisError

from reviewapp.access.actors import Actor, actor_from
from reviewapp.access.authentication import MayEnter, is_bearer
from reviewapp.access.doors import DOORS, PUBLIC, Need, ask, need_of
from reviewapp.access.errors import SignInClosed
from reviewapp.access.factors import must_set_up
from reviewapp.access.problems import is_api, method_not_allowed, not_found, page_error
from reviewapp.access.sessions import end_at_hand, touch, why_over
from reviewapp.lib.errors import AccessDenied, DomainError
from reviewapp.lib.ids import new_id

logger = logging.getLogger(__name__)
# Asked by what keeps the process alive, under whatever name or number it knows the machine by.
PROBES = frozenset({"/livez", "/readyz"})
GetResponse = Callable[[HttpRequest], HttpResponse]


class PageRequest(HttpRequest):
    """A request as pages see it, for types: the middlewares below and django-htmx add to it."""

    actor: Actor
    request_id: str
    htmx: HtmxDetails


class RequestIdMiddleware:
    """A fresh id per request, answered in `X-Request-Id` and kept in the log.

    The sender's own is not taken: it could forge lines.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.request_id = str(new_id())  # type: ignore[attr-defined] # the request carries it to the log
        if request.path not in PROBES:
            request.get_host()  # a name that is not ours is 400 here, not only where an address is built from it
        response = self.get_response(request)
        response["X-Request-Id"] = request.request_id  # type: ignore[attr-defined] # set above
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response


class ActorMiddleware:
    """`request.actor` for pages, and no caching of what only this person may see.

    An ended session sends htmx to the sign-in page.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = SimpleLazyObject(lambda: _actor(request))  # type: ignore[attr-defined] # pages read it
        response = self.get_response(request)
        if not request.path.startswith("/static/"):
            response.setdefault("Cache-Control", "no-store")
        if not is_api(request):
            # Many addresses answer htmx with a part of what they answer a browser.
            patch_vary_headers(response, ["HX-Request"])
        if request.method == "POST" and request.resolver_match and request.resolver_match.view_name == "account_logout":
            response["Clear-Site-Data"] = '"cache", "storage"'  # the next person at this machine finds nothing
        is_sign_in = response.status_code == 302 and response["Location"].startswith("/accounts/login/")
        if is_sign_in and request.headers.get("HX-Request") == "true":
            target = response["Location"]
            response = HttpResponse(status=401)
            response["HX-Redirect"] = target
            response["Cache-Control"] = "no-store"
        return response


def _actor(request: HttpRequest) -> Actor:
    user = request.user
    return actor_from(request, user=None if isinstance(user, AnonymousUser) or not user.is_authenticated else user)


class SessionAgeMiddleware:
    """A session that is over, idle or old, ends before anything is asked of it; a live one is noted once a minute."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            now = time.time()
            reason = why_over(request, now=now)
            if reason is None:
                touch(request, now=now)
            else:
                end_at_hand(request, reason=reason)
        return self.get_response(request)


class SecondFactorMiddleware:
    """Who must have a second factor and has none sets one up before anything else."""

    OPEN = ("account_", "mfa_", "oidc_")  # pages of one's own sign-in
    ALSO_OPEN = frozenset({"home:account"})

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> HttpResponseBase | None:
        """None lets the caller on. A bearer token is no session: it is not asked."""
        is_by_token = is_api(request) and is_bearer(request.headers.get("Authorization", ""))
        if not settings.SECOND_FACTOR_ROLES or is_by_token:
            return None
        name = request.resolver_match.view_name if request.resolver_match else ""
        if name.startswith(self.OPEN) or name in self.ALSO_OPEN or need_of(name, request.method) == PUBLIC:
            return None
        actor: Actor = request.actor  # type: ignore[attr-defined] # set by ActorMiddleware
        if actor.user is None or actor.mfa is not None or not must_set_up(actor.user):
            return None
        if is_api(request):
            return page_error(
                request, AccessDenied("Your role needs a second factor. Set one up on your account page.")
            )
        if request.headers.get("HX-Request") == "true":
            return HttpResponse(status=401, headers={"HX-Redirect": reverse("mfa_index")})
        return redirect("mfa_index")


class PageErrorsMiddleware:
    """A refusal raised by a page becomes a page; the API has its own handler."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """None lets Django answer."""
        if isinstance(exception, RedisError) and request.path.startswith("/accounts/"):
            logger.critical("Redis cannot be reached: sign-in is closed")
            exception = SignInClosed("What counts failed sign-ins cannot be reached. Try again in half a minute.")
        if isinstance(exception, DomainError) and not is_api(request):
            return page_error(request, exception)
        return None


class DoorMiddleware:
    """The door of every page: deny by default. The API's own permission asks at its doors, where tokens are known."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> HttpResponseBase | None:
        """None lets the caller in."""
        name = request.resolver_match.view_name if request.resolver_match else ""
        if name not in DOORS or not _is_watched(view, name):
            logger.critical("the route %s has no row in reviewapp/access/doors.py and is closed", name)
            return not_found(request, Http404())
        need = need_of(name, request.method)
        if need is None:
            return method_not_allowed(request, sorted(DOORS[name]))
        return None if hasattr(view, "cls") else _at_page_door(request, need, kwargs)


def _is_watched(view: Callable[..., HttpResponse], name: str) -> bool:
    """Whether an API view asks at its door, or need not: its own permissions could have been emptied by mistake."""
    if not hasattr(view, "cls"):
        return True
    return MayEnter in view.cls.permission_classes or set(DOORS[name].values()) == {PUBLIC}


def _at_page_door(request: HttpRequest, need: Need, kwargs: Mapping[str, Any]) -> HttpResponseBase | None:
    if need == PUBLIC:
        return None
    actor: Actor = request.actor  # type: ignore[attr-defined] # set by ActorMiddleware
    if actor.user is None:
        return redirect_to_login(request.get_full_path())
    try:
        ask(actor, need, kwargs)
    except DomainError as error:
        return page_error(request, error)
    return None
