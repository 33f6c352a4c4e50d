"""`manage.py reapply_erasures`: after a restore by other means than `manage.py restore`. Safe to repeat."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reviewapp.compliance.services.reapplying import reapply_erasures
from reviewapp.lib.errors import DomainError


class Command(BaseCommand):
    """Reads the journal, which holds digests and no names, and erases again whoever is found under one of them."""

    help = "Erase again what a restored backup brought back, as the journal of erasures says."

    def handle(self, *args: Any, **options: Any) -> None:
        """Says what it did."""
        try:
            again = reapply_erasures()
        except (DomainError, OSError) as error:
            raise CommandError(getattr(error, "detail", str(error))) from error
        self.stdout.write(
            f"The journal holds {again.known} erasures; {again.came_back} had come back and were erased again"
            f" ({again.rows} rows, {again.payloads} payloads of events)."
        )
