"""The drill: strings planted everywhere, found everywhere before the erasure, and nowhere after it.

Places: the whole database as plain SQL, Redis, the files, the logs of a web server and a worker, fresh exports and a
fresh bundle of the log. The log verifies all the while, and so does a bundle from before. Then a backup from before is
restored, which brings everything back, and the journal takes it away again.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client

from reviewapp.access.actors import SYSTEM, Actor
from reviewapp.access.matrix import Role
from reviewapp.access.services import grant_installation_role
from reviewapp.agreement.selectors import current_report
from reviewapp.agreement.services import refresh_due_reports
from reviewapp.audit.sequencer import Sequencer
from reviewapp.compliance.models import Erasure
from reviewapp.compliance.services.erasures import decide_erasure
from reviewapp.compliance.tasks import sweep_erasures
from reviewapp.exports.models import DatasetVersion
from reviewapp.exports.services import build_version
from reviewapp.grading.models import Grade
from tests.audit.conftest import run_verify, sequencer, unpacked
from tests.compliance.planting import (
    MARK,
    STRINGS,
    Planted,
    column_values,
    completed,
    dump,
    files_content,
    redis_content,
    subject_columns,
    transcript,
)
from tests.conftest import ROOT, Cast, _drop_database, _owner_sql, environment_for, make_person, service_api
from tests.fake_openai import fake_openai

__all__ = ["sequencer"]  # a fixture
# Where a planted word cannot stand: these are hashes, keys and passwords. They change or go all the same.
WITHOUT_WORDS = {
    "reviewapp.Output.content_sha256", "reviewapp.Output.input_sha256", "reviewapp.Review.body_sha256",
    "reviewapp.Verdict.content_sha256", "reviewapp.User.password", "sessions.Session.session_key",
    "sessions.Session.session_data", "usersessions.UserSession.session_key", "reviewapp.GuardrailHit.spans",
}  # fmt: skip


@pytest.fixture(autouse=True)
def folders(settings: Any, tmp_path: Path) -> None:
    """What the web server and the worker of this test use too."""
    settings.FILES_DIR = tmp_path / "files"
    settings.ERASURES_DIR = tmp_path / "erasures"
    settings.JUDGE_ALLOW_LOOPBACK = True


@pytest.fixture
def anna(committed_cast: Cast) -> Actor:
    """A second admin of the installation."""
    person = make_person("anna")
    grant_installation_role(actor=SYSTEM, user=person.person, role=Role.ADMIN)
    return person


def erased_by_a_worker(database: str, folder: Path) -> None:
    """A real Celery worker carries out what is approved."""
    command = [sys.executable, "-m", "celery", "-A", "config.celery:app", "worker", "-c", "1", "-l", "INFO"]
    environment = environment_for(database, REVIEWAPP_VAR=str(folder))
    with (folder / "worker.log").open("ab") as log:
        worker = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        until = time.monotonic() + 90
        while Erasure.objects.filter(state__in=["approved", "running"]).exists():
            assert time.monotonic() < until, (folder / "worker.log").read_text()[-3000:]
            sweep_erasures.delay()  # what beat does every ten seconds
            time.sleep(0.5)
    finally:
        os.killpg(worker.pid, signal.SIGTERM)
        worker.wait(timeout=30)


def found_in(*contents: bytes) -> list[str]:
    """The planted strings that stand in any of these."""
    return [one for one in STRINGS if any(one.encode() in content for content in contents)]


def fresh_exports(cast: Cast) -> bytes:
    """A new version of each dataset, downloaded in every format, and the log as JSON lines."""
    api, taken = service_api(cast), []
    for slug in ("gold", "people"):
        number = api.post(f"datasets/{slug}/versions/").body["number"]
        row = DatasetVersion.objects.get(dataset__slug=slug, number=number)
        build_version(version_id=row.pk)
        for format in ("jsonl", "csv", "jsonl-raw"):
            answer = api.get(f"datasets/{slug}/versions/{number}/download/?format={format}")
            assert answer.status == 200, answer.raw
            taken.append(answer.raw)
    log = api.get("/api/v1/audit/export/?format=jsonl")
    assert log.status == 200
    return b"\n".join([*taken, log.raw])


def web_log(address: str, cast: Cast, folder: Path) -> bytes:
    """What a real web server writes while planted strings pass through it, and where they make an error."""
    api = service_api(cast)
    for path, body in (
        ("outputs/", {"external_id": "x" * 300, "input": f"{MARK}input", "end_user_id": f"{MARK}enduser-7f3a"}),
        ("signals/", {"external_id": f"{MARK}enduser-7f3a/none", "kind": "edit", "value": f"{MARK}signal"}),
        ("outputs/", {"external_id": "bad\u0000", "input": f"{MARK}input", "output": f"{MARK}output"}),
    ):
        request = urllib.request.Request(
            f"{address}{api.base}{path}",
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {api.token}", "Content-Type": "application/json"},
        )
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(request, timeout=20)
    return (folder / "web.log").read_bytes()


def grades_and_counts() -> tuple[list[Any], int]:
    chosen = Grade.objects.filter(criterion__kind="binary").order_by("pk").values_list("pk", "value")
    return list(chosen), Grade.objects.count()


def test_what_was_planted_everywhere_is_found_nowhere_after_the_erasure(
    committed_db: str, committed_cast: Cast, anna: Actor, sequencer: Sequencer, served: str, tmp_path: Path
):
    with fake_openai(transcript) as server:
        planted = Planted(committed_cast, server)
    sequencer.step()
    refresh_due_reports(actor=SYSTEM)  # a stored report names its reviewers
    requests = planted.requests(anna)
    sequencer.step()

    # Before: every string is there, in every column that the register calls a subject's.
    assert found_in(dump(committed_db, tmp_path)) == list(STRINGS)
    assert found_in(files_content(tmp_path / "files")) != []
    before = {one: column_values(*one) for one in subject_columns()}
    unplanted = [
        f"{table}.{column}"
        for (table, column), values in before.items()
        if not any(MARK in text or "10.77" in text for text in values.values())
    ]
    assert sorted(unplanted) == sorted(WITHOUT_WORDS)
    old_bundle = unpacked(tmp_path / "old-bundle")
    assert found_in(files_content(old_bundle)) != []
    measured, agreement = (
        grades_and_counts(),
        current_report(viewer=SYSTEM, queue=committed_cast.project.queues.get(slug="own")),
    )
    backup = tmp_path / "before.backup"
    environment = environment_for(committed_db, REVIEWAPP_VAR=str(tmp_path))
    completed([sys.executable, "manage.py", "backup", str(backup)], cwd=ROOT, env=environment)

    for erasure, second in requests:
        decide_erasure(actor=second, erasure=erasure, approve=True, note=f"{MARK}reason checked")
    erased_by_a_worker(committed_db, tmp_path)
    sequencer.step()

    # After: nowhere.
    exports = fresh_exports(committed_cast)
    sequencer.step()
    bundle = files_content(unpacked(tmp_path / "new-bundle"))
    logs = web_log(served, committed_cast, tmp_path) + (tmp_path / "worker.log").read_bytes()
    assert found_in(dump(committed_db, tmp_path)) == []
    assert found_in(redis_content()) == []
    assert found_in(files_content(tmp_path / "files"), files_content(tmp_path / "erasures")) == []
    assert found_in(logs) == []
    assert found_in(exports, bundle) == []
    unchanged = [
        f"{table}.{column}"
        for (table, column), values in before.items()
        if values and not any(column_values(table, column).get(key) != text for key, text in values.items())
    ]
    assert unchanged == []

    # What was measured did not move, and the log verifies, as does the bundle from before.
    assert grades_and_counts() == measured
    again = current_report(viewer=SYSTEM, queue=committed_cast.project.queues.get(slug="own"))
    assert [one["statistics"] for one in again["criteria"]] == [one["statistics"] for one in agreement["criteria"]]
    verified = completed([sys.executable, "manage.py", "verify_audit"], cwd=ROOT, env={
        **environment, "REVIEWAPP_KEYS": str(tmp_path / "keys"), "REVIEWAPP_ORIGIN": sequencer.origin,
    })  # fmt: skip
    assert "OK" in verified
    assert run_verify(old_bundle).returncode == 0
    assert run_verify(tmp_path / "new-bundle").returncode == 0

    # The versions whose files went say so.
    gone = service_api(committed_cast).get("datasets/gold/versions/1/download/?format=jsonl")
    assert (gone.status, gone.body["type"]) == (410, "urn:reviewapp:problem:withdrawn")
    page = Client()
    page.force_login(committed_cast.max.person, backend="allauth.account.auth_backends.AuthenticationBackend")
    shown = page.get("/p/halyard/datasets/gold/").content.decode()
    assert "Withdrawn" in shown
    assert "were erased on" in shown

    # A backup from before brings everything back; the journal takes it away again.
    restored = f"reviewapp_restored_{uuid4().hex[:12]}"
    _owner_sql(f'CREATE DATABASE "{restored}"')
    try:
        into = environment_for(restored, REVIEWAPP_VAR=str(tmp_path), REVIEWAPP_FILES=str(tmp_path / "files-again"))
        said = completed([sys.executable, "manage.py", "restore", str(backup)], cwd=ROOT, env=into)
        assert "holds 3 erasures; 3 had come back" in said, said
        assert found_in(dump(restored, tmp_path)) == []
        assert found_in(files_content(tmp_path / "files-again")) == []
        said = completed([sys.executable, "manage.py", "reapply_erasures"], cwd=ROOT, env=into)
        assert "0 had come back" in said, said
        refused = subprocess.run(
            [sys.executable, "manage.py", "restore", str(backup)],
            cwd=ROOT, env=into, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (refused.returncode, "is not empty" in refused.stderr) == (1, True)
    finally:
        connection.close()
        _drop_database(restored)
