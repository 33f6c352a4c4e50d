"""Two forms for other programs: the bundle that proves itself, and the schema of SIEMs."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile

import jsonschema
import pytest

from reviewapp.access.actors import SYSTEM
from reviewapp.access.matrix import Role
from reviewapp.access.services import grant_installation_role
from reviewapp.audit.events import Event as Listed
from reviewapp.audit.models import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.compliance.formats.ocsf import VERSION
from reviewapp.compliance.vocabulary import ENTRIES
from tests.compliance.test_export import EXPORT, lines, taken
from tests.conftest import make_person, personal_api

UID = {"type": "string", "minLength": 1}
USER = {"type": "object", "required": ["uid"], "properties": {"uid": UID, "name": UID, "type_id": {"type": "integer"}}}
# What the schema asks of every event, and of each class beside it (schema.ocsf.io).
OCSF = {
    "type": "object",
    "required": [
        "activity_id", "category_uid", "class_uid", "type_uid", "time", "severity_id", "status_id", "metadata", "actor",
        "src_endpoint", "unmapped",
    ],
    "properties": {
        "activity_id": {"type": "integer"},
        "class_uid": {"enum": [3001, 3002, 3004, 6003]},
        "category_uid": {"enum": [3, 6]},
        "time": {"type": "integer", "minimum": 1_600_000_000_000},
        "severity_id": {"enum": [1, 2, 3]},
        "status_id": {"enum": [1, 2]},
        "metadata": {
            "type": "object",
            "required": ["version", "uid", "product"],
            "properties": {"version": {"const": VERSION}, "uid": UID, "product": {"required": ["vendor_name"]}},
        },
        "actor": {"type": "object", "required": ["user"], "properties": {"user": USER}},
        "src_endpoint": {"type": "object", "minProperties": 1},
        "unmapped": {"type": "object"},
    },
    "allOf": [
        {"if": {"properties": {"class_uid": {"const": number}}}, "then": {"required": needed}}
        for number, needed in ((3001, ["user"]), (3002, ["user"]), (3004, ["entity"]), (6003, ["api", "resources"]))
    ],
}  # fmt: skip
ACTIVITIES = {3001: {*range(1, 13), 99}, 3002: {1, 2, 99}, 3004: {1, 2, 3, 4, 99}, 6003: {1, 2, 3, 4, 99}}


def test_every_event_of_the_list_is_an_object_of_its_class(cast, api):
    for event in Listed:
        subject = Subject("user", "0197a000-0000-7000-8000-00000000beef", project="halyard")
        record(actor=cast.max, event=event, subject=subject, change=Change(after={"a": 1}, reason="why"))
    found = lines(api.get(f"{EXPORT}?format=ocsf"))
    for one in found:
        jsonschema.validate(one, OCSF)
        assert one["type_uid"] == one["class_uid"] * 100 + one["activity_id"]
        assert one["activity_id"] in ACTIVITIES[one["class_uid"]]
    assert {one["metadata"]["event_code"] for one in found} >= {event.value for event in Listed}
    assert set(ENTRIES) == set(Listed)


def test_a_refusal_names_who_what_and_why(cast, api):
    personal_api(cast.nemo).get("/api/v1/projects/halyard/outputs/")
    row = Event.objects.filter(event="access.denied").latest("id")
    one = lines(api.get(f"{EXPORT}?format=ocsf&outcome=denied"))[-1] if row.project == "halyard" else None
    assert one is not None
    assert (one["class_uid"], one["status"], one["actor"]["user"]["name"]) == (6003, "Failure", "nemo")
    assert one["metadata"]["uid"] == str(row.eid)
    assert one["time"] == int(row.at.timestamp() * 1000)
    assert one["src_endpoint"] == {"ip": "127.0.0.1"}


@pytest.fixture
def signed(committed_cast, sign):
    """A log with a signed head over everything so far."""
    sign()
    return committed_cast


def verified(raw, folder):
    """What the script in the bundle says, run without anything of ours."""
    zipfile.ZipFile(io.BytesIO(raw)).extractall(folder)
    return subprocess.run(
        [sys.executable, "-I", "verify.py"], cwd=folder, capture_output=True, text=True, check=False, env={}
    )


def test_an_auditor_of_a_project_takes_a_bundle_that_verifies_and_holds_no_other_project(signed, tmp_path):
    answer = personal_api(signed.otto).get(f"{EXPORT}?format=bundle&project=halyard")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/zip")
    assert ".zip" in answer.headers["Content-Disposition"]
    run = verified(answer.raw, tmp_path / "bundle")
    assert (run.returncode, run.stdout.startswith("OK")) == (0, True), run.stdout + run.stderr
    events = [json.loads(line) for line in (tmp_path / "bundle" / "events.jsonl").read_text().splitlines()]
    assert {json.loads(event["env"]).get("project") for event in events} == {"halyard"}
    assert (taken()["format"], taken()["filters"]) == ("bundle", {"project": "halyard"})


def test_an_auditor_of_the_installation_takes_the_whole_log(signed, tmp_path):
    olga = make_person("olga")
    grant_installation_role(actor=SYSTEM, user=olga.person, role=Role.AUDITOR)
    run = verified(personal_api(olga).get(f"{EXPORT}?format=bundle").raw, tmp_path / "bundle")
    assert (run.returncode, run.stdout.startswith("OK")) == (0, True), run.stdout + run.stderr
    assert not (tmp_path / "bundle" / "proofs.jsonl").exists()


def test_a_bundle_is_for_nobody_else_and_takes_no_other_filter(signed):
    assert personal_api(signed.rita).get(f"{EXPORT}?format=bundle").status == 403
    assert personal_api(signed.max).get(f"{EXPORT}?format=bundle&project=other").status == 403
    assert personal_api(signed.otto).get(f"{EXPORT}?format=bundle&actor=max").status == 400
    assert personal_api(signed.otto).get(f"{EXPORT}?format=bundle&project=~").status == 400


def test_before_the_first_head_there_is_nothing_to_prove_and_the_next_try_is_free(cast, settings, tmp_path):
    settings.VERIFIER_DIR = tmp_path
    for _ in range(2):
        assert personal_api(cast.otto).get(f"{EXPORT}?format=bundle&project=halyard").status == 409
    assert lines(personal_api(cast.otto).get(EXPORT))
