"""The log's key changes, and whoever trusts one key of it can follow to all the others."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command
from django.db import transaction

from reviewapp.access.actors import SYSTEM
from reviewapp.audit import keys, notes
from reviewapp.audit.events import Event
from reviewapp.audit.models import Checkpoint
from reviewapp.audit.models import Event as EventRow
from reviewapp.audit.sequencer import LogRewritten, Sequencer
from reviewapp.audit.services import Subject, record
from reviewapp.audit.verify import verify_log
from tests.audit.conftest import ORIGIN, run_verify, unpacked, write
from tests.conftest import ROOT, environment_for, owner_connection


def rotate(sequencer):
    """(old key, new key) of a change that is done."""
    old = sequencer.signer.verifier
    keys.prepare_successor(sequencer.keys_dir, ORIGIN)
    write(2)
    sequencer.step()
    return old, sequencer.signer.verifier


def problem(*trusted):
    return verify_log(origin=ORIGIN, trusted=trusted).problem


def test_the_new_key_is_named_in_the_event_and_both_sign_its_head(sequencer):
    write(2)
    sequencer.step()
    old, new = rotate(sequencer)
    event = EventRow.objects.get(event=Event.KEY_ROTATED)
    facts = json.loads(event.env)["facts"]
    assert (facts["old_key"], facts["new_key"]) == (str(old), str(new))
    text = notes.rotation_text(old, new).encode()
    assert old.verifies(bytes.fromhex(facts["old_signature"]), text)
    assert new.verifies(bytes.fromhex(facts["new_signature"]), text)
    head = notes.read_note(Checkpoint.objects.latest("size").note)
    assert (event.leaf.idx, head.size) == (4, 5)
    assert (head.is_signed_by(old), head.is_signed_by(new), len(head.signatures)) == (True, True, 2)
    write(1)
    sequencer.step()
    head = notes.read_note(Checkpoint.objects.latest("size").note)
    assert (head.is_signed_by(old), head.is_signed_by(new)) == (False, True)


def test_the_public_list_keeps_every_key_newest_last(sequencer):
    write(1)
    sequencer.step()
    first, second = rotate(sequencer)
    _, third = rotate(sequencer)
    assert keys.load_verifier_keys(sequencer.keys_dir) == [first, second, third]
    assert not (sequencer.keys_dir / "log.ed25519.next").exists()
    assert (sequencer.keys_dir / "log.ed25519").stat().st_mode & 0o777 == 0o600


def test_any_one_trusted_key_leads_to_the_others_and_a_foreign_one_does_not(sequencer):
    write(1)
    sequencer.step()
    first, second = rotate(sequencer)
    _, third = rotate(sequencer)
    write(1)
    sequencer.step()
    assert [problem(key) for key in (first, second, third)] == [None, None, None]
    stranger = notes.Signer(ORIGIN, Ed25519PrivateKey.generate()).verifier
    assert problem(stranger) == "None of the trusted keys is a key of this log."


def test_the_program_may_write_such_an_event_and_gains_nothing(sequencer):
    """The app's login can record any event; only the two signatures make it count."""
    write(1)
    sequencer.step()
    mine = notes.Signer(ORIGIN, Ed25519PrivateKey.generate())
    facts = {"old_key": str(sequencer.signer.verifier), "new_key": str(mine.verifier)}
    with transaction.atomic():
        record(actor=SYSTEM, event=Event.KEY_ROTATED, subject=Subject("log", ORIGIN), facts=facts)
    sequencer.step()
    assert problem(sequencer.signer.verifier) is None
    assert problem(mine.verifier) == "The checkpoint over 1 events does not carry the log's signature."


def test_a_change_that_the_old_key_did_not_sign_itself_hands_nothing_over(sequencer, committed_db, tmp_path):
    """The log's key signs the head over any event; the owner of the database can add their own line to that head."""
    write(1)
    sequencer.step()
    old, mine = sequencer.signer.verifier, notes.Signer(ORIGIN, Ed25519PrivateKey.generate())
    signature = mine.key.sign(notes.rotation_text(old, mine.verifier).encode()).hex()
    signatures = {"old_signature": signature, "new_signature": signature}
    facts = {"old_key": str(old), "new_key": str(mine.verifier), **signatures}
    with transaction.atomic():
        record(actor=SYSTEM, event=Event.KEY_ROTATED, subject=Subject("log", ORIGIN), facts=facts)
    sequencer.step()
    write(1)
    sequencer.step()
    with owner_connection(committed_db) as owner:
        owner.execute("ALTER TABLE audit.checkpoint DISABLE TRIGGER USER")
        for size, signs_too in ((2, [sequencer.signer]), (3, [])):
            text = notes.read_note(Checkpoint.objects.get(size=size).note).text
            forged = notes.sign_note(text, [*signs_too, mine])
            owner.execute("UPDATE audit.checkpoint SET note = %s WHERE size = %s", [forged, size])
    assert problem(old) == "The checkpoint over 3 events does not carry the log's signature."
    done = run_verify(unpacked(tmp_path / "bundle"), "--key", str(old))
    assert done.returncode == 1
    assert "The head over 3 events in checkpoints.txt is not signed by the log's key." in done.stderr


def test_a_head_signed_by_a_key_that_was_never_introduced_is_an_error(sequencer, committed_db):
    write(1)
    sequencer.step()
    rotate(sequencer)
    write(1)
    sequencer.step()
    newest = Checkpoint.objects.latest("size")
    stranger = notes.Signer(ORIGIN, Ed25519PrivateKey.generate())
    forged = notes.sign_note(notes.read_note(newest.note).text, [stranger])
    with owner_connection(committed_db) as owner:
        owner.execute("ALTER TABLE audit.checkpoint DISABLE TRIGGER USER")
        owner.execute("UPDATE audit.checkpoint SET note = %s WHERE size = %s", [forged, newest.size])
    trusted = keys.load_verifier_keys(sequencer.keys_dir)
    assert problem(*trusted, stranger.verifier) == "The checkpoint over 5 events does not carry the log's signature."


def test_a_backlog_larger_than_a_batch_does_not_delay_the_change(sequencer, monkeypatch):
    monkeypatch.setattr("reviewapp.audit.sequencer.BATCH", 3)
    write(5)
    keys.prepare_successor(sequencer.keys_dir, ORIGIN)
    assert (sequencer.step(), sequencer.step()) == (4, 2)
    assert EventRow.objects.get(event=Event.KEY_ROTATED).leaf.idx == 3
    assert problem(sequencer.signer.verifier) is None


def test_the_command_prepares_one_key_and_refuses_a_second(sequencer, capsys):
    call_command("rotate_log_key")
    told = capsys.readouterr().out
    assert str(keys.successor(sequencer.keys_dir, ORIGIN).verifier) in told
    with pytest.raises(CommandError, match="prepared already"):
        call_command("rotate_log_key")


def test_the_command_refuses_where_no_key_is(sequencer, settings, tmp_path):
    settings.KEYS_DIR = tmp_path / "elsewhere"
    with pytest.raises(CommandError, match="no key here"):
        call_command("rotate_log_key")


def test_a_sequencer_without_the_log_s_key_signs_nothing(sequencer, tmp_path):
    write(1)
    sequencer.step()
    with pytest.raises(LogRewritten, match="its key is not here"):
        Sequencer(origin=ORIGIN, keys_dir=tmp_path / "lost").load()
    foreign = tmp_path / "foreign"
    keys.load_signer(foreign, ORIGIN)
    with pytest.raises(LogRewritten, match="not signed by the key that lies here"):
        Sequencer(origin=ORIGIN, keys_dir=foreign).load()


def test_a_death_between_any_two_steps_leaves_a_log_that_verifies_and_goes_on(committed_db, tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "tests.audit.kill_points", str(tmp_path / "keys"), ORIGIN],
        cwd=ROOT,
        env=environment_for(committed_db, DATABASE_ROLE="sequencer", DJANGO_SETTINGS_MODULE="config.settings"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    points = [json.loads(line) for line in run.stdout.splitlines()]
    assert [point["code"] for point in points] == [137] * (len(points) - 1) + [0], points[-1]
    operations = {point["at"].split(" ")[0] for point in points[:-1]}
    assert len(points) > 12
    assert operations == {"open", "os.rename", "os.link", "os.remove"}
    for point in points:
        found, after = json.loads(point["found"]), json.loads(point["after"])
        assert found["problems"] == [None] * 3, point
        assert point["restart"][0] == 0, point
        assert after["problems"] == [None] * 3, point
        assert after["events"] == after["rotations"], point  # no change of the key was told twice
        assert (after["waiting"], after["signer"]) == (False, after["newest"]), point
