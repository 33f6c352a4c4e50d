"""A bundle of the log verifies on a bare machine, and says where it was tampered with."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import time
import zipfile
from io import BytesIO

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import call_command

from reviewapp.audit import keys, notes
from reviewapp.audit.bundle import NothingSigned, stream_bundle
from reviewapp.audit.merkle import CompactRange, leaf_hash
from reviewapp.audit.models import Checkpoint, Event
from reviewapp.audit.offline import verify as offline
from tests.audit.conftest import ORIGIN, run_verify, unpacked, write
from tests.conftest import owner_connection


@pytest.fixture
def long_log(sequencer):
    """Thirty events of two projects under six heads, two keys."""
    for number in range(5):
        write(3, project="halyard")
        write(3, project="other")
        if number == 2:
            keys.prepare_successor(sequencer.keys_dir, ORIGIN)
        sequencer.step()
    return sequencer


def lines_of(folder, name="events.jsonl"):
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def put_lines(folder, lines, name="events.jsonl"):
    (folder / name).write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_the_whole_log_verifies_in_a_bare_interpreter(long_log, tmp_path):
    folder = unpacked(tmp_path / "bundle")
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.txt", "checkpoints.txt", "events.jsonl", "log.vkey", "verify.py",
    ]  # fmt: skip
    run = run_verify(folder)
    assert (run.returncode, run.stderr) == (0, "")
    assert "31 events" in run.stdout
    assert "The whole of a log of 31 events" in run.stdout
    assert "It does not prove" in run.stdout


@pytest.mark.parametrize("place", [0, -1], ids=["first key", "newest key"])
def test_any_one_key_that_the_log_ever_had_is_enough(long_log, tmp_path, place):
    folder = unpacked(tmp_path / "bundle")
    key = (folder / "log.vkey").read_text().splitlines()[place]
    assert run_verify(folder, "--key", key).returncode == 0


def test_a_project_s_part_carries_proofs_and_says_what_it_does_not_prove(long_log, tmp_path):
    folder = unpacked(tmp_path / "bundle", projects=["halyard"])
    projects = {json.loads(line["env"]).get("project") for line in lines_of(folder)}
    assert projects == {"halyard", None}  # the change of the key belongs to no project
    run = run_verify(folder, "--key", (folder / "log.vkey").read_text().splitlines()[0])
    assert run.returncode == 0, run.stderr
    assert "16 events" in run.stdout
    assert "It does not prove that nothing was left out of this part" in run.stdout


def test_a_period_s_part_holds_only_that_period(long_log, tmp_path):
    middle = Event.objects.order_by("id")[12].at
    early = unpacked(tmp_path / "early", until=middle)
    late = unpacked(tmp_path / "late", since=middle)
    assert (run_verify(early).returncode, run_verify(late).returncode) == (0, 0)
    ids = [{line["i"] for line in lines_of(folder)} for folder in (early, late)]
    assert ids[0] | ids[1] == set(range(31))
    assert ids[0] & ids[1] == {18}  # the change of the key is in every part


def test_a_bundle_before_and_after_an_erasure_verifies(long_log, committed_db, tmp_path):
    before = unpacked(tmp_path / "before")
    with owner_connection(committed_db) as owner:
        owner.execute("SELECT audit.erase_payloads(ARRAY(SELECT event_id FROM audit.leaf WHERE idx IN (3, 4)))")
    after = unpacked(tmp_path / "after")
    assert run_verify(before).returncode == 0
    run = run_verify(after)
    assert run.returncode == 0
    assert "Erased payloads: 2." in run.stdout
    assert [line["i"] for line in lines_of(after) if line["data"] is None] == [3, 4]


def fixed(line):
    """The line with the hash that its text has now, as a careful forger would leave it."""
    return {**line, "leaf": leaf_hash(line["env"].encode()).hex()}


def edit_env(folder):
    lines = lines_of(folder)
    lines[7]["env"] = lines[7]["env"].replace("success", "denied")
    put_lines(folder, lines)
    return "Event 7 "


def edit_env_and_hash(folder):
    lines = lines_of(folder)
    lines[7] = fixed({**lines[7], "env": lines[7]["env"].replace("success", "denied")})
    put_lines(folder, lines)
    return "between event 6 and event 11"


def delete_a_line(folder):
    lines = lines_of(folder)
    put_lines(folder, lines[:9] + lines[10:])
    return "Event 9 "


def delete_the_end(folder):
    put_lines(folder, lines_of(folder)[:-2])
    return "Event 29 "


def cut_the_file(folder):
    path = folder / "events.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    return "cut off in the middle of line 31"


def swap(folder):
    lines = lines_of(folder)
    lines[4], lines[5] = lines[5], lines[4]
    put_lines(folder, lines)
    return "Event 4 "


def swap_and_number(folder):
    lines = lines_of(folder)
    lines[4], lines[5] = {**lines[5], "i": 4}, {**lines[4], "i": 5}
    put_lines(folder, lines)
    return "between event 0 and event 5"


def insert(folder):
    lines = lines_of(folder)
    made = [{**lines[3], "salt": None, "data": None}]
    lines = lines[:8] + made + lines[8:]
    put_lines(folder, [{**line, "i": place} for place, line in enumerate(lines)])
    return "between event 6 and event 11"


def edit_payload(folder):
    lines = lines_of(folder)
    lines[11]["data"] = lines[11]["data"].replace("reason", "raisin")
    put_lines(folder, lines)
    return "payload of event 11 "


def edit_salt(folder):
    lines = lines_of(folder)
    lines[11]["salt"] = "00" * 32
    put_lines(folder, lines)
    return "payload of event 11 "


def half_a_payload(folder):
    lines = lines_of(folder)
    lines[11]["salt"] = None
    put_lines(folder, lines)
    return "payload of event 11 "


def forge_the_head(folder):
    path = folder / "checkpoints.txt"
    heads = notes.read_notes(path.read_text())
    root = base64.b64encode(hashlib.sha256(b"x").digest()).decode()
    path.write_text(path.read_text().replace(base64.b64encode(heads[-1].root).decode(), root))
    return "between event 25 and event 30"


def break_a_signature(folder):
    path = folder / "checkpoints.txt"
    _, raw = notes.read_notes(path.read_text())[-1].signatures[-1]
    broken = raw[:40] + bytes([raw[40] ^ 1]) + raw[41:]
    path.write_text(path.read_text().replace(base64.b64encode(raw).decode(), base64.b64encode(broken).decode()))
    return "over 31 events"


def foreign_key(folder):
    stranger = notes.Signer(ORIGIN, Ed25519PrivateKey.generate())
    (folder / "log.vkey").write_text(f"{stranger.verifier}\n")
    return "No key that you trust"


def sign_again_with_a_foreign_key(folder):
    """The chain of keys does not lead to it, though the bundle names it as trusted."""
    stranger = notes.Signer(ORIGIN, Ed25519PrivateKey.generate())
    with (folder / "log.vkey").open("a") as file:
        file.write(f"{stranger.verifier}\n")
    path = folder / "checkpoints.txt"
    heads = notes.read_notes(path.read_text())
    again = notes.sign_note(heads[-1].text, [stranger])
    path.write_text(path.read_text()[: path.read_text().index(heads[-1].text)] + again)
    return "over 31 events"


TAMPERING = (
    edit_env, edit_env_and_hash, delete_a_line, delete_the_end, cut_the_file, swap, swap_and_number, insert,
    edit_payload, edit_salt, half_a_payload, forge_the_head, break_a_signature, foreign_key,
    sign_again_with_a_foreign_key,
)  # fmt: skip


@pytest.fixture
def pristine(long_log, tmp_path):
    return unpacked(tmp_path / "bundle")


@pytest.mark.parametrize("tamper", TAMPERING)
def test_tampering_with_a_bundle_is_found_at_its_place(pristine, tamper):
    said = tamper(pristine)
    run = run_verify(pristine)
    assert run.returncode == 1, run.stdout + run.stderr
    assert said in run.stderr


def edit_a_proof(folder):
    lines = lines_of(folder, "proofs.jsonl")
    lines[2]["path"][0] = "00" * 32
    put_lines(folder, lines, "proofs.jsonl")
    return f"Event {lines[2]['i']} is not in the log"


def drop_an_event_of_a_part(folder):
    lines = lines_of(folder)
    put_lines(folder, lines[:4] + lines[5:])
    return f"Event {lines[4]['i']} is missing"


def drop_the_last_event_of_a_part(folder):
    lines = lines_of(folder)
    put_lines(folder, lines[:-1])
    return f"event {lines[-1]['i']} is missing"


def change_an_event_of_a_part(folder):
    lines = lines_of(folder)
    lines[4] = fixed({**lines[4], "env": lines[4]["env"].replace("success", "denied")})
    put_lines(folder, lines)
    return f"Event {lines[4]['i']} is not in the log"


def move_an_event_of_a_part(folder):
    for name in ("events.jsonl", "proofs.jsonl"):
        lines = lines_of(folder, name)
        lines[4] = {**lines[4], "i": lines[4]["i"] + 1}
        put_lines(folder, lines, name)
    return f"Event {lines[4]['i']} is not in the log"


def break_a_head_s_proof(folder):
    lines = lines_of(folder, "proofs.jsonl")
    lines[-1]["path"][0] = "00" * 32
    put_lines(folder, lines, "proofs.jsonl")
    return "does not extend an older one"


def drop_the_proofs(folder):
    (folder / "proofs.jsonl").unlink()
    return "Event 3 is missing"


PART_TAMPERING = (
    edit_a_proof, drop_an_event_of_a_part, drop_the_last_event_of_a_part, change_an_event_of_a_part,
    move_an_event_of_a_part, break_a_head_s_proof, drop_the_proofs,
)  # fmt: skip


@pytest.fixture
def pristine_part(long_log, tmp_path):
    return unpacked(tmp_path / "bundle", projects=["halyard"])


@pytest.mark.parametrize("tamper", PART_TAMPERING)
def test_tampering_with_a_part_is_found_too(pristine_part, tamper):
    said = tamper(pristine_part)
    run = run_verify(pristine_part)
    assert run.returncode == 1, run.stdout + run.stderr
    assert said in run.stderr


BROKEN = {
    "not JSON": ("events.jsonl", b"{no}\n"),
    "no object": ("events.jsonl", b"[1, 2]\n"),
    "no fields": ("events.jsonl", b"{}\n"),
    "deep": ("events.jsonl", b"[" * 100_000 + b"\n"),
    "not text": ("checkpoints.txt", b"\xff\xfe"),
    "no note": ("checkpoints.txt", b"hello\n"),
    "no key": ("log.vkey", b"hello\n"),
    "no keys": ("log.vkey", b""),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_bundle_that_cannot_be_read_is_not_called_tampered(pristine, name):
    file, content = BROKEN[name]
    (pristine / file).write_bytes(content)
    run = run_verify(pristine)
    assert (run.returncode, "CANNOT BE CHECKED" in run.stderr) == (2, True)


def test_a_head_kept_elsewhere_exposes_a_log_that_was_written_anew(long_log, tmp_path):
    """The forger has the log's newest key and writes a log that fits in itself; somebody kept an older head."""
    folder = unpacked(tmp_path / "bundle")
    kept = tmp_path / "kept.txt"
    kept.write_text(Checkpoint.objects.get(size=25).note)
    assert run_verify(folder, "--known", str(kept)).returncode == 0
    lines = lines_of(folder)[:18]
    lines[7] = fixed({**lines[7], "env": lines[7]["env"].replace("success", "denied")})
    put_lines(folder, lines)
    root = CompactRange.of(bytes.fromhex(line["leaf"]) for line in lines).root()
    (folder / "checkpoints.txt").write_text(
        notes.sign_note(notes.checkpoint_text(ORIGIN, len(lines), root), [long_log.signer])
    )
    assert run_verify(folder).returncode == 0
    run = run_verify(folder, "--known", str(kept))
    assert (run.returncode, "Event 18 is missing" in run.stderr) == (1, True)


def test_the_answer_of_the_checkpoint_s_address_is_a_kept_head(long_log, tmp_path, client):
    folder = unpacked(tmp_path / "bundle")
    kept = tmp_path / "answer.json"
    kept.write_bytes(client.get("/api/v1/audit/checkpoint").content)
    assert run_verify(folder, "--known", str(kept)).returncode == 0


def test_the_command_checks_a_folder_and_a_zip(long_log, tmp_path, capsys):
    archive = tmp_path / "bundle.zip"
    archive.write_bytes(b"".join(stream_bundle(projects=None, since=None, until=None)))
    for bundle in (archive, unpacked(tmp_path / "bundle")):
        with pytest.raises(SystemExit) as ended:
            call_command("verify_audit", bundle=str(bundle))
        assert ended.value.code == 0
    assert "31 events" in capsys.readouterr().out
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", bundle=str(archive))
    assert ended.value.code == 2


def test_a_log_without_a_head_has_no_bundle(sequencer):
    with pytest.raises(NothingSigned):
        stream_bundle(projects=None, since=None, until=None)


def test_the_key_must_be_readable_before_the_first_byte(long_log, settings, tmp_path):
    settings.VERIFIER_DIR = tmp_path / "elsewhere"
    with pytest.raises(keys.VerifierKeyMissing):
        stream_bundle(projects=None, since=None, until=None)


def test_a_bundle_comes_in_small_pieces(long_log):
    pieces = list(stream_bundle(projects=None, since=None, until=None))
    assert zipfile.ZipFile(BytesIO(b"".join(pieces))).testzip() is None
    assert max(map(len, pieces)) < 200_000


# RFC 8032 section 7.1: public key, message, signature.
RFC_8032 = (
    ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
    ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
    ("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
)  # fmt: skip


@pytest.mark.parametrize("vector", RFC_8032)
def test_the_script_s_own_ed25519_passes_the_vectors_of_rfc_8032(vector):
    public, message, signature = map(bytes.fromhex, vector)
    assert offline.ed25519_verifies(public, message, signature)
    for at in (0, 31, 32, 63):
        broken = signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :]
        assert not offline.ed25519_verifies(public, message, broken)
    assert not offline.ed25519_verifies(public, message + b"x", signature)
    # The same signature with the group's order added to its second half: accepted by careless verifiers.
    again = int.from_bytes(signature[32:], "little") + offline.ORDER
    assert not offline.ed25519_verifies(public, message, signature[:32] + again.to_bytes(32, "little"))


def test_the_script_s_ed25519_agrees_with_cryptography():
    for number in range(12):
        key = Ed25519PrivateKey.generate()
        message = b"message" * number
        public = key.public_key().public_bytes_raw()
        assert offline.ed25519_verifies(public, message, key.sign(message))
        assert not offline.ed25519_verifies(public, message + b"!", key.sign(message))
    assert not offline.ed25519_verifies(b"\xff" * 32, b"", bytes(64))


def test_a_hundred_thousand_events_verify_within_seconds(tmp_path, record_property):
    """On a machine of its own about two seconds; the bound is for one that is shared."""
    folder, signer, tree = tmp_path, notes.Signer(ORIGIN, Ed25519PrivateKey.generate()), CompactRange()
    heads = []
    with (folder / "events.jsonl").open("w") as file:
        for i in range(100_000):
            salt, data = hashlib.sha256(b"%d" % i).digest(), '{"actor_name":"rita","reason":"it was wrong"}'
            env = json.dumps({
                "actor": {"id": "018f0000-0000-7000-8000-000000000000", "type": "user"}, "at": "2026-11-21T10:00:00.0Z",
                "data_commit": hashlib.sha256(salt + data.encode()).hexdigest(), "eid": str(i), "outcome": "success",
                "event": "grading.review_submitted", "object": {"id": str(i), "type": "review"}, "project": "halyard",
            })  # fmt: skip
            tree.append(leaf_hash(env.encode()))
            line = {"i": i, "env": env, "leaf": leaf_hash(env.encode()).hex(), "salt": salt.hex(), "data": data}
            file.write(json.dumps(line) + "\n")
            if (i + 1) % 6_250 == 0:
                heads.append(notes.sign_note(notes.checkpoint_text(ORIGIN, i + 1, tree.root()), [signer]))
    (folder / "checkpoints.txt").write_text("\n".join(heads))
    (folder / "log.vkey").write_text(f"{signer.verifier}\n")
    shutil.copy(offline.__file__, folder / "verify.py")
    began = time.perf_counter()
    run = run_verify(folder)
    seconds = time.perf_counter() - began
    assert (run.returncode, "100000 events" in run.stdout) == (0, True)
    record_property("audit speed", f"100,000 events under 16 signed heads verified offline in {seconds:.1f} s")
    assert seconds < 60
