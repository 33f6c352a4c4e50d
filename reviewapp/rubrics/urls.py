"""Doors of rubrics."""

from django.urls import path

from reviewapp.rubrics import api as endpoints
from reviewapp.rubrics import views

pages = [
    path("p/<slug:project>/rubrics/", views.list_rubrics, name="list"),
    # Not under rubrics/: a rubric may be called "new".
    path("p/<slug:project>/new-rubric/", views.new, name="new"),
    path("p/<slug:project>/rubrics/<slug:rubric>/", views.detail, name="detail"),
    path("p/<slug:project>/rubrics/<slug:rubric>/edit/", views.edit, name="edit"),
    path("p/<slug:project>/rubrics/<slug:rubric>/publish/", views.publish, name="publish"),
]
api = [
    path("projects/<slug:project>/rubrics/", endpoints.rubrics, name="rubrics"),
    path("projects/<slug:project>/rubrics/<slug:rubric>/", endpoints.rubric, name="rubric"),
    path("projects/<slug:project>/rubrics/<slug:rubric>/publish/", endpoints.publish_rubric, name="publish"),
]
