"""Doors of guardrails."""

from django.urls import path

from reviewapp.guardrails import api as endpoints
from reviewapp.guardrails import views

pages = [
    path("p/<slug:project>/guardrails/", views.list_guardrails, name="list"),
    path("p/<slug:project>/guardrails/decisions/", views.decisions, name="decisions"),
]
api = [path("projects/<slug:project>/guardrails/", endpoints.guardrails, name="guardrails")]
