"""Outputs in, over HTTP: what lands, what is a duplicate, what is rejected, and who may."""

from __future__ import annotations

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from django.db import connection

from reviewapp.access.actors import SYSTEM
from reviewapp.access.services import create_project
from reviewapp.audit.models import Event, Payload
from reviewapp.demo.content.outputs import output_records
from reviewapp.ingest.models import Configuration, GuardrailHit, Output, Signal
from reviewapp.ingest.services import ingest_outputs
from reviewapp.lib.bodies import Line
from reviewapp.lib.clock import utc_now
from tests.conftest import Api, personal_api, service_api
from tests.ingest.examples import CONFIGURATION, full, output


def counts(answer):
    return (answer.body["accepted"], answer.body["duplicates"], answer.body["rejected"])


def test_one_output_with_every_field_is_stored_and_read_back(api):
    answer = api.post("outputs/", full())
    assert (answer.status, counts(answer)) == (200, (1, 0, 0))
    found = api.get("outputs/req-full/").body
    sent = full()
    sent["occurred_at"] = "2026-11-20T10:00:00.000000Z"
    sent["signals"][0]["occurred_at"] = "2026-11-20T10:01:00.000000Z"
    assert found == sent
    hit, signal = GuardrailHit.objects.get(), Signal.objects.get()
    assert (hit.name, hit.action, hit.position, hit.spans) == ("pii", "flagged", 0, sent["guardrails"][0]["spans"])
    assert (signal.kind, signal.value) == ("thumbs_down", {"why": "slow"})


def test_an_array_and_ndjson_and_gzip_land_alike(api):
    assert counts(api.post("outputs/", [output("a"), output("b")])) == (2, 0, 0)
    assert counts(api.bulk("outputs/", [output("c"), output("d")])) == (2, 0, 0)
    packed = gzip.compress(b"\n".join(json.dumps(output(name)).encode() for name in ("e", "f")))
    answer = api.call("POST", "outputs/", packed, content_type="application/x-ndjson", **{"Content-Encoding": "gzip"})
    assert counts(answer) == (2, 0, 0)
    assert Output.objects.count() == 6


def test_the_same_record_again_is_a_duplicate_and_other_content_is_rejected(api):
    api.post("outputs/", output(occurred_at=None))
    again = api.post("outputs/", dict(reversed(output().items())))
    other = api.post("outputs/", output(output="Another answer"))
    assert (again.status, counts(again)) == (200, (0, 1, 0))
    assert (other.status, counts(other)) == (422, (0, 0, 1))
    assert other.body["errors"] == [
        {
            "line": 1,
            "external_id": "req-1",
            "pointer": "/external_id",
            "detail": "is known with other content; nothing was overwritten",
        }
    ]
    assert Output.objects.get().output == "On its way."


def test_a_whole_number_and_its_float_are_the_same_content(api):
    api.post("outputs/", output(latency_ms=5, cost_usd=0))
    assert counts(api.post("outputs/", output(latency_ms=5.0, cost_usd=0.0))) == (0, 1, 0)


@pytest.mark.parametrize(
    "change",
    [{"metadata": {"a": 1}}, {"signals": [{"kind": "edit"}]}, {"latency_ms": 1}, {"feature": "x"}, {"context": []}],
)
def test_every_field_counts_as_content(api, change):
    api.post("outputs/", output())
    assert counts(api.post("outputs/", output(**change))) == (0, 0, 1)


def test_within_one_batch_the_first_of_an_id_lands(api):
    answer = api.bulk("outputs/", [output("x"), output("x"), output("x", output="Other"), output("y")])
    assert counts(answer) == (2, 1, 1)
    assert answer.body["errors"][0]["line"] == 3


def test_one_bad_record_of_many_is_named_by_its_line_and_the_others_land(api):
    rows = [output(f"r-{number}") for number in range(1, 501)]
    rows[316]["latency_ms"] = -1
    answer = api.bulk("outputs/", rows)
    assert (answer.status, counts(answer)) == (200, (499, 0, 1))
    assert answer.body["errors"] == [
        {"line": 317, "external_id": "r-317", "pointer": "/latency_ms", "detail": "must be 0 or more"}
    ]
    assert not Output.objects.filter(external_id="r-317").exists()


def test_more_than_a_chunk_lands_with_one_event_a_chunk(api):
    answer = api.post("outputs/", [full(f"r-{number}") for number in range(2_300)])
    assert counts(answer) == (2_300, 0, 0)
    assert Event.objects.filter(event="ingest.outputs_ingested").count() == 3


def test_a_batch_leaves_one_event_that_counts(api):
    api.bulk("outputs/", [output("x"), output("y"), output("y", output="Other")])
    event = Event.objects.get(event="ingest.outputs_ingested")
    data = json.loads(Payload.objects.get(event=event).data)
    assert (data["accepted"], data["other_content"], data["selected"]) == (2, 1, [])
    assert event.project == "halyard"
    assert "On its way" not in event.env + json.dumps(data)


def test_configurations_are_one_per_content(api):
    api.post("outputs/", [
        output("a", configuration=CONFIGURATION),
        output("b", configuration=dict(reversed(CONFIGURATION.items()))),
        output("c", configuration=CONFIGURATION | {"prompt_version": "8"}),
        output("d", configuration={"model": None, "parameters": {}}),
        output("e"),
    ])  # fmt: skip
    assert Configuration.objects.count() == 2
    found = dict(Output.objects.values_list("external_id", "configuration"))
    assert found["a"] == found["b"] != found["c"]
    assert (found["d"], found["e"]) == (None, None)


def test_the_sample_projects_outputs_are_all_accepted(api):
    records = output_records(utc_now())
    answer = api.bulk("outputs/", records)
    assert counts(answer) == (len(records), 0, 0), answer.body["errors"][:3]


ACCEPTED = {
    "markup": {"output": "<img src=x onerror=alert(1)>"},
    "htmx": {"output": "<a hx-get=/api/me hx-trigger=load><div hx-on::load=x>"},
    "path id": {"external_id": "../x"},
    "override id": {"external_id": "a\u202eb"},
    "longest id": {"external_id": "x" * 200},
    "empty answer": {"output": ""},
    "message answer": {"output": {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}},
    "early": {"occurred_at": "1970-01-01T00:00:00Z"},
    "offset": {"occurred_at": "2026-11-20T12:00:00.123456789+02:00"},
    "secrets": {"output": "AKIAIOSFODNN7EXAMPLE 078-05-1120 4111111111111111"},
    "unknown parent": {"steps": [{"id": "1", "parent_id": "gone", "kind": "llm", "name": "x"}]},
}


@pytest.mark.parametrize("change", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_strange_but_right_records_land(api, change):
    answer = api.post("outputs/", output() | change)
    assert counts(answer) == (1, 0, 0), answer.body
    external_id = (output() | change)["external_id"]
    read = api.get(f"outputs/{quote(external_id, safe='')}/")
    assert read.body["output"] == (output() | change)["output"]


def test_composed_and_decomposed_ids_are_two_outputs(api):
    assert counts(api.post("outputs/", [output("caf\u00e9"), output("cafe\u0301")])) == (2, 0, 0)


def test_secrets_in_a_record_reach_no_log(api, caplog):
    api.post("outputs/", output(output="AKIAIOSFODNN7EXAMPLE", colour="AKIAIOSFODNN7EXAMPLE"))
    api.post("outputs/", output(output="AKIAIOSFODNN7EXAMPLE"))
    assert "AKIA" not in caplog.text


SPANS = [{"name": "g", "stage": "output", "action": "flagged", "spans": [{"field": "output", "start": 3, "end": 99}]}]
RING = [
    {"id": "1", "parent_id": "2", "kind": "llm", "name": "x"},
    {"id": "2", "parent_id": "1", "kind": "llm", "name": "x"},
]
WRONG = {
    "no id": ({"external_id": None}, "/external_id"),
    "empty id": ({"external_id": ""}, "/external_id"),
    "long id": ({"external_id": "x" * 201}, "/external_id"),
    "number as id": ({"external_id": 7}, "/external_id"),
    "unknown field": ({"colour": "red"}, "/colour"),
    "text as number": ({"latency_ms": "5"}, "/latency_ms"),
    "true as number": ({"latency_ms": True}, "/latency_ms"),
    "float as count": ({"input_tokens": 1.5}, "/input_tokens"),
    "negative cost": ({"cost_usd": -0.01}, "/cost_usd"),
    "year 1": ({"occurred_at": "0001-01-01T00:00:00Z"}, "/occurred_at"),
    "year 9999": ({"occurred_at": "9999-12-31T23:59:59-14:00"}, "/occurred_at"),
    "no zone": ({"occurred_at": "2026-11-20T10:00:00"}, "/occurred_at"),
    "no such day": ({"occurred_at": "2026-02-30T10:00:00Z"}, "/occurred_at"),
    "epoch": ({"occurred_at": 1700000000}, "/occurred_at"),
    "rate zero": ({"sampling_rate": 0}, "/sampling_rate"),
    "rate over one": ({"sampling_rate": 1.01}, "/sampling_rate"),
    "no input": ({"input": None}, "/input"),
    "no messages": ({"input": []}, "/input"),
    "message without role": ({"input": [{"content": "x"}]}, "/input/0/role"),
    "list as answer": ({"output": [{"role": "assistant", "content": "x"}]}, "/output"),
    "unknown stage": ({"guardrails": [{"name": "g", "stage": "mid", "action": "flagged"}]}, "/guardrails/0/stage"),
    "span outside": ({"guardrails": SPANS}, "/guardrails/0/spans/0/end"),
    "unknown signal": ({"signals": [{"kind": "clap"}]}, "/signals/0/kind"),
    "unknown step": ({"steps": [{"id": "1", "kind": "magic", "name": "x"}]}, "/steps/0/kind"),
    "steps in a ring": ({"steps": RING}, "/steps/0/parent_id"),
    "metadata no object": ({"metadata": []}, "/metadata"),
    "no record": (None, ""),
}


@pytest.mark.parametrize(("change", "pointer"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_record_is_rejected_at_the_field_that_is_wrong(api, change, pointer):
    answer = api.post("outputs/", [None if change is None else output() | change])
    assert (answer.status, counts(answer)) == (422, (0, 0, 1))
    assert answer.body["errors"][0]["pointer"] == pointer
    assert answer.body["errors"][0]["detail"]
    assert not Output.objects.exists()


def raw(**more):
    return json.dumps(output(**more)).encode()


JSON, NDJSON = "application/json", "application/x-ndjson"
UNREADABLE = {
    "NUL in a value": (raw(metadata={"a": "x\x00y"}), JSON, 400),
    "NUL in a key": (raw(metadata={"a\x00": 1}), JSON, 400),
    "lone surrogate": (b'{"external_id":"a","input":"\\ud800","output":"x"}', JSON, 400),
    "deep": (b"[" * 5_000, JSON, 413),
    "very deep": (b"[" * 100_000, JSON, 413),
    "NaN": (b'{"external_id":"a","input":"i","output":"o","latency_ms":NaN}', JSON, 400),
    "infinity": (b'{"external_id":"a","input":"i","output":"o","latency_ms":1e400}', JSON, 400),
    "huge integer": (b'{"external_id":"a","metadata":{"n":' + b"9" * 4_000 + b"}}", JSON, 400),
    "key twice": (b'{"external_id":"a","external_id":"b","input":"i","output":"o"}', JSON, 400),
    "too large": (b'{"external_id":"' + b"a" * (17 * 2**20) + b'"}', JSON, 413),
    "long string": (raw(metadata={"a": "x" * (2**20 + 1)}), JSON, 413),
    "utf-16": (json.dumps(output()).encode("utf-16"), f"{JSON}; charset=utf-16", 415),
    "latin-1": (raw(), f"{JSON}; charset=latin-1", 415),
    "not UTF-8": (b'{"external_id":"\xff"}', JSON, 400),
    "a form": (b"external_id=a", "application/x-www-form-urlencoded", 415),
    "empty": (b"", JSON, 400),
    "half": (b'{"external_id":', JSON, 400),
}


@pytest.mark.parametrize(("body", "kind", "status"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_body_that_cannot_be_read_is_a_problem_document(api, body, kind, status):
    answer = api.call("POST", "outputs/", body, content_type=kind)
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert not Output.objects.exists()


def test_an_unreadable_line_of_ndjson_is_rejected_alone(api):
    lines = [body for body, kind, status in UNREADABLE.values() if kind == JSON and status == 400 and body]
    answer = api.call("POST", "outputs/", b"\n".join([*lines, raw()]), content_type=NDJSON)
    assert (answer.status, counts(answer)) == (200, (1, 0, len(lines)))


def test_a_gzip_bomb_is_refused(api):
    bomb = gzip.compress(b"[" + b" " * (64 * 2**20) + b"]")
    answer = api.call("POST", "outputs/", bomb, **{"Content-Encoding": "gzip"})
    assert answer.status == 413
    assert api.call("POST", "outputs/", raw(), **{"Content-Encoding": "br"}).status == 415


def test_a_record_with_too_many_keys_is_rejected_and_its_neighbours_land(api):
    answer = api.post("outputs/", [output("a"), output("b", metadata={str(n): n for n in range(10_001)}), output("c")])
    assert counts(answer) == (2, 0, 1)


def test_an_idempotency_key_repeats_the_answer_of_a_json_body_but_is_not_for_ndjson(api):
    first = api.post("outputs/", output(), **{"Idempotency-Key": "k"})
    again = api.post("outputs/", output(), **{"Idempotency-Key": "k"})
    assert counts(first) == counts(again) == (1, 0, 0)
    assert again.headers["Idempotent-Replay"] == "true"
    assert counts(api.bulk("outputs/", [output()], **{"Idempotency-Key": "k"})) == (0, 1, 0)


def test_fifty_senders_of_one_id_make_one_output(committed_cast, django_db_blocker):
    def send(number):
        with django_db_blocker.unblock():
            try:
                rows = [Line(1, value=output("same")), Line(2, value=output(f"own-{number}"))]
                done = ingest_outputs(actor=SYSTEM, project=committed_cast.project, lines=rows)
                return (done.accepted, done.duplicates, done.rejected)
            finally:
                connection.close()

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(send, range(50)))
    assert sorted(found) == [(1, 1, 0)] * 49 + [(2, 0, 0)]
    with django_db_blocker.unblock():
        assert Output.objects.count() == 51


def test_reading_outputs_pages_from_the_newest_and_is_recorded(api):
    for name in "abc":
        api.post("outputs/", output(name))
    first = api.get("outputs/?limit=2").body
    second = api.call("GET", first["next"].partition("testserver")[2]).body
    assert [row["external_id"] for row in first["results"] + second["results"]] == ["c", "b", "a"]
    assert second["next"] is None
    viewed = Event.objects.filter(event="ingest.outputs_viewed")
    assert viewed.count() == 2
    assert json.loads(Payload.objects.get(event=viewed.latest("id")).data)["external_ids"] == ["a"]


def test_an_absent_output_is_404_and_unknown_parameters_are_400(api):
    assert api.get("outputs/nosuch/").status == 404
    assert api.get("outputs/a%00b/").status == 404
    assert api.get("outputs/?colour=red").status == 400
    assert api.call("POST", "outputs/?dry=1", output()).status == 400


@pytest.mark.parametrize(
    ("person", "sends", "reads"),
    [("max", 200, 200), ("ada", 403, 403), ("otto", 403, 403), ("rita", 404, 404), ("nemo", 404, 404)],
)
def test_only_managers_send_and_read_production_text(cast, person, sends, reads):
    service_api(cast).post("outputs/", output("there"))
    door = personal_api(getattr(cast, person))
    assert door.post("outputs/", output()).status == sends
    assert door.get("outputs/").status == reads
    assert door.get("outputs/there/").status == reads
    refused = Event.objects.filter(event="access.denied").count()
    assert refused == (0 if person == "max" else 3)


def test_scopes_bound_a_token(cast):
    sender, reader = service_api(cast, ["ingest"]), service_api(cast, ["labels:read"])
    assert sender.post("outputs/", output()).status == 200
    assert sender.get("outputs/").status == 403
    assert reader.post("outputs/", output("x")).status == 403
    assert reader.get("outputs/req-1/").status == 200
    assert Api(None, "halyard").post("outputs/", output()).status == 401


def test_another_project_is_absent(api, cast):
    create_project(actor=SYSTEM, slug="other", title="Other")
    assert api.call("POST", "/api/v1/projects/other/outputs/", output()).status == 404
    assert Event.objects.filter(event="access.denied").count() == 1
