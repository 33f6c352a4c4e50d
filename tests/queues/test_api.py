"""The doors of queues."""

import pytest

from reviewapp.audit.events import Event
from tests.conftest import Api, personal_api
from tests.queues.arrange import events_of, make_outputs, make_queue, make_rubric

BODY = {"slug": "answers", "title": "Answers", "kind": "grade", "rubric": "quality"}


@pytest.fixture
def rubric(cast):
    return make_rubric(cast.project)


def test_a_manager_makes_a_queue_and_reads_it_back(cast, rubric):
    api = personal_api(cast.max)
    made = api.post("queues/", {**BODY, "reviewers_per_item": 2, "blind": False})
    assert made.status == 201
    found = api.get("queues/answers/")
    assert (found.status, found.body["reviewers_per_item"], found.body["blind"]) == (200, 2, False)
    assert found.body["progress"]["items"] == 0
    assert events_of(Event.QUEUE_CREATED) == 1


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"rubric": "nosuch"}, "/rubric"),
        ({"rules": ["nosuch"]}, "/rules/0"),
        ({"kind": "pairwise"}, "/rubric"),
        ({"reviewers_per_item": 0}, "/reviewers_per_item"),
        ({"reviewers_per_item": True}, "/reviewers_per_item"),
        ({"overlap_share": 1.5}, "/overlap_share"),
        ({"colour": "red"}, "/colour"),
        ({"order": "newest"}, "/order"),
        ({"gold_share": 0.1}, "/gold_share"),
        ({"repeat_share": 0.1}, "/repeat_share"),
    ],
)
def test_a_wrong_field_is_named(cast, rubric, change, pointer):
    answer = personal_api(cast.max).post("queues/", {**BODY, **change})
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, pointer)


def test_a_taken_slug_is_a_conflict(cast, rubric):
    api = personal_api(cast.max)
    assert [api.post("queues/", BODY).status, api.post("queues/", BODY).status] == [201, 409]


@pytest.mark.parametrize(("name", "status"), [("ada", 201), ("otto", 403), ("nemo", 404)])
def test_who_may_make_a_queue(cast, rubric, name, status):
    assert personal_api(getattr(cast, name)).post("queues/", BODY).status == status


def test_everybody_sees_the_queues_that_they_may_open(cast):
    mine = make_queue(cast, slug="mine")
    make_queue(cast, slug="theirs")
    mine_only = cast.nemo
    from reviewapp.access.actors import SYSTEM
    from reviewapp.access.matrix import Role
    from reviewapp.access.services import grant_role

    grant_role(actor=SYSTEM, user=mine_only.person, role=Role.REVIEWER, target=mine)
    listed = personal_api(mine_only).get("queues/")
    assert [row["slug"] for row in listed.body["results"]] == ["mine"]
    assert personal_api(mine_only).get("queues/theirs/").status == 404
    assert {row["slug"] for row in personal_api(cast.otto).get("queues/").body["results"]} == {"mine", "theirs"}


def test_a_reviewer_is_not_told_why_items_are_here(cast):
    make_queue(cast, slug="mine")
    assert not {"rules", "gold_share", "repeat_share"} & set(personal_api(cast.rita).get("queues/mine/").body)
    assert {"rules", "gold_share", "repeat_share"} <= set(personal_api(cast.max).get("queues/mine/").body)


def test_items_are_put_in_by_the_api(cast):
    make_queue(cast, slug="mine")
    make_outputs(cast.project, 1)
    api = personal_api(cast.max)
    answer = api.post("queues/mine/items/", {"external_ids": ["out-0", "no"]})
    assert (answer.status, answer.body["accepted"], answer.body["rejected"]) == (200, 1, 1)
    assert answer.body["errors"][0]["external_id"] == "no"
    assert api.post("queues/mine/items/", {"external_ids": ["no"]}).status == 422
    assert api.post("queues/mine/items/", {"external_ids": ["out-0"]}).body["duplicates"] == 1
    assert api.post("queues/mine/items/", {}).status == 422


@pytest.mark.parametrize(("name", "status"), [("ada", 200), ("max", 200), ("otto", 403), ("rita", 403), ("nemo", 404)])
def test_who_may_put_items_in(cast, name, status):
    make_queue(cast, slug="mine")
    make_outputs(cast.project, 1)
    assert personal_api(getattr(cast, name)).post("queues/mine/items/", {"external_ids": ["out-0"]}).status == status


def test_a_token_without_the_scope_is_refused(cast):
    make_queue(cast, slug="mine")
    make_outputs(cast.project, 1)
    api = personal_api(cast.max, scopes=["labels:read"])
    assert api.get("queues/mine/").status == 200
    assert api.post("queues/mine/items/", {"external_ids": ["out-0"]}).status == 403
    assert Api(None, "halyard").get("queues/").status == 401
