"""Doors of access."""

from django.urls import path

from reviewapp.access import api, views

pages = [
    path("livez", views.livez, name="livez"),
    path("readyz", views.readyz, name="readyz"),
]
api = [
    path("projects/", api.projects, name="projects"),
    path("schema/", api.schema, name="schema"),
    path("docs/", api.docs, name="docs"),
]
