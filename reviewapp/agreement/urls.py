"""Doors of agreement."""

from django.urls import path

from reviewapp.agreement import api as endpoints
from reviewapp.agreement import views

pages = [
    path("p/<slug:project>/agreement/", views.report, name="report"),
    path("p/<slug:project>/agreement/<slug:queue>/", views.queue, name="queue"),
    path("p/<slug:project>/agreement/<slug:queue>/refresh/", views.refresh, name="refresh"),
]
api = [
    path("projects/<slug:project>/queues/<slug:queue>/agreement/", endpoints.agreement, name="agreement"),
]
