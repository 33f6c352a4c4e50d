"""Doors of queues."""

from django.urls import URLPattern, path

from reviewapp.queues import api as doors

pages: list[URLPattern] = []
api = [
    path("projects/<slug:project>/queues/", doors.queues, name="queues"),
    path("projects/<slug:project>/queues/<slug:queue>/", doors.queue, name="queue"),
    path("projects/<slug:project>/queues/<slug:queue>/items/", doors.items, name="items"),
]
