"""Doors of grading."""

from django.urls import path

from reviewapp.grading import api as doors
from reviewapp.grading import views

_REVIEW = "p/<slug:project>/review/<slug:queue>/"
pages = [
    path(_REVIEW, views.review, name="review"),
    path(_REVIEW + "next/", views.next_item, name="next"),
    path(_REVIEW + "<uuid:lease>/submit/", views.submit, name="submit"),
    path(_REVIEW + "<uuid:lease>/draft/", views.draft, name="draft"),
    path(_REVIEW + "<uuid:lease>/skip/", views.skip, name="skip"),
    path(_REVIEW + "<uuid:lease>/release/", views.release, name="release"),
    path(_REVIEW + "undo/<uuid:review>/", views.undo, name="undo"),
]
_LEASE = "projects/<slug:project>/leases/<uuid:lease>/"
api = [
    path("projects/<slug:project>/queues/<slug:queue>/lease/", doors.lease, name="lease"),
    path("projects/<slug:project>/queues/<slug:queue>/reviews/import/", doors.reviews_import, name="reviews-import"),
    path(_LEASE, doors.lease_detail, name="lease-detail"),
    path(_LEASE + "submit/", doors.submit, name="submit"),
    path(_LEASE + "skip/", doors.skip_lease, name="skip"),
    path(_LEASE + "release/", doors.release_lease, name="release"),
    path(_LEASE + "draft/", doors.draft, name="draft"),
    path("projects/<slug:project>/reviews/<uuid:review>/undo/", doors.undo, name="undo"),
]
