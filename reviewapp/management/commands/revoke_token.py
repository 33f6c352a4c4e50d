"""`manage.py revoke_token PREFIX`: end an API token at once, from the machine itself."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reviewapp.access.actors import system_actor
from reviewapp.access.models import ApiToken
from reviewapp.access.tokens import revoke_token

ACTOR = system_actor("revoke_token")


class Command(BaseCommand):
    """Names the token by its public part, which logs, the audit and secret scanners show."""

    help = "End an API token at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The eight characters after `rva_`, or as much of the token as was found."""
        parser.add_argument("prefix", help="the eight characters after rva_")
        parser.add_argument("--reason", default="", help="why, for the audit log")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError for a prefix that no token has."""
        prefix = options["prefix"].removeprefix("rva_").partition("_")[0]
        token = ApiToken.objects.select_related("owner", "project").filter(prefix=prefix).first()
        if token is None:
            raise CommandError(f"No token begins with rva_{prefix}_.")
        if token.revoked_at is not None:
            self.stdout.write(f"{token} was revoked before, at {token.revoked_at:%Y-%m-%d %H:%M:%S} UTC.")
            return
        revoke_token(actor=ACTOR, token=token, reason=options["reason"])
        self.stdout.write(f"{token} of {token.owner} is revoked.")
