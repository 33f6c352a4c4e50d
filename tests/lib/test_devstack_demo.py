"""`devstack demo`: the whole stack, as a newcomer starts it, asks it to stop, and kills it."""

import contextlib
import json
import os
import signal
import socket
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from tests.lib.devstack_tools import BOUND_SECONDS, finish, processes_of, start


class Demo:
    """A demo that was started, read line by line."""

    def __init__(self, var: Path, port: int) -> None:
        self.var = var
        self.process = start(var, "demo", PORT=str(port))
        self.lines: list[str] = []

    def read_until(self, beginning: str) -> str:
        """The first line that begins so."""
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if line.startswith(beginning):
                return line.rstrip()
        raise AssertionError("\n".join(self.lines))

    def facts(self) -> dict:
        return json.loads((self.var / "demo.json").read_text())

    def pids(self) -> dict[str, int]:
        """From the line `Processes: postgres 1, redis 2, …`."""
        parts = self.read_until("  Processes: ").removeprefix("  Processes: ").split(", ")
        return {name: int(pid) for name, pid in (part.split() for part in parts)}

    def stop(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGINT)
        return finish(self.process)


@pytest.fixture(scope="module")
def var(tmp_path_factory) -> Path:
    """One folder for all tests of this file, so that only the first start has to load the sample."""
    return tmp_path_factory.mktemp("demo") / "a b" / "var"


@pytest.fixture
def demo(var):
    """The demo, ready."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    demo = Demo(var, port)
    try:
        demo.read_until("reviewapp is ready at ")
        yield demo
    finally:
        if demo.process.poll() is None:
            demo.process.terminate()
        demo.process.communicate(timeout=BOUND_SECONDS)
        assert processes_of(var) == []


def answer(url: str) -> int:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=10) as response:
        return response.status
    return 0


def listening_addresses(var: Path) -> set[str]:
    pids = [int(line.split()[0]) for line in processes_of(var)]
    return {
        connection.laddr.ip
        for pid in pids
        for connection in psutil.Process(pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }


def test_a_ready_demo_answers_on_loopback_only_refuses_a_second_one_and_stops_at_ctrl_c(demo):
    facts = demo.facts()
    assert set(facts) >= {"url", "project", "token", "users"}
    assert (demo.var / "demo.json").stat().st_mode & 0o777 == 0o600
    assert listening_addresses(demo.var) == {"127.0.0.1"}

    code, output = finish(start(demo.var, "demo", PORT="1"))
    assert code == 1
    assert f"It runs already, as process {demo.process.pid}" in output
    assert answer(facts["url"] + "readyz") == 200

    code, output = demo.stop()
    assert code == 0
    assert "Stopping web, beat, worker, sequencer, redis, postgres." in output
    assert processes_of(demo.var) == []
    assert not (demo.var / "demo.json").exists()


@pytest.mark.parametrize(("name", "value"), [("HOST", "0.0.0.0"), ("GRANIAN_HOST", "::"), ("REVIEWAPP_HOST", "box")])
def test_a_demo_that_should_listen_for_others_does_not_start(tmp_path, name, value):
    code, output = finish(start(tmp_path / "var", "demo", **{name: value}))
    assert code == 1
    assert f"{name} is {value!r}, but the demo answers on 127.0.0.1 only: its passwords are published." in output
    assert processes_of(tmp_path / "var") == []


def test_a_dead_worker_is_replaced_and_a_killed_stack_starts_again_with_its_data(demo):
    pids = demo.pids()
    os.kill(pids["worker"], signal.SIGKILL)
    assert demo.read_until("worker ended").startswith("worker ended by signal 9; starting it again (1 of 3).")

    facts = demo.facts()
    for pid in (demo.process.pid, pids["postgres"]):
        os.kill(pid, signal.SIGKILL)
    demo.process.wait()
    assert psutil.pid_exists(pids["web"]), "the web server goes on, else this test shows nothing"
    again = Demo(demo.var, urlsplit(facts["url"]).port)
    again.read_until("reviewapp is ready at ")
    assert again.facts() == facts
    assert answer(facts["url"] + "readyz") == 200
    assert again.stop()[0] == 0
