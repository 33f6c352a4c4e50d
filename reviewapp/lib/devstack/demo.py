"""`demo`: the whole stack on this machine, with data that stays."""

import ipaddress
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from types import FrameType
from typing import Final, NoReturn

from reviewapp.lib.devstack.errors import StartError
from reviewapp.lib.devstack.home import TREE, HomeLock, var_folder
from reviewapp.lib.devstack.processes import last_lines
from reviewapp.lib.devstack.servers import Servers
from reviewapp.lib.devstack.site import LOOPBACK, Site, check_port, preparation_digest, stamp_static, static_is_fresh
from reviewapp.lib.devstack.supervisor import POLL_SECONDS, Service, Supervisor, ending

READY_SECONDS: Final = 120.0
HEALTH_SECONDS: Final = 5.0
LARGEST_LOG_BYTES: Final = 20_000_000
# Files of packages whose pages we do not show.
UNUSED_STATIC: Final = ("-i", "rest_framework", "-i", "guardian", "-i", "redoc")


class StopRequested(BaseException):
    """Ctrl-C, SIGTERM, or the terminal was closed."""


def run_demo(*, given: Mapping[str, str]) -> int:
    """Start everything, run until asked to stop, stop everything. Returns the exit code. Raises StartError."""
    lock = HomeLock(var_folder() / "demo")
    if not lock.take():
        raise StartError(f"It runs already, as process {lock.holder()}. Stop that first (Ctrl-C there).")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _request_stop)
    demo = Demo(given)
    try:
        demo.start()
        demo.watch()
    except StopRequested:
        return 0
    finally:
        # From here nothing interrupts: every wait below has its bound.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        demo.stop()
        lock.free()


class Demo:
    """The servers, the application's processes and the file that says where they are."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self.var = var_folder()
        self.folder = self.var / "demo"
        _refuse_other_hosts(given)
        self.site = Site(port=_port(given))
        self.ready_file = self.var / "demo.json"
        self.servers = Servers(self.folder, given=given, is_throw_away=False)
        self.environment: dict[str, str] = {}
        self.supervisor = Supervisor(say=say)
        self.began = time.time()

    def start(self) -> None:
        """Raises StartError. Whoever calls this calls `stop` at the end, also after an error."""
        self.ready_file.unlink(missing_ok=True)
        self.servers.home.prepare()
        self._shorten_logs()
        self.servers.stop_leftovers()
        check_port(self.site.port)
        for server in self.servers.embedded:
            began = time.monotonic()
            self.supervisor.add(server)
            say(f"{server.name:<13} ready in {time.monotonic() - began:.1f} s")
        heads = self.folder / "heads"
        heads.mkdir(exist_ok=True)
        self.environment = {
            **self.servers.environment(var=self.var),
            # On the same disk it only shows what there is; an installation names a bucket or another machine.
            "REVIEWAPP_CHECKPOINT_DIR": str(heads),
            "REVIEWAPP_DEMO": "1",
            "PORT": str(self.site.port),
            "PYTHONUNBUFFERED": "1",
        }
        self._prepare_data()
        for service in self._services():
            self.supervisor.add(service)
            say(f"{service.name:<13} started")
        self._wait_until_ready()
        self._publish()

    def watch(self) -> NoReturn:
        """Run until somebody asks to stop. Raises StartError when a process cannot be kept alive."""
        was_ready, checked_at = True, time.monotonic()
        while True:
            time.sleep(POLL_SECONDS)
            self.supervisor.check()
            if time.monotonic() - checked_at > HEALTH_SECONDS:
                problem = self.site.problem()
                if was_ready != (problem is None):
                    say("ready again" if problem is None else f"not ready: {problem}")
                was_ready, checked_at = problem is None, time.monotonic()

    def stop(self) -> None:
        """Stop what runs, last started first, and say so."""
        self.ready_file.unlink(missing_ok=True)
        if self.supervisor.members:
            say("Stopping " + ", ".join(member.name for member in reversed(self.supervisor.members)) + ".")
        self.supervisor.stop()
        self.servers.stop_leftovers()
        say("Stopped. The data is kept in " + str(self.folder))

    def _prepare_data(self) -> None:
        """Migrate, load the sample, collect the files. A start that finds all of it done by this very code skips it.

        The mark lies in the data directory of our own server, so it cannot outlive what it speaks of.
        """
        mark = self.servers.postgres.data / "reviewapp.prepared" if self.servers.postgres else None
        is_done = mark is not None and mark.is_file() and mark.read_text(encoding="ascii") == preparation_digest()
        if is_done and (self.var / "sample.json").is_file() and static_is_fresh(self.var):
            say("data       prepared by an earlier start")
            return
        self._prepare_all()
        if mark is not None:
            mark.write_text(preparation_digest(), encoding="ascii")

    def _prepare_all(self) -> None:
        self._finish(self._manage("migrate", "--no-input", "-v", "0"))
        steps = []
        is_stale = not static_is_fresh(self.var)
        if is_stale:
            steps.append(self._manage("collectstatic", "--no-input", "-v", "0", *UNUSED_STATIC))
        steps.append(self._manage("load_sample", "--out", str(self.var / "sample.json")))
        for step in steps:
            self._finish(step)
        if is_stale:
            stamp_static(self.var)

    def _manage(self, *arguments: str) -> Service:
        """Begin one management command."""
        name = arguments[0]
        command = [sys.executable, "manage.py", *arguments]
        step = Service(name, command, self.environment, TREE, self.servers.home.logs / f"{name}.log")
        step.start()
        return step

    def _finish(self, step: Service) -> None:
        """Wait for its end. Raises StartError with the last it said; whatever else runs is found by its mark."""
        began = time.monotonic()
        code = step.process.wait() if step.process else 0
        step.stop()
        if code:
            raise StartError(
                f"manage.py {step.name} ended {ending(code)}. The end of {step.log}:\n{last_lines(step.log, 25)}"
            )
        say(f"{step.name:<13} done in {time.monotonic() - began:.1f} s")

    def _services(self) -> list[Service]:
        python = sys.executable
        celery = [python, "-m", "celery", "-A", "config"]
        beat = [*celery, "beat", "-l", "INFO", "-s", str(self.folder / "beat-schedule"), "--pidfile="]
        # Two of each on purpose: the smallest number that shows what happens between processes, and it fits two cores.
        worker = [*celery, "worker", "-l", "INFO", "-c", "2", "--without-gossip", "--without-mingle"]
        web = [python, "-m", "granian", "--interface", "wsgi", "--host", LOOPBACK, "--port", str(self.site.port)]
        web += ["--workers", "2", "--blocking-threads", "4", "--backlog", "1024", "--no-ws", "--http", "1"]
        web += ["--respawn-failed-workers", "--workers-kill-timeout", "8", "config.wsgi:application"]
        commands = {
            "sequencer": ([python, "manage.py", "run_sequencer"], 10.0),
            "worker": (worker, 20.0),
            "beat": (beat, 5.0),
            "web": (web, 12.0),
        }
        logs = self.servers.home.logs
        return [
            Service(name, command, self.environment, TREE, logs / f"{name}.log", grace_seconds=grace)
            for name, (command, grace) in commands.items()
        ]

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while problem := self.site.problem() or self.site.first_page_problem():
            self.supervisor.check()
            if time.monotonic() > deadline:
                log = self.servers.home.logs / "web.log"
                raise StartError(f"Not ready after {READY_SECONDS:.0f} s: {problem}\n{last_lines(log)}")
            time.sleep(POLL_SECONDS)

    def _publish(self) -> None:
        """Write the file for programs and say the same to people."""
        sample = json.loads((self.var / "sample.json").read_text(encoding="utf-8"))
        ready = {"url": self.site.url, **sample}
        fresh = self.ready_file.with_name(f"demo.json.{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(ready, file, indent=2, ensure_ascii=False)
        fresh.replace(self.ready_file)
        began = float(self.environment.get("REVIEWAPP_STARTED_AT") or self.began)
        say("")
        say(f"reviewapp is ready at {self.site.url}")
        say(f"First page after {time.time() - began:.1f} s, counted from `make demo`.")
        say("")
        for user in ready.get("users", []):
            say(f"  {user['username']:<12} {user['password']:<24} {', '.join(user['roles'])}")
        say("")
        say(
            "  Processes: "
            + ", ".join(f"{member.name} {member.process.pid}" for member in self.supervisor.members if member.process)
        )
        say(f"  Logs are in {self.servers.home.logs}, addresses and tokens in {self.ready_file}.")
        say("  Ctrl-C stops everything; the data stays for the next `make demo`. `make clean` removes it.")

    def _shorten_logs(self) -> None:
        for log in self.servers.home.logs.glob("*.log"):
            if log.stat().st_size > LARGEST_LOG_BYTES:
                log.replace(log.with_suffix(".log.1"))


def say(line: str) -> None:
    """One line for the person at the terminal; a closed terminal is no reason to stop."""
    try:
        print(line, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 (for the rest of this process)


def _port(given: Mapping[str, str]) -> int:
    text = given.get("PORT") or "8000"
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise StartError(f"PORT is {text!r}; it must be a number from 1 to 65535.")
    return int(text)


def _refuse_other_hosts(given: Mapping[str, str]) -> None:
    """The passwords of the demo are published: it listens on this machine only, and says so to whoever asks for more.

    A HOST that is a name, as some shells set it, is not a wish.
    """
    for name in ("HOST", "GRANIAN_HOST", "REVIEWAPP_HOST"):
        try:
            is_open = not ipaddress.ip_address(given.get(name, LOOPBACK)).is_loopback
        except ValueError:
            is_open = name != "HOST" and given[name] != "localhost"
        if is_open:
            raise StartError(
                f"{name} is {given[name]!r}, but the demo answers on {LOOPBACK} only: its passwords are published. "
                f"Unset {name}; to let others in, install it as the README says."
            )


def _request_stop(_number: int, _frame: FrameType | None) -> None:
    raise StopRequested
