"""The grading screens as plain forms and as htmx fragments."""

import re

import pytest

from reviewapp.audit.events import Event
from reviewapp.grading.models import Adjudication, Draft, Preference, Review
from reviewapp.grading.services import AnswerIn, submit_review
from reviewapp.ingest.models import Output
from reviewapp.queues.models import Lease
from reviewapp.queues.services import EnqueueIn, QueueIn, create_queue, enqueue, lease_next
from tests.queues.arrange import (
    GOOD,
    MODEL,
    PROMPT,
    events_of,
    make_hit,
    make_outputs,
    make_pair,
    make_queue,
    make_rubric,
    run_out,
)

PLACE = "/p/halyard/review/answers/"
HTMX = {"HX-Request": "true"}
WRONG = [{"value": "wrong", "label": "Wrong"}, {"value": "rude", "label": "Rude"}]
ANSWER = {"c1": "0", "c2": "2", "comment": "Read twice.\r\nFine.", "active_seconds": "12.5"}


@pytest.fixture
def queue(cast):
    queue = make_queue(cast, slug="answers", instructions="Read **slowly**.")
    make_outputs(cast.project, 3)
    enqueue(actor=cast.max, queue=queue, body=EnqueueIn(external_ids=["out-0", "out-1", "out-2"]))
    return queue


def act(lease, name):
    return f"/p/halyard/review/{lease.queue.slug}/{lease.pk}/{name}/"


def held(actor):
    return Lease.objects.select_related("queue", "item").get(reviewer=actor.person, ended_at=None)


def text_of(answer):
    return answer.content.decode()


def test_the_entry_page_says_what_waits_and_takes_nothing(cast, queue, page):
    shown = page(cast.rita).get(PLACE)
    text = text_of(shown)
    assert shown.status_code == 200
    assert "<strong>slowly</strong>" in text
    assert "<b>3</b> items wait for you" in text
    assert "Answer 0" not in text
    assert not Lease.objects.exists()


def test_a_reviewer_grades_with_plain_forms(cast, queue, page):
    client = page(cast.rita)
    began = client.post(PLACE + "next/")
    assert (began.status_code, began["Location"]) == (302, PLACE)
    text = text_of(client.get(PLACE))
    assert "Answer 0." in text
    assert 'autocomplete="off"' in text
    lease = held(cast.rita)
    done = client.post(act(lease, "submit"), ANSWER)
    assert (done.status_code, done["Location"]) == (302, PLACE)
    review = Review.objects.get()
    assert {grade.criterion.key: grade.value for grade in review.grades.all()} == {"correct": True, "tone": 3}
    assert (review.comment, review.active_seconds, review.correction) == ("Read twice.\nFine.", 12.5, None)
    assert events_of(Event.REVIEW_SUBMITTED) == 1
    assert held(cast.rita).pk != lease.pk
    assert "Answer 1." in text_of(client.get(PLACE))


def test_looking_at_an_item_is_recorded_and_keeps_the_lease(cast, queue, page):
    lease = lease_next(actor=cast.rita, queue=queue)
    page(cast.rita).get(PLACE)
    assert events_of(Event.ITEM_VIEWED) == 1
    assert held(cast.rita).pk == lease.pk


def test_htmx_gets_the_next_card_alone(cast, queue, page):
    client = page(cast.rita)
    first = client.post(PLACE + "next/", headers=HTMX)
    assert first.status_code == 200
    assert text_of(first).lstrip().startswith('<div id="card"')
    second = client.post(act(held(cast.rita), "submit"), ANSWER, headers=HTMX)
    assert 'data-say="Submitted. Next item."' in text_of(second)
    assert "Answer 1." in text_of(second)


def test_the_last_card_says_that_nothing_waits(cast, queue, page):
    client = page(cast.rita)
    client.post(PLACE + "next/")
    for _ in range(3):
        last = client.post(act(held(cast.rita), "submit"), ANSWER, headers=HTMX)
    assert "Nothing waits for you here" in text_of(last)
    assert "You finished 3 today" in text_of(last)


def test_a_wrong_answer_keeps_what_was_typed_and_says_why_beside_the_field(cast, queue, page):
    client = page(cast.rita)
    client.post(PLACE + "next/")
    lease = held(cast.rita)
    refused = client.post(
        act(lease, "submit"), {"c1": "0", "comment": "typed", "c3": "a note", "correction": "Better."}
    )
    text = text_of(refused)
    assert refused.status_code == 422
    assert '<p class="error" id="q2-e">Choose a level.</p>' in text
    assert re.search(r'name="c1" value="0" checked', text)
    assert "typed</textarea>" in text
    assert "a note</textarea>" in text
    assert "Better.</textarea>" in text
    assert not Review.objects.exists()
    assert held(cast.rita).pk == lease.pk


def test_a_number_that_is_none_is_shown_again_as_typed(cast, page):
    ask = [
        {"key": "a/b ~", "kind": "numeric", "title": "Minutes", "minimum": 0, "maximum": 60},
        {
            "key": "what",
            "kind": "multiselect",
            "title": "What",
            "levels": [{"value": "x", "label": "X"}, {"value": "y", "label": "Y"}],
        },
    ]
    take_one(cast, ask)
    client, lease = page(cast.rita), held(cast.rita)
    refused = client.post(act(lease, "submit"), {"c1": "a few", "c2": "none"})
    assert refused.status_code == 422
    assert 'value="a few"' in text_of(refused)
    assert '<p class="error" id="q1-e">Must be a number.</p>' in text_of(refused)
    assert "Must be 60 or less." in text_of(client.post(act(lease, "submit"), {"c1": "61", "c2": "none"}))
    assert client.post(act(lease, "submit"), {"c1": "7", "c2": "none"}).status_code == 302
    assert {grade.criterion.key: grade.value for grade in Review.objects.get().grades.all()} == {"a/b ~": 7, "what": []}


def test_what_a_condition_hides_is_left_out(cast, page):
    ask = [
        {"key": "ok", "kind": "binary", "title": "OK?"},
        {
            "key": "why", "kind": "text", "title": "Why?",
            "show_if": {"criterion": "ok", "in": [False]},
        },
    ]  # fmt: skip
    take_one(cast, ask)
    client, lease = page(cast.rita), held(cast.rita)
    assert 'data-when="c1=1"' in text_of(client.get(PLACE))
    assert client.post(act(lease, "submit"), {"c1": "1"}).status_code == 422
    assert client.post(act(lease, "submit"), {"c1": "0", "c2": "typed before"}).status_code == 302
    assert [grade.value for grade in Review.objects.get().grades.all()] == [True]


def test_passages_are_marked_by_quoting_them(cast, page):
    ask = [{"key": "bad", "kind": "highlight", "title": "Passages", "levels": WRONG}]
    take_one(cast, ask)
    client, lease = page(cast.rita), held(cast.rita)
    refused = client.post(act(lease, "submit"), {"c1-quote": "not there", "c1-label": "wrong", "c1-severity": ""})
    assert "Quote each passage exactly" in text_of(refused)
    assert "not there</textarea>" in text_of(refused)
    client.post(act(lease, "submit"), {"c1-quote": "wer 0", "c1-label": "wrong", "c1-severity": "major"})
    span = {"field": "output", "start": 3, "end": 8, "label": "wrong", "severity": "major"}
    assert [grade.value for grade in Review.objects.get().grades.all()] == [[span]]


def take_one(cast, criteria):
    make_rubric(cast.project, slug="asked", criteria=criteria)
    body = QueueIn.model_validate({"slug": "answers", "title": "Answers", "kind": "grade", "rubric": "asked"})
    queue = create_queue(actor=cast.max, project=cast.project, queue=body)
    cast.reviewers(queue)
    make_outputs(cast.project, 1)
    enqueue(actor=cast.max, queue=queue, body=EnqueueIn(external_ids=["out-0"]))
    return lease_next(actor=cast.rita, queue=queue)


def test_a_correction_left_unchanged_is_none(cast, queue, page):
    client = page(cast.rita)
    client.post(PLACE + "next/")
    client.post(act(held(cast.rita), "submit"), {**ANSWER, "correction": "Answer 0."})
    client.post(act(held(cast.rita), "submit"), {**ANSWER, "correction": "Answer one."})
    assert [review.correction for review in Review.objects.order_by("submitted_at")] == [None, "Answer one."]


@pytest.mark.parametrize("name", ["submit", "skip", "release", "draft"])
def test_a_lease_of_somebody_else_is_absent(cast, queue, page, name):
    lease = lease_next(actor=cast.rita, queue=queue)
    refused = page(cast.rob).post(act(lease, name), {**ANSWER, "reason": "mine"})
    assert refused.status_code == 404
    assert "Answer 0." not in text_of(refused)
    assert held(cast.rita).pk == lease.pk


@pytest.mark.parametrize(("who", "status"), [("max", 403), ("ada", 403), ("otto", 403), ("nemo", 404)])
def test_only_reviewers_and_adjudicators_come_in(cast, queue, page, who, status):
    client = page(getattr(cast, who))
    assert client.get(PLACE).status_code == status
    assert client.post(PLACE + "next/").status_code == status
    assert not Lease.objects.exists()


def test_skipping_needs_a_reason(cast, queue, page):
    client = page(cast.rita)
    client.post(PLACE + "next/")
    lease = held(cast.rita)
    refused = client.post(act(lease, "skip"), {"reason": "  ", **ANSWER})
    assert refused.status_code == 422
    assert "Say in a few words" in text_of(refused)
    assert "Fine.</textarea>" in text_of(refused)
    client.post(act(lease, "skip"), {"reason": "not my topic"})
    lease.refresh_from_db()
    assert (lease.outcome, lease.skip_reason) == ("skipped", "not my topic")
    assert held(cast.rita).item_id != lease.item_id


def test_giving_back_keeps_what_was_typed(cast, queue, page):
    client = page(cast.rita)
    client.post(PLACE + "next/")
    client.post(act(held(cast.rita), "release"), {"c2": "1", "comment": "half"})
    assert not Lease.objects.filter(ended_at=None).exists()
    client.post(PLACE + "next/")
    text = text_of(client.get(PLACE))
    assert "half</textarea>" in text
    assert re.search(r'name="c2" value="1" checked', text)


def test_a_draft_is_kept_without_a_word(cast, queue, page):
    client = page(cast.rita)
    client.post(PLACE + "next/")
    kept = client.post(act(held(cast.rita), "draft"), {"c2": "1", "c3": "note", "comment": ""}, headers=HTMX)
    assert (kept.status_code, kept.content) == (204, b"")
    assert Draft.objects.get().answer["grades"] == {"tone": 2, "notes": "note"}


def test_a_review_can_be_undone_and_comes_back_filled_in(cast, queue, page):
    client = page(cast.rita)
    client.post(PLACE + "next/")
    client.post(act(held(cast.rita), "submit"), ANSWER)
    now_held = held(cast.rita)
    review = Review.objects.get()
    assert f"undo/{review.pk}/" in text_of(client.get(PLACE))
    undone = client.post(f"{PLACE}undo/{review.pk}/", {"lease": str(now_held.pk), "comment": "of the other"})
    assert undone.status_code == 302
    text = text_of(client.get(PLACE))
    assert "Answer 0." in text
    assert "Fine.</textarea>" in text
    review.refresh_from_db()
    assert review.ended_at is not None
    assert Draft.objects.get(item=now_held.item_id).answer["comment"] == "of the other"
    again = client.post(f"{PLACE}undo/{review.pk}/")
    assert again.status_code == 404


def test_a_lease_that_ran_out_says_so_and_keeps_the_draft(cast, queue, page):
    client = page(cast.rita)
    client.post(PLACE + "next/")
    lease = held(cast.rita)
    run_out(lease)
    late = client.post(act(lease, "submit"), {**ANSWER, "comment": "typed for an hour"}, headers=HTMX)
    assert late.status_code == 409
    assert "kept as a draft" in text_of(late)
    assert "Open the next item" in text_of(late) or "Start" in text_of(late)
    assert Draft.objects.get().answer["comment"] == "typed for an hour"


def test_a_pair_is_compared_with_plain_forms(cast, page):
    queue = make_queue(cast, kind="pairwise", slug="pairs")
    make_pair(cast.project)
    enqueue(actor=cast.max, queue=queue, body=EnqueueIn(external_ids=["pair-0"]))
    client = page(cast.rita)
    client.post("/p/halyard/review/pairs/next/")
    text = text_of(client.get("/p/halyard/review/pairs/"))
    lease = held(cast.rita)
    order = ("Answer 0.", "Answer 1.") if lease.a_is_left else ("Answer 1.", "Answer 0.")
    assert text.index(order[0]) < text.index(order[1])
    missing = client.post(act(lease, "submit"), {"strength": "2"})
    assert "Choose a side, a tie, or both bad." in text_of(missing)
    client.post(act(lease, "submit"), {"winner": "left", "strength": "2"})
    row = Preference.objects.get()
    assert (row.winner, row.strength) == ("a" if lease.a_is_left else "b", 2)


def test_the_strength_of_a_tie_is_left_out(cast, page):
    queue = make_queue(cast, kind="pairwise", slug="pairs")
    make_pair(cast.project)
    enqueue(actor=cast.max, queue=queue, body=EnqueueIn(external_ids=["pair-0"]))
    lease_next(actor=cast.rita, queue=queue)
    page(cast.rita).post(act(held(cast.rita), "submit"), {"winner": "tie", "strength": "3"})
    row = Preference.objects.get()
    assert (row.winner, row.strength) == ("tie", None)


def test_a_guardrail_decision_shows_what_it_matched(cast, page):
    queue = make_queue(cast, kind="guardrail", slug="hits")
    [output] = make_outputs(cast.project, 1, output="<b>Call</b> me.\nNow.")
    make_hit(output)
    enqueue(actor=cast.max, queue=queue, body=EnqueueIn(external_ids=["out-0"], guardrail="pii"))
    lease_next(actor=cast.rita, queue=queue)
    text = text_of(page(cast.rita).get("/p/halyard/review/hits/"))
    assert '<mark class="hit">&lt;b&gt;</mark>' in text
    assert "blocked" in text


def test_an_adjudicator_sees_the_blind_reviews_and_settles_with_a_reason(cast, page):
    queue = make_queue(cast, slug="answers", reviewers_per_item=2, adjudicate="on_disagreement")
    make_outputs(cast.project, 1)
    enqueue(actor=cast.max, queue=queue, body=EnqueueIn(external_ids=["out-0"]))
    for actor, tone, said in ((cast.rita, 1, "Curt."), (cast.rob, 3, "Kind.")):
        lease = lease_next(actor=actor, queue=queue)
        answer = AnswerIn(grades={"correct": True, "tone": tone}, comment=said)
        submit_review(actor=actor, lease=lease, answer=answer)
    client = page(cast.ivy)
    client.post(PLACE + "next/")
    text = text_of(client.get(PLACE))
    assert "they differ on 1 of 3 questions" in text
    assert "First: <b>" in text
    assert "Curt." in text
    assert "Kind." in text
    assert "rita" not in text.lower()
    assert "rob" not in text.lower()
    assert re.search(r'name="c1" value="0" checked', text)
    lease = held(cast.ivy)
    refused = client.post(act(lease, "submit"), {"c1": "0", "c2": "1", "comment": ""})
    assert refused.status_code == 422
    assert "Must say why, in a sentence." in text_of(refused)
    client.post(act(lease, "submit"), {"c1": "0", "c2": "1", "comment": "The middle."})
    assert Adjudication.objects.get().reason == "The middle."
    assert events_of(Event.ITEM_ADJUDICATED) == 1


def test_no_page_of_a_blind_queue_holds_what_would_bias(cast, queue, page):
    Output.objects.update(
        context=[{"id": "KB-1", "text": "A source.", "score": 0.4242}],
        steps=[{"id": "span-77", "kind": "llm", "name": f"call {MODEL}", "started_at": "2026-11-20T10:00:00Z",
                "ended_at": "2026-11-20T10:00:02Z"}],
        metadata={"served": "shadow-traffic"}, cost_usd="0.4711",
    )  # fmt: skip
    lease = lease_next(actor=cast.rob, queue=queue)
    submit_review(actor=cast.rob, lease=lease, answer=AnswerIn.model_validate({**GOOD, "comment": "Rob's opinion"}))
    client = page(cast.rita)
    answers = [client.get(PLACE), client.post(PLACE + "next/", headers=HTMX), client.get(PLACE)]
    mine = held(cast.rita)
    answers.append(client.post(act(mine, "submit"), {}, headers=HTMX))
    answers.append(client.post(act(mine, "submit"), ANSWER, headers=HTMX))
    for answer in answers:
        text = text_of(answer) + str(answer.headers)
        for secret in (MODEL, PROMPT, "out-0", "out-1", "span-77", "0.4242", "4711", "shadow-traffic", "Rob's opinion"):
            assert secret not in text


def test_a_citation_leads_to_its_source_and_markdown_stays_inert(cast, queue, page):
    Output.objects.update(
        output="So it is [KB-1], `not [KB-1]`. <script>alert(1)</script> ![x](https://evil.example/p.png)",
        context=[{"id": "KB-1", "text": "A source."}],
    )
    lease_next(actor=cast.rita, queue=queue)
    text = text_of(page(cast.rita).get(PLACE))
    assert text.count('<a class="cite" href="#s-src-1"') == 1
    assert "<script>alert" not in text
    assert "<img" not in text
