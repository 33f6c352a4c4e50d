"""`Idempotency-Key` on POST: the answer is kept 24 hours, written in the transaction of its effect."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.db import connection, transaction
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.access.authentication import api_actor
from reviewapp.access.models import IdempotencyRecord
from reviewapp.lib.api import plain
from reviewapp.lib.bodies import MAX_JSON
from reviewapp.lib.clock import utc_now
from reviewapp.lib.errors import Conflict, Malformed, TooLarge, Unprocessable

View = Callable[..., Response]
KEPT = timedelta(hours=24)


def idempotent(view: View) -> View:
    """Wrap a POST view. Without the header the call passes through; with it a repeat answers what the first answered.

    Another body or address under the same key raises Unprocessable (422), one in flight Conflict (409).
    """

    @wraps(view)
    def wrapped(request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None or request.method != "POST":
            return view(request, *args, **kwargs)
        if not 1 <= len(key) <= 255 or not key.isprintable():
            raise Malformed("Idempotency-Key has 1 to 255 printable characters.")
        return _once(request, key, lambda: view(request, *args, **kwargs))

    return wrapped


def _once(request: Request, key: str, act: Callable[[], Response]) -> Response:
    actor = api_actor(request)
    caller = f"token:{actor.token.pk}" if actor.token else f"user:{actor.person.pk}"
    fingerprint = _fingerprint(request)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"{caller} {key}"])
            if not cursor.fetchone()[0]:
                raise Conflict("A request with this Idempotency-Key is still running; try again shortly.")
        IdempotencyRecord.objects.filter(caller=caller, key=key, created_at__lt=utc_now() - KEPT).delete()
        known = IdempotencyRecord.objects.filter(caller=caller, key=key).first()
        if known is not None:
            if known.request_sha256 != fingerprint:
                raise Unprocessable("This Idempotency-Key was used with another request; take a new one.")
            return Response(known.answer, status=known.status, headers={"Idempotent-Replay": "true"})
        answer = act()
        if answer.status_code < 500:
            kept = json.loads(JSONRenderer().render(answer.data)) if answer.data is not None else None
            IdempotencyRecord.objects.create(
                caller=caller, key=key, request_sha256=fingerprint, status=answer.status_code, answer=kept
            )
        return answer


def _fingerprint(request: Request) -> str:
    django_request = plain(request)
    if int(django_request.headers.get("Content-Length") or 0) > MAX_JSON:
        raise TooLarge("Idempotency-Key is for bodies up to 16 MiB.")
    body = django_request.body  # kept by Django, so that the view can read it again
    return hashlib.sha256(f"{django_request.method} {django_request.get_full_path()}\n".encode() + body).hexdigest()
