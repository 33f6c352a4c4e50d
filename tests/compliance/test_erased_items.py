"""What is erased leaves the queues at once, and whatever was under way about it comes to nothing."""

from __future__ import annotations

from typing import Any

import pytest

from reviewapp.compliance.services import erasing
from reviewapp.compliance.services.erasures import decide_erasure, request_erasure
from reviewapp.grading.models import Draft, Review
from reviewapp.judge.models import RunItem
from reviewapp.queues.models import Lease, Seat
from tests.conftest import Cast, personal_api, service_api
from tests.exports.conftest import RUBRIC

LEASES = "/api/v1/projects/halyard/leases"
ANSWER = {"grades": {"correct": True, "tone": 2}, "comment": "words about the subject"}


@pytest.fixture(autouse=True)
def folders(settings: Any, tmp_path: Any) -> None:
    """Files of the test's own."""
    settings.ERASURES_DIR = tmp_path / "erasures"
    settings.FILES_DIR = tmp_path / "files"


@pytest.fixture
def queue(cast: Cast) -> Cast:
    """Two items of the subject and one of somebody else, two reviewers each."""
    api = service_api(cast)
    row = {"input": "in", "output": "out", "end_user_id": "cust-7f3a"}
    named = [{**row, "external_id": f"req-{n}"} for n in (1, 2)]
    api.bulk("outputs/", [*named, {**row, "external_id": "req-3", "end_user_id": "cust-9"}])
    api.post("rubrics/", RUBRIC)
    api.post("rubrics/answers/publish/", {})
    body = {"slug": "support", "title": "Support", "kind": "grade", "rubric": "answers", "reviewers_per_item": 2}
    api.post("queues/", {**body, "blind": False})
    cast.reviewers(cast.project.queues.get())
    api.post("queues/support/items/", {"external_ids": ["req-1", "req-2", "req-3"]})
    return cast


def erase(cast: Cast) -> None:
    asked = request_erasure(actor=cast.ada, project=cast.project, end_user_id="cust-7f3a", reason="asked")
    erasing.work_on_erasure(erasure_id=decide_erasure(actor=cast.max, erasure=asked, approve=True, note="").pk)


def test_open_seats_close_and_only_others_are_handed_out(queue):
    erase(queue)
    assert Seat.objects.filter(closed_at=None).count() == 2
    rita = personal_api(queue.rita)
    lease = rita.post("queues/support/lease/").body
    assert lease["item"]["subject"]["external_id"] == "req-3"
    assert rita.post(f"{LEASES}/{lease['id']}/submit/", ANSWER).status == 201
    assert rita.post("queues/support/lease/").status == 204


def test_a_lease_in_hand_is_over_and_nothing_of_the_answer_is_kept(queue):
    rita = personal_api(queue.rita)
    lease = rita.post("queues/support/lease/").body
    assert rita.call("PUT", f"{LEASES}/{lease['id']}/draft/", ANSWER).status in (200, 204)
    erase(queue)
    answer = rita.post(f"{LEASES}/{lease['id']}/submit/", ANSWER)
    assert (answer.status, "had it erased" in answer.body["detail"]) == (409, True)
    assert rita.call("PUT", f"{LEASES}/{lease['id']}/draft/", ANSWER).status == 409
    assert not Draft.objects.exists()
    assert Lease.objects.get().outcome == "skipped"


def test_an_answer_to_what_is_erased_cannot_be_taken_back(queue):
    rita = personal_api(queue.rita)
    lease = rita.post("queues/support/lease/").body
    made = rita.post(f"{LEASES}/{lease['id']}/submit/", ANSWER).body
    erase(queue)
    review = Review.objects.get()
    assert (review.comment, review.grades.count(), review.ended_at) == ("", 2, None)
    undone = rita.post(f"/api/v1/projects/halyard/reviews/{made['id']}/undo/")
    assert (undone.status, undone.body["type"]) == (409, "urn:reviewapp:problem:erased")
    assert Seat.objects.filter(closed_at=None).count() == 2


def test_what_comes_in_later_about_it_is_refused(queue):
    api = service_api(queue)
    erase(queue)
    review = {
        "external_id": "req-1", "reviewer": "mara", "grades": {"correct": True}, "comment": "late",
        "submitted_at": "2026-11-20T12:00:00Z",
    }  # fmt: skip
    answer = api.bulk("queues/support/reviews/import/", [review]).body
    assert (answer["rejected"], answer["errors"][0]["detail"]) == (1, "is no output of this project, or was erased")
    answer = api.post("queues/support/items/", {"external_ids": ["req-1"]}).body
    assert "or erased" in answer["errors"][0]["detail"]


def test_a_judge_does_not_read_it_any_more(queue):
    api = service_api(queue)
    checks = [
        {"criterion": "correct", "check": "regex", "options": {"pattern": "out", "found": True, "missing": False}}
    ]
    judge = {"slug": "rule", "title": "Rule", "rubric": "answers", "kind": "program", "checks": checks}
    assert api.post("judges/", judge).status == 201
    assert api.post("judges/rule/runs/", {"queue": "support"}).status in (201, 202)
    assert RunItem.objects.filter(finished_at=None).count() == 3
    erase(queue)
    assert RunItem.objects.filter(finished_at=None).count() == 1
