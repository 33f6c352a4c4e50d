"""`manage.py verify_audit`: recompute the whole log. Exit 0 well, 1 tampered, 2 cannot be checked."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from reviewapp.audit.notes import load_public_key
from reviewapp.audit.verify import verify_log


class Command(BaseCommand):
    """Says what was checked, or the first index or interval that is wrong."""

    help = "Verify the audit log against its hashes and signed heads."

    def handle(self, *args: Any, **options: Any) -> None:
        """Exits with the code named above."""
        try:
            public = load_public_key(settings.KEYS_DIR)
        except OSError as error:
            self.stderr.write(f"The public key of the log is not readable: {error}")
            raise SystemExit(2) from error
        found = verify_log(name=settings.LOG_ORIGIN, public=public)
        if found.problem:
            self.stderr.write(f"TAMPERED. {found.problem}")
            raise SystemExit(1)
        self.stdout.write(
            f"OK. {found.events} events, {found.checkpoints} signed heads, {found.erased} payloads erased by right."
        )
