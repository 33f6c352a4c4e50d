"""Doors of access."""

from django.urls import path

from reviewapp.access import api as endpoints
from reviewapp.access import views

pages = [
    path("livez", views.livez, name="livez"),
    path("readyz", views.readyz, name="readyz"),
]
api = [
    path("projects/", endpoints.projects, name="projects"),
    path("schema/", endpoints.schema, name="schema"),
    path("docs/", endpoints.docs, name="docs"),
]
