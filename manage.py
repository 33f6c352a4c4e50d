#!/usr/bin/env python3
"""Django's commands. Those that change tables run as the owner of the database, the sequencer as its own role."""

import os
import sys

ROLE_OF_COMMAND = {
    "migrate": "owner",
    "create_roles": "owner",
    "backup": "owner",
    "restore": "owner",
    "run_sequencer": "sequencer",
}


def main() -> None:
    """Run one command as the database role that it needs (DATABASE_ROLE in the environment wins)."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    os.environ.setdefault("DATABASE_ROLE", ROLE_OF_COMMAND.get(command, "app"))
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
