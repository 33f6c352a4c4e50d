"""Doors of home."""

from django.urls import URLPattern, path

from reviewapp.home.views import account, groups, home, members, settings, tokens

pages = [
    path("", home.home, name="home"),
    path("account/", account.account, name="account"),
    path("account/tokens/", tokens.add_own_token, name="add_own_token"),
    path("account/tokens/<uuid:token>/revoke/", tokens.end_own_token, name="end_own_token"),
    path("p/<slug:project>/settings/", settings.settings, name="settings"),
    path("p/<slug:project>/settings/grant/", members.grant, name="grant"),
    path("p/<slug:project>/settings/revoke/", members.revoke, name="revoke"),
    path("p/<slug:project>/settings/groups/", groups.groups, name="groups"),
    path("p/<slug:project>/settings/groups/grant/", groups.grant_group, name="grant_group"),
    path("p/<slug:project>/settings/groups/revoke/", groups.revoke_group, name="revoke_group"),
    path("p/<slug:project>/settings/tokens/", tokens.add_token, name="add_token"),
    path("p/<slug:project>/settings/tokens/<uuid:token>/revoke/", tokens.end_token, name="end_token"),
]
api: list[URLPattern] = []
