"""What a judge may be, and who may make one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from reviewapp.audit.models import Event
from reviewapp.demo.content.judge import judge_definition
from reviewapp.demo.content.rubrics import SUPPORT_ANSWER
from reviewapp.judge.models import JudgeVersion
from tests.conftest import Api, personal_api, service_api
from tests.judge.arrange import imported, llm, make_queue, make_rubric, ok, output, program

URL = "http://127.0.0.1:9/v1"


@pytest.fixture
def ready(api: Api) -> Api:
    make_rubric(api)
    return api


def pointers(answer) -> list[str]:
    assert answer.status == 422, answer.raw
    return [part["pointer"] for part in answer.body["errors"]]


def test_each_kind_of_judge_is_made_listed_and_shown(ready):
    assert ready.post("judges/", program()).status == 201
    assert ready.post("judges/", imported()).status == 201
    made = ready.post("judges/", llm(URL, key="JUDGE_API_KEY", budget_usd=2.5, prompt="$rubric Judge $output"))
    assert made.status == 201
    assert [one["slug"] for one in ready.get("judges/").body["results"]] == ["model", "rule-check", "theirs"]
    shown = ready.get("judges/model/").body
    assert shown["version"] == 1
    assert shown["criteria"] == ["safe", "tone"]
    assert (shown["key"], shown["budget_usd"]) == ("JUDGE_API_KEY", 2.5)
    assert ready.get("judges/theirs/").body["criteria"] == ["safe", "tone", "topic", "minutes"]
    assert Event.objects.filter(event="judge.created").count() == 3


def test_the_key_itself_is_never_stored_nor_shown(ready, monkeypatch):
    monkeypatch.setenv("JUDGE_API_KEY", "sk-very-secret")
    ok(ready.post("judges/", llm(URL, key="JUDGE_API_KEY")))
    assert b"sk-very-secret" not in ready.get("judges/model/").raw
    assert "sk-very-secret" not in str(JudgeVersion.objects.values().get())


@pytest.mark.parametrize(
    "name", ["sk-abc", "PATH", "DATABASE_KEY", "DJANGO_SECRET_KEY", "REVIEWAPP_TOKEN", "lower_key"]
)
def test_a_judge_cannot_name_other_secrets_of_the_machine(ready, name):
    assert pointers(ready.post("judges/", llm(URL, key=name))) == ["/key"]


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/v1",
        "https://[::ffff:127.0.0.1]/v1",
        "http://0x7f.1/v1",
        "http://127.1/v1",
        "file:///etc/passwd",
        "gopher://x/",
        "https://me@api.openai.com/v1",
        "https://elsewhere.example/v1",
        "",
    ],
)
def test_an_endpoint_outside_the_allowed_hosts_is_refused(ready, url):
    assert pointers(ready.post("judges/", llm(url))) == ["/base_url"]


def test_loopback_needs_the_installation_to_allow_it(ready, settings):
    settings.JUDGE_ALLOW_LOOPBACK = False
    assert pointers(ready.post("judges/", llm(URL))) == ["/base_url"]
    assert ready.post("judges/", llm("https://api.openai.com/v1")).status == 201


@pytest.mark.parametrize(
    "prompt",
    [
        "{item.__class__} $output",
        "{0[SECRET]} $output",
        "{{ 7 * 7 }} $output",
        "{% debug %} $output",
        "$secret $output",
        "${output.__class__}",
        "$ output $output",
        "no placeholder",
    ],
)
def test_a_prompt_takes_only_the_four_placeholders(ready, prompt):
    assert pointers(ready.post("judges/", llm(URL, prompt=prompt))) == ["/prompt"]


def test_dollars_and_json_may_stand_in_a_prompt(ready):
    prompt = 'It costs $$5. Think of {"a": 1} and judge $output by ${rubric}.'
    assert ready.post("judges/", llm(URL, prompt=prompt)).status == 201


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"parameters": {"temperature": 1e9}}, "/parameters/temperature"),
        ({"parameters": {"max_tokens": -1}}, "/parameters/max_tokens"),
        ({"parameters": {"api_base": "https://evil.example"}}, "/parameters/api_base"),
        ({"samples": 0}, "/samples"),
        ({"budget_usd": 1, "parameters": {}}, "/budget_usd"),
        ({"criteria": ["nosuch"]}, "/criteria/0"),
        ({"criteria": ["note"]}, "/criteria/0"),
        ({"model": ""}, "/model"),
        ({"api_key": "sk-1"}, "/api_key"),
        ({"rubric": "nosuch"}, "/rubric"),
        ({"slug": "new"}, "/slug"),
        ({"checks": program()["checks"]}, "/checks"),
    ],
)
def test_a_wrong_field_is_named(ready, change, pointer):
    assert pointers(ready.post("judges/", llm(URL) | change)) == [pointer]


@pytest.mark.parametrize(
    ("check", "options", "pointer"),
    [
        ("regex", {"pattern": "(", "found": True, "missing": False}, "/checks/0/options/pattern"),
        ("regex", {"pattern": "x", "found": 1, "missing": False}, "/checks/0/options/found"),
        ("regex", {"pattern": "x", "found": True}, "/checks/0/options/missing"),
        ("regex", {"pattern": "x", "found": True, "missing": False, "flags": 2}, "/checks/0/options/flags"),
        ("length", {"bands": [{"value": True}, {"below": 2, "value": False}]}, "/checks/0/options/bands"),
        ("length", {"bands": []}, "/checks/0/options/bands"),
        ("citation", {"pattern": "x", "none": True, "unknown": False, "bands": [{"value": True}]},
         "/checks/0/options/pattern"),
        ("similarity", {"against": "elsewhere", "bands": [{"value": True}]}, "/checks/0/options/against"),
    ],
)  # fmt: skip
def test_a_wrong_option_of_a_check_is_named(ready, check, options, pointer):
    body = program(checks=[{"criterion": "safe", "check": check, "options": options}])
    assert pointers(ready.post("judges/", body)) == [pointer]


def test_another_setup_replaces_the_version_until_something_rests_on_it(ready):
    ok(ready.post("judges/", imported()))
    again = ready.post("judges/", imported(title="Renamed"))
    assert (again.status, again.body["version"], again.body["title"]) == (200, 1, "Renamed")
    assert ready.post("judges/", imported(criteria=["safe"])).body["version"] == 1
    make_queue(ready, [output(1)])
    ok(ready.bulk("judges/theirs/verdicts/import/", [{"external_id": "o-0001", "criterion": "safe", "value": True}]))
    assert ready.post("judges/", imported(criteria=["safe", "tone"])).body["version"] == 2
    assert ready.post("judges/", program(slug="theirs")).status == 409


def test_a_rubric_must_be_published_first(api):
    ok(api.post("rubrics/", SUPPORT_ANSWER))
    assert pointers(api.post("judges/", judge_definition())) == ["/rubric"]
    ok(api.post("rubrics/support-answer/publish/", {}))
    assert api.post("judges/", judge_definition()).status == 201


@pytest.mark.parametrize(
    ("who", "see", "make"),
    [("ada", 200, 201), ("max", 200, 201), ("otto", 200, 403), ("nemo", 404, 404)],
)
def test_who_may_see_and_make_judges(cast, ready, who, see, make):
    theirs = personal_api(getattr(cast, who))
    assert theirs.get("judges/").status == see
    assert theirs.post("judges/", program(slug=f"by-{who}")).status == make


def test_reviewers_see_no_judge_and_no_verdict(cast, ready):
    make_queue(ready, [output(1)])
    cast.reviewers(cast.project.queues.get())
    ok(ready.post("judges/", imported()))
    theirs = personal_api(cast.rita)
    for path in ("judges/", "judges/theirs/", "judges/theirs/calibration/?queue=answers", "judges/theirs/runs/"):
        assert theirs.get(path).status == 403, path
    denied = Event.objects.filter(event="access.denied").count()
    assert denied == 4


def test_a_token_needs_the_right_scope(cast, ready):
    reader = service_api(cast, ["labels:read"])
    assert reader.get("judges/").status == 200
    assert reader.post("judges/", program()).status == 403
    ingester = service_api(cast, ["ingest"])
    assert ingester.get("judges/").status == 403


def test_the_same_judge_made_by_many_at_once_is_one(committed_cast):
    make_rubric(service_api(committed_cast))
    barrier = Barrier(6)

    def make(_: int) -> int:
        api = service_api(committed_cast)
        try:
            barrier.wait(10)
            return api.post("judges/", imported()).status
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(make, range(6)))
    assert set(statuses) <= {200, 201}
    assert JudgeVersion.objects.count() == 1


def test_runs_take_no_unknown_query_parameter(ready):
    ok(ready.post("judges/", program()))
    assert ready.post("judges/rule-check/runs/?nosuch=1", {"where": {}}).status == 400
    started = ok(ready.post("judges/rule-check/runs/", {"where": {}}))
    assert ready.post(f"runs/{started['id']}/cancel/?nosuch=1").status == 400
