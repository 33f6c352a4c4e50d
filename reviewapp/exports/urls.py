"""Doors of exports."""

from django.urls import path

from reviewapp.exports import api as endpoints
from reviewapp.exports import views

_PAGE = "p/<slug:project>/datasets"
_API = "projects/<slug:project>/datasets"

pages = [
    path(f"{_PAGE}/", views.list_datasets, name="list"),
    path("p/<slug:project>/new-dataset/", views.new, name="new"),
    path("p/<slug:project>/new-dataset/save/", views.create, name="create"),
    path(f"{_PAGE}/<slug:dataset>/", views.detail, name="detail"),
    path(f"{_PAGE}/<slug:dataset>/freeze/", views.freeze, name="freeze"),
    path(f"{_PAGE}/<slug:dataset>/<int:number>/", views.version, name="version"),
    path(f"{_PAGE}/<slug:dataset>/<int:number>/retry/", views.retry, name="retry"),
]
api = [
    path(f"{_API}/", endpoints.datasets, name="datasets"),
    path(f"{_API}/<slug:dataset>/", endpoints.dataset, name="dataset"),
    path(f"{_API}/<slug:dataset>/versions/", endpoints.versions, name="versions"),
    path(f"{_API}/<slug:dataset>/versions/<int:number>/", endpoints.version, name="version"),
    path(f"{_API}/<slug:dataset>/versions/<int:number>/download/", endpoints.download, name="download"),
]
