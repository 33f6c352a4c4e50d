"""What went wrong in tools of our trade does not go wrong here: rows T1-T4 and T21-T27 of SECURITY.md section 1."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import time

import pytest
from django.test import Client

from reviewapp.access.doors import DOORS
from reviewapp.access.models import InstallationRole, User
from reviewapp.audit.models import Event
from reviewapp.lib.logs import OneLineFormatter
from tests.access.inhabited import inhabited_house
from tests.access.test_doors import named_routes
from tests.access.test_matrix import address
from tests.conftest import ROOT, Api, owner_connection, personal_api

FILTERS = (
    "owner__password__startswith=pbkdf2", "owner__password__regex=.", "project__service_tokens__secret_sha256__gt=0",
    "created_by__username=ada", "id__in=abc", "_connector=OR", "_negated=1", "pk__isnull=0", "fields=password",
)  # fmt: skip


def test_t1_no_list_takes_a_filter_that_is_a_path_into_the_tables(db):
    house = inhabited_house()
    api = personal_api(house.cast.max, scopes=["labels:read", "manage", "audit:read"])
    tried = 0
    for name, (path, _) in named_routes().items():
        if "-api:" not in name or "GET" not in DOORS[name] or name == "access-api:docs":  # a page, which asks nothing
            continue
        url = address(house, name, path)
        if api.get(url).status not in (200, 400):  # 400: the call needs a parameter
            continue
        for text in FILTERS:
            answer = api.get(f"{url}?{text}")
            assert answer.status == 400, f"{url}?{text}"
            assert text.partition("=")[0] in answer.body["detail"] or "parameter" in answer.body["detail"], answer.body
            tried += 1
    assert tried > 100


def test_t1_no_page_changes_with_such_a_filter(cast, page):
    browser = page(cast.max)

    def shown(address):
        """The page without its one-time token and without the address that it repeats in links."""
        text = browser.get(address).content.decode()
        return re.sub(r"[A-Za-z0-9]{64}", "", text).replace(address.partition("?")[2], "")

    for path in ("/p/halyard/queues/", "/p/halyard/rubrics/", "/p/halyard/guardrails/decisions/"):
        assert {shown(f"{path}?{text}") for text in FILTERS[:3]} == {shown(f"{path}?")}


@pytest.mark.parametrize("key", ["", "short", "x" * 49])
def test_t2_nothing_starts_without_a_key_of_fifty_characters(key):
    environment = {**{k: v for k, v in os.environ.items() if "PYTEST" not in k}, "DJANGO_SECRET_KEY": key}
    run = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode != 0
    assert "DJANGO_SECRET_KEY" in run.stderr


def shipped_files():
    """Everything that a copy of the project brings, but its tests and the sample project that runs on loopback only."""
    kinds = (".py", ".html", ".js", ".toml", ".yml", ".txt", ".sh", "Dockerfile", "Makefile")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    names = listed.split() or [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file()]
    left_out = ("tests/", "reviewapp/demo/", "static/vendor/", "bench/", ".venv/")
    return [ROOT / name for name in names if name.endswith(kinds) and not name.startswith(left_out)]


def test_t2_and_t3_no_key_and_no_password_is_written_into_the_project():
    secret = re.compile(
        r"""(?i)(secret_key|password|api_key|token)["']?\s*[:=]\s*["'](?!\s*["'])[^"'{}<>$ ]{12,}["']"""
        r"""|rva_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}|sk-[A-Za-z0-9]{20,}|BEGIN [A-Z ]*PRIVATE KEY-----\n"""
    )
    files = [path for path in shipped_files() if path.exists()]
    assert len(files) > 150
    found = []
    for path in files:
        matches = (match[0] for match in secret.finditer(path.read_text(errors="replace")))
        # A dotted name is a setting that names a class.
        found += [f"{path.relative_to(ROOT)}: {text[:60]}" for text in matches if "." not in text]
    assert found == []


def test_t3_a_fresh_installation_has_nobody_in_it(database_template):
    with owner_connection(database_template) as owner:
        assert owner.execute("SELECT count(*) FROM reviewapp_user").fetchone() == (0,)
        assert owner.execute("SELECT count(*) FROM reviewapp_apitoken").fetchone() == (0,)


def test_t4_nobody_lets_themselves_in(cast):
    """Every public address, and every one that others have had, with what a form of sign-up would send."""
    before = set(User.objects.values_list("pk", flat=True))
    body = {
        "username": "mallory", "email": "mallory@example.org", "password": "correct horse",
        "password1": "correct horse", "password2": "correct horse", "role": "admin", "is_superuser": "on",
    }  # fmt: skip
    addresses = [path for name, (path, _) in named_routes().items() if "<" not in path and "POST" in DOORS[name]]
    addresses += ["/accounts/password/reset/", "/register/", "/signup/", "/user/signup", "/admin/", "/api/v1/users/"]
    for path in addresses:
        answer = Client(raise_request_exception=False).post(path, body)
        assert answer.status_code in (200, 302, 400, 401, 403, 404, 405, 429), path  # 400: no checkpoint for a witness
    assert set(User.objects.values_list("pk", flat=True)) == before
    assert not InstallationRole.objects.exclude(user=cast.ada.person).exists()


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "text/html,application/xhtml+xml", "*/*;q=0.1"])
def test_t21_the_api_answers_json_whatever_is_accepted(api, accept):
    for path in ("rubrics/", "nosuch/", "/api/v1/projects/?nosuch=1"):
        assert "json" in api.get(path, Accept=accept).headers["Content-Type"]
    assert "json" in Api(None, "halyard").get("rubrics/", Accept=accept).headers["Content-Type"]


def test_t21_an_address_that_does_not_exist_answers_a_problem_document(api):
    answer = api.get("/api/v1/nosuch/", Accept="text/html")
    assert (answer.status, answer.headers["Content-Type"]) == (404, "application/problem+json")


def test_t25_no_answer_has_a_field_for_a_secret(client, db):
    document = json.loads(client.get("/api/v1/schema/").content)
    names = set()

    def walk(part):
        if isinstance(part, dict):
            names.update(part.get("properties", {}))
            for value in part.values():
                walk(value)
        elif isinstance(part, list):
            for value in part:
                walk(value)

    answers = [
        answer.get("content", {})
        for path in document["paths"].values()
        for operation in path.values()
        for answer in operation.get("responses", {}).values()
    ]
    walk([answers, document["components"]["schemas"]])
    assert len(names) > 80
    # Counts of a model's tokens, and the digest with which a copy is checked.
    harmless = {
        "input_tokens",
        "output_tokens",
        "session_id",
        "sha256",
        "manifest_sha256",
        "leaf_hash",
        "time_to_first_token_ms",
    }
    leaky = re.compile(r"password|hash|secret|token|session|private", re.IGNORECASE)
    assert sorted(name for name in names - harmless if leaky.search(name)) == []


FORGED = 'rita\r\n{"at": "2026-01-01T00:00:00Z", "level": "INFO"}\x1b[2J\u2028\x85'


def test_t26_a_line_of_the_process_log_is_one_line():
    record = logging.LogRecord("x", logging.WARNING, "", 0, "not found: %s", (FORGED,), None)
    line = OneLineFormatter().format(record)
    assert len(line.splitlines()) == 1
    assert line.isascii()
    assert "\x1b" not in line
    assert json.loads(line)["message"] == f"not found: {FORGED}"


def test_t26_what_was_typed_cannot_forge_an_event(cast):
    client = Client()
    body = {"login": 'rita\r\n{"event": "access.signed_in"}\x1b[2J', "password": "wrong"}
    client.post("/accounts/login/", body, headers={"User-Agent": "x\x1b[31m"})
    row = Event.objects.filter(event="access.sign_in_failed").latest("id")
    assert len(row.env.splitlines()) == 1
    assert len(row.payload.data.splitlines()) == 1
    assert "\x1b" not in row.payload.data
    assert not Event.objects.filter(event="access.signed_in").exists()


@pytest.mark.parametrize("number", ["1e999999", "9" * 5_000, "-1", "1e9", "0x10", "\u0661", "1_000", "NaN", "1.5"])
def test_t27_a_hostile_number_is_400_at_once(api, number):
    api.get("rubrics/")  # the first call of a process reads the site map
    for path in ("rubrics/?limit=", "outputs/?limit=", "guardrails/?limit=", "/api/v1/audit/events/?limit="):
        began = time.monotonic()
        assert api.get(f"{path}{number}").status == 400, path
        assert time.monotonic() - began < 0.25
