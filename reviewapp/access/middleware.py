"""What every request gets: an id, an actor, and its refusals turned into pages."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject
from django_htmx.middleware import HtmxDetails

from reviewapp.access.actors import Actor, actor_from
from reviewapp.access.problems import is_api, page_error
from reviewapp.lib.errors import DomainError
from reviewapp.lib.ids import new_id

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


class PageErrorsMiddleware:
    """A refusal raised by a page becomes a page; the API has its own handler."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """None lets Django answer."""
        if isinstance(exception, DomainError) and not is_api(request):
            return page_error(request, exception)
        return None
