"""An installation vouches for the log of another one, and only for a log that grows."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection

from reviewapp.audit import keys, notes
from reviewapp.audit.merkle import Tree, leaf_hash
from reviewapp.audit.models import Checkpoint, Cosignature, Event
from reviewapp.compliance.models import Publication, WitnessedLog
from reviewapp.compliance.services.publishing import publish_checkpoints
from reviewapp.compliance.services.witnessing import OtherSize, Request, vouch, witness_key
from tests.audit.conftest import run_verify, sequencer, unpacked, write
from tests.conftest import (
    ROOT,
    _drop_database,
    _owner_sql,
    _wait_until_alive,
    environment_for,
    free_port,
    owner_connection,
)

__all__ = ["sequencer"]
DOOR = "/api/v1/audit/witness/add-checkpoint"
THEIRS = "other.example/audit"


class OtherLog:
    """The log of somebody else: leaves, a key, and requests as its client would make them."""

    def __init__(self, name=THEIRS):
        self.signer = notes.Signer(name, Ed25519PrivateKey.generate())
        self.leaves = [leaf_hash(bytes([number])) for number in range(40)]

    def tree(self, size):
        return Tree(size, lambda start, end: self.leaves[start:end])

    def note(self, size):
        return notes.sign_note(notes.checkpoint_text(self.signer.name, size, self.tree(size).root()), [self.signer])

    def body(self, old, size, proof=None):
        steps = self.tree(size).consistency(old) if proof is None else proof
        lines = [f"old {old}", *(base64.b64encode(step).decode() for step in steps), "", self.note(size)]
        return "\n".join(lines).encode()

    def fork(self, at):
        """Another log under the same name and key that is the same up to `at`."""
        made = OtherLog(self.signer.name)
        made.signer, made.leaves = self.signer, self.leaves[:at] + self.leaves[at + 1 :]
        return made


@pytest.fixture
def other(settings, tmp_path):
    made = OtherLog()
    settings.WITNESS_FOR = [str(made.signer.verifier)]
    settings.WITNESS_KEYS_DIR = tmp_path / "witness"
    return made


@pytest.fixture
def ask(client, other):
    def post(body):
        return client.generic("POST", DOOR, body, content_type="text/plain")

    return post


def ours():
    return notes.VerifierKey.parse(witness_key())


def test_a_log_that_grows_gets_a_signature_over_each_head(ask, other, db):
    for old, size in ((0, 3), (3, 8), (8, 8), (8, 31)):
        answer = ask(other.body(old, size))
        assert answer.status_code == 200, answer.content
        note = notes.read_note(other.note(size) + answer.content.decode())
        assert note.cosigned_at(ours()) > 1_700_000_000
    assert (WitnessedLog.objects.get().size, WitnessedLog.objects.get().origin) == (31, THEIRS)
    assert Event.objects.filter(event="audit.witness_began").count() == 1


def test_another_old_size_is_answered_with_ours(ask, other, db):
    ask(other.body(0, 8))
    answer = ask(other.body(3, 20))
    assert (answer.status_code, answer["Content-Type"], answer.content) == (409, "text/x.tlog.size", b"8\n")


def test_a_rollback_is_never_signed(ask, other, db):
    ask(other.body(0, 20))
    assert ask(other.body(8, 12)).status_code == 409
    assert ask(other.body(0, 12, proof=[])).status_code == 409
    assert WitnessedLog.objects.get().size == 20


def test_a_fork_is_never_signed_and_is_an_event(ask, other, db):
    ask(other.body(0, 20))
    forked = other.fork(11)
    assert ask(forked.body(20, 30)).status_code == 422
    assert ask(forked.body(20, 20)).status_code == 409
    assert ask(other.body(20, 30, proof=[])).status_code == 422
    assert WitnessedLog.objects.get().size == 20
    assert Event.objects.filter(event="audit.witness_refused", outcome="denied").count() == 3


def test_sending_a_public_head_again_and_again_writes_one_line(ask, other, db):
    """Signed heads are for anybody; with a proof that does not fit they must not fill the witness's log."""
    ask(other.body(0, 20))
    assert {ask(other.body(20, 30, proof=[])).status_code for _ in range(5)} == {422}
    assert Event.objects.filter(event="audit.witness_refused").count() == 1
    assert ask(other.body(20, 30)).status_code == 200


def test_only_listed_logs_with_their_own_key_are_vouched_for(ask, other, db):
    assert ask(OtherLog("unknown.example/audit").body(0, 3)).status_code == 404
    assert ask(OtherLog(THEIRS).body(0, 3)).status_code == 403
    assert not WitnessedLog.objects.exists()


def test_an_installation_that_is_no_witness_vouches_for_nobody(ask, other, db, settings):
    settings.WITNESS_FOR = []
    assert ask(other.body(0, 3)).status_code == 404


MALFORMED = {
    "empty": b"",
    "no old": b"new 0\n\nx\n3\nAAAA\n\n",
    "negative": b"old -1\n\n",
    "leading zero": b"old 00\n\n",
    "no note": b"old 0\n\nhello\n",
    "not text": b"\xff\xfe\n\n",
    "huge size": b"old 0\n\nother.example/audit\n" + b"9" * 400 + b"\nAAAA\n\n" + "— x AAAAAAA=\n".encode(),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_request_is_answered_400(ask, other, db, name):
    assert ask(MALFORMED[name]).status_code == 400


def test_proofs_and_sizes_have_bounds(ask, other, db):
    assert ask(other.body(0, 3, proof=[b"x" * 32] * 64)).status_code == 400
    assert ask(other.body(0, 3, proof=[b"x" * 31])).status_code == 400
    assert ask(other.body(8, 3, proof=[])).status_code == 400
    large = ask(b"old 0\n" + b"A" * 100_000)
    assert (large.status_code, large.json()["detail"]) == (413, "The body is larger than 64 KiB.")


def wait_for_locks(owner, count):
    """Until so many others wait for a row."""
    for _ in range(300):
        asked = (
            "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
            " WHERE a.datname = current_database() AND NOT l.granted"
        )
        if owner.execute(asked).fetchone()[0] == count:
            return
        time.sleep(0.05)
    raise AssertionError("the two requests did not meet")


def test_of_two_requests_at_once_one_is_signed(committed_db, other):
    """Both extend what was seen, and they are two logs: one of them wins, whichever it is."""
    vouch(request=Request.parse(other.body(0, 10)))
    bodies = [other.body(10, 20), other.fork(15).body(10, 21)]
    answers = []

    def ask_one(body):
        try:
            answers.append(vouch(request=Request.parse(body)))
        except OtherSize as error:
            answers.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask_one, args=[body]) for body in bodies]
    with owner_connection(committed_db) as owner:
        with owner.transaction():
            owner.execute("SELECT 1 FROM reviewapp_witnessedlog FOR UPDATE")
            for thread in threads:
                thread.start()
            wait_for_locks(owner, 2)
        for thread in threads:
            thread.join()
    assert sorted(type(answer).__name__ for answer in answers) == ["OtherSize", "str"]


@pytest.fixture
def witness(sequencer, database_template, tmp_path):
    """A second installation with a database of its own, served on loopback; it vouches for the first one's log."""
    name = f"reviewapp_witness_{os.urandom(4).hex()}"
    connection.close()
    _owner_sql(f'CREATE DATABASE "{name}" TEMPLATE "{database_template}"')
    var, port = tmp_path / "second", free_port()
    var.mkdir()
    environment = environment_for(
        name,
        REVIEWAPP_VAR=str(var),
        REVIEWAPP_ORIGIN="second.example/audit",
        REVIEWAPP_WITNESS_FOR=str(sequencer.signer.verifier),
        ALLOWED_HOSTS="127.0.0.1",
    )
    granian = [str(Path(sys.executable).with_name("granian")), "--interface", "wsgi", "config.wsgi:application"]
    granian += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--blocking-threads", "2", "--no-ws"]
    with (var / "web.log").open("wb") as log:
        process = subprocess.Popen(granian, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            _wait_until_alive(f"http://127.0.0.1:{port}", process, var / "web.log")
            yield name, f"http://127.0.0.1:{port}/api/v1/audit/witness", var / "witness"
        finally:
            process.terminate()
            process.wait(timeout=15)
    _drop_database(name)


def publish(settings, entry):
    settings.PUBLISHING = replace(settings.PUBLISHING, witnesses=(entry,), witness_minutes=0)
    Publication.objects.update(tried_at=None)
    publish_checkpoints()
    return Publication.objects.get(rung="witness")


def test_two_installations_vouch_over_the_wire(sequencer, witness, settings, tmp_path, committed_db):
    database, url, folder = witness
    key = keys.load_witness(folder, "second.example/audit/witness").verifier
    entry = f"{url} {key}"
    for count in (3, 5):
        write(count)
        sequencer.step()
        row = publish(settings, entry)
        newest = Checkpoint.objects.latest("size")
        assert (row.size, row.error) == (newest.size, "")
        line = Cosignature.objects.get(checkpoint=newest)
        assert notes.read_note(f"{newest.note}{line.line}\n").cosigned_at(key)
    with owner_connection(database) as second:
        seen = second.execute("SELECT size, origin FROM reviewapp_witnessedlog").fetchone()
    assert seen == (Checkpoint.objects.latest("size").size, sequencer.origin)
    # The signature travels with the bundle, and its script checks it.
    bundle = unpacked(tmp_path / "bundle")
    run = run_verify(bundle, "--witness", str(key))
    assert (run.returncode, "vouched for the newest head" in run.stdout) == (0, True)

    # A witness that should have another key is not believed.
    stranger = notes.Signer(key.name, Ed25519PrivateKey.generate(), notes.COSIGNATURE).verifier
    write(1)
    sequencer.step()
    assert "not signed by the key that it should have" in publish(settings, f"{url} {stranger}").error

    # We forgot what the witness saw: it says so, and we go on from there.
    Publication.objects.update(size=0)
    write(1)
    sequencer.step()
    assert publish(settings, entry).error == ""

    # The log was written anew with the stolen key: the witness does not sign it.
    with owner_connection(committed_db) as owner:
        owner.execute("ALTER TABLE audit.leaf DISABLE TRIGGER leaf_append_only")
        owner.execute("UPDATE audit.leaf SET hash = sha256('x') WHERE idx = 1")
    write(1)
    sequencer.step()
    assert publish(settings, entry).error == "The witness says that this log does not extend the one it saw."
