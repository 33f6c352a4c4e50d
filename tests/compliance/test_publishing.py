"""Signed heads reach places outside the database, and it is told when they do not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.core import mail
from django.db import connection
from django.db.models.functions import Now

from reviewapp.audit import notes
from reviewapp.audit.models import Checkpoint, Event
from reviewapp.compliance.models import Publication
from reviewapp.compliance.services.publishing import publish_checkpoints
from tests.audit.conftest import ORIGIN, sequencer, write

__all__ = ["sequencer"]
SECRET = b"0123456789abcdef0123456789abcdef"


@pytest.fixture
def places(settings):
    """`places(folder=...)` changes where heads go."""

    def choose(**chosen):
        settings.PUBLISHING = replace(settings.PUBLISHING, **chosen)

    return choose


@pytest.fixture
def log(sequencer):
    write(2)
    sequencer.step()
    return sequencer


def later(**fields):
    """Let the time of a place pass."""
    Publication.objects.update(tried_at=None, **fields)


def told(event):
    return list(Event.objects.filter(event=event).order_by("id"))


@pytest.fixture
def receiver():
    """A server on loopback that keeps what it is sent; `answer` is its status."""
    kept = []

    class Handler(BaseHTTPRequestHandler):
        answer = 204
        during = None

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.append((self.path, dict(self.headers), body))
            act, Handler.during = Handler.during, None
            if act:
                act()
            self.send_response(Handler.answer)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    server.kept, server.handler = kept, Handler
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def address(server):
    return f"http://127.0.0.1:{server.server_address[1]}/hooks/secret-path"


def webhook(server):
    return {"webhook": address(server), "webhook_secret": f"whsec_{base64.b64encode(SECRET).decode()}"}


def test_a_folder_gets_one_file_per_head_and_none_is_overwritten(log, places, tmp_path):
    folder = tmp_path / "bucket"
    folder.mkdir()
    places(folder=folder)
    publish_checkpoints()
    write(1)
    log.step()
    later()
    publish_checkpoints()
    newest = Checkpoint.objects.latest("size")
    assert {path.name for path in folder.iterdir()} == {"2.txt", f"{newest.size}.txt", "newest.txt"}
    assert (folder / "newest.txt").read_text() == newest.note
    head = notes.read_note((folder / "2.txt").read_text())
    assert (head.origin, head.size, head.is_signed_by(log.signer.verifier)) == (ORIGIN, 2, True)
    row = Publication.objects.get()
    assert (row.rung, row.target, row.size, row.error) == ("file", str(folder), newest.size, "")


def test_another_head_of_the_same_size_is_told_and_not_written_over(log, places, tmp_path):
    places(folder=tmp_path)
    (tmp_path / "2.txt").write_text("another head\n")
    publish_checkpoints()
    assert (tmp_path / "2.txt").read_text() == "another head\n"
    assert "the log was written anew" in Publication.objects.get().error


def test_a_log_that_was_set_back_is_told(log, places, tmp_path):
    places(folder=tmp_path)
    later_head = notes.sign_note(notes.checkpoint_text(ORIGIN, 500, bytes(32)), [log.signer])
    (tmp_path / "newest.txt").write_text(later_head)
    publish_checkpoints()
    assert "A head over 500 events lies here, the log has 2" in Publication.objects.get().error


def test_publishing_is_an_event_once_a_day_and_an_outage_once(log, places, tmp_path):
    folder = tmp_path / "bucket"
    places(folder=folder)
    publish_checkpoints()
    later()
    publish_checkpoints()
    assert len(told("audit.checkpoint_withheld")) == 1
    assert told("audit.checkpoint_withheld")[0].outcome == "error"
    folder.mkdir()
    for _ in range(2):
        later()
        write(1)
        log.step()
        publish_checkpoints()
    assert len(told("audit.checkpoint_published")) == 1
    facts = json.loads(told("audit.checkpoint_published")[0].env)["facts"]
    assert (facts["rung"], facts["root"]) == (
        "file", bytes(Checkpoint.objects.get(size=int(facts["size"])).root).hex(),
    )  # fmt: skip
    later(published_at=Now() - timedelta(days=1))
    write(1)
    log.step()
    publish_checkpoints()
    assert len(told("audit.checkpoint_published")) == 2


def in_thread(act):
    """Run it to its end with a connection of its own."""

    def run():
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def test_two_workers_at_once_bring_it_once(log, places, receiver):
    """The second comes while the first one's request is under way."""
    places(**webhook(receiver))
    receiver.handler.during = lambda: in_thread(publish_checkpoints)
    publish_checkpoints()
    assert len(receiver.kept) == 1


def test_a_webhook_is_signed_and_its_path_is_not_shown(log, places, receiver):
    places(**webhook(receiver))
    publish_checkpoints()
    path, headers, body = receiver.kept[0]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mac = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    assert (path, headers["webhook-signature"]) == ("/hooks/secret-path", f"v1,{mac}")
    said = json.loads(body)
    assert (said["type"], said["data"]["size"]) == ("audit.checkpoint", 2)
    assert notes.read_note(said["data"]["note"]).is_signed_by(log.signer.verifier)
    row = Publication.objects.get()
    assert (row.rung, row.size, row.error) == ("webhook", 2, "")
    assert "secret-path" not in row.target + str(told("audit.checkpoint_published")[0].payload.data)


def test_a_webhook_comes_daily_and_is_tried_again_each_minute_when_it_failed(log, places, receiver):
    places(**webhook(receiver))
    receiver.handler.answer = 500
    publish_checkpoints()
    assert Publication.objects.get().error == "The receiver answered with status 500."
    receiver.handler.answer = 200
    for _ in range(3):
        later()
        write(1)
        log.step()
        publish_checkpoints()
    ids = [headers["webhook-id"] for _, headers, _ in receiver.kept]
    assert (len(ids), len(set(ids))) == (2, 2)


@pytest.mark.parametrize("url", ["http://169.254.169.254/x", "https://elsewhere.example/x", "file:///etc/passwd"])
def test_a_webhook_goes_nowhere_but_to_listed_hosts(log, places, url):
    places(webhook=url, webhook_secret=f"whsec_{base64.b64encode(SECRET).decode()}")
    publish_checkpoints()
    assert "This address" in Publication.objects.get().error


def test_a_webhook_without_a_secret_says_what_to_set(log, places, receiver):
    places(webhook=address(receiver))
    publish_checkpoints()
    assert "REVIEWAPP_CHECKPOINT_WEBHOOK_SECRET" in Publication.objects.get().error
    assert receiver.kept == []


def test_a_mail_holds_a_note_that_verifies(log, places, tmp_path):
    places(mail=("otto@example.org", "audit@example.org"))
    publish_checkpoints()
    later()
    publish_checkpoints()
    assert len(mail.outbox) == 1
    sent = mail.outbox[0]
    assert (sent.to, "2 events" in sent.subject) == (["otto@example.org", "audit@example.org"], True)
    note = sent.body[sent.body.index(ORIGIN, sent.body.index("Keep this mail")) :]
    assert notes.read_note(note).is_signed_by(log.signer.verifier)


def test_one_place_that_fails_keeps_no_other_from_its_head(log, places, tmp_path):
    places(folder=tmp_path / "missing", mail=("otto@example.org",))
    publish_checkpoints()
    assert {(row.rung, bool(row.error)) for row in Publication.objects.all()} == {("file", True), ("mail", False)}


def test_a_place_that_is_no_longer_named_is_not_shown_as_holding_a_head(log, places, tmp_path):
    places(folder=tmp_path)
    publish_checkpoints()
    places(folder=None, mail=("otto@example.org",))
    publish_checkpoints()
    assert [row.rung for row in Publication.objects.all()] == ["mail"]


def test_nothing_is_published_before_the_first_head(sequencer, places, tmp_path):
    places(folder=tmp_path)
    publish_checkpoints()
    assert not Publication.objects.exists()
