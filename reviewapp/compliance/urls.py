"""Doors of compliance."""

from django.urls import path

from reviewapp.compliance.api import events as event_api
from reviewapp.compliance.api import export as export_api
from reviewapp.compliance.api import subjects as subject_api
from reviewapp.compliance.api import witness as witness_api
from reviewapp.compliance.views import erasures, events, exporting, one, subjects, verifications, vocabulary

# The log of one project, and by the names with `log_` that of the whole installation: the same pages.
pages = [
    path("p/<slug:project>/audit/", events.events, name="events"),
    path("p/<slug:project>/audit/people/", events.people, name="people"),
    path("p/<slug:project>/audit/export/", exporting.export, name="export"),
    path("p/<slug:project>/audit/verify/", verifications.verify, name="verify"),
    path("p/<slug:project>/audit/verifications/<uuid:verification>/", verifications.verification, name="verification"),
    path("p/<slug:project>/audit/<uuid:eid>/", one.event, name="event"),
    path("p/<slug:project>/audit/<uuid:eid>/proof/", one.proof, name="proof"),
    path("audit/", events.events, name="log_events"),
    path("audit/people/", events.people, name="log_people"),
    path("audit/export/", exporting.export, name="log_export"),
    path("audit/verify/", verifications.verify, name="log_verify"),
    path("audit/verifications/<uuid:verification>/", verifications.verification, name="log_verification"),
    path("audit/<uuid:eid>/", one.event, name="log_event"),
    path("audit/<uuid:eid>/proof/", one.proof, name="log_proof"),
    path("audit/events/", vocabulary.vocabulary, name="vocabulary"),
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
    path("audit/witness/add-checkpoint", witness_api.add_checkpoint, name="witness"),
]
