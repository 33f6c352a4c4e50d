"""Judges in the browser."""

from __future__ import annotations

import re

import pytest

from reviewapp.judge.models import Judge, JudgeRun
from reviewapp.judge.work import work_on
from tests.conftest import Api
from tests.judge.arrange import grades, llm, make_queue, make_rubric, ok, output, program

BASE = "/p/halyard/judges/"


@pytest.fixture
def ready(api: Api) -> Api:
    make_rubric(api)
    make_queue(api, [output(k, "Fire!" if k % 5 == 0 else "All is calm today.") for k in range(20)])
    return api


def test_the_list_is_empty_first_and_then_names_the_judges(cast, ready, page):
    assert b"There is no judge yet" in page(cast.max).get(BASE).content
    ok(ready.post("judges/", program()))
    assert b"Rule check" in page(cast.otto).get(BASE).content


def test_a_judge_page_says_how_far_people_agree(cast, ready, page):
    ok(ready.post("judges/", program()))
    ok(ready.post("judges/rule-check/runs/", {"queue": "answers"}))
    work_on(JudgeRun.objects.get().pk)
    grades(ready, [
        {"external_id": f"o-{k:04d}", "reviewer": who, "grades": {"safe": k % 4 != 0}}
        for k in range(20) for who in ("ann", "bob")
    ])  # fmt: skip
    text = page(cast.max).get(BASE + "rule-check/").content.decode()
    assert "Judge and people agree on 65.0\u00a0% of 20 items" in text
    assert "They differ on 7 of 20 items" in text
    assert 'class="heat"' in text
    assert "20 of 20" in text
    assert not re.search(r"\son\w+=|style=|<script>", text)


def test_a_run_is_started_followed_and_cancelled_by_plain_forms(cast, ready, page):
    ok(ready.post("judges/", program()))
    client = page(cast.max)
    started = client.post(BASE + "rule-check/runs/", {"queue": "answers", "limit": "5"})
    assert (started.status_code, started["Location"]) == (302, BASE + "rule-check/")
    run = JudgeRun.objects.get()
    assert f'hx-get="{BASE}rule-check/runs/{run.pk}/"' in client.get(BASE + "rule-check/").content.decode()
    row = client.get(f"{BASE}rule-check/runs/{run.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert row.count("<tr") == 1
    assert "0 of 5" in row
    assert client.post(f"{BASE}rule-check/runs/{run.pk}/cancel/").status_code == 302
    run.refresh_from_db()
    assert run.state == "cancelled"


def test_a_run_that_may_cost_money_must_be_confirmed(cast, ready, page):
    ok(ready.post("judges/", llm("http://127.0.0.1:9/v1", budget_usd=3)))
    client = page(cast.max)
    refused = client.post(BASE + "model/runs/", {"queue": "answers", "limit": "5"})
    assert refused.status_code == 422
    text = refused.content.decode()
    assert "Confirm that this run may cost money." in text
    assert "up to $3.00" in text
    assert 'value="5"' in text
    assert not JudgeRun.objects.exists()
    assert client.post(BASE + "model/runs/", {"queue": "answers", "confirm": "on"}).status_code == 302


def test_a_judge_is_made_by_the_form_and_errors_stand_beside_their_fields(cast, ready, page):
    client = page(cast.max)
    form = {"title": "Mine", "slug": "mine", "rubric": "answer", "kind": "llm", "base_url": "https://evil.example/",
            "model": "m", "samples": "1"}  # fmt: skip
    refused = client.post(BASE + "new/", form)
    assert refused.status_code == 422
    text = refused.content.decode()
    assert "may name only the hosts" in text
    assert 'value="https://evil.example/"' in text
    form["base_url"] = "https://api.openai.com/v1"
    assert client.post(BASE + "new/", form)["Location"] == BASE + "mine/"
    assert Judge.objects.get().slug == "mine"
    broken = client.post(BASE + "new/", {**form, "kind": "program", "checks": "{"})
    assert "Not JSON" in broken.content.decode()


@pytest.mark.parametrize(
    ("who", "see", "start"), [("ada", 200, 403), ("otto", 200, 403), ("rita", 403, 403), ("nemo", 404, 404)]
)
def test_who_may_open_and_start(cast, ready, page, who, see, start):
    cast.reviewers(cast.project.queues.get())
    ok(ready.post("judges/", program()))
    client = page(getattr(cast, who))
    assert client.get(BASE).status_code == see
    assert client.get(BASE + "rule-check/").status_code == see
    assert client.post(BASE + "rule-check/runs/", {"queue": "answers"}).status_code in (start, 422)
    assert not JudgeRun.objects.exists()
