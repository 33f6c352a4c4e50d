"""Doors of rubrics."""

from django.urls import URLPattern, path

from reviewapp.rubrics import api as endpoints

pages: list[URLPattern] = []
api = [
    path("projects/<slug:project>/rubrics/", endpoints.rubrics, name="rubrics"),
    path("projects/<slug:project>/rubrics/<slug:rubric>/", endpoints.rubric, name="rubric"),
    path("projects/<slug:project>/rubrics/<slug:rubric>/publish/", endpoints.publish_rubric, name="publish"),
]
