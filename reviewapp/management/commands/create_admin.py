"""`manage.py create_admin NAME`: the first admin of an installation. The password is asked for, or read from standard
input.
"""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from reviewapp.access.actors import system_actor
from reviewapp.access.matrix import Role
from reviewapp.access.services import create_user, grant_installation_role
from reviewapp.lib.errors import DomainError


class Command(BaseCommand):
    """Makes one person and gives them the installation's role admin."""

    help = "Create an admin of this installation."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The name to sign in with."""
        parser.add_argument("username")
        parser.add_argument("--display-name", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuses a weak password and a taken name with a sentence."""
        password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        actor = system_actor("create_admin")
        try:
            with transaction.atomic():
                user = create_user(
                    actor=actor,
                    username=options["username"],
                    password=password,
                    display_name=options["display_name"],
                )
                grant_installation_role(actor=actor, user=user, role=Role.ADMIN)
        except DomainError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(f"{user.username} can sign in and is admin of this installation.")
