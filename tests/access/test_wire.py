"""What goes over the wire besides the answer: headers, cookies, the settings of htmx, and requests that try it on."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
import time

import pytest
from django.test import Client

from tests.conftest import PASSWORD, ROOT, Api, environment_for

SETTINGS = """
import json
import django
from django.conf import settings
django.setup()
names = (
    "SESSION_COOKIE_SECURE", "SESSION_COOKIE_NAME", "SESSION_COOKIE_HTTPONLY", "SESSION_COOKIE_SAMESITE",
    "SESSION_COOKIE_DOMAIN", "SESSION_COOKIE_PATH", "CSRF_COOKIE_SECURE", "CSRF_COOKIE_NAME", "SECURE_SSL_REDIRECT",
    "SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "USE_X_FORWARDED_HOST", "DEBUG", "SESSION_ENGINE",
    "PASSWORD_HASHERS",
)
print(json.dumps({name: getattr(settings, name) for name in names}))
"""


@pytest.fixture
def behind_tls(database_template):
    """The settings of a process that is not on loopback."""
    environment = environment_for(
        database_template, REVIEWAPP_LOOPBACK="0", DJANGO_SETTINGS_MODULE="config.settings", ALLOWED_HOSTS="example.org"
    )
    run = subprocess.run(
        [sys.executable, "-c", SETTINGS], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(run.stdout.splitlines()[-1])


def test_outside_loopback_everything_is_tls_and_cookies_are_bound_to_the_host(behind_tls):
    assert behind_tls["SECURE_HSTS_SECONDS"] >= 31_536_000
    assert behind_tls["SECURE_HSTS_INCLUDE_SUBDOMAINS"] is True
    assert behind_tls["SECURE_SSL_REDIRECT"] is True
    for kind in ("SESSION", "CSRF"):
        assert behind_tls[f"{kind}_COOKIE_SECURE"] is True
        assert behind_tls[f"{kind}_COOKIE_NAME"].startswith("__Host-")
    assert behind_tls["SESSION_COOKIE_DOMAIN"] is None  # with a domain or another path, __Host- is refused
    assert behind_tls["SESSION_COOKIE_PATH"] == "/"
    assert (behind_tls["SESSION_COOKIE_HTTPONLY"], behind_tls["SESSION_COOKIE_SAMESITE"]) == (True, "Lax")
    assert behind_tls["USE_X_FORWARDED_HOST"] is False
    assert behind_tls["DEBUG"] is False
    assert behind_tls["SESSION_ENGINE"].endswith(".db")  # a row that can be ended, never a signed cookie
    assert behind_tls["PASSWORD_HASHERS"] == ["django.contrib.auth.hashers.Argon2PasswordHasher"]


@pytest.mark.parametrize("path", ["/", "/account/", "/accounts/login/", "/p/halyard/queues/", "/p/nowhere/queues/"])
def test_every_page_carries_the_headers(cast, page, path):
    answer = page(cast.max).get(path)
    policy = dict(part.strip().partition(" ")[::2] for part in answer["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert (policy["base-uri"], policy["frame-ancestors"], policy["object-src"]) == ("'none'",) * 3
    assert (policy["script-src"], policy["style-src"], policy["form-action"]) == ("'self'",) * 3
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["X-Frame-Options"] == "DENY"
    assert "no-store" in answer["Cache-Control"]
    if path != "/accounts/login/":
        assert "HX-Request" in answer["Vary"]


@pytest.mark.parametrize("path", ["rubrics/", "nowhere/", "/api/v1/projects/", "/api/v1/projects/other/rubrics/"])
def test_every_api_answer_carries_the_headers(cast, api, path):
    answer = api.get(path)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "no-store" in answer.headers["Cache-Control"]
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["X-Request-Id"])


def test_the_request_id_is_never_the_senders(api):
    assert api.get("rubrics/", **{"X-Request-Id": "mine"}).headers["X-Request-Id"] != "mine"


def test_signing_out_clears_what_the_browser_kept(cast, page):
    browser = page(cast.rita)
    key = browser.session.session_key
    answer = browser.post("/accounts/logout/")
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert not browser.session.__class__.get_model_class().objects.filter(pk=key).exists()
    assert "Clear-Site-Data" not in page(cast.rita).get("/")


def test_signing_in_makes_another_session_and_its_cookie_is_closed_to_scripts(cast):
    client = Client()
    client.get("/accounts/login/")
    before = client.session.session_key
    answer = client.post("/accounts/login/", {"login": "rita", "password": PASSWORD})
    cookie = answer.cookies["reviewapp_session"]
    assert cookie.value != before
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_no_credential_is_ever_in_a_session(cast):
    client = Client()
    client.post("/accounts/login/", {"login": "rita", "password": "a wrong password"})
    client.post("/accounts/login/", {"login": "rita", "password": PASSWORD})
    kept = json.dumps(dict(client.session.items()), default=str)
    assert PASSWORD not in kept
    assert "a wrong password" not in kept


def test_htmx_runs_no_code_from_answers_and_keeps_no_history(cast, page):
    text = page(cast.rita).get("/").content.decode()
    found = re.search(r"""<meta name="htmx-config" content='([^']+)'>""", text)
    assert found is not None
    config = json.loads(html.unescape(found[1]))
    wanted = {
        "allowEval": False, "allowScriptTags": False, "selfRequestsOnly": True, "historyCacheSize": 0,
        "refreshOnHistoryMiss": True, "includeIndicatorStyles": False,
    }  # fmt: skip
    assert {name: config.get(name) for name in wanted} == wanted
    assert "X-CSRFToken" in text


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1:80@evil.example"])
def test_another_host_is_400_for_pages_and_programs(db, host):
    for path in ("/accounts/login/", "/api/v1/projects/"):
        assert Client(raise_request_exception=False).get(path, headers={"Host": host}).status_code == 400


def test_a_forwarded_host_is_ignored(cast, page):
    answer = page(cast.max).get("/p/halyard/settings/", headers={"X-Forwarded-Host": "evil.example"})
    assert answer.status_code == 200
    assert b"evil.example" not in answer.content


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_after_sign_in_nobody_is_sent_elsewhere(cast, target):
    body = {"login": "rita", "password": PASSWORD, "next": target}
    answer = Client().post(f"/accounts/login/?next={target}", body)
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_a_hostile_accept_header_costs_nothing_and_the_answer_is_json(api):
    accept = ",".join(f"text/x{n};q=0.{n % 10}" for n in range(2_000))[:32_000]
    began = time.monotonic()
    answer = api.get("rubrics/", Accept=accept)
    assert time.monotonic() - began < 0.5
    assert answer.headers["Content-Type"].startswith("application/json")
    assert api.get("rubrics/", Accept="text/html").headers["Content-Type"].startswith("application/json")


def test_a_method_is_what_the_request_line_says(cast, api):
    """No header and no field turns a POST into something else."""
    for headers in ({"X-HTTP-Method-Override": "DELETE"}, {"X-Method-Override": "PUT"}):
        assert api.call("POST", "rubrics/nosuch/", {}, **headers).status == 405
    form = "application/x-www-form-urlencoded"
    assert api.call("POST", "rubrics/nosuch/", b"_method=GET", content_type=form).status == 405


def test_a_form_without_its_token_or_from_elsewhere_is_refused(cast):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.max.person, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.post("/p/halyard/settings/tokens/", {"name": "x"}).status_code == 403
    client.get("/account/")
    token = client.cookies["reviewapp_csrf"].value
    body = {"csrfmiddlewaretoken": token, "name": "x", "scopes": ["ingest"], "days": "1"}
    answer = client.post("/p/halyard/settings/tokens/", body, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    refused = client.post("/api/v1/projects/halyard/rubrics/", "{}", content_type="application/json")
    assert refused.status_code == 403
    assert refused["Content-Type"] == "application/problem+json"


def test_an_api_call_with_a_bad_token_is_not_saved_by_a_cookie(cast, page):
    browser = page(cast.max)
    assert browser.get("/api/v1/projects/halyard/rubrics/").status_code == 200
    answer = browser.get("/api/v1/projects/halyard/rubrics/", headers={"Authorization": "Bearer rva_wrong"})
    assert answer.status_code == 401


def test_anonymous_programs_are_told_how_to_identify_themselves(db):
    answer = Api(None, "halyard").get("rubrics/")
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="reviewapp"')
