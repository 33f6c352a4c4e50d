"""The one HTTP client that leaves the house.

An address from outside (a judge's base URL, a webhook, an identity provider) may name only what this installation
allows, and what is connected to is what was checked: the name is resolved once per connection, every address of it must
be public (or, for the few names of OUTBOUND_INSIDE_HOSTS, of a private network), and the socket goes to the checked
address while TLS and `Host` keep the name. No redirects, no proxies from
the environment, a deadline for the whole exchange and a cap on what comes back. Source: SECURITY.md 3.6.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import socket
import ssl
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpcore2
import httpx2
from django.conf import settings

from reviewapp.lib.errors import FieldError, Unprocessable

logger = logging.getLogger(__name__)
MAX_RESPONSE = 1024 * 1024
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
_HOST = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")
# 6to4, Teredo and NAT64 carry an IPv4 address inside; whoever routes them may reach the inside of the house.
_TUNNELS = tuple(ipaddress.ip_network(text) for text in ("2002::/16", "2001::/32", "64:ff9b::/96", "64:ff9b:1::/48"))


# How a company numbers its own machines (RFC 1918, 6598, 4193). Never link-local, where clouds keep secrets.
_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)


class AddressRefused(httpcore2.ConnectError):
    """The destination is not one that this installation may call."""


class AnswerTooLarge(httpcore2.ReadError):
    """More came back than the cap allows."""


@dataclass(frozen=True)
class Destination:
    """A checked address: where one client may go, and nowhere else."""

    url: str
    host: str
    port: int
    is_loopback: bool


def checked_destination(
    url: str, *, allowed_hosts: Sequence[str], allow_loopback: bool, pointer: str = ""
) -> Destination:
    """The destination that a URL names.

    https to a host of `allowed_hosts` (`host`, port 443, or `host:port`); plain http only to loopback, and only where
    that is allowed. Raises Unprocessable with `pointer` otherwise. Nothing is resolved or connected here.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise _refused(pointer, "must be an address such as https://api.openai.com/v1") from error
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise _refused(pointer, "must be an address such as https://api.openai.com/v1")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise _refused(pointer, "must have no name, password, query or fragment in it")
    if parts.scheme not in ("https", "http"):
        raise _refused(pointer, "must begin with https://")
    if allow_loopback and host in LOOPBACK_NAMES:
        return Destination(url, host, port or (443 if parts.scheme == "https" else 80), is_loopback=True)
    if parts.scheme != "https":
        raise _refused(pointer, "must begin with https://")
    port = port or 443
    if not _HOST.fullmatch(host) or not _is_listed(host, port, allowed_hosts):
        listed = ", ".join(allowed_hosts) or "none"
        raise _refused(pointer, f"may name only the hosts that this installation allows: {listed}")
    return Destination(url, host, port, is_loopback=False)


def _is_listed(host: str, port: int, allowed_hosts: Sequence[str]) -> bool:
    for entry in allowed_hosts:
        name, _, listed_port = entry.strip().lower().partition(":")
        if name == host and port == (int(listed_port) if listed_port.isdigit() else 443):
            return True
    return False


def _refused(pointer: str, detail: str) -> Unprocessable:
    # The address itself may hold a secret, or forge lines.
    logger.warning("an address was refused (%s): it %s", pointer, detail)
    return Unprocessable(f"This address {detail}.", errors=(FieldError(pointer, detail),))


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the outside world: not private, loopback, link-local, shared, multicast,
    reserved, IPv4 in IPv6, or a tunnel.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and (ip.ipv4_mapped or any(ip in tunnel for tunnel in _TUNNELS)):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def is_private(address: str) -> bool:
    """Whether an IP address is of a company's own network, to which a trusted name may lead."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return any(ip in network for network in _PRIVATE)


def outbound_client(
    destination: Destination, *, seconds: float, max_response: int = MAX_RESPONSE, connect_seconds: float = 3.0
) -> httpx2.Client:
    """A client for this one destination.

    seconds: from connecting to the last byte, whatever the other side does. max_response: bytes, headers included.
    Its requests raise httpx2.HTTPError; the cause of a refusal is AddressRefused or AnswerTooLarge.
    """
    return httpx2.Client(
        transport=_PinnedTransport(_PinnedBackend(destination, seconds=seconds, max_response=max_response)),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx2.Timeout(seconds, connect=min(connect_seconds, seconds)),
        # A small answer could unpack to a large one.
        headers={"Accept-Encoding": "identity"},
    )


class NoAnswer(Exception):
    """No usable answer came back. `detail` is a sentence of ours: nothing that the other side said is in it."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True)
class Answer:
    """What came back, whatever its status. For programs only: pages and API answers never show any of it.

    headers: names in lower case.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def post(
    destination: Destination, body: bytes, headers: Mapping[str, str] | None = None, *, seconds: float = 10
) -> Answer:
    """One POST to a checked destination (a webhook, a witness), over a connection of its own.

    seconds: for the whole exchange. The answer is at most MAX_RESPONSE bytes, headers included; a redirect is an
    answer with status 3xx and is not followed. Raises NoAnswer. Check the address each time, not once when it is
    stored: `checked_destination(url, allowed_hosts=settings.WEBHOOK_ALLOWED_HOSTS,
    allow_loopback=settings.WEBHOOK_ALLOW_LOOPBACK)`.
    """
    return exchange(destination, "POST", destination.url, headers=headers, body=body, seconds=seconds)


def exchange(
    destination: Destination,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    seconds: float = 10,
) -> Answer:
    """One request to `url`, which must lie on the destination's host and port. Otherwise as `post`."""
    try:
        with outbound_client(destination, seconds=seconds) as client:
            answer = client.request(method, url, headers=dict(headers or {}), content=body)
    except httpx2.TimeoutException as error:
        raise NoAnswer("The server did not answer in time.") from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise NoAnswer(_why(error)) from error
    return Answer(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, answer.content)


def _why(error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AnswerTooLarge):
            return "The server's answer is larger than allowed."
        if isinstance(cause, AddressRefused):
            return "The server's name leads to an address that this installation does not call."
        cause = cause.__cause__ or cause.__context__
    return "The server could not be reached."


class _PinnedTransport(httpx2.HTTPTransport):
    """httpx2's transport over a pool whose sockets are opened by `_PinnedBackend`.

    A connection carries one exchange, so that its deadline and its cap are the exchange's.
    """

    def __init__(self, backend: _PinnedBackend) -> None:
        context = ssl.create_default_context()
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context, max_connections=64, max_keepalive_connections=0, http2=False, network_backend=backend
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Raises httpx2.ReadError for a packed answer: it was asked not to be, and its cap would mean nothing."""
        response = super().handle_request(request)
        if response.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
            response.close()
            raise httpx2.ReadError("the answer is compressed although that was not accepted")
        return response


class _PinnedBackend(httpcore2.NetworkBackend):
    """Opens sockets to addresses that were checked, and to no other host than the destination's."""

    def __init__(self, destination: Destination, *, seconds: float, max_response: int) -> None:
        self.destination = destination
        self.seconds = seconds
        self.max_response = max_response

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Raises AddressRefused before any packet is sent."""
        deadline = time.monotonic() + self.seconds
        if (host.lower(), port) != (self.destination.host, self.destination.port):
            raise AddressRefused("this client may not go there")
        address = self._checked_address(host, port)
        stream = httpcore2.SyncBackend().connect_tcp(address, port, timeout, local_address, socket_options)
        return _BoundedStream(stream, deadline=deadline, budget=[self.max_response])

    def _checked_address(self, host: str, port: int) -> str:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore2.ConnectError("the host name cannot be resolved") from error
        addresses = [str(entry[4][0]) for entry in found]
        for address in addresses:
            loopback = self.destination.is_loopback and ipaddress.ip_address(address.partition("%")[0]).is_loopback
            inside = host.lower() in settings.OUTBOUND_INSIDE_HOSTS and is_private(address)
            if not loopback and not inside and not is_public(address):
                logger.warning("the name %s leads to an address inside the network; nothing was sent", host)
                raise AddressRefused("the host name leads to an address inside the network")
        return addresses[0]

    def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore2.NetworkStream:
        """Raises AddressRefused: nothing outside is a local socket."""
        raise AddressRefused("this client may not open local sockets")


class _BoundedStream(httpcore2.NetworkStream):
    """A socket with a deadline for everything and a cap on what is read; `budget` is shared with its TLS successor."""

    def __init__(self, inner: httpcore2.NetworkStream, *, deadline: float, budget: list[int]) -> None:
        self._inner = inner
        self._deadline = deadline
        self._budget = budget

    def _left(self, timeout: float | None, error: type[Exception]) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise error("the whole exchange took too long")
        return left if timeout is None else min(left, timeout)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """At most what is left of the cap, and one byte to notice that it is passed."""
        data = self._inner.read(min(max_bytes, self._budget[0] + 1), self._left(timeout, httpcore2.ReadTimeout))
        self._budget[0] -= len(data)
        if self._budget[0] < 0:
            raise AnswerTooLarge("the answer is larger than allowed")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Within the deadline."""
        self._inner.write(buffer, self._left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        """Close the socket."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """The same bounds over TLS; the certificate must be the name's, not the address's."""
        left = self._left(timeout, httpcore2.ConnectTimeout)
        inner = self._inner.start_tls(ssl_context, server_hostname, left)
        return _BoundedStream(inner, deadline=self._deadline, budget=self._budget)

    def get_extra_info(self, info: str) -> Any:
        """Of the socket below."""
        return self._inner.get_extra_info(info)
