"""The pages of datasets, with and without script."""

import pytest

from reviewapp.exports.models import Dataset, DatasetVersion
from reviewapp.exports.services import build_version

PLACE = "/p/halyard/datasets/"
FORM = {"title": "For training", "slug": "training", "queues": ["support"], "labels": "settled"}


def test_a_manager_defines_freezes_and_takes_a_dataset(labelled, page):
    client = page(labelled.cast.max)
    assert client.get("/p/halyard/new-dataset/").status_code == 200
    made = client.post(
        "/p/halyard/new-dataset/save/",
        {**FORM, "train": "80", "test": "20", "by": "session", "where": '{"error": false}'},
    )
    assert (made.status_code, made["Location"]) == (302, PLACE + "training/")
    saved = Dataset.objects.get(slug="training")
    assert saved.split == {"train": 0.8, "validation": 0.0, "test": 0.2, "by": "session"}
    assert saved.where == {"error": False}
    assert client.post(PLACE + "training/freeze/").status_code == 302
    waiting = client.get(PLACE + "training/").content.decode()
    assert 'hx-trigger="every 2s"' in waiting
    build_version(version_id=DatasetVersion.objects.get().pk)
    done = client.get(PLACE + "training/1/").content.decode()
    assert "hx-trigger" not in done
    assert "2 have no settled label" in done
    link = "/api/v1/projects/halyard/datasets/training/versions/1/download/?format=jsonl"
    assert link in done
    taken = client.get(link)
    assert (taken.status_code, len(taken.getvalue().splitlines())) == (200, 2)
    assert "For training" in client.get(PLACE).content.decode()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"slug": "Not A Slug"}, "Must match"),
        ({"slug": "gold"}, "already a dataset"),
        ({"queues": []}, "This field is required"),
        ({"train": "80", "test": "30"}, "must sum to 1"),
        ({"where": "{feature: billing}"}, "Not JSON"),
        ({"where": '{"featur": "billing"}'}, "not a field of this record"),
    ],
)
def test_a_refused_form_keeps_what_was_typed_and_says_why(unbuilt, page, change, sentence):
    answer = page(unbuilt.cast.max).post("/p/halyard/new-dataset/save/", {**FORM, **change})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in text
    assert 'value="For training"' in text
    assert Dataset.objects.count() == 1


def test_a_failed_version_offers_to_try_again(labelled, page, settings, tmp_path):
    (tmp_path / "file").write_text("")
    good, settings.FILES_DIR = settings.FILES_DIR, tmp_path / "file"
    labelled.freeze()
    settings.FILES_DIR = good
    client = page(labelled.cast.max)
    assert "Try version 1 again" in client.get(PLACE + "gold/").content.decode()
    assert client.post(PLACE + "gold/1/retry/").status_code == 302
    row = DatasetVersion.objects.get()
    assert (row.state, row.error) == ("waiting", "")
    build_version(version_id=row.pk)
    assert DatasetVersion.objects.get().state == "done"
    assert client.post(PLACE + "gold/1/retry/").status_code == 409


def test_an_admin_sees_versions_and_gets_no_link_to_production_text(labelled, page):
    labelled.freeze()
    text = page(labelled.cast.ada).get(PLACE + "gold/").content.decode()
    assert "Version 1" in text
    assert "/download/" not in text
    assert "Freeze a version" not in text


@pytest.mark.parametrize(("name", "status"), [("rita", 403), ("ivy", 403), ("nemo", 404)])
def test_who_may_not_see_datasets_gets_no_page(unbuilt, page, name, status):
    client = page(getattr(unbuilt.cast, name))
    assert [client.get(PLACE).status_code, client.get(PLACE + "gold/").status_code] == [status, status]


def test_only_a_manager_freezes(unbuilt, page):
    assert page(unbuilt.cast.otto).post(PLACE + "gold/freeze/").status_code == 403
    assert DatasetVersion.objects.count() == 0
