"""Backup and restore: one file with the database, the dataset files and a manifest to check both by.

A tar of `manifest.json`, `database.dump` (custom format of pg_dump) and `files/…`. The log's keys and the journal of
erasures are not in it: a key beside the log it signs proves nothing, and the journal must outlive every backup.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
import tempfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection, transaction

from reviewapp.audit.merkle import CompactRange
from reviewapp.compliance.services.reapplying import Reapplied, reapply_erasures
from reviewapp.exports.services.files import files_root
from reviewapp.lib import pgprograms
from reviewapp.lib.clock import rfc3339, utc_now
from reviewapp.lib.errors import Conflict, Malformed

FORMAT = "reviewapp-backup-1"
BATCH = 10_000


@dataclass(frozen=True)
class Written:
    """What a backup holds."""

    rows: int
    events: int
    files: int
    bytes: int


@dataclass(frozen=True)
class Restored:
    """What a restore brought back, and what it erased again."""

    taken_at: str
    rows: int
    events: int
    files: int
    erasures: Reapplied


def write_backup(target: Path) -> Written:
    """Write a backup to a file that does not exist yet. Raises Conflict, ProgramFailed, OSError.

    Counts and dump are of one snapshot; the files of versions in it are complete, since a version is frozen after them.
    """
    if target.exists():
        raise Conflict(f"{target} is there already; a backup never writes over another.")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as folder:
        work = Path(folder)
        dump, part = work / "database.dump", work / "backup.tar"
        manifest = _dump(dump)
        with tarfile.open(part, "w") as archive:
            archive.add(dump, "database.dump")
            manifest["files"] = _add_files(archive)
            raw = json.dumps(manifest, indent=1).encode()
            entry = tarfile.TarInfo("manifest.json")
            entry.size = len(raw)
            archive.addfile(entry, BytesIO(raw))
        part.chmod(0o600)
        part.rename(target)
    return Written(sum(manifest["rows"].values()), manifest["log"]["size"], manifest["files"], target.stat().st_size)


@transaction.atomic(durable=True)
def _dump(path: Path) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        snapshot = cursor.fetchone()[0]
        # The transaction only holds the snapshot while pg_dump reads it, and counting takes as long as it takes.
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SET LOCAL statement_timeout = 0")
    arguments = ["--format=custom", f"--snapshot={snapshot}", f"--file={path}"]
    pgprograms.run("pg_dump", arguments, database=connection.settings_dict, server_major=_server_major())
    return {
        "format": FORMAT,
        "taken_at": rfc3339(utc_now()),
        "dump_sha256": _sha256(path),
        "rows": _row_counts(),
        "log": _log_head(),
    }


def _add_files(archive: tarfile.TarFile) -> int:
    """Every file below the files folder that is whole; workshops of builds under way begin with a dot."""
    root, n = files_root(), 0
    for path in sorted(root.rglob("*")) if root.is_dir() else []:
        inside = path.relative_to(root)
        if path.is_file() and not any(part.startswith(".") for part in inside.parts):
            archive.add(path, f"files/{inside}")
            n += 1
    return n


def restore_backup(source: Path) -> Restored:
    """Restore into an empty database and an empty files folder, migrate, and erase again what the journal says.

    Raises Conflict when either is not empty, Malformed for a file that is no backup of ours or was changed,
    ProgramFailed. The database's roles must exist (`manage.py create_roles`): the rights come with the dump.
    """
    _require_empty()
    with tempfile.TemporaryDirectory(prefix="reviewapp-restore-") as folder:
        work = Path(folder)
        manifest = _unpack(source, work)
        arguments = ["--no-owner", "--exit-on-error", "--single-transaction", f"--dbname={_name()}"]
        arguments.append(str(work / "database.dump"))
        pgprograms.run("pg_restore", arguments, database=connection.settings_dict, server_major=_server_major())
        _check_rows(manifest)
        files = _place_files(work / "files")
    call_command("migrate", verbosity=0)
    erasures = reapply_erasures()
    return Restored(manifest["taken_at"], sum(manifest["rows"].values()), manifest["log"]["size"], files, erasures)


def _require_empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname IN ('public', 'audit')")
        tables = cursor.fetchone()[0]
    if tables:
        raise Conflict(
            f"The database {_name()} is not empty ({tables} tables), and a restore writes over nothing. Create an empty"
            " one (CREATE DATABASE …; manage.py create_roles) and name it in DATABASE_OWNER_URL and DATABASE_URL."
        )
    root = files_root()
    if root.is_dir() and any(root.iterdir()):
        raise Conflict(f"The files folder {root} is not empty. Move it away, or name another one in REVIEWAPP_FILES.")


def _unpack(source: Path, work: Path) -> dict[str, Any]:
    try:
        with tarfile.open(source, "r:") as archive:
            archive.extractall(work, filter="data")
        manifest: dict[str, Any] = json.loads((work / "manifest.json").read_text())
    except (tarfile.TarError, OSError, ValueError) as error:
        raise Malformed(f"{source} cannot be read as a backup: {error}") from error
    if manifest.get("format") != FORMAT:
        raise Malformed(f"{source} is no backup of the format {FORMAT}.")
    if _sha256(work / "database.dump") != manifest["dump_sha256"]:
        raise Malformed(f"{source} was changed: the dump does not have the hash that the manifest names.")
    return manifest


@transaction.atomic
def _check_rows(manifest: dict[str, Any]) -> None:
    """The restored tables against the manifest. Raises Malformed with the first that differs."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
    found = _row_counts()
    for table, n in manifest["rows"].items():
        if found.get(table) != n:
            raise Malformed(f"{table} holds {found.get(table)} rows after the restore, the backup had {n}.")
    if _log_head() != manifest["log"]:
        raise Malformed("The log has another root after the restore than in the backup.")


def _place_files(unpacked: Path) -> int:
    root, n = files_root(), 0
    for path in sorted(unpacked.rglob("*")) if unpacked.is_dir() else []:
        if path.is_file():
            place = root / path.relative_to(unpacked)
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.replace(place) if place.parent.stat().st_dev == path.stat().st_dev else _copy(path, place)
            n += 1
    return n


def _copy(path: Path, place: Path) -> None:
    part = place.with_name(f".{place.name}.part")
    part.write_bytes(path.read_bytes())
    part.replace(place)


def _row_counts() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname IN ('public', 'audit') ORDER BY 1"
        )
        tables = [row[0] for row in cursor.fetchall()]
        counts = {}
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 (a name that PostgreSQL itself quoted)
            counts[table] = cursor.fetchone()[0]
    return counts


def _log_head() -> dict[str, Any]:
    """Size and root of the tree over the leaves."""
    tree = CompactRange()
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT hash FROM audit.leaf WHERE idx >= %s ORDER BY idx LIMIT %s", [tree.size, BATCH])
            rows = cursor.fetchall()
            if not rows:
                return {"size": tree.size, "root": tree.root().hex()}
            for (value,) in rows:
                tree.append(bytes(value))


def _server_major() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        return int(cursor.fetchone()[0]) // 10_000


def _name() -> str:
    return str(connection.settings_dict["NAME"])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
