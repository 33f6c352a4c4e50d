"""Doors of compliance."""

from django.urls import path

from reviewapp.compliance.api import events as event_api
from reviewapp.compliance.views import events

pages = [
    path("p/<slug:project>/audit/", events.events, name="events"),
    path("p/<slug:project>/audit/<uuid:eid>/", events.event, name="event"),
]
api = [
    path("audit/events/", event_api.events, name="events"),
    path("audit/checkpoint", event_api.checkpoint, name="checkpoint"),
]
