"""Doors of preferences."""

from django.urls import path

from reviewapp.preferences import api as endpoints
from reviewapp.preferences import views

pages = [
    path("p/<slug:project>/preferences/", views.leaderboard, name="leaderboard"),
]
api = [
    path("projects/<slug:project>/preferences/leaderboard/", endpoints.leaderboard, name="leaderboard"),
]
