"""A stack of its own: servers as in production, a fresh database, web, sequencer and worker processes."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM
from typing import Any

import psutil
import psycopg

from bench.measure import Meter
from reviewapp.lib.devstack.home import TREE, HomeLock, var_folder
from reviewapp.lib.devstack.processes import last_lines, spawn, stop
from reviewapp.lib.devstack.servers import Servers
from reviewapp.lib.devstack.site import Site

READY_SECONDS = 60.0
DATABASES = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_SEQUENCER_URL")
# Pages of packages that no benchmark opens; compressing their files takes half a minute.
UNUSED_STATIC = ("rest_framework", "guardian", "redoc", "drf_spectacular_sidecar", "admin")


@dataclass(frozen=True)
class Stack:
    """What runs. `owner_url` may make tables of its own beside the application's."""

    environment: Mapping[str, str]
    port: int
    owner_url: str
    pids: Mapping[str, int]
    postmaster_pid: int | None

    @property
    def meter(self) -> Meter:
        """CPU of the web processes and of PostgreSQL, where it runs on this machine."""
        return self.meter_of("web")

    def meter_of(self, *names: str) -> Meter:
        """CPU of some of `web`, `worker` and `sequencer`, and of PostgreSQL."""
        pids = [self.pids[name] for name in names]
        return Meter([*pids, *self._postmaster], stack=[*self.pids.values(), *self._postmaster])

    @property
    def postgres_meter(self) -> Meter:
        """CPU of PostgreSQL alone."""
        return self.meter_of()

    @property
    def _postmaster(self) -> list[int]:
        return [self.postmaster_pid] if self.postmaster_pid is not None else []

    def settle(self) -> None:
        """What autovacuum does within a minute after many rows came: plans are then made for what is there."""
        with self.owner() as owner:
            owner.execute(b"VACUUM ANALYZE")

    def owner(self) -> psycopg.Connection[Any]:
        """A connection as the owner of the tables, with autocommit."""
        return psycopg.connect(self.owner_url, autocommit=True)


@contextmanager
def running_stack(*, is_given: bool) -> Iterator[Stack]:
    """Start everything, yield it, stop everything that was started and drop the database.

    is_given: use the PostgreSQL and Redis that the environment names. Else embedded servers with the settings of
    `make demo`: those of `make test` run without fsync, which would flatter us.
    """
    folder = var_folder() / f"bench-{secrets.token_hex(3)}"
    lock = HomeLock(folder)
    lock.take()
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    if not is_given:
        inherited = {key: value for key, value in inherited.items() if key not in (*DATABASES, "REDIS_URL")}
    servers = Servers(folder, given=inherited, is_throw_away=False)
    with ExitStack() as ends:
        ends.callback(lock.free)
        ends.callback(servers.home.remove)
        ends.callback(servers.stop)
        servers.start()
        environment = {**servers.environment(var=folder / "var"), "REVIEWAPP_LOOPBACK": "1", "LOG_LEVEL": "WARNING"}
        (folder / "var").mkdir(exist_ok=True)
        environment.update(ends.enter_context(_fresh_database(environment)))
        yield _start_processes(ends, environment, servers.home.logs)


@contextmanager
def _fresh_database(environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The addresses of a new, empty database, which is dropped at the end."""
    name = f"reviewapp_bench_{secrets.token_hex(4)}"
    owner_url = environment.get("DATABASE_OWNER_URL") or environment["DATABASE_URL"]
    with psycopg.connect(_named(owner_url, "postgres"), autocommit=True) as owner:
        owner.execute(f'CREATE DATABASE "{name}"'.encode())
    try:
        yield {variable: _named(environment[variable], name) for variable in DATABASES if environment.get(variable)}
    finally:
        with psycopg.connect(_named(owner_url, "postgres"), autocommit=True) as owner:
            owner.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def _named(url: str, database: str) -> str:
    head, mark, query = url.partition("?")
    return f"{head.rpartition('/')[0]}/{database}{mark}{query}"


def _start_processes(ends: ExitStack, environment: dict[str, str], logs: Path) -> Stack:
    python = sys.executable
    _manage(environment, "migrate", "-v0")
    ignored = [part for name in UNUSED_STATIC for part in ("-i", name)]
    _manage(environment, "collectstatic", "--no-input", "-v0", *ignored)
    port = _free_port()
    commands = {
        "sequencer": [python, "manage.py", "run_sequencer"],
        "worker": [python, "-m", "celery", "-A", "config", "worker", "-c", "1", "--without-gossip", "--without-mingle"],
        # As `make demo` starts it.
        "web": [
            python, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
            "--workers", "2", "--blocking-threads", "4", "--backlog", "1024", "--no-ws", "--http", "1",
            "config.wsgi:application",
        ],
    }  # fmt: skip
    pids = {}
    for name, command in commands.items():
        process = spawn(command, environment=environment, log=logs / f"{name}.log", folder=TREE)
        ends.callback(stop, process, first=SIGTERM, grace_seconds=10)
        pids[name] = process.pid
    _wait_until_ready(Site(port), logs / "web.log")
    owner_url = environment.get("DATABASE_OWNER_URL") or environment["DATABASE_URL"]
    return Stack(environment, port, owner_url, pids, _postmaster(owner_url))


def _manage(environment: Mapping[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=TREE, env=dict(environment), check=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(site: Site, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while problem := site.problem():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{problem}\n{last_lines(log)}")
        time.sleep(0.05)


def _postmaster(url: str) -> int | None:
    """The process that all backends come from; None when the server runs elsewhere."""
    with psycopg.connect(url) as connection:
        try:
            parent = psutil.Process(connection.info.backend_pid).parent()
        except psutil.NoSuchProcess:
            return None
    return parent.pid if parent is not None and parent.name().startswith("postgres") else None
