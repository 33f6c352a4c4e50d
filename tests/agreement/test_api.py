"""Who may read agreement, and what the answer holds."""

from __future__ import annotations

import json

import pytest

from reviewapp.access.actors import SYSTEM
from reviewapp.access.matrix import Role
from reviewapp.access.services import grant_role
from tests.agreement.examples import (
    figure,
    figures,
    fill,
    make_configuration,
    make_item,
    make_pair_item,
    make_queue,
    review,
)
from tests.conftest import make_person, personal_api, service_api


@pytest.fixture
def queue(cast):
    return make_queue(cast, "safe")


STAT = {"name", "level", "params", "value", "interval", "confidence", "method", "n", "undefined", "reason", "warnings"}


def test_the_answer_has_the_contracts_shape(cast, api, queue):
    fill(queue, "safe", [[True, True], [False, True], [False, False]], (cast.rita, cast.rob))
    answer = api.get("queues/answers/agreement/")
    assert answer.status == 200
    assert set(answer.body) == {"queue", "as_of", "criteria"}
    assert set(answer.body["as_of"]) == {"leaf_index", "at"}
    [entry] = answer.body["criteria"]
    assert {
        "criterion",
        "kind",
        "n_items",
        "n_reviews",
        "n_reviewers",
        "n_pairable_items",
        "statistics",
        "pairs",
    } <= set(entry)
    assert all(set(stat) == STAT for stat in entry["statistics"])
    assert all(set(stat) == STAT for stat in entry["pairs"][0]["statistics"])
    json.dumps(answer.body, allow_nan=False)


@pytest.mark.parametrize(
    ("who", "status"),
    [("max", 200), ("otto", 200), ("ivy", 200), ("ada", 403), ("rita", 403), ("nemo", 404)],
)
def test_managers_auditors_and_adjudicators_read_agreement(cast, queue, who, status):
    assert personal_api(getattr(cast, who)).get("queues/answers/agreement/").status == status


@pytest.mark.parametrize(("scopes", "status"), [(["labels:read"], 200), (["manage"], 200), (["ingest"], 403)])
def test_a_token_needs_a_scope_that_reads_labels_or_manages(cast, queue, scopes, status):
    assert service_api(cast, scopes).get("queues/answers/agreement/").status == status


def test_unknown_slices_configurations_and_parameters_are_refused(api, queue):
    for parameters in ("slice=mood", "slice=metadata.", "configuration=gpt-9", "slices=model"):
        assert api.get(f"queues/answers/agreement/?{parameters}").status == 400


def test_a_slice_shows_each_part_beside_the_whole(cast, api, queue):
    gpt, llama = (make_configuration(cast.project, model=name) for name in ("gpt4", "llama"))
    for number, (configuration, rita, rob) in enumerate(
        [(gpt, True, True), (gpt, False, False), (llama, True, False), (llama, False, True), (None, True, True)]
    ):
        item = make_item(queue, f"o{number}", configuration=configuration, metadata={"language": "de"}, feature="chat")
        review(item, cast.rita, {"safe": rita})
        review(item, cast.rob, {"safe": rob})
    body = api.get("queues/answers/agreement/?slice=model").body
    assert figures(body, "safe")["n_items"] == 5
    slices = {entry["slice"]: entry for entry in body["slices"]}
    assert [entry["slice"] for entry in body["slices"]] == ["gpt4", "llama", None]
    assert figure(slices["gpt4"], "safe", "percent_agreement")["value"] == 1
    assert figure(slices["llama"], "safe", "percent_agreement")["value"] == 0
    assert figures(slices["llama"], "safe")["pairs"][0]["n_items"] == 2
    assert figure(slices["gpt4"], "safe", "conger_kappa")["value"] == 1
    for name, value in (("language", "de"), ("metadata.language", "de"), ("feature", "chat")):
        assert [entry["slice"] for entry in api.get(f"queues/answers/agreement/?slice={name}").body["slices"]] == [
            value
        ]
    labels = [entry["slice"] for entry in api.get("queues/answers/agreement/?slice=configuration").body["slices"]]
    assert labels == ["gpt4", "llama", None]


def test_a_configuration_narrows_the_whole(cast, api, queue):
    gpt = make_configuration(cast.project, model="gpt4", prompt_name="support")
    for number, configuration in enumerate((gpt, None)):
        item = make_item(queue, f"o{number}", configuration=configuration)
        review(item, cast.rita, {"safe": True})
    for name in (gpt.label, "gpt4", str(gpt.pk), gpt.fingerprint):
        body = api.get(f"queues/answers/agreement/?configuration={name}").body
        assert figures(body, "safe")["n_items"] == 1


def test_pairs_are_sliced_by_both_sides(cast, api):
    queue = make_queue(cast, "preference", kind="pairwise", slug="pairs")
    gpt, llama = (make_configuration(cast.project, model=name) for name in ("gpt4", "llama"))
    for number, sides in enumerate([(gpt, llama), (llama, gpt)]):
        item = make_pair_item(queue, f"p{number}", *sides, prompt="hello")
        review(item, cast.rita, {"preference": ("a", True)})
        review(item, cast.rob, {"preference": ("a", False)})
    body = api.get("queues/pairs/agreement/?slice=model").body
    assert [entry["slice"] for entry in body["slices"]] == ["gpt4 vs llama"]
    assert figure(body["slices"][0], "preference", "percent_agreement")["value"] == 1
    assert figures(api.get("queues/pairs/agreement/?configuration=gpt4").body, "preference")["n_items"] == 2


def test_the_pages_show_intervals_reasons_and_what_to_look_at(cast, page, queue):
    fill(queue, "safe", [[True, True], [False, True], [False, False], [True, False]], (cast.rita, cast.rob))
    answer = page(cast.max).get("/p/halyard/agreement/")
    assert answer.status_code == 200
    assert 'class="wh"' in answer.content.decode()
    text = page(cast.max).get("/p/halyard/agreement/answers/").content.decode()
    assert "Where reviewers differ most" in text
    assert "Krippendorff alpha, nominal" in text
    assert "answers-1" in text


def test_an_undefined_coefficient_is_a_row_with_its_reason(cast, page, queue):
    fill(queue, "safe", [[True, True], [True, True]], (cast.rita, cast.rob))
    text = page(cast.max).get("/p/halyard/agreement/").content.decode()
    assert "Only one category was used. Without variation" in text
    assert "nan" not in text.lower()


def test_an_adjudicator_sees_the_queues_they_hold_and_no_list_of_disputes(cast, page, queue):
    make_queue(cast, "safe", slug="hidden")
    jim = make_person("jim")
    grant_role(actor=SYSTEM, user=jim.person, role=Role.ADJUDICATOR, target=queue)
    fill(queue, "safe", [[True, False], [False, True]], (cast.rita, cast.rob))
    client = page(jim)
    text = client.get("/p/halyard/agreement/").content.decode()
    assert "Queue answers" in text
    assert "Queue hidden" not in text
    assert "Where reviewers differ most" not in client.get("/p/halyard/agreement/answers/").content.decode()
    assert client.get("/p/halyard/agreement/hidden/").status_code == 404


@pytest.mark.parametrize(("who", "status"), [("rita", 403), ("ada", 403), ("nemo", 404)])
def test_the_pages_refuse_who_may_not_read_agreement(cast, page, queue, who, status):
    client = page(getattr(cast, who))
    assert client.get("/p/halyard/agreement/").status_code == status
    assert client.get("/p/halyard/agreement/answers/").status_code == status
    assert client.post("/p/halyard/agreement/answers/refresh/").status_code == status


def test_refresh_nudges_the_task_and_returns_to_the_page(cast, page, queue):
    answer = page(cast.max).post("/p/halyard/agreement/answers/refresh/")
    assert (answer.status_code, answer["Location"]) == (302, "/p/halyard/agreement/answers/")
