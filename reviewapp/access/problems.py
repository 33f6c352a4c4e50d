"""The one exception handler of the API and the one of the pages. A refusal is recorded here, after the rollback."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.csrf import requires_csrf_token
from rest_framework import exceptions
from rest_framework.views import set_rollback

from reviewapp.access.actors import Actor, actor_from
from reviewapp.access.errors import Hidden
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record_alone
from reviewapp.lib.errors import AccessDenied, DomainError

logger = logging.getLogger(__name__)
PROBLEM = "application/problem+json"


def problem_body(
    request: HttpRequest, *, status: int, code: str, title: str, detail: str, errors: list[dict[str, str]]
) -> dict[str, Any]:
    """An RFC 9457 document. `instance` is the request's id, which also stands in the log."""
    return {
        "type": f"urn:reviewapp:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": f"urn:uuid:{getattr(request, 'request_id', '')}",
        "errors": errors,
    }


def record_refusal(actor: Actor, request: HttpRequest, error: DomainError) -> None:
    """One line in the log for who was refused what.

    The log must not turn a refusal into a fault, so its own fault is only reported.
    """
    match = request.resolver_match
    project = (match.kwargs.get("project") or match.kwargs.get("project_slug")) if match else None
    try:
        record_alone(
            actor=actor,
            event=Event.ACCESS_DENIED,
            subject=Subject("route", match.view_name if match and match.view_name else "unknown", project=project),
            change=Change(reason=error.detail, more={"method": request.method or "", "path": request.path[:400]}),
        )
    except DatabaseError:
        logger.exception("a refusal could not be recorded")


def api_exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's hook: every error of an API view becomes a problem document; None lets Django answer 500 through
    `server_error`.
    """
    request: HttpRequest = context["request"]._request
    set_rollback()
    answer = _answer(error)
    if answer is None:
        return None
    status, code, title, detail, errors, headers = answer
    if isinstance(error, AccessDenied | Hidden):
        user = context["request"].user
        token = context["request"].auth
        record_refusal(actor_from(request, user=user, token=token), request, error)
    body = problem_body(request, status=status, code=code, title=title, detail=detail, errors=errors)
    # Not DRF's Response: that is rendered as the view renders its answers, which for the docs page is HTML.
    as_sent = {"ensure_ascii": False, "separators": (",", ":")}
    return JsonResponse(body, status=status, headers=headers, content_type=PROBLEM, json_dumps_params=as_sent)


_Answer = tuple[int, str, str, str, list[dict[str, str]], dict[str, str]]


def _answer(error: Exception) -> _Answer | None:
    if isinstance(error, DomainError):
        listed = [{"pointer": part.pointer, "detail": part.detail} for part in error.errors]
        wait = getattr(error, "retry_after", None)
        return error.status, error.code, error.title, error.detail, listed, {"Retry-After": str(wait)} if wait else {}
    if isinstance(error, Http404):
        return 404, "not-found", "Not found", "There is nothing here, or it is not yours to see.", [], {}
    if isinstance(error, PermissionDenied):
        return 403, "access-denied", "Not allowed", "This is not allowed.", [], {}
    if isinstance(error, RequestDataTooBig):
        return 413, "too-large", "Too large", "The body is larger than this call takes.", [], {}
    if isinstance(error, exceptions.APIException):
        headers: dict[str, str] = {}
        wait = getattr(error, "wait", None)
        if wait:
            headers["Retry-After"] = str(int(wait) + 1)
        status = error.status_code
        if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
            status, headers = 401, {"WWW-Authenticate": 'Bearer realm="reviewapp"'}
        phrase = HTTPStatus(status).phrase
        return status, phrase.lower().replace(" ", "-"), phrase, str(error.detail), [], headers
    if isinstance(error, SuspiciousOperation):
        return 400, "malformed", "The request could not be read", "The request could not be read.", [], {}
    return None


def is_api(request: HttpRequest) -> bool:
    """Whether the caller is a program: it gets problem documents, never HTML."""
    return request.path.startswith(("/api/", "/otlp/", "/metrics", "/livez", "/readyz"))


def page_error(request: HttpRequest, error: DomainError) -> HttpResponse:
    """A refusal as a page that says what is so and what to do."""
    if isinstance(error, AccessDenied | Hidden):
        actor = getattr(request, "actor", None) or actor_from(request, user=None)
        record_refusal(actor, request, error)
    response = _page(request, status=error.status, title=error.title, detail=error.detail)
    wait = getattr(error, "retry_after", None)
    if wait:
        response["Retry-After"] = str(wait)
    return response


def _page(request: HttpRequest, *, status: int, title: str, detail: str) -> HttpResponse:
    if is_api(request):
        code = title.lower().replace(" ", "-")
        body = problem_body(request, status=status, code=code, title=title, detail=detail, errors=[])
        return JsonResponse(body, status=status, content_type=PROBLEM)
    reference = getattr(request, "request_id", "")
    return render(
        request,
        "error.html",
        {"status": status, "title": title, "detail": detail, "reference": reference},
        status=status,
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 400."""
    if isinstance(exception, RequestDataTooBig):
        return _page(request, status=413, title="Too large", detail="What you sent is larger than this page takes.")
    return _page(request, status=400, title="The request could not be read", detail="Go back and try again.")


@requires_csrf_token
def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 403."""
    return _page(request, status=403, title="Not allowed", detail="This needs a role that you do not hold here.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 404."""
    return _page(request, status=404, title="Not found", detail="There is nothing here, or it is not yours to see.")


def method_not_allowed(request: HttpRequest, allowed: Sequence[str]) -> HttpResponse:
    """A method that the address does not take, whoever asks: which methods there are is no secret."""
    response = _page(
        request, status=405, title="Method not allowed", detail=f"This address takes {', '.join(allowed)}."
    )
    response["Allow"] = ", ".join(allowed)
    return response


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """allauth's 429, for what it counts besides failed sign-ins."""
    return _page(request, status=429, title="Too many requests", detail="Wait a minute, then try again.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's 500. No detail of the fault leaves the house; the reference finds it in the log."""
    reference = getattr(request, "request_id", "")
    detail = f"The fault is on our side; nothing you entered is lost. Reference {reference}."
    if is_api(request):
        body = problem_body(request, status=500, code="fault", title="A fault on our side", detail=detail, errors=[])
        return JsonResponse(body, status=500, content_type=PROBLEM)
    # Without the request: its context asks the database, which may be the fault.
    return HttpResponse(render_to_string("fault.html", {"detail": detail}), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its token: an old page, or somebody else's."""
    return _page(
        request,
        status=403,
        title="This page was open too long",
        detail="Go back, reload the page and send it again. What you typed is still there.",
    )
