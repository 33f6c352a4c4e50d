"""Who may define, see and take datasets, and what a definition must say."""

import pytest

from tests.conftest import Api, service_api
from tests.exports.conftest import as_person

DATASET = {"slug": "gold", "title": "For training", "queues": ["support"], "labels": "settled"}


def test_a_definition_is_answered_as_it_was_sent(unbuilt):
    body = {
        **DATASET,
        "slug": "second",
        "criteria": ["tone"],
        "where": {"feature": "billing"},
        "split": {"train": 0.8, "validation": 0.1, "test": 0.1, "by": "session"},
    }
    made = unbuilt.api.post("datasets/", body)
    assert (made.status, made.body) == (201, body)
    assert unbuilt.api.get("datasets/second/").body == body
    assert [one["slug"] for one in unbuilt.api.get("datasets/").body["results"]] == ["gold", "second"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"queues": []}, "/queues"),
        ({"queues": ["support", "nosuch"]}, "/queues/1"),
        ({"queues": ["support", "support"]}, "/queues"),
        ({"criteria": ["colour"]}, "/criteria/0"),
        ({"labels": "best"}, "/labels"),
        ({"where": {"featur": "x"}}, "/where/featur"),
        ({"split": {"train": 0.8, "test": 0.1}}, "/split"),
        ({"split": {"train": 1.2, "test": -0.2}}, "/split/train"),
        ({"split": {"train": 1, "by": "day"}}, "/split/by"),
        ({"slug": "../etc"}, "/slug"),
        ({"slug": "Gold"}, "/slug"),
        ({"colour": 1}, "/colour"),
    ],
)
def test_a_wrong_definition_names_its_field(unbuilt, change, pointer):
    answer = unbuilt.api.post("datasets/", {**DATASET, "slug": "second", **change})
    assert answer.status == 422
    assert answer.body["errors"][0]["pointer"] == pointer


def test_a_taken_slug_is_a_conflict(unbuilt):
    assert unbuilt.api.post("datasets/", DATASET).status == 409


def test_a_version_is_asked_for_with_202_and_waits(unbuilt):
    asked = unbuilt.api.post("datasets/gold/versions/")
    assert asked.status == 202
    assert (asked.body["number"], asked.body["state"], asked.body["rows"]) == (1, "waiting", None)
    listed = unbuilt.api.get("datasets/gold/versions/").body["results"]
    assert [one["number"] for one in listed] == [1]


def test_a_repeated_idempotency_key_asks_for_one_version(unbuilt):
    numbers = {
        unbuilt.api.post("datasets/gold/versions/", **{"Idempotency-Key": "once"}).body["number"] for _ in range(2)
    }
    assert numbers == {1}


# (GET list, POST dataset, POST version, GET version, download) by role
PERMITTED = {
    "ada": (200, 403, 403, 200, 403),
    "max": (200, 201, 202, 200, 200),
    "otto": (200, 403, 403, 200, 200),
    "rita": (403, 403, 403, 403, 403),
    "ivy": (403, 403, 403, 403, 403),
    "nemo": (404, 404, 404, 404, 404),
}


def test_each_role_may_what_the_matrix_says(labelled):
    labelled.freeze()
    for name, statuses in PERMITTED.items():
        person = as_person(getattr(labelled.cast, name))
        answers = (
            person.get("datasets/"),
            person.post("datasets/", {**DATASET, "slug": "second"}),
            person.post("datasets/gold/versions/"),
            person.get("datasets/gold/versions/1/"),
            person.get("datasets/gold/versions/1/download/"),
        )
        assert tuple(answer.status for answer in answers) == statuses, name


def test_scopes_bound_what_a_token_may(labelled):
    labelled.freeze()
    reads = service_api(labelled.cast, ["labels:read"])
    manages = service_api(labelled.cast, ["manage"])
    assert reads.get("datasets/gold/versions/1/download/").status == 200
    assert reads.post("datasets/gold/versions/").status == 403
    assert manages.get("datasets/gold/versions/1/download/").status == 403
    assert manages.post("datasets/gold/versions/").status == 202
    assert Api(None, "halyard").get("datasets/").status == 401
