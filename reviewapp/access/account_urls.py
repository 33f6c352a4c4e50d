"""Sign-in and sign-out by allauth; none of its other doors is open."""

from allauth.account import views
from django.urls import path

from reviewapp.access import account_views

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("signup/", views.signup, name="account_signup"),
    path("reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("go-on/", account_views.go_on, name="account_go_on"),
    path("password/change/", views.password_change, name="account_change_password"),
]
