"""`manage.py restore FILE`: into an empty database; what was erased since the backup is erased again."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reviewapp.compliance.services.backup import restore_backup
from reviewapp.lib.errors import DomainError


class Command(BaseCommand):
    """Runs as the owner of the database, with web, worker, beat and sequencer stopped."""

    help = "Restore FILE into an empty database and files folder, migrate, and apply the journal of erasures."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where from."""
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Says what came back, what went again, and what to expect of the sequencer."""
        try:
            restored = restore_backup(options["file"])
        except (DomainError, OSError) as error:
            raise CommandError(getattr(error, "detail", str(error))) from error
        again = restored.erasures
        self.stdout.write(
            f"Restored the backup of {restored.taken_at}: {restored.rows} rows, {restored.events} events of the log"
            f" with the root of the backup, {restored.files} files."
        )
        self.stdout.write(
            f"The journal holds {again.known} erasures; {again.came_back} had come back and were erased again"
            f" ({again.rows} rows, {again.payloads} payloads of events)."
        )
        self.stdout.write(
            "The sequencer refuses to sign when it has signed events that this backup does not hold. That is right:"
            " they are lost. Keep the old heads for the auditor, and begin a new log under another REVIEWAPP_ORIGIN."
        )
