"""A backup is one file that says what is in it; a restore takes only that, and only into nothing."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.conftest import ROOT, Cast, _drop_database, _owner_sql, environment_for, service_api


@pytest.fixture
def empty() -> Iterator[str]:
    """An empty database."""
    name = f"reviewapp_empty_{uuid4().hex[:12]}"
    _owner_sql(f'CREATE DATABASE "{name}"')
    yield name
    _drop_database(name)


def manage(database: str, folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code, and what was said on both streams."""
    run = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT, env=environment_for(database, REVIEWAPP_VAR=str(folder)), capture_output=True, text=True, check=False,
    )  # fmt: skip
    return run.returncode, run.stdout + run.stderr


def test_what_was_backed_up_comes_back_whole_and_anything_else_is_refused(
    committed_db: str, committed_cast: Cast, empty: str, tmp_path: Path
):
    api = service_api(committed_cast)
    assert api.post("outputs/", {"external_id": "req-1", "input": "in", "output": "out"}).body["accepted"] == 1
    here, there, file = tmp_path / "here", tmp_path / "there", tmp_path / "a.backup"
    for folder in (here / "files" / "halyard", there):
        folder.mkdir(parents=True)
    (here / "files" / "halyard" / "labels.jsonl").write_text("{}\n")
    code, said = manage(committed_db, here, "backup", str(file))
    assert (code, "1 files" in said) == (0, True), said
    assert file.stat().st_mode & 0o077 == 0
    code, said = manage(committed_db, here, "backup", str(file))
    assert (code, "never writes over another" in said) == (1, True)

    for name, wrong, why in (
        ("garbage", b"not a tar", "cannot be read as a backup"),
        ("changed", changed(file), "was changed"),
    ):
        path = tmp_path / name
        path.write_bytes(wrong)
        code, said = manage(empty, there, "restore", str(path))
        assert (code, why in said, "Traceback" in said) == (1, True, False), said

    code, said = manage(empty, there, "restore", str(file))
    assert (code, "with the root of the backup" in said) == (0, True), said
    assert (there / "files" / "halyard" / "labels.jsonl").read_text() == "{}\n"
    code, said = manage(empty, there, "restore", str(file))
    assert (code, "is not empty" in said) == (1, True)
    code, said = manage(empty, there, "migrate", "--check")
    assert code == 0, said


def changed(file: Path) -> bytes:
    """The same backup with one byte of the dump turned."""
    out = io.BytesIO()
    with tarfile.open(file) as old, tarfile.open(fileobj=out, mode="w") as new:
        for entry in old:
            source = old.extractfile(entry)
            data = bytearray(source.read()) if source else bytearray()
            if entry.name == "database.dump":
                data[-1] ^= 1
            new.addfile(entry, io.BytesIO(bytes(data)))
    return out.getvalue()


def test_the_manifest_counts_every_table_of_both_schemas(committed_db: str, committed_cast: Cast, tmp_path: Path):
    file = tmp_path / "a.backup"
    assert manage(committed_db, tmp_path, "backup", str(file))[0] == 0
    with tarfile.open(file) as archive:
        source = archive.extractfile("manifest.json")
        assert source is not None
        manifest = json.load(source)
    assert manifest["rows"]["public.reviewapp_user"] == 8
    assert manifest["rows"]["audit.event"] == manifest["rows"]["audit.payload"] > 8
    assert manifest["log"]["size"] == 0
