"""A frozen version is what it was, byte for byte, and says what it left out."""

import hashlib
import json

import pytest
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from reviewapp.audit.models import Event
from reviewapp.exports.models import DatasetFile, DatasetVersion
from reviewapp.exports.services import build_version
from reviewapp.lib.canonical import canonical_sha256
from tests.conftest import arranging, owner_connection, personal_api
from tests.exports.conftest import graded, output


def rows(answer):
    return [json.loads(line) for line in answer.raw.splitlines()]


def test_settled_rows_have_exactly_the_fields_of_the_contract(labelled):
    labelled.freeze()
    first, second = sorted(rows(labelled.download()), key=lambda row: row["external_id"])
    assert list(first) == [
        "external_id", "input", "output", "context", "configuration", "labels", "correction",
        "inclusion_probability", "split",
    ]  # fmt: skip
    assert first["external_id"] == "req-1"
    assert first["input"] == "Question of req-1?"
    assert first["configuration"] == {"model": "halyard-l"}
    assert first["labels"] == {
        "correct": {"value": True, "policy": "unanimous", "confidence": 1.0, "n_reviews": 2},
    }
    assert second["labels"]["tone"] == {"value": 2, "policy": "unanimous", "confidence": 1.0, "n_reviews": 1}
    assert (first["inclusion_probability"], first["split"], first["correction"]) == (None, None, None)


def test_rows_and_what_was_left_out_add_up_to_what_was_looked_at(labelled):
    version = labelled.freeze()
    assert (version["rows"], version["left_out"]) == (2, {"unsettled": 2})
    assert version["manifest"]["files"]["jsonl"]["rows"] == 2
    assert version["manifest"]["files"]["jsonl-raw"]["rows"] == 10


def test_raw_rows_carry_everyones_answers_with_who_and_when(labelled):
    labelled.freeze()
    found = rows(labelled.download("jsonl-raw"))
    assert len(found) == 10
    assert {
        "external_id": "req-1",
        "reviewer": "mara",
        "criterion": "correct",
        "value": True,
        "attempt": 1,
        "submitted_at": "2026-11-20T12:00:00.000000Z",
        "source": "imported",
    } in found
    assert {(row["external_id"], row["reviewer"]) for row in found if row["criterion"] == "tone"} == {
        ("req-1", "mara"), ("req-1", "tom"), ("req-2", "mara"), ("req-3", "mara"), ("req-3", "tom"),
    }  # fmt: skip


def test_the_bytes_of_every_file_hash_to_the_manifest(labelled):
    version = labelled.freeze()
    hashes = {}
    for name, said in version["manifest"]["files"].items():
        answer = labelled.download(name)
        assert (hashlib.sha256(answer.raw).hexdigest(), len(answer.raw)) == (said["sha256"], said["size"])
        hashes[name] = said["sha256"]
    assert version["sha256"] == canonical_sha256(hashes)
    manifest = dict(version["manifest"])
    assert manifest.pop("manifest_sha256") == canonical_sha256(manifest)


def test_a_later_review_changes_the_next_version_only(labelled):
    before = labelled.freeze()
    kept = labelled.download().raw
    labelled.reviews("support", graded("req-4", "mara", correct=False))
    after = labelled.freeze()
    assert (before["rows"], after["rows"]) == (2, 3)
    assert labelled.download(number=1).raw == kept
    assert after["sha256"] != before["sha256"]


def test_the_same_labels_give_the_same_bytes(labelled):
    first, second = labelled.freeze(), labelled.freeze()
    assert first["sha256"] == second["sha256"]
    assert (first["number"], second["number"]) == (1, 2)


def test_building_a_done_version_again_changes_nothing(labelled):
    labelled.freeze()
    row = DatasetVersion.objects.get()
    build_version(version_id=row.pk)
    again = DatasetVersion.objects.get()
    assert (again.frozen_at, again.sha256, DatasetFile.objects.count()) == (row.frozen_at, row.sha256, 3)


def test_a_version_that_a_worker_left_half_way_is_finished(labelled):
    labelled.ok(labelled.api.post("datasets/gold/versions/"))
    row = DatasetVersion.objects.get()
    DatasetVersion.objects.filter(pk=row.pk).update(state="running", done=1, total=9)
    build_version(version_id=row.pk)
    assert DatasetVersion.objects.get().state == "done"


def test_a_version_that_another_worker_builds_is_left_to_it(labelled, committed_db):
    labelled.ok(labelled.api.post("datasets/gold/versions/"))
    row = DatasetVersion.objects.get()
    with owner_connection(committed_db) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"build {row.pk}"])
        build_version(version_id=row.pk)
        assert DatasetVersion.objects.get().state == "waiting"
    build_version(version_id=row.pk)
    assert DatasetVersion.objects.get().state == "done"


def test_no_temporary_file_stays(labelled, settings):
    labelled.freeze()
    names = sorted(path.name for path in settings.FILES_DIR.rglob("*") if path.is_file())
    assert names == ["labels.csv", "labels.jsonl", "manifest.json", "raw.jsonl"]
    assert list(settings.FILES_DIR.rglob(".*")) == []


def test_the_database_refuses_every_change_of_a_frozen_version(labelled):
    labelled.freeze()
    for statement in (
        "UPDATE reviewapp_datasetversion SET rows = 99",
        "UPDATE reviewapp_datasetversion SET state = 'waiting'",
        "DELETE FROM reviewapp_datasetversion",
        "UPDATE reviewapp_datasetfile SET sha256 = 'x'",
        "DELETE FROM reviewapp_datasetfile",
        "INSERT INTO reviewapp_datasetfile (version_id, format, path, sha256, size, rows)"
        " SELECT id, 'more', 'x', 'x', 1, 1 FROM reviewapp_datasetversion",
    ):
        with pytest.raises(ProgrammingError, match="refused"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_what_the_filter_and_retention_keep_out_is_counted(world):
    world.outputs(output("a", feature="billing"), output("b", feature="sales"), output("c", feature="billing"))
    world.queue()
    world.reviews("support", *(graded(name, "mara", correct=True) for name in "abc"))
    world.dataset(where={"feature": "billing"})
    with arranging(), connection.cursor() as cursor:
        cursor.execute("UPDATE reviewapp_output SET input = NULL, output = NULL WHERE external_id = 'c'")
    version = world.freeze()
    assert (version["rows"], version["left_out"]) == (1, {"filtered": 1, "no_text": 1})
    assert {row["external_id"] for row in rows(world.download("jsonl-raw"))} == {"a", "c"}


def test_only_the_chosen_criteria_are_in_the_files(labelled):
    labelled.dataset("tones", criteria=["tone"])
    labelled.freeze("tones")
    assert {key for row in rows(labelled.download(slug="tones")) for key in row["labels"]} == {"tone"}
    assert {row["criterion"] for row in rows(labelled.download("jsonl-raw", slug="tones"))} == {"tone"}


def test_the_same_input_never_stands_on_two_sides(world):
    world.outputs(*(output(f"r{n}", input=f"Question {n % 20}?") for n in range(60)))
    world.queue()
    world.reviews("support", *(graded(f"r{n}", "mara", correct=True) for n in range(60)))
    world.dataset(split={"train": 0.5, "validation": 0.2, "test": 0.3})
    version = world.freeze()
    sides = {}
    for row in rows(world.download()):
        sides.setdefault(row["input"], set()).add(row["split"])
    assert len(sides) == 20
    assert all(len(found) == 1 for found in sides.values())
    assert set.union(*sides.values()) == {"train", "validation", "test"}
    assert sum(version["splits"].values()) == 60


def test_the_manifest_says_how_far_people_agreed_and_under_which_rubric(labelled):
    manifest = labelled.freeze()["manifest"]
    assert manifest["rubric_versions"] == [{"rubric": "answers", "version": 1}]
    assert manifest["sampling"] == {"with_probability": 0, "without_probability": 2}
    [agreement] = manifest["agreement"]
    assert agreement["queue"] == "support"
    correct = next(one for one in agreement["criteria"] if one["criterion"] == "correct")
    assert {one["name"] for one in correct["statistics"]} >= {"krippendorff_alpha", "percent_agreement"}
    assert "pairs" not in correct


def test_a_cell_that_a_spreadsheet_would_run_is_disarmed(world):
    world.outputs(output("=cmd", output="+1 and more"))
    world.queue()
    world.reviews("support", graded("=cmd", "mara", correct=True))
    world.dataset()
    world.freeze()
    table = world.download("csv").raw.decode()
    assert "\r\n'=cmd," in table
    assert "'+1 and more" in table


def test_freezing_and_asking_are_events(labelled):
    labelled.freeze()
    made = list(Event.objects.filter(event__startswith="exports.").order_by("id").values_list("event", "actor_kind"))
    assert made == [
        ("exports.dataset_created", "token"),
        ("exports.version_requested", "token"),
        ("exports.version_frozen", "system"),
    ]


def test_a_version_that_cannot_be_written_fails_with_a_sentence_and_can_be_tried_again(labelled, settings, tmp_path):
    (tmp_path / "in the way").write_text("a file where the folder should be")
    good, settings.FILES_DIR = settings.FILES_DIR, tmp_path / "in the way"
    failed = labelled.freeze()
    assert (failed["state"], failed["rows"]) == ("failed", None)
    assert "could not be written" in failed["error"]
    assert Event.objects.filter(event="exports.version_failed", outcome="error").count() == 1
    settings.FILES_DIR = good
    row = DatasetVersion.objects.get()
    build_version(version_id=row.pk)  # a failed one waits for a person
    assert DatasetVersion.objects.get().state == "failed"


def test_a_review_in_a_frozen_version_cannot_be_undone(world):
    world.outputs(output("req-1"), output("req-2"))
    world.queue()
    world.ok(world.api.post("queues/support/items/", {"external_ids": ["req-1", "req-2"]}))
    world.dataset()
    rita = personal_api(world.cast.rita)

    def review():
        lease = world.ok(rita.post("queues/support/lease/"))
        return world.ok(rita.post(f"leases/{lease['id']}/submit/", {"grades": {"correct": True, "tone": 2}}))["id"]

    first = review()
    world.freeze()
    second = review()
    refused = rita.post(f"reviews/{first}/undo/")
    assert (refused.status, refused.body["type"]) == (409, "urn:reviewapp:problem:in-dataset-version")
    assert rita.post(f"reviews/{second}/undo/").status == 200
