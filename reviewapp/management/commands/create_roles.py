"""`manage.py create_roles`: the SQL of the three login roles, for a server that is given. Printed, or run with
`--run`.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser
from functools import partial
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config import env
from reviewapp.audit.grants import grant_statements
from reviewapp.lib.dbroles import APP, DATABASE, OWNER, SEQUENCER, install, script

PASSWORD_VARIABLES = {
    OWNER: "DATABASE_OWNER_PASSWORD",
    APP: "DATABASE_APP_PASSWORD",
    SEQUENCER: "DATABASE_SEQUENCER_PASSWORD",
}


class Command(BaseCommand):
    """Needs a superuser once; the application itself never does."""

    help = "Print (or --run) the SQL that creates the roles owner, app and sequencer, and their rights."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The superuser's address stands in DATABASE_SUPERUSER_URL, never on the command line."""
        parser.add_argument("--run", action="store_true", help="run it on the server named by DATABASE_SUPERUSER_URL")
        parser.add_argument("--database", default=DATABASE)

    def handle(self, *args: Any, **options: Any) -> None:
        """Safe to repeat. Rights on the log are given when its tables exist: run it again after the first migration."""
        if options["run"]:
            self._run(options["database"])
            return
        self.stdout.write("-- as a superuser; set passwords with ALTER ROLE … PASSWORD '…'")
        self.stdout.write(script(database=options["database"]))
        self.stdout.write("-- after `manage.py migrate`, when the roles came later than the tables:")
        for statement in grant_statements(app=APP, sequencer=SEQUENCER, owner=OWNER):
            self.stdout.write(statement + ";")

    def _run(self, database: str) -> None:
        url = os.environ.get("DATABASE_SUPERUSER_URL")
        if not url:
            raise CommandError("Set DATABASE_SUPERUSER_URL to run the SQL, or leave out --run to print it.")
        passwords = {role: os.environ[name] for role, name in PASSWORD_VARIABLES.items() if os.environ.get(name)}
        install(partial(_connected, url), passwords=passwords, database=database)
        with _connected(url, database) as server:
            row = server.execute("SELECT to_regclass('audit.event') IS NOT NULL").fetchone()
            if row and row[0]:
                for statement in grant_statements(app=APP, sequencer=SEQUENCER, owner=OWNER):
                    server.execute(statement.encode())
        self.stdout.write(
            f"Roles {OWNER}, {APP} and {SEQUENCER} are ready on {database}. Origin of the log: {settings.LOG_ORIGIN}."
        )


def _connected(url: str, database: str) -> psycopg.Connection[Any]:
    parts = env.parse_database(url)
    return psycopg.connect(
        dbname=database,
        user=parts["USER"],
        password=parts["PASSWORD"],
        host=parts["HOST"],
        port=parts["PORT"],
        autocommit=True,
    )
