"""The reviewer's flow through the API."""

import pytest

from reviewapp.audit.events import Event
from reviewapp.audit.models import Event as EventRow
from reviewapp.grading.models import Draft, Grade, Preference, Review
from reviewapp.queues.models import Lease, Seat
from reviewapp.queues.services import EnqueueIn, enqueue
from tests.conftest import personal_api
from tests.queues.arrange import GOOD, events_of, make_hit, make_outputs, make_pair, make_queue, run_out


@pytest.fixture
def queue(cast):
    queue = make_queue(cast, slug="answers")
    make_outputs(cast.project, 3)
    enqueue(actor=cast.max, queue=queue, body=EnqueueIn(external_ids=["out-0", "out-1", "out-2"]))
    return queue


@pytest.fixture
def rita(cast):
    return personal_api(cast.rita)


def take(api, queue="answers"):
    answer = api.post(f"queues/{queue}/lease/")
    assert answer.status == 200, answer.body
    return answer.body


def test_a_reviewer_leases_submits_and_gets_the_next(cast, queue, rita):
    first = take(rita)
    assert first["item"]["subject"]["output"] == "Answer 0."
    assert [criterion["key"] for criterion in first["rubric"]["criteria"]] == ["correct", "tone", "notes"]
    done = rita.post(f"leases/{first['id']}/submit/", {**GOOD, "comment": "fine", "active_seconds": 12.5})
    assert (done.status, done.body["grades"]) == (201, GOOD["grades"])
    review = Review.objects.get()
    assert (review.comment, review.active_seconds, review.is_imported) == ("fine", 12.5, False)
    assert EventRow.objects.get(pk=review.event_id).event == "grading.review_submitted"
    assert take(rita)["item"]["id"] != first["item"]["id"]
    assert (Lease.objects.get(pk=first["id"]).outcome, Seat.objects.get(pk=review.seat_id).closed_at is None) == (
        "submitted",
        False,
    )


def test_when_nothing_waits_the_answer_is_204(cast, queue, rita):
    for _ in range(3):
        rita.post(f"leases/{take(rita)['id']}/submit/", GOOD)
    assert (rita.post("queues/answers/lease/").status, rita.post("queues/answers/lease/").raw) == (204, b"")


def test_the_same_submit_again_answers_the_same_review(cast, queue, rita):
    lease = take(rita)["id"]
    first, again = (rita.post(f"leases/{lease}/submit/", GOOD) for _ in range(2))
    other = rita.post(f"leases/{lease}/submit/", {"grades": {"correct": False, "tone": 1}})
    assert (first.status, again.status, other.status) == (201, 200, 409)
    assert first.body == again.body
    assert other.body["type"].endswith("already-submitted")
    assert (Review.objects.count(), events_of(Event.REVIEW_SUBMITTED)) == (1, 1)


@pytest.mark.parametrize("key", [None, "key-1"])
def test_a_submit_that_comes_too_late_is_a_conflict_and_the_draft_is_kept(cast, queue, rita, key):
    lease = take(rita)["id"]
    run_out(Lease.objects.get(pk=lease))
    headers = {"Idempotency-Key": key} if key else {}
    late = rita.post(f"leases/{lease}/submit/", {**GOOD, "comment": "typed for an hour"}, **headers)
    assert (late.status, late.body["type"]) == (409, "urn:reviewapp:problem:lease-expired")
    assert Draft.objects.get().answer["comment"] == "typed for an hour"
    assert not Review.objects.exists()
    assert take(rita)["draft"]["grades"] == GOOD["grades"]


def test_a_lease_of_somebody_else_is_absent(cast, queue, rita):
    lease = take(rita)["id"]
    rob = personal_api(cast.rob)
    assert rob.get(f"leases/{lease}/").status == 404
    for act in ("submit", "skip", "release"):
        assert rob.post(f"leases/{lease}/{act}/", GOOD if act == "submit" else {"reason": "x"}).status == 404
    assert rob.call("PUT", f"leases/{lease}/draft/", {}).status == 404
    assert events_of(Event.ACCESS_DENIED) == 5


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"grades": {"correct": 1, "tone": 3}}, "/grades/correct"),
        ({"grades": {"correct": True, "tone": True}}, "/grades/tone"),
        ({"grades": {"correct": True, "tone": "3 "}}, "/grades/tone"),
        ({"grades": {"correct": True, "tone": 3.0000001}}, "/grades/tone"),
        ({"grades": {"correct": True, "tone": 6}}, "/grades/tone"),
        ({"grades": {"correct": True}}, "/grades/tone"),
        ({"grades": {**GOOD["grades"], "colour": 1}}, "/grades/colour"),
        ({**GOOD, "reviewer_id": "x"}, "/reviewer_id"),
        ({**GOOD, "is_gold": True}, "/is_gold"),
        ({**GOOD, "active_seconds": -1}, "/active_seconds"),
        ({**GOOD, "preference": {"winner": "left"}}, "/preference"),
        ({**GOOD, "comment": "x" * 20_001}, "/comment"),
    ],
)
def test_a_wrong_answer_is_named_and_changes_nothing(cast, queue, rita, body, pointer):
    lease = take(rita)["id"]
    answer = rita.post(f"leases/{lease}/submit/", body)
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, pointer)
    assert not Review.objects.exists()
    assert rita.post(f"leases/{lease}/submit/", GOOD).status == 201


def test_skip_needs_a_reason_and_release_none(cast, queue, rita):
    lease = take(rita)
    assert rita.post(f"leases/{lease['id']}/skip/", {"reason": " "}).status == 422
    assert rita.post(f"leases/{lease['id']}/skip/", {"reason": "not my language"}).status == 204
    other = take(rita)
    assert other["item"]["id"] != lease["item"]["id"]
    assert rita.post(f"leases/{other['id']}/release/").status == 204
    assert rita.post(f"leases/{other['id']}/release/").status == 409
    assert take(rita)["item"]["id"] == other["item"]["id"]
    assert (events_of(Event.ITEM_SKIPPED), events_of(Event.LEASE_RELEASED)) == (1, 1)


def test_a_draft_is_kept_shown_again_and_gone_after_the_submit(cast, queue, rita):
    lease = take(rita)["id"]
    assert rita.call("PUT", f"leases/{lease}/draft/", {"grades": {"tone": 2}, "comment": "half"}).status == 204
    assert rita.get(f"leases/{lease}/").body["draft"] == {"grades": {"tone": 2}, "comment": "half"}
    assert take(rita)["draft"]["comment"] == "half"
    assert rita.call("PUT", f"leases/{lease}/draft/", {"colour": 1}).status == 422
    rita.post(f"leases/{lease}/submit/", GOOD)
    assert not Draft.objects.exists()
    assert rita.call("PUT", f"leases/{lease}/draft/", {"comment": "late"}).status == 409
    assert not Draft.objects.exists()


def test_undo_ends_the_review_and_gives_the_answer_back_as_draft(cast, queue, rita):
    lease = take(rita)
    done = rita.post(f"leases/{lease['id']}/submit/", {**GOOD, "correction": "Better."}).body
    undone = rita.post(f"reviews/{done['id']}/undo/")
    assert (undone.status, undone.body["item"]["id"]) == (200, lease["item"]["id"])
    assert undone.body["draft"] == {"grades": GOOD["grades"], "comment": "", "correction": "Better."}
    assert Review.objects.get().ended_at is not None
    assert Grade.objects.count() == 2
    assert events_of(Event.REVIEW_UNDONE) == 1
    assert rita.post(f"reviews/{done['id']}/undo/").status == 404
    again = rita.post(f"leases/{undone.body['id']}/submit/", {"grades": {"correct": False, "tone": 1}})
    assert again.status == 201
    assert Review.objects.filter(ended_at=None).count() == 1


def test_undo_is_for_ones_own_reviews(cast, queue, rita):
    done = rita.post(f"leases/{take(rita)['id']}/submit/", GOOD).body
    assert personal_api(cast.rob).post(f"reviews/{done['id']}/undo/").status == 404
    assert Review.objects.get().ended_at is None


def test_undo_is_refused_after_five_minutes(cast, queue, rita, monkeypatch):
    done = rita.post(f"leases/{take(rita)['id']}/submit/", GOOD).body
    monkeypatch.setattr("reviewapp.grading.services.undo.UNDO_SECONDS", -300)
    late = rita.post(f"reviews/{done['id']}/undo/")
    assert (late.status, late.body["type"]) == (409, "urn:reviewapp:problem:too-late")
    assert Review.objects.get().ended_at is None


@pytest.mark.parametrize("shown", ["left", "right", "tie", "both_bad"])
def test_a_preference_is_stored_as_the_pair_names_its_sides(cast, rita, shown):
    queue = make_queue(cast, kind="pairwise", slug="pairs")
    make_pair(cast.project)
    enqueue(actor=cast.max, queue=queue, body=EnqueueIn(external_ids=["pair-0"]))
    lease = take(rita, "pairs")
    subject = lease["item"]["subject"]
    assert set(subject) == {"input", "left", "right"}
    done = rita.post(f"leases/{lease['id']}/submit/", {"preference": {"winner": shown}})
    assert (done.status, done.body["preference"]["winner"]) == (201, shown)
    stored = Preference.objects.get()
    assert stored.a_was_left == (subject["left"]["output"] == "Answer 0.")
    said = {"left": "Answer 0." if stored.winner == "a" else "Answer 1."}
    if shown in ("left", "right"):
        assert subject[shown]["output"] == said["left"]
    else:
        assert stored.winner == shown


def test_a_preference_has_no_strength_without_a_winner_and_no_table_names(cast, rita):
    queue = make_queue(cast, kind="pairwise", slug="pairs")
    make_pair(cast.project)
    enqueue(actor=cast.max, queue=queue, body=EnqueueIn(external_ids=["pair-0"]))
    lease = take(rita, "pairs")["id"]
    for body, pointer in (
        ({"preference": {"winner": "tie", "strength": 2}}, "/preference/strength"),
        ({"preference": {"winner": "a"}}, "/preference/winner"),
        ({"grades": {"preference": {"winner": "a"}}}, "/preference/winner"),
        ({}, "/preference"),
    ):
        answer = rita.post(f"leases/{lease}/submit/", body)
        assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, pointer)


def test_a_guardrail_decision_is_shown_with_what_it_matched(cast, rita):
    queue = make_queue(cast, kind="guardrail", slug="hits")
    (output,) = make_outputs(cast.project, 1)
    make_hit(output)
    enqueue(actor=cast.max, queue=queue, body=EnqueueIn(external_ids=["out-0"]))
    lease = take(rita, "hits")
    assert lease["item"]["subject"]["guardrail"] == {
        "name": "pii",
        "stage": "output",
        "action": "blocked",
        "category": "email",
        "spans": [{"field": "output", "start": 0, "end": 3}],
    }
    assert rita.post(f"leases/{lease['id']}/submit/", {"grades": {"should_fire": True}}).status == 201


@pytest.mark.parametrize(("name", "status"), [("ada", 403), ("max", 403), ("otto", 403), ("ivy", 204), ("nemo", 404)])
def test_who_is_handed_work(cast, queue, name, status):
    assert personal_api(getattr(cast, name)).post("queues/answers/lease/").status == status


def test_a_token_needs_the_scope_review(cast, queue, api):
    assert personal_api(cast.rita, scopes=["labels:read"]).post("queues/answers/lease/").status == 403
    assert api.post("queues/answers/lease/").status == 403


def test_a_submit_takes_eight_statements(cast, queue, django_assert_max_num_queries):
    from reviewapp.grading.services import AnswerIn, submit_review
    from reviewapp.queues.selectors import own_lease
    from reviewapp.queues.services import lease_next

    lease = own_lease(viewer=cast.rita, lease_id=lease_next(actor=cast.rita, queue=queue).pk)
    with django_assert_max_num_queries(14) as counted:
        submit_review(actor=cast.rita, lease=lease, answer=AnswerIn.model_validate(GOOD))
    said = [query["sql"] for query in counted.captured_queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(said) <= 8, said
