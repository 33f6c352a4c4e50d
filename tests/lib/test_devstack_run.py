"""`devstack run`: a command with servers of its own, and nothing left of them."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.lib.devstack_tools import devstack, finish, processes_of, run_python, start, started

WRITE_WITH_EACH_ROLE = """
import os, psycopg, redis
def connect(name): return psycopg.connect(os.environ[name], autocommit=True)
owner, app, sequencer = map(connect, ("DATABASE_OWNER_URL", "DATABASE_URL", "DATABASE_SEQUENCER_URL"))
def try_it(connection, statement):
    try: connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege: return "refused"
    return "done"
print(try_it(owner, "CREATE TABLE fact (id serial PRIMARY KEY)"))
for role in (app, sequencer):
    print(*(try_it(role, statement) for statement in (
        "SELECT * FROM fact", "INSERT INTO fact DEFAULT VALUES",
        "DROP TABLE fact", "CREATE TABLE other (id int)", "CREATE DATABASE other")))
owner.execute("CREATE DATABASE copy")
copy = psycopg.connect(os.environ["DATABASE_OWNER_URL"], dbname="copy", autocommit=True)
copy.execute("CREATE TABLE fact (id int)")
print(try_it(psycopg.connect(os.environ["DATABASE_URL"], dbname="copy"), "SELECT * FROM fact"))
print(app.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()[0])
print(app.execute("SHOW listen_addresses").fetchone()[0] or "no address", app.info.server_version // 10000)
print(redis.Redis.from_url(os.environ["REDIS_URL"]).ping())
"""
SAY_AND_SLEEP = """
import json, os, sys, time
print(json.dumps({name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL", "REVIEWAPP_VAR")}), flush=True)
time.sleep(120)
"""


@pytest.fixture
def var(tmp_path: Path) -> Path:
    """A folder whose path has spaces, as a person's own folder may have."""
    return tmp_path / "a b" / "var"


def test_a_command_gets_both_servers_and_three_roles_of_which_only_one_owns_tables(var):
    code, output = run_python(var, WRITE_WITH_EACH_ROLE)
    assert output.splitlines() == [
        "done",
        "done done refused refused refused",
        "done refused refused refused refused",
        "done",
        "False",
        "no address 18",
        "True",
    ]
    assert code == 0


def test_the_exit_code_is_the_commands_and_nothing_of_the_run_is_left(var):
    code, output = run_python(var, "raise SystemExit(7)")
    assert (code, output) == (7, "")
    assert processes_of(var) == []
    assert [path.name for path in (var / "test").iterdir()] == [".guard"]


def test_two_runs_at_once_have_each_their_own_servers(var):
    with started(var, "run", "--", sys.executable, "-c", SAY_AND_SLEEP) as first:
        of_first = json.loads(first.stdout.readline())
        code, output = run_python(var, "import os; print(os.environ['DATABASE_URL'], os.environ['REVIEWAPP_VAR'])")
        assert code == 0
        assert of_first["DATABASE_URL"] not in output
        assert of_first["REVIEWAPP_VAR"] not in output
        assert first.poll() is None


def test_being_asked_to_stop_ends_the_command_and_its_servers(var):
    run = start(var, "run", "--", sys.executable, "-c", SAY_AND_SLEEP)
    run.stdout.readline()
    run.send_signal(signal.SIGTERM)
    code, _ = finish(run)
    assert code == 128 + signal.SIGTERM
    assert processes_of(var) == []


def test_ctrl_c_ends_the_command_and_its_servers(var):
    run = start(var, "run", "--", sys.executable, "-c", SAY_AND_SLEEP)
    run.stdout.readline()
    os.killpg(run.pid, signal.SIGINT)
    code, output = finish(run)
    assert code == 128 + signal.SIGINT
    assert "KeyboardInterrupt" in output
    assert processes_of(var) == []


def test_the_next_run_clears_up_after_one_that_was_killed(var):
    run = start(var, "run", "--", sys.executable, "-c", SAY_AND_SLEEP)
    left = Path(json.loads(run.stdout.readline())["REVIEWAPP_VAR"]).parent
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    assert processes_of(left), "the servers of a killed run go on, else this test shows nothing"
    assert run_python(var, "pass")[0] == 0
    assert processes_of(var) == []
    assert not left.exists()
    run.communicate()


def test_given_servers_are_used_and_none_is_started(var):
    given = {"DATABASE_URL": "postgresql://somebody@db.example/theirs", "REDIS_URL": "redis://cache.example/3"}
    show = "import os; print(os.environ['DATABASE_URL'], os.environ['REDIS_URL'], os.environ.get('DATABASE_OWNER_URL'))"
    code, output = run_python(var, show, **given)
    assert (code, output.split()) == (0, [*given.values(), "None"])


def test_an_unknown_command_is_named(var):
    code, output = devstack(var, "run", "--", "no-such-command")
    assert (code, output) == (1, "devstack: There is no command 'no-such-command'.\n")


def test_clean_removes_all_data_but_not_under_a_run_that_goes_on(var):
    with started(var, "run", "--", sys.executable, "-c", SAY_AND_SLEEP) as run:
        run.stdout.readline()
        code, output = devstack(var, "clean")
        assert code == 1
        assert f"Process {run.pid} still runs" in output
    assert devstack(var, "clean") == (0, "")
    assert not var.exists()
