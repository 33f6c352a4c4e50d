"""Doors of access."""

from django.urls import path

from reviewapp.access import account_views, views
from reviewapp.access import api as endpoints

pages = [
    path("livez", views.livez, name="livez"),
    path("readyz", views.readyz, name="readyz"),
    path("invite/<str:secret>/", account_views.one_time_link, name="invite"),
]
api = [
    path("projects/", endpoints.projects, name="projects"),
    path("schema/", endpoints.schema, name="schema"),
    path("docs/", endpoints.docs, name="docs"),
]
