"""The three database logins and what each may do, as plain SQL statements: printed, or run, by whoever has a superuser.

The owner creates tables and is used by migrations only; the application and the sequencer own nothing, so neither can
drop a trigger or give itself a right. Rights on single tables (append-only, what the sequencer writes) belong to the
migrations that create them: here are only the defaults, so running this again never widens what a migration narrowed.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import psycopg

OWNER: Final = "reviewapp_owner"
APP: Final = "reviewapp_app"
SEQUENCER: Final = "reviewapp_sequencer"
LOGINS: Final = (OWNER, APP, SEQUENCER)
DATABASE: Final = "reviewapp"


def quoted_name(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def quoted_text(text: str) -> str:
    """An SQL string literal, right whatever `standard_conforming_strings` says."""
    escaped = text.replace("'", "''").replace("\\", "\\\\")
    return f"E'{escaped}'" if "\\" in text else f"'{escaped}'"


def role_sql(*, passwords: Mapping[str, str] | None = None) -> list[str]:
    """Statements for a superuser, in any database: the logins, made if absent. `passwords` is by login name."""
    statements = []
    for login in LOGINS:
        name = quoted_name(login)
        statements.append(f"DO $$ BEGIN CREATE ROLE {name}; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        rights = "CREATEDB" if login == OWNER else "NOCREATEDB"
        statements.append(f"ALTER ROLE {name} LOGIN NOSUPERUSER NOCREATEROLE NOREPLICATION NOBYPASSRLS {rights}")
        if passwords and login in passwords:
            statements.append(f"ALTER ROLE {name} PASSWORD {quoted_text(passwords[login])}")
    return statements


def database_sql(*, database: str = DATABASE) -> str:
    """The statement that creates the database, for a superuser, outside a transaction, when it is absent."""
    return f"CREATE DATABASE {quoted_name(database)} OWNER {quoted_name(OWNER)} ENCODING 'UTF8' TEMPLATE template1"


def grant_sql() -> list[str]:
    """Statements for a superuser inside the database (or a template): what the owner creates, the others may use."""
    owner, app, sequencer = (quoted_name(login) for login in LOGINS)
    defaults = f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public"
    return [
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"GRANT USAGE, CREATE ON SCHEMA public TO {owner}",
        f"GRANT USAGE ON SCHEMA public TO {app}, {sequencer}",
        f"{defaults} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app}",
        f"{defaults} GRANT USAGE, SELECT ON SEQUENCES TO {app}",
        f"{defaults} GRANT SELECT ON TABLES TO {sequencer}",
    ]


def install(
    connect: Callable[[str], "psycopg.Connection[Any]"],
    *,
    passwords: Mapping[str, str] | None = None,
    database: str = DATABASE,
) -> None:
    """Make the logins, the database and the default rights, as far as they are absent.

    `connect` opens a superuser's connection in autocommit mode to the database of that name.
    """
    with connect("postgres") as connection:
        for statement in role_sql(passwords=passwords):
            connection.execute(statement.encode())
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
        if not found:
            connection.execute(database_sql(database=database).encode())
    with connect(database) as connection:
        for statement in grant_sql():
            connection.execute(statement.encode())


def script(*, passwords: Mapping[str, str] | None = None, database: str = DATABASE) -> str:
    """The same for `psql`, to be read before it is run."""
    create = f"SELECT {quoted_text(database_sql(database=database))} WHERE NOT EXISTS"
    return "\n".join(
        [
            *(f"{statement};" for statement in role_sql(passwords=passwords)),
            f"{create} (SELECT FROM pg_database WHERE datname = {quoted_text(database)}) \\gexec",
            f"\\connect {quoted_name(database)}",
            *(f"{statement};" for statement in grant_sql()),
            "",
        ]
    )
