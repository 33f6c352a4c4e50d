"""The commands of `python -m reviewapp.lib.devstack`."""

import argparse
import os
import sys
from collections.abc import Sequence

from reviewapp.lib.devstack.clean import remove_everything
from reviewapp.lib.devstack.demo import run_demo
from reviewapp.lib.devstack.errors import StartError
from reviewapp.lib.devstack.run import run_command


def main(arguments: Sequence[str]) -> int:
    """Run one command. Returns the exit code; what stops a start is said on the error stream."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.act(options))
    except StartError as error:
        print(f"devstack: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reviewapp.lib.devstack", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run a command with throw-away servers of its own")
    run.add_argument("--keep", action="store_true", help="keep the servers' folder, with logs and data")
    run.add_argument("command", nargs="+", metavar="CMD", help="after `--`: the command and its arguments")
    run.set_defaults(act=lambda options: run_command(options.command, given=os.environ, keep=options.keep))
    demo = commands.add_parser("demo", help="run the whole stack; its data stays")
    demo.set_defaults(act=lambda _options: run_demo(given=os.environ))
    clean = commands.add_parser("clean", help="stop what a killed start left, and remove all data that starts made")
    clean.set_defaults(act=lambda _options: remove_everything(given=os.environ))
    return parser
