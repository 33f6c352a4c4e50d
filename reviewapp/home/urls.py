"""Doors of home."""

from django.urls import URLPattern, path

from reviewapp.home import views

pages = [
    path("", views.home, name="home"),
    path("account/", views.account, name="account"),
    path("account/tokens/", views.add_own_token, name="add_own_token"),
    path("account/tokens/<uuid:token>/revoke/", views.end_own_token, name="end_own_token"),
    path("p/<slug:project>/settings/", views.settings, name="settings"),
    path("p/<slug:project>/settings/grant/", views.grant, name="grant"),
    path("p/<slug:project>/settings/revoke/", views.revoke, name="revoke"),
    path("p/<slug:project>/settings/tokens/", views.add_token, name="add_token"),
    path("p/<slug:project>/settings/tokens/<uuid:token>/revoke/", views.end_token, name="end_token"),
]
api: list[URLPattern] = []
