"""Doors of compliance."""

from django.urls import path

from reviewapp.compliance import api as endpoints
from reviewapp.compliance import views

pages = [
    path("p/<slug:project>/audit/", views.events, name="events"),
    path("p/<slug:project>/audit/<uuid:eid>/", views.event, name="event"),
]
api = [
    path("audit/events/", endpoints.events, name="events"),
    path("audit/checkpoint", endpoints.checkpoint, name="checkpoint"),
]
