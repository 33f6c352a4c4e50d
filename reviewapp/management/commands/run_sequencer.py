"""`manage.py run_sequencer`: the one process that orders the audit log. A second one waits for the first to end."""

from __future__ import annotations

import signal
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reviewapp.audit.notes import MalformedNote
from reviewapp.audit.sequencer import LogRewritten, run


class Command(BaseCommand):
    """Runs until SIGTERM or SIGINT. Standard output gets the newest signed head as JSON, at most once a minute."""

    help = "Order the audit log and sign checkpoints."

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 when the log does not extend what was signed."""
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        try:
            run(stop, say=self.stdout.write)
        except (LogRewritten, MalformedNote) as error:
            raise CommandError(error.detail) from error
