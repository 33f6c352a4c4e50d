"""Estimates over the API: equal to the printed figures, honest about what they cannot say."""

from itertools import count

import pytest

from reviewapp.ingest.models import Configuration
from reviewapp.ingest.services.rows import sampling_unit
from reviewapp.queues.models import Queue
from tests.conftest import personal_api
from tests.monitoring.conftest import WINDOW

# STATS.md section 4, vectors: five outputs at probability 0.1, five at 0.5.
PASSES = [1, 1, 0, 1, 1, 0, 1, 1, 1, 0]
FIELDS = [
    "metric", "configuration", "window", "value", "interval", "confidence", "method", "n_population", "n_judged",
    "n_labelled", "effective_n", "labels_saved", "undefined", "reason",
]  # fmt: skip


def names_selected(world, rate, how_many, prefix):
    """External ids that the project's uniform numbers put below the rate."""
    found = (f"{prefix}{n}" for n in count())
    selected = (name for name in found if sampling_unit(world.cast.project.sampling_seed, name) < rate)
    return [next(selected) for _ in range(how_many)]


@pytest.fixture
def sampled(world):
    """The ten labelled outputs of the vectors, and two that nobody selected."""
    seldom = names_selected(world, 0.1, 5, "s")
    often = names_selected(world, 0.5, 5, "o")
    world.outputs(
        *({"external_id": name, "feature": "seldom", "configuration": {"model": "large"}} for name in seldom),
        *({"external_id": name, "feature": "often", "configuration": {"model": "small"}} for name in often),
        *({"external_id": name, "feature": "none", "configuration": {"model": "small"}} for name in ("h1", "h2")),
    )
    answers = zip([*seldom, *often], PASSES, strict=True)
    world.reviews({name: {"correct": bool(value), "tone": 1 + 2 * value} for name, value in answers})
    return world


def test_an_estimate_is_the_printed_hajek_figure(sampled):
    found = sampled.estimate()
    assert list(found) == FIELDS
    assert found["value"] == pytest.approx(0.766667, abs=5e-7)
    assert found["interval"][0] < 0.766667 < found["interval"][1]
    assert (found["method"], found["n_population"], found["n_labelled"], found["n_judged"]) == ("human_only", 12, 10, 0)
    assert found["effective_n"] == pytest.approx(60**2 / (5 * 100 + 5 * 4))  # (sum w)^2 / sum w^2, w = 10 and 2
    assert (found["labels_saved"], found["undefined"], found["reason"]) == (None, None, None)
    assert (found["metric"], found["window"], found["configuration"]) == ("pass_rate:answers.correct", WINDOW, None)


def test_items_enqueued_by_hand_enter_no_estimate(sampled):
    before = sampled.estimate()
    sampled.ok(sampled.api.post("queues/support/items/", {"external_ids": ["h1", "h2"]}))
    sampled.reviews({"h1": {"correct": False}, "h2": {"correct": False}})
    assert sampled.estimate() == before


def test_selected_outputs_that_nobody_reviewed_yet_weigh_through_their_neighbours(world):
    """Ten selected for sure, half of them reviewed: each stands for two. Without that the answer would be 5 of 15."""
    world.ok(world.api.post("rules/", {"slug": "all", "rate": 1.0, "where": {"feature": "all"}}))
    body = {"slug": "wide", "title": "Wide", "kind": "grade", "rubric": "answers", "rules": ["all"]}
    world.ok(world.api.post("queues/", body))
    often = names_selected(world, 0.5, 5, "o")
    world.outputs(
        *({"external_id": f"a{n}", "feature": "all"} for n in range(10)),
        *({"external_id": name, "feature": "often"} for name in often),
    )
    rows = [{"external_id": f"a{n}", "reviewer": "mara", "grades": {"correct": True}} for n in range(5)]
    world.ok(world.api.bulk("queues/wide/reviews/import/", rows))
    world.reviews({name: {"correct": False} for name in often})
    assert world.estimate()["value"] == pytest.approx(0.5)


def test_a_window_that_was_selected_whole_and_half_reviewed_is_not_known_for_certain(world):
    world.ok(world.api.post("rules/", {"slug": "all", "rate": 1.0, "where": {"feature": "all"}}))
    body = {"slug": "wide", "title": "Wide", "kind": "grade", "rubric": "answers", "rules": ["all"]}
    world.ok(world.api.post("queues/", body))
    world.outputs(*({"external_id": f"a{n}", "feature": "all"} for n in range(40)))
    rows = [{"external_id": f"a{n}", "reviewer": "mara", "grades": {"correct": n % 2 == 0}} for n in range(20)]
    world.ok(world.api.bulk("queues/wide/reviews/import/", rows))
    low, high = world.estimate()["interval"]
    assert low < 0.4 < 0.6 < high


def test_the_mean_of_an_ordinal_is_weighted_too(sampled):
    found = sampled.estimate(metric="mean:answers.tone")
    assert found["value"] == pytest.approx(1 + 2 * 46 / 60, abs=1e-9)
    by_bar = sampled.estimate(metric="pass_rate:answers.tone")
    assert by_bar["value"] == pytest.approx(46 / 60, abs=1e-9)


def test_a_configuration_narrows_labels_and_population(sampled):
    small = sampled.estimate(configuration="small")
    assert (small["value"], small["n_labelled"], small["n_population"]) == (0.6, 5, 7)
    assert sampled.estimate(configuration="large")["value"] == pytest.approx(0.8)


def test_a_fingerprint_names_a_configuration(sampled):
    one = Configuration.objects.get(model="large")
    by_label = sampled.estimate(configuration="large")
    for name in (one.fingerprint, one.fingerprint[:8], str(one.pk)):
        assert sampled.estimate(configuration=name)["value"] == by_label["value"]


def test_labels_without_any_probability_are_probabilities_missing(world):
    world.outputs({"external_id": "h1"}, {"external_id": "h2"})
    world.reviews({"h1": {"correct": True}, "h2": {"correct": False}})
    found = world.estimate()
    assert (found["undefined"], found["value"], found["n_labelled"]) == ("probabilities_missing", None, 0)
    assert "by hand" in found["reason"]


def test_no_label_is_no_data_and_one_is_too_few(world):
    [name] = names_selected(world, 0.5, 1, "o")
    world.outputs({"external_id": name, "feature": "often"})
    assert world.estimate()["undefined"] == "no_data"
    world.reviews({name: {"correct": True}})
    assert world.estimate()["undefined"] == "too_few_labels"


def test_outputs_outside_of_the_window_count_nowhere(sampled):
    later = sampled.estimate(window="2026-11-05T00:00:00Z/2026-11-08T00:00:00Z")
    assert (later["n_population"], later["n_labelled"], later["undefined"]) == (0, 0, "no_data")
    assert sampled.estimate(window="366d")["n_labelled"] == 10


def test_a_criterion_without_a_pass_rate_says_so(sampled):
    found = sampled.estimate(metric="pass_rate:answers.words")
    assert (found["undefined"], found["value"]) == ("not_applicable", None)
    assert sampled.estimate(metric="mean:answers.words")["undefined"] == "not_applicable"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "metric=pass_rate",
        "metric=median:answers.correct",
        "metric=pass_rate:answers",
        "metric=pass_rate:nosuch.correct",
        "metric=pass_rate:answers.nosuch",
        "metric=pass_rate:answers.correct&configuration=nosuch",
        "metric=pass_rate:answers.correct&window=0d",
        "metric=pass_rate:answers.correct&window=367d",
        "metric=pass_rate:answers.correct&window=yesterday",
        "metric=pass_rate:answers.correct&window=2026-11-08T00:00:00Z/2026-11-01T00:00:00Z",
        "metric=pass_rate:answers.correct&window=2026-11-01/2026-11-08",
        "metric=pass_rate:answers.correct&window=2026-13-01T00:00:00Z/2026-11-08T00:00:00Z",
        "metric=pass_rate:answers.correct&colour=red",
    ],
)
def test_a_question_that_cannot_be_read_is_400(world, query):
    answer = world.api.get(f"estimates/?{query}")
    assert (answer.status, answer.body["type"]) == (400, "urn:reviewapp:problem:malformed")


def test_a_label_that_two_configurations_share_is_refused(world):
    world.outputs(
        {"external_id": "x", "configuration": {"model": "m", "parameters": {"temperature": 0}}},
        {"external_id": "y", "configuration": {"model": "m", "parameters": {"temperature": 1}}},
    )
    answer = world.api.get("estimates/?metric=pass_rate:answers.correct&configuration=m")
    assert answer.status == 400
    assert "fingerprint" in answer.body["detail"]


@pytest.mark.parametrize(
    ("name", "status"), [("ada", 200), ("max", 200), ("otto", 200), ("rita", 403), ("ivy", 403), ("nemo", 404)]
)
def test_who_may_read_estimates(world, name, status):
    world.cast.reviewers(Queue.objects.get(slug="support"))
    answer = personal_api(getattr(world.cast, name)).get("estimates/?metric=pass_rate:answers.correct")
    assert answer.status == status
