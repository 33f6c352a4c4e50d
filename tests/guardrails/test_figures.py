"""What people say about guardrail decisions: API.md, Guardrail."""

from __future__ import annotations

import pytest

from reviewapp.ingest.models import GuardrailHit
from reviewapp.queues.models import Queue, QueueItem
from tests.conftest import Api, Cast, personal_api
from tests.judge.arrange import grades, make_rubric, ok

RUBRIC = {
    "slug": "decision",
    "title": "Guardrail decision",
    "criteria": [{"key": "should_fire", "kind": "binary", "title": "Should it have acted?"}],
}


def output(number: int, action: str, *, version: str = "2", **more: object) -> dict:
    decision = {"name": "pii-out", "version": version, "stage": "output", "action": action, "category": "address"}
    text = f"SECRET text {number}"
    return {"external_id": f"g-{number:03d}", "input": "q", "output": text, "guardrails": [decision], **more}


@pytest.fixture
def ready(api: Api) -> Api:
    """20 actions and 80 passes of version 2, 10 actions of version 1 whose sender reports hits only."""
    make_rubric(api, RUBRIC)
    actions = ("blocked", "flagged", "rewritten")
    rows = [output(k, actions[k % 3]) for k in range(20)] + [output(k, "passed") for k in range(20, 100)]
    rows += [output(k, "blocked", version="1") for k in range(100, 110)]
    ok(api.bulk("outputs/", rows))
    ok(api.post("queues/", {"slug": "hits", "title": "Hits", "kind": "guardrail", "rubric": "decision"}))
    return api


def put_in_queue(numbers: range, probability: float | None) -> None:
    """Items as the puller leaves them, with the probability that held."""
    queue = Queue.objects.get()
    hits = GuardrailHit.objects.filter(output__external_id__in=[f"g-{k:03d}" for k in numbers])
    QueueItem.objects.bulk_create(
        QueueItem(queue=queue, output_id=hit.output_id, hit=hit, inclusion_probability=probability,
                  source="manual" if probability is None else "rule")
        for hit in hits
    )  # fmt: skip


def review(api: Api, answers: dict[int, bool]) -> None:
    rows = [
        {"external_id": f"g-{k:03d}", "reviewer": "ann", "grades": {"should_fire": answer}}
        for k, answer in answers.items()
    ]
    grades(api, rows, queue="hits")


def version(api: Api, number: str) -> dict:
    body = ok(api.get("guardrails/"))
    assert set(body) == {"next", "previous", "results"}
    return next(one for one in body["results"] if one["version"] == number)


def test_without_reviews_only_the_trigger_rate_is_known(ready):
    found = version(ready, "2")
    assert found["trigger_rate"]["value"] == pytest.approx(0.2)
    assert found["trigger_rate"]["n"] == 100
    assert found["precision"]["undefined"] == "no_data"
    assert found["miss_rate"]["undefined"] == "no_data"
    assert (found["n_hits"], found["n_hits_reviewed"], found["n_passed_reviewed"]) == (20, 0, 0)


def test_a_sender_of_hits_only_gets_no_rate_over_what_was_never_sent(ready):
    found = version(ready, "1")
    for name in ("trigger_rate", "miss_rate", "recall"):
        assert found[name]["undefined"] == "probabilities_missing", name
    assert found["n_hits"] == 10


def test_precision_miss_rate_and_recall_from_sampled_reviews(ready):
    put_in_queue(range(10), 1.0)
    put_in_queue(range(20, 60), 0.5)
    review(ready, {k: k < 8 for k in range(10)} | {k: k < 24 for k in range(20, 60)})
    found = version(ready, "2")
    assert found["precision"]["value"] == pytest.approx(0.8)
    assert found["precision"]["interval"] == pytest.approx([0.4902, 0.9433], abs=1e-4)
    assert found["miss_rate"]["value"] == pytest.approx(0.1)
    # 20 hits of which 0.8 are right, 80 passes of which 0.1 are missed: 16 of 24.
    assert found["recall"]["value"] == pytest.approx(2 / 3)
    low, high = found["recall"]["interval"]
    assert low < 2 / 3 < high
    assert (found["n_hits_reviewed"], found["n_passed_reviewed"]) == (10, 40)


def test_passes_reviewed_with_unequal_probabilities_are_weighted(ready):
    put_in_queue(range(10), 1.0)
    put_in_queue(range(20, 30), 1.0)
    put_in_queue(range(30, 40), 0.1)
    review(ready, dict.fromkeys(range(10), True) | {k: k < 30 for k in range(20, 40)})
    found = version(ready, "2")
    # Ten with weight 1 that were missed, ten with weight 10 that were not.
    assert found["miss_rate"]["value"] == pytest.approx(10 / 110)
    assert found["recall"]["value"] == pytest.approx(20 / (20 + 80 * 10 / 110))
    assert found["recall"]["method"] == "ratio of totals, Bonferroni"


def test_passes_enqueued_by_hand_give_no_miss_rate(ready):
    put_in_queue(range(20, 30), None)
    review(ready, dict.fromkeys(range(20, 30), True))
    found = version(ready, "2")
    assert found["miss_rate"]["undefined"] == "probabilities_missing"
    assert found["n_passed_reviewed"] == 10


@pytest.mark.parametrize(("who", "status"), [("max", 200), ("otto", 200), ("ada", 403), ("rita", 403), ("nemo", 404)])
def test_who_may_see_the_figures(cast: Cast, ready, page, who, status):
    cast.reviewers(Queue.objects.get())
    assert personal_api(getattr(cast, who)).get("guardrails/").status == status
    assert page(getattr(cast, who)).get("/p/halyard/guardrails/").status_code == status
    assert page(getattr(cast, who)).get("/p/halyard/guardrails/decisions/").status_code == status


def test_the_pages_say_it_in_sentences_and_show_no_production_text(cast: Cast, ready, page):
    put_in_queue(range(10), 1.0)
    review(ready, {k: k < 8 for k in range(10)})
    client = page(cast.max)
    figures = client.get("/p/halyard/guardrails/").content.decode()
    assert "Of 10 reviewed actions 20.0\u00a0% should not have happened" in figures
    listed = client.get("/p/halyard/guardrails/decisions/?name=pii-out&version=2&action=blocked").content.decode()
    assert "7 decisions" in listed
    assert "should not act" in listed
    assert "SECRET" not in figures + listed
    assert client.get("/p/halyard/guardrails/decisions/?action=nosuch").status_code == 200
