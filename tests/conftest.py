"""The cast, the database of each test, and the real processes that some tests talk to.

Tests run as the database role of the app on a copy of a template that the owner migrated. An ordinary test (`db`) is
rolled back. A test that commits (`committed_db`) gets a copy of its own, because audit rows cannot be flushed.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import redis
from allauth.account.internal.userkit import user_id_to_str
from django.conf import settings
from django.db import connection, transaction

from config import env
from reviewapp.access.actors import SYSTEM, Actor
from reviewapp.access.matrix import Role
from reviewapp.access.models import Project, User
from reviewapp.access.services import create_project, create_user, grant_installation_role, grant_role
from reviewapp.access.tokens import create_personal_token, create_service_token
from tests.datasets.published import pytest_terminal_summary

# A hook: with xdist only this file is read by the process that prints the summary.
__all__ = ["pytest_terminal_summary"]
ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "correct horse battery"
# Counters of limits live in Redis and outlast a test; each process of the run has names of its own.
settings.CACHES["default"]["KEY_PREFIX"] = f"reviewapp-{uuid4().hex[:8]}"


@pytest.fixture(autouse=True)
def fresh_counters() -> None:
    """Nobody is throttled for what another test did."""
    server = redis.Redis.from_url(settings.REDIS_URL)
    kept = list(server.scan_iter(f"*{settings.CACHES['default']['KEY_PREFIX']}*", count=1_000))
    if kept:
        server.delete(*kept)
    server.close()


def _owner_sql(statement: str) -> None:
    url = env.parse_database(env.database_url("owner"))
    with psycopg.connect(
        dbname="postgres",
        user=url["USER"],
        password=url["PASSWORD"],
        host=url["HOST"],
        port=url["PORT"],
        autocommit=True,
    ) as owner:
        owner.execute(statement)


def _drop_database(name: str) -> None:
    """Drop a database whoever is connected to it, but wait for autovacuum: its process is not the owner's to end."""
    for is_last in (*[False] * 40, True):
        try:
            _owner_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
        except psycopg.errors.InsufficientPrivilege:
            if is_last:
                raise
            time.sleep(0.25)
        else:
            return


def _url_with_name(url: str, name: str) -> str:
    head, _, query = url.partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


def environment_for(database: str, **more: str) -> dict[str, str]:
    """The environment of a child process that uses this database."""
    urls = {
        variable: _url_with_name(os.environ[variable], database)
        for variable in ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_SEQUENCER_URL")
        if os.environ.get(variable)
    }
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    loopback = dict.fromkeys(("REVIEWAPP_LOOPBACK", "JUDGE_ALLOW_LOOPBACK", "WEBHOOK_ALLOW_LOOPBACK"), "1")
    return {**inherited, **urls, **loopback, **more}


@pytest.fixture(scope="session")
def database_template(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a migrated, empty database; made once for all workers of the run."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    with (shared / "database.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        name = lock.read().strip()
        if not name:
            name = f"reviewapp_template_{uuid4().hex[:12]}"
            _owner_sql(f'CREATE DATABASE "{name}"')
            subprocess.run(
                [sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment_for(name), check=True
            )
            lock.write(name)
    return name


@pytest.fixture(scope="session")
def django_db_setup(database_template: str, django_db_blocker: Any) -> Iterator[None]:
    """The database of this worker."""
    name = f"reviewapp_test_{uuid4().hex[:12]}"
    _owner_sql(f'CREATE DATABASE "{name}" TEMPLATE "{database_template}"')
    connection.close()
    connection.settings_dict["NAME"] = name
    yield
    with django_db_blocker.unblock():
        connection.close()
    _drop_database(name)


@pytest.fixture
def committed_db(django_db_setup: None, database_template: str, django_db_blocker: Any) -> Iterator[str]:
    """A database of one's own in which commits stay and other processes see them. Yields its name."""
    usual = connection.settings_dict["NAME"]
    name = f"reviewapp_copy_{uuid4().hex[:12]}"
    _owner_sql(f'CREATE DATABASE "{name}" TEMPLATE "{database_template}"')
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict["NAME"] = name
        try:
            yield name
        finally:
            connection.close()
            connection.settings_dict["NAME"] = usual
            _drop_database(name)


@contextmanager
def arranging() -> Iterator[None]:
    """Rows that a test lays by hand: the transaction counts as recorded, as if a service had written them."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('audit.recorded', pg_current_xact_id()::text, true)")
        yield


def owner_connection(database: str) -> psycopg.Connection[Any]:
    """A connection as the owner of the tables, for tests that must do what the app may not."""
    url = env.parse_database(env.database_url("owner"))
    return psycopg.connect(
        dbname=database, user=url["USER"], password=url["PASSWORD"], host=url["HOST"], port=url["PORT"], autocommit=True
    )


@dataclass(frozen=True)
class Cast:
    """One project and the people of every role.

    Queue roles are granted by tests that make queues: `reviewers(queue)`.
    """

    project: Project
    ada: Actor  # admin of the project and of the installation
    max: Actor  # manager
    otto: Actor  # auditor
    rita: Actor  # reviewers
    rob: Actor
    rosa: Actor
    ivy: Actor  # adjudicator
    nemo: Actor  # signed in, holds nothing

    def reviewers(self, queue: Any) -> None:
        """Rita, Rob and Rosa review this queue, Ivy adjudicates it."""
        for person in (self.rita, self.rob, self.rosa):
            grant_role(actor=SYSTEM, user=person.person, role=Role.REVIEWER, target=queue)
        grant_role(actor=SYSTEM, user=self.ivy.person, role=Role.ADJUDICATOR, target=queue)


def make_person(username: str, display_name: str = "") -> Actor:
    """Somebody who can sign in with PASSWORD."""
    return Actor(user=create_user(actor=SYSTEM, username=username, password=PASSWORD, display_name=display_name))


def make_cast(slug: str = "halyard") -> Cast:
    """The cast, through the services."""
    people = {
        name: make_person(name, name.title()) for name in ("ada", "max", "otto", "rita", "rob", "rosa", "ivy", "nemo")
    }
    project = create_project(actor=SYSTEM, slug=slug, title="Halyard support assistant")
    grant_installation_role(actor=SYSTEM, user=people["ada"].person, role=Role.ADMIN)
    for name, role in (("ada", Role.ADMIN), ("max", Role.MANAGER), ("otto", Role.AUDITOR)):
        grant_role(actor=SYSTEM, user=people[name].person, role=role, target=project)
    return Cast(project=project, **people)


@pytest.fixture
def cast(db: None) -> Cast:
    """The cast in a test that is rolled back."""
    return make_cast()


@pytest.fixture
def committed_cast(committed_db: str) -> Cast:
    """The cast in a database where commits stay."""
    return make_cast()


@dataclass(frozen=True)
class Answer:
    """What came back: status, JSON body (None when there is none), headers, raw bytes."""

    status: int
    body: Any
    headers: Any
    raw: bytes


class Api:
    """An API client with a token, in process: `api.post("outputs/", {...})` under `/api/v1/projects/<project>/`."""

    def __init__(self, token: str | None, project: str) -> None:
        from django.test import Client

        self._client = Client(raise_request_exception=False)
        self.token = token
        self.base = f"/api/v1/projects/{project}/"

    def call(
        self, method: str, path: str, body: Any = None, *, content_type: str = "application/json", **headers: str
    ) -> Answer:
        """path: relative to the project, or absolute with a leading slash. body: JSON value, bytes, or a list for
        NDJSON.
        """
        url = path if path.startswith("/") else self.base + path
        if body is None:
            data: bytes = b""
        elif isinstance(body, bytes):
            data = body
        elif content_type == "application/x-ndjson":
            data = b"".join(json.dumps(row).encode() + b"\n" for row in body)
        else:
            data = json.dumps(body).encode()
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        response = self._client.generic(method, url, data, content_type=content_type, headers=headers)
        raw = response.getvalue() if response.streaming else response.content
        is_json = "json" in response.get("Content-Type", "") and "ndjson" not in response.get("Content-Type", "")
        return Answer(response.status_code, json.loads(raw) if raw and is_json else None, response.headers, raw)

    def get(self, path: str, **headers: str) -> Answer:
        """GET."""
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **more: str) -> Answer:
        """POST JSON."""
        return self.call("POST", path, body, **more)

    def bulk(self, path: str, rows: list[Any], **headers: str) -> Answer:
        """POST NDJSON."""
        return self.call("POST", path, rows, content_type="application/x-ndjson", **headers)


ALL_SCOPES = ["ingest", "labels:read", "manage", "audit:read"]


def service_api(cast: Cast, scopes: list[str] | None = None) -> Api:
    """A program of the project, with a token that the manager made."""
    made = create_service_token(actor=cast.max, project=cast.project, name="tests", scopes=scopes or ALL_SCOPES)
    return Api(made.secret, cast.project.slug)


def personal_api(actor: Actor, project: str = "halyard", scopes: list[str] | None = None) -> Api:
    """A program that acts as a person."""
    made = create_personal_token(actor=actor, name="tests", scopes=scopes or [*ALL_SCOPES, "review"])
    return Api(made.secret, project)


@pytest.fixture
def api(cast: Cast) -> Api:
    """The project's service token with every scope that it can have."""
    return service_api(cast)


@pytest.fixture
def page(client: Any) -> Any:
    """`page(actor)` is Django's test client signed in as that person (the session is real, the password form is tested
    elsewhere). `page(actor, seconds_ago=600)` is a session whose last proof of identity is ten minutes old.
    """

    def sign_in(actor: Actor, seconds_ago: float = 0) -> Any:
        client.force_login(actor.person, backend="allauth.account.auth_backends.AuthenticationBackend")
        session = client.session
        session["account_authentication_methods"] = [{"method": "password", "at": time.time() - seconds_ago}]
        session["account_authentication_methods_user"] = user_id_to_str(actor.person)
        session.save()
        return client

    return sign_in


def free_port() -> int:
    """A TCP port on loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def collected_static(database_template: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files by whose manifest the pages of a served process name them, as in production; collected once."""
    var = tmp_path_factory.mktemp("collected")
    # The pages of the API's documentation bring megabytes whose compression takes a minute; no served test opens them.
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0", "--ignore", "drf_spectacular_sidecar"]
    subprocess.run(command, cwd=ROOT, env=environment_for(database_template, REVIEWAPP_VAR=str(var)), check=True)
    return var / "static"


@pytest.fixture
def served(committed_db: str, collected_static: Path, tmp_path: Path) -> Iterator[str]:
    """The web server of production on loopback over `committed_db`; yields its address. Make the cast with
    `committed_cast`.
    """
    port = free_port()
    environment = environment_for(committed_db, REVIEWAPP_VAR=str(tmp_path), ALLOWED_HOSTS="127.0.0.1,localhost")
    (tmp_path / "static").symlink_to(collected_static)
    log = (tmp_path / "web.log").open("wb")
    process = subprocess.Popen(
        [
            str(Path(sys.executable).with_name("granian")), "--interface", "wsgi", "config.wsgi:application",
            "--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--blocking-threads", "4", "--no-ws",
        ],
        cwd=ROOT,
        env=environment,
        stdout=log,
        stderr=log,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_alive(address, process, tmp_path / "web.log")
        yield address
    finally:
        process.terminate()
        process.wait(timeout=15)
        log.close()


def _wait_until_alive(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(150):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{address}/livez", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the web server did not start: {log.read_text()[-2000:]}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests on the published sets are deselected, and counted, when no folder is named."""
    if os.environ.get("REVIEWAPP_DATASETS"):
        return
    left_out = [item for item in items if item.get_closest_marker("datasets")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("datasets")]


@pytest.fixture(scope="session")
def datasets() -> Path:
    """The folder of published human-labelled sets."""
    return Path(os.environ["REVIEWAPP_DATASETS"]).resolve()


def person(username: str) -> User:
    """Somebody by name."""
    return User.objects.get(username=username)
