"""`manage.py verify_audit`: recompute the log, or check a bundle. Exit 0 well, 1 tampered, 2 cannot be checked."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError

from reviewapp.audit.keys import load_verifier_keys, read_head
from reviewapp.audit.notes import VerifierKey, read_notes
from reviewapp.audit.offline import verify as offline
from reviewapp.audit.verify import KnownHead, Verification, verify_log
from reviewapp.lib.errors import DomainError

BUNDLE_FILES = {"events.jsonl", "checkpoints.txt", "log.vkey", "proofs.jsonl"}


class Command(BaseCommand):
    """Says what was checked, or the first index or interval that is wrong."""

    help = "Verify the audit log, or a bundle of it, against its hashes, its signed heads and heads kept elsewhere."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Both may be left out."""
        parser.add_argument("--bundle", metavar="DIR_or_ZIP", help="check this bundle and not the database")
        parser.add_argument(
            "--known",
            metavar="FILE",
            action="append",
            default=[],
            help="signed heads kept elsewhere: C2SP notes, or the answer of GET /api/v1/audit/checkpoint",
        )
        parser.add_argument(
            "--key", metavar="VKEY", action="append", default=[], help="trust this key instead of those in log.vkey"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Exits with the code named above."""
        if options["bundle"]:
            raise SystemExit(self._check_bundle(Path(options["bundle"]), options))
        try:
            known = [KnownHead.of(path, note) for path in options["known"] for note in read_notes(_text(path))]
            trusted = [VerifierKey.parse(line) for line in options["key"]] or load_verifier_keys(settings.VERIFIER_DIR)
            found = verify_log(origin=settings.LOG_ORIGIN, trusted=trusted, known=[*known, *_own_head()])
        except (DomainError, OSError, ValueError, DatabaseError) as error:
            self.stderr.write(f"CANNOT BE CHECKED. {error}")
            raise SystemExit(2) from error
        self._report(found)

    def _check_bundle(self, bundle: Path, options: dict[str, Any]) -> int:
        """The exit code of the bundle's own script, which is this house's file and not the one in the zip."""
        arguments = [part for name in ("known", "key") for value in options[name] for part in (f"--{name}", value)]
        if bundle.is_dir():
            return offline.main([*arguments, "--", str(bundle)])
        with tempfile.TemporaryDirectory(prefix="reviewapp-bundle-") as folder:
            try:
                _unpack(bundle, folder)
            except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, zlib.error) as error:
                self.stderr.write(f"CANNOT BE CHECKED. {bundle} is not a readable zip file: {error}")
                return 2
            return offline.main([*arguments, "--", folder])

    def _report(self, found: Verification) -> None:
        if found.problem:
            self.stderr.write(f"TAMPERED. {found.problem}")
            raise SystemExit(1)
        self.stdout.write(
            f"OK. {found.events} events, {found.checkpoints} signed heads, {found.known} heads kept elsewhere,"
            f" {found.erased} payloads erased by right."
        )


def _unpack(archive: Path, folder: str) -> None:
    """The files of a bundle, and only those: whatever else a zip holds stays in it. Raises BadZipFile, OSError."""
    with zipfile.ZipFile(archive) as packed:
        for name in BUNDLE_FILES & set(packed.namelist()):
            with packed.open(name) as source, Path(folder, name).open("wb") as target:
                shutil.copyfileobj(source, target)


def _text(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


def _own_head() -> list[KnownHead]:
    """The head that the sequencer keeps beside its keys, when this runs where it can be read."""
    try:
        size, root = read_head(settings.KEYS_DIR)
    except PermissionError:
        return []
    return [KnownHead("the sequencer's own log.head", size, root)] if size else []
