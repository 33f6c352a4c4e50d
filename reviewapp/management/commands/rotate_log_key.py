"""`manage.py rotate_log_key`: prepare a new key for the audit log. Run it where the sequencer's keys are."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from reviewapp.audit.keys import prepare_successor
from reviewapp.lib.errors import Conflict


class Command(BaseCommand):
    """Writes a new private key beside the old one; the sequencer adopts it at its next step and signs with both."""

    help = "Prepare a new key for the audit log; the sequencer adopts it within seconds."

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 when a key waits already or the folder cannot be written."""
        try:
            key = prepare_successor(settings.KEYS_DIR, settings.LOG_ORIGIN)
        except (Conflict, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"The new key is ready. The sequencer adopts it at its next step; its public half is\n{key}\n"
            "Give this line to whoever verifies the log. log.vkey keeps every earlier one."
        )
