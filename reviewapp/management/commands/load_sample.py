"""`manage.py load_sample --out FILE`: the sample project, once. Only where the demo runs, which listens on loopback
alone.
"""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from reviewapp.access.models import Project
from reviewapp.demo.services import SLUG, is_loaded, load_sample, tokens
from reviewapp.lib.clock import utc_now


class Command(BaseCommand):
    """Writes who can sign in, and the tokens, to a file that only this user can read."""

    help = "Load the sample project once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to write sign-ins and tokens."""
        parser.add_argument("--out", required=True, type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Repeating it keeps data and file; a lost file gets fresh tokens."""
        if not settings.IS_LOOPBACK:
            raise CommandError("The sample has published passwords; it is loaded by `make demo` only.")
        out: Path = options["out"]
        if is_loaded() and out.exists():
            return
        if is_loaded():
            with transaction.atomic():
                sample = tokens(Project.objects.get(slug=SLUG))
        else:
            sample = load_sample(now=utc_now())
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(sample.as_dict(), file, indent=1)
