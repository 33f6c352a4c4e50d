"""Sign-in and sign-out by allauth; none of its other doors is open."""

from allauth.account import views
from django.urls import path

from reviewapp.access import account_views, factor_views
from reviewapp.access.oidc import views as oidc

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("signup/", views.signup, name="account_signup"),
    path("reauthenticate/", account_views.ProveByPassword.as_view(), name="account_reauthenticate"),
    path("go-on/", account_views.go_on, name="account_go_on"),
    path("2fa/", factor_views.index, name="mfa_index"),
    path("2fa/authenticate/", factor_views.second_step, name="mfa_authenticate"),
    path("2fa/reauthenticate/", factor_views.prove_by_code, name="mfa_reauthenticate"),
    path("2fa/app/add/", factor_views.activate_app, name="mfa_activate_totp"),
    path("2fa/app/remove/", factor_views.remove_app, name="mfa_deactivate_totp"),
    path("2fa/codes/", factor_views.show_codes, name="mfa_view_recovery_codes"),
    path("2fa/codes/make/", factor_views.make_codes, name="mfa_generate_recovery_codes"),
    path("2fa/keys/add/", factor_views.add_key, name="mfa_add_webauthn"),
    path("2fa/keys/reauthenticate/", factor_views.prove_by_key, name="mfa_reauthenticate_webauthn"),
    path("2fa/keys/sign-in/", factor_views.sign_in_by_passkey, name="mfa_login_webauthn"),
    path("2fa/keys/<int:pk>/remove/", factor_views.remove_key, name="mfa_remove_webauthn"),
    path("2fa/keys/<int:pk>/rename/", factor_views.rename_key, name="mfa_edit_webauthn"),
    path("password/change/", account_views.ChangePassword.as_view(), name="account_change_password"),
    path("oidc/", oidc.linked, name="oidc_linked"),
    path("oidc/login/", oidc.begin, name="oidc_begin"),
    path("oidc/callback/", oidc.callback, name="oidc_callback"),
    path("oidc/link/", oidc.link, name="oidc_link"),
    path("oidc/unlink/", oidc.unlink, name="oidc_unlink"),
    path("oidc/confirm/", oidc.confirm, name="oidc_confirm"),
]
