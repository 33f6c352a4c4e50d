"""What is asked of the provider over the network: its description and its keys, through the one outbound client.

`outbound_session` is what allauth gets instead of a session of its own: whatever it would fetch goes the same way.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from django.conf import settings
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from config.env import OpenIdConnect
from reviewapp.access.oidc.errors import ProviderUnavailable
from reviewapp.lib.errors import DomainError
from reviewapp.lib.jsonread import read_json
from reviewapp.lib.outbound import Answer, Destination, NoAnswer, checked_destination, exchange

SECONDS = 5.0
KEPT_SECONDS = 600
# A key that is not in the kept set may be new; a provider that signs with unknown keys is asked once a minute.
REFETCH_SECONDS = 60
MAX_KEYS = 50
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


def configured() -> OpenIdConnect:
    """The provider of this installation. Raises ProviderUnavailable without one."""
    oidc: OpenIdConnect | None = settings.OIDC
    if oidc is None:
        raise ProviderUnavailable("not_configured")
    return oidc


def destination_of(url: str) -> Destination:
    """Where an address of the provider leads. Raises Unprocessable unless it is on the provider's hosts, and ValueError
    for what is no address at all.
    """
    oidc = configured()
    if not url.isascii() or not url.isprintable() or " " in url or "#" in url:
        raise ValueError("not an address")
    parts = urlsplit(url)
    # The path and query are the provider's affair (policies stand there); where it is, is ours.
    bare = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
    own = urlsplit(oidc.server).netloc.lower()
    return checked_destination(bare, allowed_hosts=(own, *oidc.hosts), allow_loopback=oidc.allow_loopback)


class OutboundAdapter(BaseAdapter):
    """Hands each request of a `requests.Session` to the outbound client, whose bounds hold and no others."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Raises requests.ConnectionError with a sentence of ours."""
        url, body = request.url or "", request.body
        headers = {name: str(value) for name, value in request.headers.items()}
        try:
            answer = exchange(
                destination_of(url),
                request.method or "GET",
                url,
                headers=headers,
                body=body if isinstance(body, bytes) or body is None else str(body).encode(),
                seconds=SECONDS,
            )
        except (NoAnswer, DomainError, ValueError) as error:
            raise requests.ConnectionError("the provider could not be asked") from error
        return _as_requests(answer, request)

    def close(self) -> None:
        """Nothing is kept open."""


def _as_requests(answer: Answer, request: requests.PreparedRequest) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status
    response.headers = CaseInsensitiveDict({"content-type": "application/octet-stream", **answer.headers})
    response.raw = io.BytesIO(answer.body)
    response.encoding = "utf-8"
    response.url, response.request = request.url or "", request
    return response


def outbound_session() -> requests.Session:
    """A session that cannot open a connection by itself, follows no redirect and reads no proxy or netrc."""
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = 0
    session.headers["Accept-Encoding"] = "identity"
    session.adapters.clear()
    session.mount("https://", OutboundAdapter())
    session.mount("http://", OutboundAdapter())
    return session


def fetched(url: str, what: str) -> dict[str, Any]:
    """A JSON object from an address of the provider. Raises ProviderUnavailable."""
    try:
        answer = exchange(destination_of(url), "GET", url, headers={"Accept": "application/json"}, seconds=SECONDS)
        value = read_json(answer.body) if answer.status == 200 else None
    except (NoAnswer, DomainError, ValueError) as error:
        raise ProviderUnavailable(f"{what}_unreachable") from error
    if not isinstance(value, dict):
        raise ProviderUnavailable(f"{what}_unreadable")
    return value


class _Kept:
    """One document of one provider, in this process, for ten minutes."""

    def __init__(self) -> None:
        self._url = ""
        self._at = 0.0
        self._value: dict[str, Any] = {}

    def get(self, url: str, fetch: Callable[[], dict[str, Any]], *, at_most_old: float) -> dict[str, Any]:
        """Two threads may fetch at once; the later wins, and both are right."""
        now = time.monotonic()
        if self._url != url or now - self._at > at_most_old or not self._value:
            value = fetch()
            self._url, self._at, self._value = url, now, value
            return value
        return self._value

    def forget(self) -> None:
        """As in a new process."""
        self._url = ""


_description, _keys = _Kept(), _Kept()


def forget_kept() -> None:
    """Fetch the provider's description and keys again at the next use."""
    _description.forget()
    _keys.forget()


def description() -> Mapping[str, Any]:
    """The provider's metadata (OpenID Connect Discovery 1.0, section 4).

    Raises ProviderUnavailable, also when it names another issuer or an address outside of its hosts.
    """
    oidc = configured()
    url = f"{oidc.server.rstrip('/')}/.well-known/openid-configuration"
    return _description.get(
        url, lambda: _checked_description(oidc, fetched(url, "discovery")), at_most_old=KEPT_SECONDS
    )


def _checked_description(oidc: OpenIdConnect, found: dict[str, Any]) -> dict[str, Any]:
    if found.get("issuer") != oidc.server:
        raise ProviderUnavailable("discovery_names_another_issuer")
    for name in _ENDPOINTS:
        try:
            destination_of(str(found.get(name, "")))
        except (DomainError, ValueError) as error:
            raise ProviderUnavailable(f"discovery_{name}_refused") from error
    return found


def signing_keys(*, fresh: bool = False) -> list[dict[str, Any]]:
    """The provider's JSON Web Keys. fresh: not older than a minute. Raises ProviderUnavailable."""
    url = str(description()["jwks_uri"])
    found = _keys.get(url, lambda: fetched(url, "keys"), at_most_old=REFETCH_SECONDS if fresh else KEPT_SECONDS)
    keys = found.get("keys")
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        raise ProviderUnavailable("keys_unreadable")
    return [key for key in keys if isinstance(key, dict)]
