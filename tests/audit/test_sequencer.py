"""One process orders the log, signs it, and refuses to sign what does not extend the last head."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from django.conf import settings
from django.db import connection, transaction

from reviewapp.audit import notes
from reviewapp.audit.events import Event
from reviewapp.audit.merkle import CompactRange, leaf_hash
from reviewapp.audit.models import Checkpoint, Leaf, Pending
from reviewapp.audit.selectors import leaves_after, position
from reviewapp.audit.sequencer import LogRewritten, Sequencer
from reviewapp.audit.verify import verify_log
from tests.audit.conftest import ORIGIN, write
from tests.conftest import ROOT, environment_for, owner_connection


def verified(sequencer):
    return verify_log(origin=ORIGIN, trusted=[sequencer.signer.verifier])


def test_events_get_gapless_places_and_a_signed_head(sequencer):
    write(5)
    assert sequencer.step() == 5
    assert list(Leaf.objects.order_by("idx").values_list("idx", flat=True)) == [0, 1, 2, 3, 4]
    assert not Pending.objects.exists()
    head = Checkpoint.objects.get()
    assert notes.read_note(head.note).is_signed_by(sequencer.signer.verifier)
    assert verified(sequencer).problem is None


def test_a_later_commit_is_not_missed_by_who_reads_on(sequencer):
    write(2)
    sequencer.step()
    seen = position().leaf_index
    write(1)
    assert leaves_after(seen, events=(Event.HEARTBEAT,)) == []
    sequencer.step()
    assert [index for index, _ in leaves_after(seen, events=(Event.HEARTBEAT,))] == [2]


def wait_for_line(database):
    """Until the second process is connected: its signal handlers stand by then."""
    with owner_connection(database) as owner:
        for _ in range(300):
            asked = owner.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND usename = %s",
                [database, settings.DATABASE_SEQUENCER_USER],
            ).fetchone()
            if asked and asked[0]:
                return
            time.sleep(0.1)
    raise AssertionError("the second sequencer did not start")


def test_a_second_sequencer_waits_for_the_first(sequencer, committed_db):
    from threading import Event as Stop

    assert sequencer.acquire(Stop())
    child = subprocess.Popen(
        [sys.executable, "manage.py", "run_sequencer"],
        cwd=ROOT,
        env=environment_for(committed_db, REVIEWAPP_VAR=str(sequencer.keys_dir.parent)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_line(committed_db)
        write(1)
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(timeout=2)
        assert Pending.objects.count() == 1
    finally:
        child.terminate()
        assert child.wait(timeout=15) == 0


def test_the_sequencer_process_orders_and_signs(committed_db, tmp_path):
    write(3)
    child = subprocess.Popen(
        [sys.executable, "manage.py", "run_sequencer"],
        cwd=ROOT,
        env=environment_for(committed_db, REVIEWAPP_VAR=str(tmp_path)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            if Checkpoint.objects.filter(size__gte=3).exists():
                break
            with pytest.raises(subprocess.TimeoutExpired):
                child.wait(timeout=0.1)
        assert Checkpoint.objects.filter(size__gte=3).exists()
    finally:
        child.terminate()
        assert child.wait(timeout=15) == 0
    run = subprocess.run(
        [sys.executable, "manage.py", "verify_audit"],
        cwd=ROOT,
        env=environment_for(committed_db, REVIEWAPP_VAR=str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


LIE = "UPDATE audit.event SET env = replace(env, 'heartbeat', 'heartbeet') WHERE id ="
TAMPERING = {
    "edit": f"{LIE} (SELECT event_id FROM audit.leaf WHERE idx = 2)",
    "edit and hide": f"""{LIE} (SELECT event_id FROM audit.leaf WHERE idx = 2);
        UPDATE audit.leaf l SET hash = sha256('\\x00'::bytea || convert_to(e.env, 'UTF8'))
        FROM audit.event e WHERE e.id = l.event_id AND l.idx = 2""",
    "payload": "UPDATE audit.payload SET data = '{}' WHERE event_id = (SELECT event_id FROM audit.leaf WHERE idx = 1)",
    "delete": "DELETE FROM audit.leaf WHERE idx = 3",
    "cut the end": "DELETE FROM audit.leaf WHERE idx >= 3",
    "swap": "UPDATE audit.leaf SET idx = -idx - 1 WHERE idx IN (1, 2)",
    "checkpoint": "UPDATE audit.checkpoint SET root = sha256('x')",
}


@pytest.mark.parametrize("name", TAMPERING)
def test_tampering_by_the_owner_is_found(sequencer, committed_db, name):
    write(5)
    sequencer.step()
    with owner_connection(committed_db) as owner:
        for table in ("event", "payload", "leaf", "checkpoint"):
            owner.execute(f"ALTER TABLE audit.{table} DISABLE TRIGGER USER")
        owner.execute("ALTER TABLE audit.leaf DROP CONSTRAINT leaf_idx_check")
        owner.execute(TAMPERING[name].encode())
    assert verified(sequencer).problem is not None


def test_an_untouched_log_verifies(sequencer):
    """The control of the test above."""
    write(5)
    sequencer.step()
    assert verified(sequencer).problem is None


def test_an_erased_payload_leaves_the_log_whole(sequencer, committed_db):
    write(2)
    sequencer.step()
    with owner_connection(committed_db) as owner:
        owner.execute("SELECT audit.erase_payloads(ARRAY(SELECT event_id FROM audit.leaf WHERE idx = 0))")
    found = verified(sequencer)
    assert (found.problem, found.erased) == (None, 1)


def test_a_rewritten_log_is_not_signed(sequencer, committed_db):
    write(3)
    sequencer.step()
    with owner_connection(committed_db) as owner:
        owner.execute("ALTER TABLE audit.leaf DISABLE TRIGGER USER")
        owner.execute("DELETE FROM audit.leaf WHERE idx = 2")
    again = Sequencer(origin=ORIGIN, keys_dir=sequencer.keys_dir)
    with pytest.raises(LogRewritten):
        again.load()


def test_the_tree_head_is_that_of_rfc_6962():
    """The eight entries of the test vectors that implementations share, with the roots of sizes 1, 3 and 8."""
    entries = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    roots = {
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    tree = CompactRange()
    for entry in entries:
        tree.append(leaf_hash(bytes.fromhex(entry)))
        if tree.size in roots:
            assert tree.root().hex() == roots[tree.size]


def test_nobody_but_the_sequencer_places_events(cast):
    from django.db import DatabaseError

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit.pending")
