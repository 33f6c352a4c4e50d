"""Doors of judge."""

from django.urls import path

from reviewapp.judge import api as endpoints
from reviewapp.judge import views

_ROOM = "p/<slug:project>/judges/"
pages = [
    path(_ROOM, views.list_judges, name="list"),
    path(_ROOM + "new/", views.new_judge, name="new"),
    path(_ROOM + "<slug:judge>/", views.detail, name="detail"),
    path(_ROOM + "<slug:judge>/runs/", views.start, name="start"),
    path(_ROOM + "<slug:judge>/runs/<uuid:run_id>/", views.run, name="run"),
    path(_ROOM + "<slug:judge>/runs/<uuid:run_id>/cancel/", views.cancel, name="cancel"),
]
_API = "projects/<slug:project>/"
api = [
    path(_API + "judges/", endpoints.judges, name="judges"),
    path(_API + "judges/<slug:judge>/", endpoints.judge, name="judge"),
    path(_API + "judges/<slug:judge>/runs/", endpoints.runs, name="runs"),
    path(_API + "judges/<slug:judge>/runs/<uuid:run_id>/", endpoints.run, name="judge-run"),
    path(_API + "judges/<slug:judge>/runs/<uuid:run_id>/cancel/", endpoints.cancel, name="judge-run-cancel"),
    path(_API + "judges/<slug:judge>/verdicts/import/", endpoints.verdicts_import, name="verdicts-import"),
    path(_API + "judges/<slug:judge>/calibration/", endpoints.judge_calibration, name="calibration"),
    path(_API + "runs/<uuid:run_id>/", endpoints.run, name="run"),
    path(_API + "runs/<uuid:run_id>/cancel/", endpoints.cancel, name="run-cancel"),
]
