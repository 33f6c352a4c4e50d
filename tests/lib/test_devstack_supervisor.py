"""The supervisor keeps real processes alive, gives up in the open, and leaves none behind."""

import os
import socket
import sys
import time

import psutil
import pytest

from reviewapp.lib.devstack import supervisor as subject
from reviewapp.lib.devstack.errors import StartError
from reviewapp.lib.devstack.processes import is_alive, wait_until
from reviewapp.lib.devstack.site import check_port
from reviewapp.lib.devstack.supervisor import Service, Supervisor

SLEEP = "import time; time.sleep(60)"


class Stack:
    """A supervisor over little programs, and what it said."""

    def __init__(self, folder):
        self.folder = folder
        self.said = []
        self.supervisor = Supervisor(say=self.said.append)

    def add(self, name, code, **options):
        log = self.folder / f"{name}.log"
        service = Service(name, [sys.executable, "-c", code], dict(os.environ), self.folder, log, **options)
        self.supervisor.add(service)
        return service


@pytest.fixture
def stack(tmp_path):
    stack = Stack(tmp_path)
    yield stack
    stack.supervisor.stop()


def test_a_process_that_ends_is_started_again_and_named_with_its_exit_code(stack):
    service = stack.add("worker", SLEEP)
    service.process.kill()
    service.process.wait()
    stack.supervisor.check()
    assert service.process.poll() is None
    assert stack.said[0].startswith("worker ended by signal 9; starting it again (1 of 3).")


def test_a_process_that_ends_again_and_again_stops_the_stack_with_its_last_words(stack):
    stack.add("beat", "import sys; print('no schedule'); sys.exit(3)")

    def gives_up():
        try:
            stack.supervisor.check()
        except StartError as error:
            stack.said.append(str(error))
            return True
        return False

    assert wait_until(gives_up, seconds=20)
    assert [line.split(";")[0] for line in stack.said] == ["beat ended with exit code 3"] * 3 + [
        "beat ended with exit code 3, 4 times in a row"
    ]
    assert "no schedule" in stack.said[-1]


def test_restarts_are_forgiven_after_a_steady_time(stack, monkeypatch):
    monkeypatch.setattr(subject, "STEADY_SECONDS", 0.0)
    service = stack.add("web", SLEEP)
    for _ in range(subject.RESTARTS + 2):
        service.process.kill()
        service.process.wait()
        stack.supervisor.check()
    assert all("(1 of 3)" in line for line in stack.said)


def test_processes_stop_in_the_reverse_order_of_their_start(stack, tmp_path):
    note = (
        "import signal, sys, time\n"
        "def end(*_):\n    open({path!r}, 'a').write({name!r} + ' '); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); print('ready', flush=True); time.sleep(60)"
    )
    order = tmp_path / "order"
    services = [stack.add(name, note.format(path=str(order), name=name)) for name in ("first", "second", "third")]
    assert wait_until(lambda: all("ready" in service.log.read_text() for service in services), seconds=20)
    stack.supervisor.stop()
    assert order.read_text().split() == ["third", "second", "first"]


def test_a_process_that_does_not_listen_is_killed_with_all_below_it(stack):
    deaf = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
    )
    service = stack.add("worker", deaf, grace_seconds=0.3)
    assert wait_until(lambda: service.log.read_text().strip() != "", seconds=20)
    below = psutil.Process(int(service.log.read_text()))
    began = time.monotonic()
    stack.supervisor.stop()
    assert time.monotonic() - began < 5
    assert wait_until(lambda: not is_alive(below), seconds=5)


def test_a_supervised_process_does_not_get_the_terminals_ctrl_c(stack):
    service = stack.add("web", SLEEP)
    assert os.getsid(service.process.pid) == service.process.pid
    assert os.getpgid(service.process.pid) != os.getpgid(0)


def test_a_taken_port_is_named_together_with_a_free_one():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(StartError, match=rf"Port {port} is taken.*make demo PORT=\d+"):
            check_port(port)
