"""The embedded servers keep their data over stops and crashes, and take nothing for theirs that is not."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from reviewapp.lib.devstack.errors import StartError
from reviewapp.lib.devstack.home import own_folder
from reviewapp.lib.devstack.processes import is_alive, working_in
from reviewapp.lib.devstack.servers import Servers, kept_secret
from tests.lib.devstack_tools import TREE, bare_environment


@pytest.fixture
def servers(tmp_path):
    """Servers that keep their data, not started."""
    folder = tmp_path / "a b" / "demo"
    servers = Servers(folder, given={}, is_throw_away=False)
    yield servers
    servers.stop()
    servers.home.remove()


def start_again(servers: Servers) -> Servers:
    """What another process does with the same folder later."""
    again = Servers(servers.home.folder, given={}, is_throw_away=False)
    again.start()
    return again


def write(servers: Servers, text: str) -> None:
    with psycopg.connect(servers.postgres.url("reviewapp_owner")) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS note (text text)")
        connection.execute("INSERT INTO note VALUES (%s)", [text])
    client = redis.Redis.from_url(servers.redis.environment()["REDIS_URL"])
    client.rpush("notes", text)
    client.close()


def notes(servers: Servers) -> tuple[list[str], list[str]]:
    with psycopg.connect(servers.postgres.url("reviewapp_app")) as connection:
        rows = [text for (text,) in connection.execute("SELECT text FROM note")]
    client = redis.Redis.from_url(servers.redis.environment()["REDIS_URL"], decode_responses=True)
    found = client.lrange("notes", 0, -1)
    client.close()
    return rows, found


def test_data_is_there_after_a_stop_and_the_second_start_is_quick(servers):
    servers.start()
    write(servers, "kept")
    servers.stop()
    began = time.monotonic()
    again = start_again(servers)
    assert time.monotonic() - began < 10
    assert notes(again) == (["kept"], ["kept"])
    again.stop()


def test_data_is_there_after_every_process_was_killed(servers):
    servers.start()
    write(servers, "committed")
    time.sleep(1.2)  # Redis writes its log to the disk once a second
    for process in (*working_in(servers.postgres.data), *working_in(servers.redis.folder)):
        process.kill()
    servers.postgres.process.wait()
    servers.redis.process.wait()
    assert (servers.postgres.data / "postmaster.pid").exists()
    again = start_again(servers)
    assert notes(again) == (["committed"], ["committed"])
    again.stop()


def test_servers_that_a_killed_start_left_running_are_replaced(servers):
    code = (
        "import sys; from pathlib import Path; from reviewapp.lib.devstack.servers import Servers\n"
        "servers = Servers(Path(sys.argv[1]), given={}, is_throw_away=False); servers.start()\n"
        "print(servers.postgres.process.pid, servers.redis.process.pid, flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(servers.home.folder)],
        cwd=TREE,
        env=bare_environment(servers.home.folder.parent),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    left = [psutil.Process(int(text)) for text in other.stdout.readline().split()]
    other.kill()
    other.communicate()
    again = start_again(servers)
    write(again, "after")
    assert notes(again) == (["after"], ["after"])
    assert not any(map(is_alive, left))
    again.stop()


def test_a_process_id_that_is_somebody_elses_now_neither_stops_the_start_nor_is_stopped(servers):
    servers.start()
    servers.stop()
    account = servers.home.account
    bystander = subprocess.Popen(["sleep", "60"], user=account.uid if account else None)
    (servers.postgres.data / "postmaster.pid").write_text(
        f"{bystander.pid}\n{servers.postgres.data}\n1700000000\n5432\n{servers.home.socket_folder}\n\n  1  2\nready\n"
    )
    again = start_again(servers)
    again.stop()
    assert bystander.poll() is None
    bystander.terminate()
    bystander.wait()


def test_a_half_made_data_directory_is_not_used(servers):
    servers.home.prepare()
    half = servers.postgres.data.with_name("postgres.new")
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    servers.start()
    write(servers, "whole")
    assert notes(servers)[0] == ["whole"]


def test_sockets_have_short_plain_paths_wherever_the_tree_lies(tmp_path):
    deep = tmp_path / ("long name " * 12) / "demo"
    home = Servers(deep, given={}, is_throw_away=True).home
    home.prepare()
    assert len(os.fsencode(home.socket_folder)) <= 80
    assert " " not in str(home.socket_folder)
    assert home.socket_folder.stat().st_mode & 0o777 == 0o700
    home.remove()
    assert not home.socket_folder.exists()


def test_a_socket_folder_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "ours").symlink_to(tmp_path / "theirs")
    with pytest.raises(StartError, match="is not ours"):
        own_folder(tmp_path / "ours")


def test_the_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path):
    path = tmp_path / "var" / "secret_key"
    secret = kept_secret(path)
    assert len(secret) >= 50
    assert kept_secret(path) == secret
    assert path.stat().st_mode & 0o777 == 0o600


def test_postgresql_that_dies_while_it_starts_is_an_error_with_its_last_words(servers):
    servers.start()
    servers.stop()
    (servers.postgres.data / "postgresql.auto.conf").write_text("shared_buffers = 'nonsense'\n")
    with pytest.raises(StartError, match=r"(?s)PostgreSQL does not start.*nonsense"):
        start_again(servers)
