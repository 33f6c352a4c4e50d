"""Twelve things that an owner of the database can do to the log, and what finds them.

Each is done in SQL to a log of eighteen events under three signed heads. `kept` is the newest head as somebody kept it
outside; "alone" is the database with the log's public key and nothing else. Two more cannot be found by anybody:
they are here so that nobody believes otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reviewapp.audit import notes
from reviewapp.audit.bundle import NothingSigned
from reviewapp.audit.merkle import CompactRange
from reviewapp.audit.models import Checkpoint
from reviewapp.audit.offline import verify as offline
from reviewapp.audit.verify import KnownHead, verify_log
from tests.audit.conftest import ORIGIN, unpacked, write
from tests.conftest import owner_connection

TABLES = ("event", "payload", "leaf", "checkpoint", "cosignature")
AT = "(SELECT event_id FROM audit.leaf WHERE idx = {})"
EDIT = "UPDATE audit.event SET env = replace(env, 'success', 'denied') WHERE id = " + AT.format(7) + ";"
FIX_LEAVES = """UPDATE audit.leaf l SET hash = sha256('\\x00'::bytea || convert_to(e.env, 'UTF8'))
    FROM audit.event e WHERE e.id = l.event_id;"""
FORGET = """DELETE FROM audit.payload WHERE event_id = {0};
    CREATE TEMP TABLE gone AS SELECT {0} AS id;
    DELETE FROM audit.leaf WHERE event_id IN (SELECT id FROM gone);
    DELETE FROM audit.event WHERE id IN (SELECT id FROM gone);"""
COPY_OF = """WITH made AS (INSERT INTO audit.event (eid, at, env) SELECT {eid}, at, {env} FROM audit.event
    WHERE id = (SELECT event_id FROM audit.leaf WHERE idx = 3) RETURNING id) """
FALSE_ID = "'11111111-1111-7111-8111-111111111111'"
FALSE_EVENT = COPY_OF.format(eid=FALSE_ID, env=f"replace(env, eid::text, {FALSE_ID})")
BACK_TO_12 = """DELETE FROM audit.checkpoint WHERE size > 12;
    CREATE TEMP TABLE late AS SELECT event_id FROM audit.leaf WHERE idx >= 12;
    DELETE FROM audit.leaf WHERE idx >= 12;
    DELETE FROM audit.payload WHERE event_id IN (SELECT event_id FROM late);
    DELETE FROM audit.event WHERE id IN (SELECT event_id FROM late);"""
ALL = """TRUNCATE audit.payload, audit.leaf, audit.checkpoint, audit.pending, audit.cosignature;
    DELETE FROM audit.event;"""


@dataclass(frozen=True)
class Mutation:
    """sql: what is done. key: signs the heads again, with the log's stolen key or one of one's own. kept, alone: what
    is said with and without a head kept outside; None when nothing is found.
    """

    sql: str
    kept: str | None
    alone: str | None
    key: str = ""
    is_sequenced: bool = False  # let the sequencer go on afterwards, unaware


TWELVE = {
    "edit an event": Mutation(EDIT, "Event 7 was changed", "Event 7 was changed"),
    "edit an event, fix its leaf hash": Mutation(
        EDIT + FIX_LEAVES, "between event 6 and event 11", "between event 6 and event 11"
    ),
    "edit, fix the hash, sign the heads again with the stolen key": Mutation(
        EDIT + FIX_LEAVES, "does not fit: the log was rewritten", None, key="stolen"
    ),
    "replace the heads, signed with a key of one's own": Mutation(
        EDIT + FIX_LEAVES, "does not carry the log's signature", "does not carry the log's signature", key="own"
    ),
    "delete an event": Mutation(FORGET.format(AT.format(9)), "Event 9 is missing", "Event 9 is missing"),
    "delete the tail": Mutation(FORGET.format(AT.format(17)), "its end was cut off", "its end was cut off"),
    "truncate everything": Mutation(ALL, "between event 0 and event 17 is gone", None),
    "swap two events": Mutation(
        """UPDATE audit.leaf SET idx = 100 - idx WHERE idx IN (4, 5); UPDATE audit.leaf SET idx = 4 WHERE idx = 95;
        UPDATE audit.leaf SET idx = 5 WHERE idx = 96;""",
        "between event 0 and event 5",
        "between event 0 and event 5",
    ),
    "insert a false event in the middle": Mutation(
        "UPDATE audit.leaf SET idx = idx + 1000 WHERE idx >= 8;"
        + "UPDATE audit.leaf SET idx = idx - 999 WHERE idx >= 1000;"
        + FALSE_EVENT
        + "INSERT INTO audit.leaf (idx, event_id, hash) SELECT 8, id, sha256('x') FROM made;"
        + "DELETE FROM audit.pending WHERE event_id = (SELECT max(event_id) FROM audit.pending);" + FIX_LEAVES,
        "between event 6 and event 11",
        "between event 6 and event 11",
    ),
    "replay an event": Mutation(
        "ALTER TABLE audit.event DROP CONSTRAINT event_eid_key; " + COPY_OF.format(eid="eid", env="env") + "SELECT 1;",
        "Event 19 repeats an earlier one",
        "Event 19 repeats an earlier one",
        is_sequenced=True,
    ),
    "edit a payload": Mutation(
        "UPDATE audit.payload SET data = '{}' WHERE event_id = " + AT.format(10) + ";",
        "payload of event 10 ",
        "payload of event 10 ",
    ),
    "restore an old copy": Mutation(BACK_TO_12, "between event 12 and event 17 is gone", None),
}  # fmt: skip
# Not part of the twelve: what nobody can find in the log, and what the outside must tell.
LIMITS = {
    "drop a waiting event before it has its place": Mutation(
        """CREATE TEMP TABLE young AS SELECT event_id AS id FROM audit.pending; DELETE FROM audit.pending;
        DELETE FROM audit.payload WHERE event_id IN (SELECT id FROM young);
        DELETE FROM audit.event WHERE id IN (SELECT id FROM young);""",
        None,
        None,
    ),
    "record an event that never happened": Mutation(
        FALSE_EVENT + "INSERT INTO audit.payload (event_id, salt, data) SELECT made.id, p.salt, p.data"
        " FROM made, audit.payload p WHERE p.event_id = " + AT.format(3) + ";",
        None,
        None,
        is_sequenced=True,
    ),
}  # fmt: skip
OTHERS = {
    "erase a payload without being asked": Mutation(
        "DELETE FROM audit.payload WHERE event_id = " + AT.format(10) + ";",
        "The payload of event 10 is gone, and no erasure in the log names it",
        "The payload of event 10 is gone, and no erasure in the log names it",
    ),
    "drop the waiting row of an event": Mutation(
        "DELETE FROM audit.pending;", "1 events have neither", "1 events have neither"
    ),
    "take the heads away": Mutation(
        "DELETE FROM audit.checkpoint WHERE size > 6;", "No signed head covers", "No signed head covers"
    ),
    "move an event's time in the column beside it": Mutation(
        "UPDATE audit.event SET at = at - interval '1 day' WHERE id = " + AT.format(10) + ";",
        "The column beside event 10 says another at",
        "The column beside event 10 says another at",
    ),
    "delete an event's text": Mutation(
        "ALTER TABLE audit.payload DROP CONSTRAINT payload_event_id_fkey;"
        " ALTER TABLE audit.leaf DROP CONSTRAINT leaf_event_id_fkey; DELETE FROM audit.event WHERE id = "
        + AT.format(10)
        + ";",
        "The text of event 10 is gone",
        "The text of event 10 is gone",
    ),
}


@pytest.fixture
def log(sequencer):
    """Eighteen events under heads of 6, 12 and 18; one more event waits."""
    for _ in range(3):
        write(6)
        sequencer.step()
    write(1)
    return sequencer


def sign_again(owner, signer):
    """New heads at the old sizes over whatever the leaves are now."""
    leaves = [bytes(row[0]) for row in owner.execute("SELECT hash FROM audit.leaf ORDER BY idx").fetchall()]
    for (size,) in owner.execute("SELECT size FROM audit.checkpoint").fetchall():
        root = CompactRange.of(leaves[:size]).root()
        note = notes.sign_note(notes.checkpoint_text(ORIGIN, size, root), [signer])
        owner.execute("UPDATE audit.checkpoint SET root = %s, note = %s WHERE size = %s", [root, note, size])


def tamper(log, database, mutation):
    """Do it as the owner of the tables, with the triggers off."""
    with owner_connection(database) as owner:
        for table in TABLES:
            owner.execute(f"ALTER TABLE audit.{table} DISABLE TRIGGER {table}_append_only")
        owner.execute("ALTER TABLE audit.pending DISABLE TRIGGER pending_no_update")
        owner.execute(mutation.sql.encode())
        if mutation.key:
            signer = log.signer if mutation.key == "stolen" else notes.Signer(ORIGIN, Ed25519PrivateKey.generate())
            sign_again(owner, signer)
    if mutation.is_sequenced:
        log.step()


def offline_code(folder, *arguments):
    """The exit code of the bundle's script over what the tampered database hands out."""
    try:
        unpacked(folder)
    except NothingSigned:
        return 1  # no bundle: that an auditor sees
    return offline.main([*arguments, "--", str(folder)])


def check(log, database, mutation, tmp_path):
    """(said with a kept head, said alone, offline with a kept head, offline alone)."""
    head = notes.read_note(Checkpoint.objects.latest("size").note)
    kept = tmp_path / "kept.txt"
    kept.write_text(Checkpoint.objects.latest("size").note)
    trusted = [log.signer.verifier]
    tamper(log, database, mutation)
    said = [
        verify_log(origin=ORIGIN, trusted=trusted, known=known).problem
        for known in ([KnownHead.of("kept.txt", head)], [])
    ]
    codes = [
        offline_code(tmp_path / f"bundle{number}", "--key", str(trusted[0]), *known)
        for number, known in enumerate((["--known", str(kept)], []))
    ]
    return said, codes


def agrees(said, expected):
    return said is None if expected is None else expected in (said or "")


@pytest.mark.parametrize("name", [*TWELVE, *LIMITS, *OTHERS])
def test_what_an_owner_of_the_database_does_is_found_or_known_not_to_be(
    log, committed_db, tmp_path, name, record_property
):
    mutation = {**TWELVE, **LIMITS, **OTHERS}[name]
    said, codes = check(log, committed_db, mutation, tmp_path)
    if name in TWELVE:
        line = f"{name:<62} {'found' if said[0] else 'NOT FOUND':<10} {'found' if said[1] else 'not found'}"
        record_property("tampering", line)
        print(line)
        assert (codes[0], mutation.kept is not None) == (1, True)
        assert codes[1] == (1 if mutation.alone or "truncate" in name else 0)
    assert agrees(said[0], mutation.kept), said
    assert agrees(said[1], mutation.alone), said


def test_the_twelve_are_twelve_and_three_need_a_kept_head():
    assert len(TWELVE) == 12
    assert sum(mutation.alone is None for mutation in TWELVE.values()) == 3


def test_the_same_log_untouched_is_found_whole(log, committed_db, tmp_path):
    """The control of the tests above."""
    said, codes = check(log, committed_db, Mutation("SELECT 1", None, None), tmp_path)
    assert (said, codes) == ([None, None], [0, 0])
