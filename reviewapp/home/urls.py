"""Doors of home."""

from django.urls import URLPattern, path

from reviewapp.home.views import account, groups, home, members, people, settings, tokens

pages = [
    path("", home.home, name="home"),
    path("account/", account.account, name="account"),
    path("account/sessions/end/", account.end_my_sessions, name="end_my_sessions"),
    path("people/", people.index, name="people"),
    path("people/invite/", people.invite, name="invite"),
    path("people/<uuid:person>/", people.person, name="person"),
    path("people/<uuid:person>/give/", people.give, name="give_role"),
    path("people/<uuid:person>/take/", people.take, name="take_role"),
    path("people/<uuid:person>/close/", people.close, name="close_account"),
    path("people/<uuid:person>/open/", people.reopen, name="open_account"),
    path("people/<uuid:person>/link/", people.make_link, name="make_link"),
    path("people/<uuid:person>/link/withdraw/", people.withdraw, name="withdraw_link"),
    path("people/<uuid:person>/sessions/end/", people.end_their_sessions, name="end_their_sessions"),
    path("people/<uuid:person>/tokens/<uuid:token>/revoke/", people.end_their_token, name="end_their_token"),
    path("account/tokens/", tokens.add_own_token, name="add_own_token"),
    path("account/tokens/<uuid:token>/rotate/", tokens.rotate_own, name="rotate_own_token"),
    path("account/tokens/<uuid:token>/revoke/", tokens.end_own_token, name="end_own_token"),
    path("p/<slug:project>/settings/", settings.settings, name="settings"),
    path("p/<slug:project>/settings/invite/", members.invite, name="invite_member"),
    path("p/<slug:project>/settings/grant/", members.grant, name="grant"),
    path("p/<slug:project>/settings/revoke/", members.revoke, name="revoke"),
    path("p/<slug:project>/settings/groups/", groups.groups, name="groups"),
    path("p/<slug:project>/settings/groups/grant/", groups.grant_group, name="grant_group"),
    path("p/<slug:project>/settings/groups/revoke/", groups.revoke_group, name="revoke_group"),
    path("p/<slug:project>/settings/tokens/", tokens.add_token, name="add_token"),
    path("p/<slug:project>/settings/tokens/<uuid:token>/rotate/", tokens.rotate, name="rotate_token"),
    path("p/<slug:project>/settings/tokens/<uuid:token>/revoke/", tokens.end_token, name="end_token"),
]
api: list[URLPattern] = []
