"""Nothing of the house opens a connection but the one outbound client, and what that opens leads where it may
(SECURITY.md 3.6, T8, T8b, rows 41 and 42).
"""

from __future__ import annotations

import ast
import socket
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from config.env import OpenIdConnect
from reviewapp.access.oidc.wire import forget_kept, outbound_session
from reviewapp.compliance.services.places import NotPublished
from reviewapp.compliance.services.places import post as publish
from reviewapp.judge.models import Judge
from reviewapp.lib import outbound
from tests.access.test_oidc import sign_in
from tests.fake_oidc import CLIENT_ID, CLIENT_SECRET, fake_oidc
from tests.fake_openai import Step, fake_openai
from tests.judge.arrange import llm, make_rubric
from tests.judge.test_asking import GOOD, run_once
from tests.lib.test_outbound import answering, listening, loopback

ROOT = Path(__file__).resolve().parent.parent.parent
# Whatever can open a connection or resolve a name. Clients of the house's own servers (psycopg, redis) are not here:
# they connect to what DATABASE_URL and REDIS_URL name and to nothing that a request names.
NETWORK = {
    "socket", "socketserver", "ssl", "_socket", "_ssl", "asyncio", "http.client", "http.server", "urllib.request",
    "urllib3", "requests", "httpx", "httpx2", "httpcore", "httpcore2", "aiohttp", "websocket", "websockets", "smtplib",
    "ftplib", "poplib", "imaplib", "telnetlib", "nntplib", "xmlrpc", "grpc", "openai", "anthropic", "litellm", "boto3",
    "botocore", "google", "paramiko", "dns", "pycurl", "django.core.mail", "sentry_sdk", "webbrowser",
}  # fmt: skip
ALLOWED = {
    "reviewapp/lib/outbound.py": (
        {"socket", "ssl", "httpcore2", "httpx2"}, "the one client: it resolves, checks and connects"
    ),
    "reviewapp/lib/llm.py": ({"httpx2", "openai"}, "types, and the SDK over a client that outbound made"),
    "reviewapp/access/oidc/wire.py": ({"requests"}, "a session whose only adapter hands the exchange to outbound"),
    "reviewapp/compliance/services/places.py": ({"django.core.mail"}, "the daily mail with a head: EMAIL_URL"),
    "reviewapp/access/oidc/provider.py": ({"requests"}, "the names of a type and an error"),
    "reviewapp/lib/devstack/site.py": ({"http.client", "socket"}, "asks on loopback whether its own children are up"),
    "reviewapp/lib/devstack/redisserver.py": ({"socket"}, "asks its own Redis over a socket file"),
}  # fmt: skip


def imported(tree):
    """Every module that a file names, also inside functions and through importlib."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = ast.unparse(node.func)
            if called.endswith(("import_module", "__import__", "import_string")):
                yield str(node.args[0].value)


def network_modules(path):
    """The members of NETWORK that a file reaches for."""
    names = set(imported(ast.parse(path.read_text())))
    return {one for one in NETWORK for name in names if name == one or name.startswith(f"{one}.")}


def house_files():
    return [path for part in ("reviewapp", "config") for path in (ROOT / part).rglob("*.py")] + [ROOT / "manage.py"]


def test_no_other_file_can_open_a_connection():
    found = {str(path.relative_to(ROOT)): network_modules(path) for path in house_files()}
    assert {path: names for path, names in found.items() if names - ALLOWED.get(path, (set(), ""))[0]} == {}


def test_the_table_of_exceptions_holds_nothing_that_is_not_needed():
    stale = {path: names - network_modules(ROOT / path) for path, (names, _) in ALLOWED.items()}
    assert {path: names for path, names in stale.items() if names} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import socket", "from urllib import request", "import urllib.request as r",
        "from http.client import HTTPConnection", "from google.cloud import storage",
        "def f():\n    import requests.adapters", "from django.core.mail import send_mail",
        "import importlib\nimportlib.import_module('smtplib')", "__import__('httpx')",
    ],
)  # fmt: skip
def test_the_search_sees_every_way_to_import(source, tmp_path):
    path = tmp_path / "one.py"
    path.write_text(source)
    assert network_modules(path)


# --- while it runs -----------------------------------------------------------------------------------------------


class Watch:
    """Every connection and every name looked up by this process while it is on, with whether outbound did it.

    An audit hook cannot be taken out again, so one is put in and looks here.
    """

    def __init__(self):
        self.seen = None
        sys.addaudithook(self._hook)

    def _hook(self, event, arguments):
        if self.seen is None or event not in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
            return
        target = arguments[0] if event == "socket.getaddrinfo" else arguments[1]
        if not isinstance(target, str | bytes) or event == "socket.getaddrinfo":
            self.seen.append((event, target, _is_outbound(sys._getframe(1))))

    @contextmanager
    def watching(self):
        self.seen = []
        try:
            yield self.seen
        finally:
            self.seen = None


def _is_outbound(frame):
    codes = {outbound._PinnedBackend.connect_tcp.__code__, outbound._PinnedBackend._checked_address.__code__}
    while frame is not None:
        if frame.f_code in codes:
            return True
        frame = frame.f_back
    return False


WATCH = Watch()


def test_judge_sign_in_and_published_heads_connect_through_outbound_alone(cast, api, settings):
    with (
        fake_openai([GOOD]) as judge,
        fake_oidc() as provider,
        listening(answering(b"HTTP/1.1 204 No Content\r\n\r\n")) as hook,
        WATCH.watching() as seen,
    ):
        settings.OIDC = OpenIdConnect(
            server=provider.issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, allow_loopback=True
        )
        forget_kept()
        SocialAccount.objects.create(user=cast.rita.person, provider=provider.issuer, uid="s-1")
        browser = Client()
        assert sign_in(provider, browser).status_code == 302
        assert run_once(api, judge).state == "done"
        assert publish(loopback(hook.port).url, b"{}", {}).status == 204
    forget_kept()
    connected = [target for event, target, _ in seen if event == "socket.connect"]
    # Discovery, token and keys; one question; one post.
    assert len(connected) == 5
    assert [(event, target) for event, target, is_outbound in seen if not is_outbound] == []


def test_the_watch_sees_what_goes_past_outbound():
    with listening(answering(b"")) as target, WATCH.watching() as seen:
        socket.create_connection(("127.0.0.1", target.port)).close()
        thread = threading.Thread(target=lambda: socket.create_connection(("127.0.0.1", target.port)).close())
        thread.start()
        thread.join()
    assert [is_outbound for event, _, is_outbound in seen if event == "socket.connect"] == [False, False]


def test_the_session_that_allauth_gets_cannot_connect_by_itself(settings):
    settings.OIDC = OpenIdConnect(server="https://login.example", client_id="c", client_secret="s")
    import requests

    with listening(answering(b"")) as inside, WATCH.watching() as seen:
        for address in (
            f"http://127.0.0.1:{inside.port}/", "http://169.254.169.254/latest", "file:///etc/passwd", "ftp://x/",
            "https://other.example/", "https://login.example:8443/", "https://user:pw@login.example/",
        ):  # fmt: skip
            with outbound_session() as session, pytest.raises(requests.RequestException):
                session.get(address)
        assert inside.connections == 0
    assert seen == []


# --- every field that takes an address ---------------------------------------------------------------------------

HOSTILE = [
    "http://169.254.169.254/latest/meta-data/", "https://169.254.169.254/", "https://[::ffff:127.0.0.1]/",
    "https://[::1]/", "http://0x7f.1/", "https://0x7f.1/", "https://127.1/", "https://2130706433/", "https://0/",
    "file:///etc/passwd", "gopher://127.0.0.1:6379/_FLUSHALL", "https://user@allowed.example/",
    "https://user:secret@allowed.example/", "https://allowed.example@evil.example/", "https://evil.example/",
    "https://allowed.example.evil.example/", "https://allowed.example:22/", "http://allowed.example/",
    "https://allowed.example\\@evil.example/", "https://localhost/", "unix:///run/redis.sock",
    "//allowed.example/", "https://аllowed.example/", "https://allowed.example/\r\nHost: evil.example",
]  # fmt: skip


def test_a_hostile_address_is_refused_in_every_field_and_nothing_is_sent(cast, api, settings, caplog):
    settings.JUDGE_ALLOWED_HOSTS = settings.WEBHOOK_ALLOWED_HOSTS = ["allowed.example"]
    settings.JUDGE_ALLOW_LOOPBACK = settings.WEBHOOK_ALLOW_LOOPBACK = False
    make_rubric(api)
    for url in HOSTILE:
        caplog.clear()
        with WATCH.watching() as seen:
            answer = api.post("judges/", llm(url))
            with pytest.raises(NotPublished):
                publish(url, b"{}", {})
        assert [error["pointer"] for error in answer.body["errors"]] == ["/base_url"], url
        assert seen == []
        assert "an address was refused (/base_url)" in caplog.text
        assert "secret" not in caplog.text
    assert not Judge.objects.exists()


def test_an_operator_who_names_a_server_inside_reaches_nothing(db, settings):
    for url in HOSTILE:
        if "allowed.example" in url:
            continue
        settings.OIDC = OpenIdConnect(server=url, client_id="c", client_secret="s")
        forget_kept()
        with WATCH.watching() as seen:
            assert Client().post("/accounts/oidc/login/").status_code == 503, url
        assert [target for event, target, _ in seen if event == "socket.connect"] == []


def test_a_name_that_turns_to_the_inside_after_it_was_stored_reaches_nothing(cast, api, settings, monkeypatch):
    """Rebinding: what is connected to is what was checked, at each use."""
    with listening(answering(b"")) as inside:
        real = socket.getaddrinfo
        monkeypatch.setattr(
            outbound.socket, "getaddrinfo", lambda host, port, **more: real("127.0.0.1", inside.port, **more)
        )
        settings.WEBHOOK_ALLOWED_HOSTS = ["allowed.example"]
        with pytest.raises(NotPublished, match="does not call"):
            publish("https://allowed.example/hook", b"{}", {})
        settings.OIDC = OpenIdConnect(server="https://allowed.example", client_id="c", client_secret="s")
        forget_kept()
        assert Client().post("/accounts/oidc/login/").status_code == 503
        assert inside.connections == 0


def test_a_redirect_to_the_inside_is_followed_by_nobody(cast, api, settings):
    with listening(answering(b"")) as inside:
        target = {"Location": f"http://127.0.0.1:{inside.port}/latest"}
        with fake_openai([Step(status=302, headers=target, body=b"")]) as judge:
            assert run_once(api, judge).state != "done"
        with fake_oidc() as provider:
            settings.OIDC = OpenIdConnect(
                server=provider.issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, allow_loopback=True
            )
            for path in ("/.well-known/openid-configuration", "/token", "/jwks"):
                forget_kept()
                provider.answers = {path: (302, target, b"", 0)}
                browser = Client()
                begun = browser.post("/accounts/oidc/login/")
                if begun.status_code == 200:
                    assert sign_in(provider, browser).status_code == 503
        head = f"HTTP/1.1 302 Found\r\nLocation: {target['Location']}\r\nContent-Length: 0\r\n\r\n"
        with listening(answering(head.encode())) as hook:
            assert publish(loopback(hook.port).url, b"{}", {}).status == 302
        assert inside.connections == 0
    forget_kept()
