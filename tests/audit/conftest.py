"""A log of one's own, with keys, that a test can go on writing."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import transaction

from reviewapp.access.actors import SYSTEM
from reviewapp.audit.bundle import stream_bundle
from reviewapp.audit.events import Event
from reviewapp.audit.sequencer import Sequencer
from reviewapp.audit.services import Change, Subject, record
from tests.conftest import owner_connection

ORIGIN = "tests.local/audit"


def write(count: int, project: str | None = None) -> None:
    """Some events, each in its own transaction."""
    for number in range(count):
        with transaction.atomic():
            record(
                actor=SYSTEM,
                event=Event.HEARTBEAT,
                subject=Subject("log", str(number), project=project),
                change=Change(reason=f"reason {number}"),
            )


@pytest.fixture
def sequencer(committed_db, tmp_path, settings):
    """A sequencer with keys of its own. The test's connection is the app's, with the sequencer's rights."""
    with owner_connection(committed_db) as owner:
        app = django_settings.DATABASE_APP_USER
        owner.execute(f'GRANT INSERT ON audit.leaf, audit.checkpoint TO "{app}"')
        owner.execute(f'GRANT DELETE ON audit.pending TO "{app}"')
    settings.LOG_ORIGIN = ORIGIN
    settings.KEYS_DIR = settings.VERIFIER_DIR = tmp_path / "keys"
    made = Sequencer(origin=ORIGIN, keys_dir=tmp_path / "keys")
    made.load()
    return made


def unpacked(folder: Path, *, projects=None, since=None, until=None) -> Path:
    """A bundle of the log in a folder."""
    data = b"".join(stream_bundle(projects=projects, since=since, until=until))
    with zipfile.ZipFile(BytesIO(data)) as archive:
        archive.extractall(folder)
    return folder


def run_verify(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The bundle's own script in a bare interpreter: no site packages, no environment."""
    return subprocess.run(
        [sys.executable, "-I", "-S", "verify.py", *arguments],
        cwd=folder,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
