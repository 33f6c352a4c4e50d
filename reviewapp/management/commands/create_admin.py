"""`manage.py create_admin NAME`: the first admin of an installation.

The password is asked for, or read from standard input; with `--link` a one-time link is printed instead, and whoever
opens it sets the password.
"""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.urls import reverse

from reviewapp.access.actors import system_actor
from reviewapp.access.invitations import invite_user
from reviewapp.access.matrix import Role
from reviewapp.access.services import create_user, grant_installation_role
from reviewapp.lib.errors import DomainError

ACTOR = system_actor("create_admin")


def _own_address() -> str:
    """Where this installation answers, as far as its settings know."""
    host = next((host for host in settings.ALLOWED_HOSTS if host != "*"), "localhost").lstrip(".")
    return f"http://{host}:8000" if settings.IS_LOOPBACK else f"https://{host}"


class Command(BaseCommand):
    """Makes one person and gives them the installation's role admin."""

    help = "Create an admin of this installation."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The name to sign in with."""
        parser.add_argument("username")
        parser.add_argument("--display-name", default="")
        parser.add_argument(
            "--link", action="store_true", help="print a one-time link instead of asking for a password"
        )
        parser.add_argument("--address", default="", help="the address of this installation, for the printed link")

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuses a weak password and a taken name with a sentence."""
        if options["link"]:
            self._by_link(**options)
        else:
            self._by_password(**options)

    def _by_link(self, *, username: str, display_name: str, address: str, **_: Any) -> None:
        try:
            with transaction.atomic():
                made = invite_user(
                    actor=ACTOR,
                    username=username,
                    display_name=display_name,
                    reason="first admin, from the command line",
                )
                grant_installation_role(actor=ACTOR, user=made.invitation.user, role=Role.ADMIN)
        except DomainError as error:
            raise CommandError(error.detail) from error
        path = reverse("access:invite", args=[made.secret])
        self.stdout.write(
            f"{username} becomes admin of this installation by opening this link once, within seven days:"
        )
        self.stdout.write(f"{(address or _own_address()).rstrip('/')}{path}")

    def _by_password(self, *, username: str, display_name: str, **_: Any) -> None:
        password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        try:
            with transaction.atomic():
                user = create_user(actor=ACTOR, username=username, password=password, display_name=display_name)
                grant_installation_role(actor=ACTOR, user=user, role=Role.ADMIN)
        except DomainError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(f"{user.username} can sign in and is admin of this installation.")
