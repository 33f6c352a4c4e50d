"""`manage.py backup FILE`: the database, the dataset files and a manifest in one file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reviewapp.compliance.services.backup import write_backup
from reviewapp.lib.errors import DomainError


class Command(BaseCommand):
    """Runs as the owner of the database, beside the running installation."""

    help = "Write a backup to FILE, which must not exist yet. Keys and the journal of erasures are not in it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to."""
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Says what is in it."""
        try:
            written = write_backup(options["file"])
        except (DomainError, OSError) as error:
            raise CommandError(getattr(error, "detail", str(error))) from error
        self.stdout.write(
            f"{options['file']}: {written.rows} rows, {written.events} events of the log, {written.files} files,"
            f" {written.bytes} bytes. Keep the folder of the erasures' journal elsewhere, and longer than any backup."
        )
