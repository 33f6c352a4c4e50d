"""What a reviewer of a blind queue receives, byte by byte."""

import json

import pytest

from reviewapp.grading.services import AnswerIn, submit_review
from reviewapp.ingest.models import Signal
from reviewapp.queues.services import EnqueueIn, enqueue, lease_next
from tests.conftest import personal_api
from tests.queues.arrange import GOOD, MODEL, PROMPT, make_hit, make_outputs, make_pair, make_queue, make_rule, select

STEPS = [
    {"id": "span-77", "kind": "chain", "name": "answer a question", "started_at": "2026-11-20T10:00:00Z"},
    {"id": "span-78", "parent_id": "span-77", "kind": "llm", "name": f"chat {MODEL}", "input_tokens": 4242},
    {"id": "span-79", "parent_id": "span-77", "kind": "llm", "name": "Zebra call", "input": {"model": MODEL.upper()}},
    {
        "id": "span-80",
        "parent_id": "span-77",
        "kind": "tool",
        "name": "look up parcel",
        "output": "found",
        "cost_usd": 0.9,
    },
    {"id": "span-81", "parent_id": "span-77", "kind": "llm", "name": "ChatOpenAI", "output": f"by {PROMPT}"},
]
SECRET = {
    "metadata": {"experiment": "canary-metadata"},
    "feature": "canary-feature",
    "session_id": "canary-session",
    "end_user_id": "canary-user",
    "latency_ms": 98765.0,
    "input_tokens": 87654,
    "cost_usd": "0.7654",
    "steps": STEPS,
    "context": [{"id": "doc-1", "text": "Parcels take two days.", "score": 0.7531}],
}
NEVER = (
    MODEL, "zebra", PROMPT, "kestrel", "canary", "hidden-name", "98765", "87654", "0.7654", "0.7531", "4242", "span-7",
    "ChatOpenAI", "configuration", '"metadata"', "external_id", "latency", "signals", "thumbs", "gold", "rule-of-thumb",
    "inclusion", "probability", '"rob"', "peer comment", "a_is_left", "occurred_at",
)  # fmt: skip


def every_byte(answer):
    headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    return (headers + "\n" + answer.raw.decode()).lower()


def filled(cast, kind, **options):
    rules = [] if kind == "pairwise" else [make_rule(cast.project, slug="rule-of-thumb", rate=0.9).slug]
    queue = make_queue(cast, kind=kind, slug="work", rules=rules, reviewers_per_item=2, **options)
    if kind == "pairwise":
        pair = make_pair(cast.project, "hidden-name")
        for side in (pair.a, pair.b):
            type(side).objects.filter(pk=side.pk).update(**SECRET)
        enqueue(actor=cast.max, queue=queue, body=EnqueueIn(external_ids=["hidden-name"]))
        return queue
    (output,) = make_outputs(cast.project, 1, prefix="hidden-name", **SECRET)
    Signal.objects.create(output=output, kind="thumbs_down")
    if kind == "guardrail":
        make_hit(output)
    from reviewapp.ingest.models import SamplingRule

    select(SamplingRule.objects.get(slug="rule-of-thumb"), output)
    return queue


ANSWERS = {
    "grade": GOOD,
    "pairwise": {"preference": {"winner": "left"}},
    "guardrail": {"grades": {"should_fire": True}},
}


@pytest.mark.parametrize("kind", ["grade", "pairwise", "guardrail"])
def test_nothing_that_would_bias_a_reviewer_is_in_any_answer(cast, kind):
    queue = filled(cast, kind)
    peer = AnswerIn.model_validate({**ANSWERS[kind], "comment": "peer comment"})
    submit_review(actor=cast.rob, lease=lease_next(actor=cast.rob, queue=queue), answer=peer)
    rita = personal_api(cast.rita)
    lease = rita.post("queues/work/lease/")
    assert lease.status == 200
    assert lease.body["reason"] is None
    path = f"leases/{lease.body['id']}/"
    answers = [
        lease,
        rita.post("queues/work/lease/"),
        rita.get(path),
        rita.call("PUT", path + "draft/", {"comment": "half"}),
        rita.get("queues/work/"),
        rita.get("queues/"),
        rita.post(path + "submit/", {"grades": {}, "colour": 1}),
        rita.post(path + "submit/", ANSWERS[kind]),
        rita.post(path + "submit/", ANSWERS[kind]),
    ]
    for answer in answers:
        text = every_byte(answer)
        assert [word for word in NEVER if word.lower() in text] == [], answer.raw


def test_harmless_steps_keep_their_names_and_their_tree(cast):
    filled(cast, "grade")
    subject = personal_api(cast.rita).post("queues/work/lease/").body["item"]["subject"]
    assert subject["steps"] == [
        {"id": "1", "parent_id": None, "kind": "chain", "name": "answer a question"},
        {"id": "2", "parent_id": "1", "kind": "llm"},
        {"id": "3", "parent_id": "1", "kind": "llm"},
        {"id": "4", "parent_id": "1", "kind": "tool", "name": "look up parcel", "output": "found"},
        {"id": "5", "parent_id": "1", "kind": "llm"},
    ]
    assert subject["context"] == [{"id": "doc-1", "text": "Parcels take two days."}]


def test_an_open_queue_shows_where_the_answer_came_from(cast):
    filled(cast, "grade", blind=False)
    lease = personal_api(cast.rita).post("queues/work/lease/").body
    subject = lease["item"]["subject"]
    assert (subject["external_id"], subject["configuration"]["model"]) == ("hidden-name-0", MODEL)
    assert (subject["latency_ms"], subject["cost_usd"]) == (98765.0, 0.7654)
    assert [signal["kind"] for signal in subject["signals"]] == ["thumbs_down"]
    assert lease["reason"] == "sampled by rule-of-thumb"
    assert "reviews" not in json.dumps(lease)
