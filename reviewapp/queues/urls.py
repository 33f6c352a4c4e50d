"""Doors of queues."""

from django.urls import path

from reviewapp.queues import api as doors
from reviewapp.queues import views

pages = [
    path("p/<slug:project>/queues/", views.list_queues, name="list"),
    path("p/<slug:project>/queues/new/", views.new, name="new"),
    path("p/<slug:project>/queues/create/", views.create, name="create"),
    path("p/<slug:project>/queues/<slug:queue>/", views.detail, name="detail"),
    path("p/<slug:project>/queues/<slug:queue>/items/", views.put_in, name="put_in"),
]
api = [
    path("projects/<slug:project>/queues/", doors.queues, name="queues"),
    path("projects/<slug:project>/queues/<slug:queue>/", doors.queue, name="queue"),
    path("projects/<slug:project>/queues/<slug:queue>/items/", doors.items, name="items"),
]
