"""The two servers of a stack together, embedded or given, and the environment that names them."""

import os
import secrets
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from reviewapp.lib.devstack.account import server_account
from reviewapp.lib.devstack.errors import StartError
from reviewapp.lib.devstack.home import Home
from reviewapp.lib.devstack.postgres import Postgres
from reviewapp.lib.devstack.processes import MARK, end, marked
from reviewapp.lib.devstack.redisserver import Redis


class Servers:
    """PostgreSQL and Redis of one home. `given` is the caller's environment: a server named there is not started."""

    def __init__(self, folder: Path, *, given: Mapping[str, str], is_throw_away: bool) -> None:
        embeds_postgres = not given.get("DATABASE_URL")
        self.home = Home(folder, server_account() if embeds_postgres else None)
        self.given = given
        self.postgres = Postgres(self.home, is_throw_away=is_throw_away) if embeds_postgres else None
        self.redis = Redis(self.home, is_throw_away=is_throw_away) if not given.get("REDIS_URL") else None
        self.embedded: list[Postgres | Redis] = [server for server in (self.postgres, self.redis) if server]

    def start(self) -> None:
        """Start what is not given. Raises StartError; whatever had been started is stopped then."""
        self.home.prepare()
        self.stop_leftovers()
        try:
            for server in self.embedded:
                server.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop what was started, in reverse order."""
        for server in reversed(self.embedded):
            server.stop()
        self.stop_leftovers()

    def stop_leftovers(self) -> None:
        """End what an earlier, killed start of this home left running. The caller holds the home's lock."""
        end(marked(self.home.mark), first=signal.SIGTERM, grace_seconds=10)
        for server in reversed(self.embedded):
            server.stop_leftovers()

    def environment(self, *, var: Path) -> dict[str, str]:
        """The environment of the application's processes: the caller's, with what the servers add."""
        added = {MARK: self.home.mark, "REVIEWAPP_VAR": str(var)}
        if not self.given.get("DJANGO_SECRET_KEY"):
            added["DJANGO_SECRET_KEY"] = kept_secret(var / "secret_key")
        for server in self.embedded:
            added |= server.environment()
        return {**self.given, **added}


def kept_secret(path: Path) -> str:
    """The secret in that file, made at the first call and readable by its owner only."""
    with suppress(FileNotFoundError):
        secret = path.read_text(encoding="ascii").strip()
        if len(secret) < 50:
            raise StartError(f"{path} holds no secret of 50 characters. Remove it, and a new one will be made.")
        return secret
    path.parent.mkdir(parents=True, exist_ok=True)
    secret = secrets.token_urlsafe(64)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(secret)
    fresh.rename(path)
    return secret
