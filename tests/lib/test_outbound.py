"""The one outbound client: where it may go, what it connects to, how much it takes (SECURITY.md 3.6, rows 41, 42)."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx2
import pytest

from reviewapp.lib import outbound
from reviewapp.lib.errors import Unprocessable
from reviewapp.lib.outbound import AddressRefused, AnswerTooLarge, Destination, checked_destination, is_public

HOSTS = ["api.openai.com", "llm.example.org:8443"]


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "https://169.254.169.254/latest",
        "https://[::ffff:127.0.0.1]/v1",
        "http://0x7f.1/v1",
        "https://0x7f.1/v1",
        "https://127.1/v1",
        "https://2130706433/v1",
        "http://127.0.0.1/v1",
        "https://localhost/v1",
        "file:///etc/passwd",
        "gopher://api.openai.com/",
        "http://api.openai.com/v1",
        "https://api.openai.com:8443/v1",
        "https://user@api.openai.com/v1",
        "https://user:secret@api.openai.com/v1",
        "https://api.openai.com.evil.example/v1",
        "https://evil.example/api.openai.com",
        "https://api.openai.com\\@evil.example/v1",
        "https://api.openai.com/v1?host=evil",
        "https://api.openai.com/v1#x",
        "https://api.openai.com /v1",
        "https://аpi.openai.com/v1",
        "https://api.openai.com:99999/v1",
        "//api.openai.com/v1",
        "",
        "https://",
        "https://llm.example.org/v1",
    ],
)
def test_an_address_that_is_not_allowed_is_refused_when_it_is_stored(url):
    with pytest.raises(Unprocessable) as refused:
        checked_destination(url, allowed_hosts=HOSTS, allow_loopback=False, pointer="/base_url")
    assert refused.value.errors[0].pointer == "/base_url"


def test_listed_hosts_are_allowed_on_their_port_only():
    found = checked_destination("https://API.openai.com/v1", allowed_hosts=HOSTS, allow_loopback=False)
    assert (found.host, found.port, found.is_loopback) == ("api.openai.com", 443, False)
    listed = checked_destination("https://llm.example.org:8443/v1", allowed_hosts=HOSTS, allow_loopback=False)
    assert listed.port == 8443


def test_plain_http_is_for_loopback_and_only_where_the_installation_allows_it():
    found = checked_destination("http://127.0.0.1:11434/v1", allowed_hosts=[], allow_loopback=True)
    assert found.is_loopback
    with pytest.raises(Unprocessable):
        checked_destination("http://10.0.0.1/v1", allowed_hosts=[], allow_loopback=True)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("10.1.2.3", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("192.168.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:8.8.8.8", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::1", False),
    ],
)
def test_only_public_addresses_are_connected_to(address, expected):
    assert is_public(address) is expected


class Listener:
    """A TCP listener on loopback that counts connections."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self.connections = 0
        self._serve = serve
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                connection.settimeout(10)
                try:
                    self._serve(connection)
                except OSError:
                    continue

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(timeout=5)


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[Listener]:
    listener = Listener(serve)
    try:
        yield listener
    finally:
        listener.close()


def received(connection: socket.socket) -> bytes:
    """The whole request: closing over bytes that nobody read would reset the connection under the answer."""
    data = b""
    while b"\r\n\r\n" not in data and (part := connection.recv(65536)):
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    due = int((re.search(rb"(?i)content-length: (\d+)", head) or [b"", b"0"])[1])
    while len(body) < due and (part := connection.recv(65536)):
        data, body = data + part, body + part
    return data


def answering(payload: bytes) -> Callable[[socket.socket], None]:
    def serve(connection: socket.socket) -> None:
        received(connection)
        connection.sendall(payload)

    return serve


def loopback(port: int, path: str = "/") -> Destination:
    return Destination(f"http://127.0.0.1:{port}{path}", "127.0.0.1", port, is_loopback=True)


def cause(error: BaseException) -> list[type[BaseException]]:
    found = []
    one: BaseException | None = error
    while one is not None:
        found.append(type(one))
        one = one.__cause__ or one.__context__
    return found


def test_a_name_that_leads_inside_reaches_nothing(monkeypatch):
    # The resolver is the outside world here: it answers with what an attacker's would.
    with listening(answering(b"")) as listener:
        real = socket.getaddrinfo
        monkeypatch.setattr(
            outbound.socket, "getaddrinfo", lambda host, port, **more: real("127.0.0.1", listener.port, **more)
        )
        destination = Destination("https://rebinding.example/", "rebinding.example", 443, is_loopback=False)
        with outbound.outbound_client(destination, seconds=5) as client, pytest.raises(httpx2.HTTPError) as refused:
            client.get(destination.url)
        assert AddressRefused in cause(refused.value)
        assert listener.connections == 0


def test_one_inside_address_among_public_ones_refuses_the_name(monkeypatch):
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in ("8.8.8.8", "10.0.0.7")]
    monkeypatch.setattr(outbound.socket, "getaddrinfo", lambda *_, **__: entries)
    destination = Destination("https://mixed.example/", "mixed.example", 443, is_loopback=False)
    with outbound.outbound_client(destination, seconds=5) as client, pytest.raises(httpx2.HTTPError) as refused:
        client.get(destination.url)
    assert AddressRefused in cause(refused.value)


@pytest.mark.parametrize(
    ("name", "address", "may"),
    [
        ("idp.corp.example", "10.0.0.7", True),
        ("IDP.corp.example", "fd12::7", True),
        ("idp.corp.example", "8.8.8.8", True),
        ("other.example", "10.0.0.7", False),
        ("idp.corp.example", "127.0.0.1", False),
        ("idp.corp.example", "169.254.169.254", False),
        ("idp.corp.example", "::ffff:10.0.0.7", False),
    ],
)
def test_a_name_that_the_installation_trusts_may_lead_to_its_own_network(monkeypatch, settings, name, address, may):
    settings.OUTBOUND_INSIDE_HOSTS = ["idp.corp.example"]
    entry = (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))
    monkeypatch.setattr(outbound.socket, "getaddrinfo", lambda *_, **__: [entry])
    tried = []

    def connect(_self, host, *_rest):
        tried.append(host)
        raise outbound.httpcore2.ConnectError("nothing is sent in a test")

    monkeypatch.setattr(outbound.httpcore2.SyncBackend, "connect_tcp", connect)
    destination = Destination(f"https://{name}/", name.lower(), 443, is_loopback=False)
    with outbound.outbound_client(destination, seconds=5) as client, pytest.raises(httpx2.HTTPError) as refused:
        client.get(destination.url)
    assert (tried, AddressRefused in cause(refused.value)) == (([address], False) if may else ([], True))


def test_a_client_goes_to_its_own_destination_only():
    with listening(answering(b"")) as inside, listening(answering(b"")) as other:
        with (
            outbound.outbound_client(loopback(inside.port), seconds=5) as client,
            pytest.raises(httpx2.HTTPError) as refused,
        ):
            client.get(f"http://127.0.0.1:{other.port}/")
        assert AddressRefused in cause(refused.value)
        assert other.connections == 0


def test_a_redirect_to_the_inside_is_not_followed():
    with listening(answering(b"")) as inside:
        head = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{inside.port}/\r\nContent-Length: 0\r\n\r\n"
        with (
            listening(answering(head.encode())) as outside,
            outbound.outbound_client(loopback(outside.port), seconds=5) as client,
        ):
            assert client.get(loopback(outside.port).url).status_code == 302
        assert inside.connections == 0


def test_proxies_of_the_environment_are_not_used(monkeypatch):
    with listening(answering(b"")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")
        body = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        with (
            listening(answering(body)) as target,
            outbound.outbound_client(loopback(target.port), seconds=5) as client,
        ):
            assert client.get(loopback(target.port).url).text == "ok"
        assert proxy.connections == 0


def test_an_answer_over_the_cap_is_cut_off():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n"
    with (
        listening(answering(head + b"x" * 50_000)) as target,
        outbound.outbound_client(loopback(target.port), seconds=5, max_response=10_000) as client,
        pytest.raises(httpx2.HTTPError) as cut,
    ):
        client.get(loopback(target.port).url)
    assert AnswerTooLarge in cause(cut.value)


def test_a_compressed_answer_is_refused_because_its_size_is_unknown():
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"
    with (
        listening(answering(head)) as target,
        outbound.outbound_client(loopback(target.port), seconds=5) as client,
        pytest.raises(httpx2.ReadError),
    ):
        client.get(loopback(target.port).url)


def test_a_server_that_drips_bytes_is_left_at_the_deadline():
    def drip(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            connection.sendall(b"x")
            time.sleep(0.05)

    with listening(drip) as target, outbound.outbound_client(loopback(target.port), seconds=0.6) as client:
        begun = time.monotonic()
        with pytest.raises(httpx2.TimeoutException):
            client.get(loopback(target.port).url)
        assert time.monotonic() - begun < 3


def test_a_post_brings_status_headers_and_body_back():
    head = b"HTTP/1.1 202 Accepted\r\nContent-Type: text/plain\r\nX-Seen: yes\r\nContent-Length: 5\r\n\r\nthank"
    with listening(answering(head)) as target:
        answer = outbound.post(loopback(target.port), b'{"checkpoint": 1}', {"Content-Type": "application/json"})
    assert (answer.status, answer.headers["x-seen"], answer.body) == (202, "yes", b"thank")
    assert "thank" not in repr(answer)


def test_a_post_carries_its_body_and_headers():
    seen = []

    def serve(connection: socket.socket) -> None:
        seen.append(received(connection))
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with listening(serve) as target:
        outbound.post(loopback(target.port, "/hook"), b"{}", {"webhook-id": "evt_1"})
    sent = b"".join(seen)
    assert sent.startswith(b"POST /hook HTTP/1.1\r\n")
    assert b"webhook-id: evt_1\r\n" in sent
    assert sent.endswith(b"\r\n\r\n{}")


@pytest.mark.parametrize(
    ("said", "detail"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 2_000_000, "larger than allowed"),
        (b"secret garbage", "could not be reached"),
        (b"", "could not be reached"),
    ],
)
def test_a_post_without_a_usable_answer_says_so_in_our_words(said, detail):
    with listening(answering(said)) as target, pytest.raises(outbound.NoAnswer, match=detail) as refused:
        outbound.post(loopback(target.port), b"{}")
    assert "secret" not in refused.value.detail


def test_a_post_to_a_server_that_never_answers_ends_at_its_deadline():
    with listening(lambda connection: time.sleep(2)) as target:
        begun = time.monotonic()
        with pytest.raises(outbound.NoAnswer, match="did not answer in time"):
            outbound.post(loopback(target.port), b"{}", seconds=0.5)
        assert time.monotonic() - begun < 1.9


def test_an_exchange_leaves_its_destination_for_no_other_host():
    with listening(answering(b"")) as inside, listening(answering(b"")) as other:
        with pytest.raises(outbound.NoAnswer, match="does not call"):
            outbound.exchange(loopback(inside.port), "GET", f"http://127.0.0.1:{other.port}/")
        assert (inside.connections, other.connections) == (0, 0)
