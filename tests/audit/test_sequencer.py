"""One process orders the log, signs it, and refuses to sign what does not extend the last head."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from threading import Event as Stop

import pytest
from django.conf import settings
from django.db import connection, transaction

from reviewapp.access.actors import SYSTEM
from reviewapp.audit import notes
from reviewapp.audit.events import Event
from reviewapp.audit.models import Checkpoint, Leaf, Pending
from reviewapp.audit.models import Event as EventRow
from reviewapp.audit.selectors import leaves_after, position
from reviewapp.audit.sequencer import HEARTBEAT_SECONDS, LogRewritten, Sequencer, run
from reviewapp.audit.services import Change, Subject, record
from reviewapp.audit.verify import verify_log
from tests.audit.conftest import ORIGIN, write
from tests.conftest import ROOT, _drop_database, environment_for, owner_connection


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


def test_an_erased_payload_leaves_the_log_whole(sequencer, committed_db):
    write(2)
    sequencer.step()
    with owner_connection(committed_db) as owner:
        owner.execute("SELECT audit.erase_payloads(ARRAY(SELECT event_id FROM audit.leaf WHERE idx = 0))")
    assert "no erasure in the log names it" in verified(sequencer).problem
    named = Change(more={"eids": [str(Leaf.objects.get(idx=0).event.eid)]})
    with transaction.atomic():
        record(actor=SYSTEM, event=Event.PAYLOAD_ERASED, subject=Subject("erasure", "1"), change=named)
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


def run_command(database, var, *arguments):
    """A command in a process of its own, with the keys in `var`."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment_for(database, REVIEWAPP_VAR=str(var), REVIEWAPP_ORIGIN=ORIGIN),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def state(database):
    """(places, heads, waiting) of a database."""
    with owner_connection(database) as owner:
        return owner.execute(
            "SELECT (SELECT count(*) FROM audit.leaf), (SELECT count(*) FROM audit.checkpoint),"
            " (SELECT count(*) FROM audit.pending)"
        ).fetchone()


@pytest.fixture
def old_copy(sequencer, committed_db):
    """The name of a database as it was when three events were signed; the log went on to five."""
    write(3)
    sequencer.step()
    name = f"{committed_db}_old"
    connection.close()
    with owner_connection("postgres") as owner:
        owner.execute(f'CREATE DATABASE "{name}" TEMPLATE "{committed_db}"')
    write(2)
    sequencer.step()
    yield name
    _drop_database(name)


def test_a_restored_old_copy_is_not_signed(sequencer, old_copy, tmp_path):
    run = run_command(old_copy, tmp_path, "run_sequencer")
    assert run.returncode == 1
    assert "The log holds 3 events, fewer than the 5 already signed; nothing is signed." in run.stderr
    assert state(old_copy) == (3, 1, 0)
    assert run_command(old_copy, tmp_path, "verify_audit").returncode == 1


def test_a_restored_old_copy_that_went_on_elsewhere_is_not_signed_either(sequencer, old_copy, committed_db, tmp_path):
    """With keys of an older day somebody goes on from the old copy; the keys of today do not follow."""
    with owner_connection(old_copy) as owner:
        for table in ("event", "leaf"):
            owner.execute(f"ALTER TABLE audit.{table} DISABLE TRIGGER {table}_append_only")
        owner.execute("INSERT INTO audit.event (eid, at, env) SELECT gen_random_uuid(), at, env FROM audit.event")
        owner.execute("DELETE FROM audit.pending")
        owner.execute(
            "INSERT INTO audit.leaf (idx, event_id, hash) SELECT row_number() OVER () + 2, e.id, sha256(e.env::bytea)"
            " FROM audit.event e WHERE NOT EXISTS (SELECT 1 FROM audit.leaf l WHERE l.event_id = e.id)"
        )
    run = run_command(old_copy, tmp_path, "run_sequencer")
    assert run.returncode == 1
    assert "The first 5 events are not those that were signed; nothing is signed." in run.stderr
    assert state(old_copy) == (6, 1, 0)


def test_a_log_that_follows_is_signed_again_after_a_restart(sequencer, committed_db, tmp_path):
    """The control of the two above."""
    write(3)
    sequencer.step()
    write(2)
    again = Sequencer(origin=ORIGIN, keys_dir=sequencer.keys_dir)
    again.load()
    assert (again.tree.size, again.step()) == (3, 2)
    run = run_command(committed_db, tmp_path, "verify_audit")
    assert (run.returncode, "OK. 5 events, 2 signed heads" in run.stdout) == (0, True)


def test_verification_needs_a_key_and_readable_heads(sequencer, committed_db, tmp_path):
    write(1)
    sequencer.step()
    missing = run_command(committed_db, tmp_path / "nowhere", "verify_audit")
    assert (missing.returncode, "public key" in missing.stderr) == (2, True)
    kept = tmp_path / "kept.txt"
    kept.write_text("not a head")
    assert run_command(committed_db, tmp_path, "verify_audit", "--known", str(kept)).returncode == 2
    assert run_command(committed_db, tmp_path, "verify_audit", "--known", str(tmp_path / "none")).returncode == 2
    kept.write_text(Checkpoint.objects.get().note)
    run = run_command(committed_db, tmp_path, "verify_audit", "--known", str(kept))
    assert (run.returncode, "2 heads kept elsewhere" in run.stdout) == (0, True)


def test_a_database_that_is_away_is_not_called_tampered(sequencer, committed_db, tmp_path):
    assert run_command(f"{committed_db}_no", tmp_path, "verify_audit").returncode == 2


def test_verification_says_how_far_it_came(sequencer, monkeypatch):
    monkeypatch.setattr("reviewapp.audit.verify.CHUNK", 2)
    write(5)
    sequencer.step()
    told = []
    trusted = [sequencer.signer.verifier]
    assert verify_log(origin=ORIGIN, trusted=trusted, on_progress=lambda *at: told.append(at)).problem is None
    assert told == [(2, 5), (4, 5), (5, 5)]


def test_the_process_says_its_newest_head_on_standard_output(sequencer, committed_db, tmp_path):
    write(2)
    child = subprocess.Popen(
        [sys.executable, "-u", "manage.py", "run_sequencer"],
        cwd=ROOT,
        env=environment_for(committed_db, REVIEWAPP_VAR=str(tmp_path), REVIEWAPP_ORIGIN=ORIGIN),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with child:
        line = json.loads(child.stdout.readline())
        child.terminate()
        rest = child.stdout.read()
    assert (child.returncode, rest) == (0, "")
    head = notes.read_note(line["note"])
    assert (line["event"], line["origin"], line["size"], line["root"]) == (
        "audit.checkpoint",
        ORIGIN,
        2,
        head.root.hex(),
    )
    assert head.is_signed_by(sequencer.signer.verifier)


def test_nobody_but_the_sequencer_places_events(cast):
    from django.db import DatabaseError

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit.pending")


def test_a_log_in_which_nothing_happens_is_signed_all_the_same(sequencer, monkeypatch):
    """Its own heartbeats fill the silence, and each head is said."""
    monkeypatch.setattr("reviewapp.audit.sequencer.HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr("reviewapp.audit.sequencer.ANNOUNCE_SECONDS", 0)
    stop, said = Stop(), []

    def say(line):
        said.append(json.loads(line)["size"])
        if len(said) == 3:
            stop.set()

    run(stop, say=say, idle_seconds=0.01)
    assert said == [1, 2, 3]
    assert HEARTBEAT_SECONDS < 60
    assert list(EventRow.objects.order_by("id").values_list("event", flat=True)) == [
        "audit.log_started", "audit.heartbeat", "audit.heartbeat",
    ]  # fmt: skip
    assert verified(sequencer).problem is None


@pytest.mark.parametrize("eids", ["everything", [None], None, {"a": "b"}, ["not an id"]])
def test_an_erasure_that_names_nothing_excuses_no_missing_payload(sequencer, committed_db, eids):
    """Any event can be written with the app's login: it must neither stop the check nor switch a part of it off."""
    write(3)
    with transaction.atomic():
        record(
            actor=SYSTEM, event=Event.PAYLOAD_ERASED, subject=Subject("log", "x"), change=Change(more={"eids": eids})
        )
    sequencer.step()
    assert verified(sequencer).problem is None
    with owner_connection(committed_db) as owner:
        owner.execute("SELECT audit.erase_payloads(ARRAY(SELECT event_id FROM audit.leaf WHERE idx = 0))")
    assert "no erasure in the log names it" in verified(sequencer).problem
