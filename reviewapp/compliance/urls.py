"""Doors of compliance."""

from django.urls import path

from reviewapp.compliance.api import events as event_api
from reviewapp.compliance.api import export as export_api
from reviewapp.compliance.api import subjects as subject_api
from reviewapp.compliance.views import erasures, events, subjects

pages = [
    path("p/<slug:project>/audit/", events.events, name="events"),
    path("p/<slug:project>/audit/<uuid:eid>/", events.event, name="event"),
]
# Forgetting somebody, and what is held about them: end users in a project, people at the installation.
pages += [
    path("p/<slug:project>/erasures/", erasures.erasures, name="erasures"),
    path("p/<slug:project>/erasures/look/", erasures.look, name="look_for_subject"),
    path("p/<slug:project>/erasures/ask/", erasures.ask, name="ask_erasure"),
    path("p/<slug:project>/erasures/<uuid:erasure>/", erasures.erasure, name="erasure"),
    path("p/<slug:project>/erasures/<uuid:erasure>/progress/", erasures.progress, name="progress"),
    path("p/<slug:project>/erasures/<uuid:erasure>/decide/", erasures.decide, name="decide"),
    path("p/<slug:project>/subjects/", subjects.subject_report, name="subject_report"),
    path("erasures/", erasures.person_erasures, name="person_erasures"),
    path("erasures/<uuid:erasure>/", erasures.erasure, name="person_erasure"),
    path("erasures/<uuid:erasure>/progress/", erasures.progress, name="person_progress"),
    path("erasures/<uuid:erasure>/decide/", erasures.decide, name="person_decide"),
    path("erasures/people/<uuid:user>/", erasures.erase_person, name="erase_person"),
    path("erasures/people/<uuid:user>/report/", subjects.person_report, name="person_report"),
    path("account/report/", subjects.own_report, name="own_report"),
]
api = [
    path("projects/<slug:project>/subjects/report/", subject_api.report, name="subject_report"),
    path("audit/events/", event_api.events, name="events"),
    path("audit/export/", export_api.export, name="export"),
    path("audit/checkpoint", event_api.checkpoint, name="checkpoint"),
]
