"""Pairs in: inline or by the ids of two outputs."""

from __future__ import annotations

import pytest

from reviewapp.audit.models import Event
from reviewapp.ingest.models import Output, Pair
from tests.conftest import personal_api, service_api
from tests.ingest.examples import CONFIGURATION, output


def pair(external_id="p-1", **more):
    return {
        "external_id": external_id,
        "input": "Which?",
        "a": {"output": "This.", "configuration": CONFIGURATION},
        "b": {"output": "That.", "metadata": {"n": 1}, "latency_ms": 7},
        **more,
    }


def counts(answer):
    return (answer.body["accepted"], answer.body["duplicates"], answer.body["rejected"])


def test_an_inline_pair_becomes_two_outputs_with_the_same_input(api):
    answer = api.post("pairs/", pair())
    assert (answer.status, counts(answer)) == (200, (1, 0, 0))
    made = Pair.objects.get()
    assert (made.a.external_id, made.a.output, made.a.input) == ("p-1#a", "This.", "Which?")
    assert (made.b.external_id, made.b.output, made.b.latency_ms) == ("p-1#b", "That.", 7)
    assert made.a.input_sha256 == made.b.input_sha256
    assert made.a.configuration.model == "m-1"
    assert Event.objects.filter(event="ingest.pairs_ingested").count() == 1


def test_a_pair_may_name_two_outputs(api):
    api.post("outputs/", [output("x"), output("y"), output("z", input="Something else")])
    assert counts(api.post("pairs/", {"external_id": "p", "a_id": "x", "b_id": "y"})) == (1, 0, 0)
    assert counts(api.post("pairs/", {"external_id": "p", "a_id": "x", "b_id": "y"})) == (0, 1, 0)
    swapped = api.post("pairs/", {"external_id": "p", "a_id": "y", "b_id": "x"})
    assert (swapped.status, swapped.body["errors"][0]["pointer"]) == (422, "/external_id")
    other = api.post("pairs/", {"external_id": "q", "a_id": "x", "b_id": "z"})
    assert other.body["errors"][0]["pointer"] == "/b_id"
    absent = api.post("pairs/", {"external_id": "q", "a_id": "x", "b_id": "nosuch"})
    assert absent.body["errors"][0]["pointer"] == "/b_id"


def test_the_same_pair_again_is_a_duplicate_and_other_content_leaves_nothing_behind(api):
    api.post("pairs/", pair())
    assert counts(api.post("pairs/", pair())) == (0, 1, 0)
    other = api.post("pairs/", [pair(b={"output": "New."}), pair(input="Other?")])
    assert counts(other) == (0, 0, 2)
    assert [error["pointer"] for error in other.body["errors"]] == ["/b", "/a"]
    assert (Pair.objects.count(), Output.objects.count()) == (1, 2)


def test_a_rejected_pair_lands_neither_side(api):
    api.post("outputs/", output("p-1#b", input="Taken"))
    assert counts(api.post("pairs/", pair())) == (0, 0, 1)
    assert not Output.objects.filter(external_id="p-1#a").exists()


def test_within_one_batch_the_first_of_an_id_lands_and_later_pairs_may_name_its_sides(api):
    rows = [pair(), pair(), pair(a={"output": "No."}), {"external_id": "r", "a_id": "p-1#b", "b_id": "p-1#a"}]
    answer = api.bulk("pairs/", rows)
    assert counts(answer) == (2, 1, 1)
    assert answer.body["errors"][0]["line"] == 3


@pytest.mark.parametrize(
    "row",
    [
        {"external_id": "p"},
        {"external_id": "p", "input": "x", "a": {"output": "y"}},
        {"external_id": "p", "a_id": "x"},
        {"external_id": "p", "a_id": "x", "b_id": "x"},
        pair(a_id="x", b_id="y"),
        pair(a={"output": "x", "input": "mine"}),
        pair(a={"output": "x", "external_id": "mine"}),
        pair(a={}),
        pair("x" * 199),
        pair(colour="red"),
    ],
)
def test_a_wrong_pair_is_rejected(api, row):
    answer = api.post("pairs/", row)
    assert (answer.status, counts(answer)) == (422, (0, 0, 1))
    assert not Output.objects.exists()


def test_an_error_inside_a_side_has_its_pointer(api):
    assert api.post("pairs/", pair(b={"output": 7})).body["errors"][0]["pointer"] == "/b/output"
    span = {"field": "output", "start": 0, "end": 50}
    hit = {"name": "g", "stage": "output", "action": "flagged", "spans": [span]}
    wrong = api.post("pairs/", pair(a={"output": "x", "guardrails": [hit]}))
    assert wrong.body["errors"][0]["pointer"] == "/a/guardrails/0/spans/0/end"


@pytest.mark.parametrize(("person", "status"), [("max", 200), ("ada", 403), ("otto", 403), ("nemo", 404)])
def test_only_managers_and_their_tokens_send_pairs(cast, person, status):
    assert personal_api(getattr(cast, person)).post("pairs/", pair()).status == status
    assert service_api(cast, ["ingest"]).post("pairs/", pair("i")).status == 200
    assert service_api(cast, ["manage"]).post("pairs/", pair("m")).status == 200
    assert service_api(cast, ["labels:read"]).post("pairs/", pair("l")).status == 403
