"""The page of production quality: figures with intervals and sentences, undefined rows with their reason."""

from datetime import UTC, datetime, timedelta

import pytest

from reviewapp.queues.models import Queue
from tests.monitoring.test_estimates import names_selected

PLACE = "/p/halyard/monitoring/"


def recent(external_id, **more):
    """An output of yesterday."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    return {"external_id": external_id, "occurred_at": yesterday.strftime("%Y-%m-%dT%H:%M:%SZ"), **more}


def read(page, person, query=""):
    answer = page(person).get(PLACE + query)
    return answer.status_code, answer.content.decode()


def test_a_configuration_with_labels_has_a_rate_and_one_without_a_reason(world, page):
    good = names_selected(world, 0.5, 40, "g")
    world.outputs(
        *(
            recent(name, feature="often", configuration={"model": "large"}, latency_ms=900, cost_usd=0.002)
            for name in good
        ),
        recent("lonely", configuration={"model": "small"}),
    )
    world.reviews({name: {"correct": place % 4 != 0} for place, name in enumerate(good)})
    status, text = read(page, world.cast.max)
    assert status == 200
    assert "large passes in 75.0 % (" in text
    assert "no other configuration has an estimate" in text
    assert '<circle class="dt" cx="178.0"' in text  # 4 + 232 * 0.75
    assert "No reviewed output of this configuration" in text
    assert "900&nbsp;ms" in text
    assert "$0.00200" in text
    assert "41 in 15 days" in text


def test_two_configurations_whose_intervals_do_not_meet_are_told_apart(world, page):
    good, bad = names_selected(world, 0.5, 40, "g"), names_selected(world, 0.5, 40, "b")
    world.outputs(
        *(recent(name, feature="often", configuration={"model": "large"}) for name in good),
        *(recent(name, feature="often", configuration={"model": "small"}) for name in bad),
    )
    world.reviews({name: {"correct": True} for name in good})
    world.reviews({name: {"correct": place % 2 == 0} for place, name in enumerate(bad)})
    assert "clearly above the others" in read(page, world.cast.max)[1]


def test_guardrails_count_what_they_acted_on(world, page):
    def decided(*actions):
        return [{"name": "pii", "version": "2", "stage": "output", "action": action} for action in actions]

    world.outputs(
        recent("a", guardrails=decided("blocked")),
        recent("b", guardrails=decided("passed")),
        recent("c", guardrails=[{"name": "hits-only", "stage": "input", "action": "flagged"}]),
    )
    text = read(page, world.cast.max)[1]
    assert "blocked, flagged or rewrote 1 of 2 outputs" in text
    assert "only hits are sent" in text


def test_an_empty_project_says_what_is_missing(world, page):
    status, text = read(page, world.cast.otto)
    assert status == 200
    assert "nothing can be estimated yet" in text
    assert "Nothing arrived in this window" in text


def test_the_window_is_chosen_from_three(world, page):
    world.outputs(recent("a"))
    assert [read(page, world.cast.max, f"?window={window}")[0] for window in ("7d", "14d", "28d", "3d")] == [
        200, 200, 200, 400,
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "status"), [("ada", 200), ("otto", 200), ("rita", 403), ("nemo", 404)])
def test_who_may_open_the_page(world, page, name, status):
    world.cast.reviewers(Queue.objects.get(slug="support"))
    assert read(page, getattr(world.cast, name))[0] == status
