"""Doors of ingest."""

from django.urls import URLPattern, path

from reviewapp.ingest import api as endpoints

pages: list[URLPattern] = []
api = [
    path("projects/<slug:project>/outputs/", endpoints.outputs, name="outputs"),
    path("projects/<slug:project>/outputs/<path:external_id>/", endpoints.output, name="output"),
    path("projects/<slug:project>/signals/", endpoints.signals, name="signals"),
    path("projects/<slug:project>/pairs/", endpoints.pairs, name="pairs"),
    path("projects/<slug:project>/rules/", endpoints.rules, name="rules"),
    path("projects/<slug:project>/rules/try/", endpoints.tried_rule, name="try-rule"),
    path("projects/<slug:project>/rules/<slug:rule>/backfill/", endpoints.backfilled_rule, name="backfill"),
]
