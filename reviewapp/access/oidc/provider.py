"""allauth's OpenID Connect provider, held to our rules: settings name it, outbound carries it, no request bends it."""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.internal import statekit
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from allauth.utils import build_absolute_uri
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import get_random_string
from requests import RequestException, Session

from reviewapp.access.oidc.errors import ProviderUnavailable, SignInRefused
from reviewapp.access.oidc.identity import Identity, identity_of
from reviewapp.access.oidc.wire import configured, description, outbound_session, signing_keys


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc] # allauth ships no types
    """One provider, from the settings; no account is made, found or linked by allauth itself."""

    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[SocialApp]:
        """The configured provider. Rows of `SocialApp` are not configuration here."""
        if settings.OIDC is None:
            return []
        return [
            SocialApp(
                provider="openid_connect",
                provider_id=settings.OIDC.server,
                name=settings.OIDC.name,
                client_id=settings.OIDC.client_id,
                secret=settings.OIDC.client_secret,
                settings={"server_url": settings.OIDC.server, "oauth_pkce_enabled": True},
            )
        ]

    def get_requests_session(self) -> Session:
        """Whatever allauth fetches goes through the one outbound client."""
        return outbound_session()

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Never by allauth; `services.person_behind` decides."""
        return False

    def authenticate_by_email(self, sociallogin: Any) -> None:
        """A mail address never identifies anybody."""
        return

    def generate_state_param(self, state: dict[str, Any]) -> str:
        """128 random bits and more; the session holds what they stand for."""
        return get_random_string(32)


class CodeAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc] # allauth ships no types
    """allauth's exchange of the code, with our description of the provider and our callback address."""

    @property
    def openid_config(self) -> Any:
        """Checked and kept by `wire`."""
        return description()

    @property
    def basic_auth(self) -> bool:
        """The standard's default, unless the provider takes the secret in the body, where no character needs care."""
        return "client_secret_post" not in self.openid_config.get("token_endpoint_auth_methods_supported", [])

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        """Ours; the provider compares it with the address it was told at registration."""
        return str(build_absolute_uri(request, reverse("oidc_callback")))


class CodeProvider(OpenIDConnectProvider):  # type: ignore[misc] # allauth ships no types
    """The provider as allauth sees it."""

    oauth2_adapter_class = CodeAdapter


def _provider(request: HttpRequest) -> CodeProvider:
    return CodeProvider(request, app=SocialAdapter(request).list_apps(request)[0])


def authorization_address(request: HttpRequest, *, process: str, next_url: str, more: dict[str, str]) -> str:
    """Where the browser asks for a code. State, nonce and PKCE verifier wait in the session for ten minutes.

    process: what the answer is for; it comes back with the state, with the person who began. more: further parameters
    of the request. Raises ProviderUnavailable.
    """
    nonce = get_random_string(43)
    begun = {"nonce": nonce, "user": str(request.user.pk)}
    answer: HttpResponse = _provider(request).redirect(
        request, process, next_url=next_url, data=begun, auth_params={"nonce": nonce, **more}
    )
    return answer["Location"]


def identity_from_callback(request: HttpRequest) -> tuple[Identity, dict[str, Any]]:
    """Who came back, and the state that this session began with; it is spent whatever happens.

    Only `state`, `code`, `iss` and `error` are read from the request. Raises SignInRefused or ProviderUnavailable.
    """
    oidc, provider = configured(), _provider(request)
    state_id = request.GET.get("state", "")
    state = statekit.unstash_state(request, state_id=state_id, provider_id=provider.sub_id)
    if state is None:
        raise SignInRefused(
            "unknown_state", "This sign-in was not begun in this browser, or it took too long. Begin again."
        )
    if request.GET.get("error") == "access_denied":
        raise SignInRefused("cancelled", "You, or the sign-in service, ended the sign-in. Begin again when you like.")
    # RFC 9207: a provider that names itself beside the code must be the one that was asked.
    if not request.GET.get("code") or request.GET.get("iss", oidc.server) != oidc.server:
        raise SignInRefused("no_code")
    adapter = provider.get_oauth2_adapter(request)
    try:
        client = adapter.get_client(request, provider.app)
        tokens = adapter.get_access_token_data(request, provider.app, client, state.get("pkce_code_verifier"))
    except (OAuth2Error, RequestException, ValueError, LookupError, RecursionError) as error:
        # The message of allauth's error holds the provider's words; they go nowhere.
        raise ProviderUnavailable("code_not_redeemed") from error
    token = tokens.get("id_token") if isinstance(tokens, dict) else None
    return identity_of(token, oidc=oidc, nonce=state["data"]["nonce"], keys=signing_keys), state
