"""The site map: every room's pages at their addresses, every room's API under `api/v1/`."""

from __future__ import annotations

from importlib import import_module

from django.urls import URLPattern, URLResolver, include, path

# Rooms with doors, top of the house first. A room's `urls.py` holds two lists, `pages` and `api`.
ROOMS: tuple[str, ...] = (
    "home",
    "compliance",
    "exports",
    "monitoring",
    "judge",
    "guardrails",
    "agreement",
    "preferences",
    "grading",
    "queues",
    "rubrics",
    "ingest",
    "access",
)


def _mounted() -> list[URLPattern | URLResolver]:
    found: list[URLPattern | URLResolver] = []
    for room in ROOMS:
        urls = import_module(f"reviewapp.{room}.urls")
        found.append(path("", include((urls.pages, room))))
        found.append(path("api/v1/", include((urls.api, f"{room}-api"))))
    return found


urlpatterns = [*_mounted(), path("accounts/", include("reviewapp.access.account_urls"))]
