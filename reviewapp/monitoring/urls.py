"""Doors of monitoring."""

from django.urls import path

from reviewapp.monitoring import api as endpoints
from reviewapp.monitoring import views

pages = [path("p/<slug:project>/monitoring/", views.overview, name="overview")]
api = [path("projects/<slug:project>/estimates/", endpoints.estimates, name="estimates")]
