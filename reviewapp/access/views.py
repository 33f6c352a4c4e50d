"""Health of the process and of what it needs."""

from __future__ import annotations

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from reviewapp.audit.selectors import enforcement


@require_safe
def livez(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Database, broker and migrations; 503 with the name of what is missing. Says how the log is protected."""
    checks = {"database": _database(), "broker": _broker()}
    checks["migrations"] = _migrations() if checks["database"] == "ok" else "unknown"
    body: dict[str, object] = {"status": "ok" if set(checks.values()) == {"ok"} else "unavailable", "checks": checks}
    if checks["database"] == "ok" and checks["migrations"] == "ok":
        body["audit"] = (
            "append-only by roles and trigger" if enforcement() == "roles" else "append-only by trigger only"
        )
    return JsonResponse(body, status=200 if body["status"] == "ok" else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "unreachable"
    return "ok"


def _broker() -> str:
    try:
        cache.set("readyz", "1", 10)
    except RedisError:
        return "unreachable"
    return "ok"


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    return "waiting" if executor.migration_plan(executor.loader.graph.leaf_nodes()) else "ok"
