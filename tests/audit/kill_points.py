"""Change the log's key, dying at one file operation after another: run as a program by `test_key_rotation`.

`python -m tests.audit.kill_points KEYS_DIR ORIGIN` writes one line of JSON per point: the operation before which it
died, what was found at the moment of death, and what after the next start.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

OPERATIONS = {"open", "os.rename", "os.link", "os.remove"}
KILLED = 137


def in_child(act: Callable[[], Any], *, die_at: int = 0) -> tuple[int, str]:
    """(exit code, what `act` returned or the operation that was the last) of an act in a process of its own."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        with os.fdopen(reading) as told:
            said = told.read()
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said
    if die_at:
        sys.addaudithook(killer(die_at, writing))
    try:
        os.write(writing, json.dumps(act()).encode())
        os._exit(0)
    except BaseException as error:  # the parent must hear of it, whatever it is
        os.write(writing, repr(error).encode())
        os._exit(1)


def killer(die_at: int, writing: int) -> Callable[[str, tuple[Any, ...]], None]:
    """An audit hook that ends the process before its n-th operation on a file of the keys."""
    left = [die_at]

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in OPERATIONS and str(KEYS) in str(arguments[0]):
            left[0] -= 1
            if not left[0]:
                os.write(writing, f"{event} {Path(str(arguments[0])).name}".encode())
                os._exit(KILLED)

    return hook


def rotate() -> int:
    """Prepare a key, start the sequencer, take one step."""
    from reviewapp.audit import keys
    from reviewapp.lib.errors import Conflict

    with contextlib.suppress(Conflict):  # prepared before an earlier death
        keys.prepare_successor(KEYS, ORIGIN)
    return start_and_step()


def start_and_step() -> int:
    """What a supervisor does after a death."""
    from reviewapp.audit.sequencer import Sequencer

    sequencer = Sequencer(origin=ORIGIN, keys_dir=KEYS)
    sequencer.load()
    sequencer.heartbeat()
    sequencer.step()
    return sequencer.tree.size


def state() -> dict[str, Any]:
    """What an auditor finds who trusts the first key, the newest one, or the whole list."""
    from reviewapp.audit import keys
    from reviewapp.audit.chain import read_chain
    from reviewapp.audit.models import Event
    from reviewapp.audit.verify import verify_log

    listed = keys.load_verifier_keys(KEYS)
    chain = read_chain(trusted=listed)
    problems = [
        verify_log(origin=ORIGIN, trusted=trusted).problem for trusted in (listed, [chain.keys[0]], [chain.keys[-1]])
    ]
    return {
        "problems": problems,
        "rotations": len(chain.rotations),
        "events": Event.objects.filter(event="audit.key_rotated").count(),
        "listed": len(listed),
        "waiting": keys.successor(KEYS, ORIGIN) is not None,
        "signer": str(keys.load_signer(KEYS, ORIGIN).verifier),
        "newest": str(chain.keys[-1]),
    }


def main() -> None:
    """One line per point, until an attempt lives to its end."""
    django.setup()
    in_child(start_and_step)
    die_at, code = 0, KILLED
    while code == KILLED:
        die_at += 1
        code, told = in_child(rotate, die_at=die_at)
        found = in_child(state)[1]
        restarted = in_child(start_and_step)
        after = in_child(state)[1]
        line = {"code": code, "at": told, "found": found, "restart": restarted, "after": after}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    KEYS, ORIGIN = Path(sys.argv[1]), sys.argv[2]
    main()
