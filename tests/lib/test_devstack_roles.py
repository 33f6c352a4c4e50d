"""The role SQL that the embedded servers run is the one that is printed for a given server, and it can be repeated."""

import os
import subprocess
from collections.abc import Iterator

import psycopg
import pytest

from reviewapp.lib import dbroles
from reviewapp.lib.devstack.postgres import Postgres, installed_programs
from reviewapp.lib.devstack.servers import Servers

RIGHTS = """
    SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolcanlogin FROM pg_roles WHERE rolname LIKE 'reviewapp%'
    ORDER BY rolname
"""
OWNER_OF_DATABASE = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'reviewapp'"


@pytest.fixture(scope="module")
def postgres(tmp_path_factory) -> Iterator[Postgres]:
    """A server without our roles and database."""
    folder = tmp_path_factory.mktemp("roles") / "home"
    servers = Servers(folder, given={"REDIS_URL": "redis://unused"}, is_throw_away=True)
    servers.start()
    with connect(servers.postgres, "postgres") as connection:
        connection.execute("DROP DATABASE reviewapp")
    with connect(servers.postgres, "template1") as connection:
        for login in dbroles.LOGINS:
            connection.execute(f"DROP OWNED BY {login}")
            connection.execute(f"DROP ROLE {login}")
    yield servers.postgres
    servers.stop()
    servers.home.remove()


def connect(postgres: Postgres, database: str) -> psycopg.Connection:
    return psycopg.connect(host=str(postgres.home.socket_folder), user="postgres", dbname=database, autocommit=True)


def test_the_printed_script_makes_the_roles_and_may_be_run_twice(postgres):
    script = dbroles.script(passwords={"reviewapp_app": r"it's \ a $$ password"})
    for _ in range(2):
        psql = [installed_programs(postgres.home.account) / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1"]
        host = ["-h", str(postgres.home.socket_folder), "-U", "postgres", "postgres"]
        subprocess.run([*psql, *host], input=script, text=True, check=True, env={**os.environ, "LC_ALL": "C"})
    with connect(postgres, "reviewapp") as connection:
        assert connection.execute(RIGHTS).fetchall() == [
            ("reviewapp_app", False, False, False, True),
            ("reviewapp_owner", False, True, False, True),
            ("reviewapp_sequencer", False, False, False, True),
        ]
        assert connection.execute(OWNER_OF_DATABASE).fetchone() == ("reviewapp_owner",)


def test_running_it_again_does_not_give_back_what_a_migration_took(postgres):
    dbroles.install(lambda name: connect(postgres, name))
    with connect(postgres, "reviewapp") as connection:
        connection.execute("SET ROLE reviewapp_owner")
        connection.execute("CREATE TABLE once (id int)")
        connection.execute("REVOKE UPDATE, DELETE ON once FROM reviewapp_app")
    dbroles.install(lambda name: connect(postgres, name))
    with connect(postgres, "reviewapp") as connection:
        connection.execute("SET ROLE reviewapp_app")
        connection.execute("INSERT INTO once VALUES (1)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM once")


def test_names_and_passwords_are_quoted():
    assert dbroles.quoted_name('a"b') == '"a""b"'
    assert dbroles.quoted_text("it's") == "'it''s'"
    assert dbroles.quoted_text("a\\b'c") == "E'a\\\\b''c'"
