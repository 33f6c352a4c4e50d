"""Doors of grading."""

from django.urls import URLPattern, path

from reviewapp.grading import api as doors

pages: list[URLPattern] = []
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
