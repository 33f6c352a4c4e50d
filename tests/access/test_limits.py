"""Limits are exact under a rush, say when to come back, and never become a way to keep somebody out."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.test import Client, RequestFactory

from reviewapp.access import limits
from reviewapp.access.actors import client_ip
from reviewapp.access.errors import LimitReached
from reviewapp.access.limits import take
from reviewapp.audit.models import Event
from tests.conftest import PASSWORD, make_person, service_api

BROKEN = "redis://127.0.0.1:1/0"  # nothing listens on port 1


def sign_in(username, password, *, address="203.0.113.7", **headers):
    body = {"login": username, "password": password}
    return Client().post("/accounts/login/", body, REMOTE_ADDR=address, headers=headers)


@pytest.fixture
def redis_is_down(settings):
    settings.REDIS_URL = BROKEN
    settings.CACHES = {**settings.CACHES, "default": {**settings.CACHES["default"], "LOCATION": BROKEN}}
    limits._redis.cache_clear()
    limits._Alarm.at = -60.0
    yield
    limits._redis.cache_clear()


def test_of_fifty_at_once_exactly_as_many_pass_as_the_limit_says():
    def attempt(_):
        try:
            take("rush", "somebody", limit=20)
        except LimitReached:
            return False
        return True

    with ThreadPoolExecutor(50) as crowd:
        assert sum(crowd.map(attempt, range(50))) == 20


def test_the_refusal_says_when_the_window_ends():
    take("window", "somebody", limit=1, seconds=30)
    with pytest.raises(LimitReached) as caught:
        take("window", "somebody", limit=1, seconds=30)
    assert 1 <= caught.value.retry_after <= 30
    take("window", "somebody else", limit=1, seconds=30)


def test_a_token_that_calls_too_often_is_429_with_the_time_to_wait(cast, settings):
    settings.TOKEN_REQUESTS_PER_MINUTE = 3
    api, other = service_api(cast), service_api(cast)
    assert [api.get("rubrics/").status for _ in range(4)] == [200, 200, 200, 429]
    refused = api.get("rubrics/")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.body["type"] == "urn:reviewapp:problem:limit-reached"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert other.get("rubrics/").status == 200


def test_refused_calls_count_too(cast, settings):
    """Else a token without the right could write refusals into the log without end."""
    settings.TOKEN_REQUESTS_PER_MINUTE = 3
    api = service_api(cast, scopes=["ingest"])
    assert [api.get("rubrics/").status for _ in range(5)] == [403, 403, 403, 429, 429]


def test_zero_means_no_limit(cast, settings):
    settings.TOKEN_REQUESTS_PER_MINUTE = 0
    api = service_api(cast)
    assert {api.get("rubrics/").status for _ in range(5)} == {200}


def rows(start, n):
    return [{"external_id": f"r-{k}", "input": "q", "output": "a"} for k in range(start, start + n)]


def test_a_project_that_sends_too_many_records_is_429_and_what_landed_stays(cast, settings):
    settings.INGEST_RECORDS_PER_MINUTE = 5
    api, again = service_api(cast), service_api(cast)
    assert api.bulk("outputs/", rows(0, 4)).body["accepted"] == 4
    assert again.bulk("outputs/", rows(4, 4)).body["accepted"] == 4  # the one that passes the limit lands
    refused = api.bulk("outputs/", rows(8, 1))
    assert refused.status == 429
    assert "Retry-After" in refused.headers
    assert api.get("rubrics/").status == 200


def test_a_project_that_sends_too_many_bytes_is_429(cast, settings):
    settings.INGEST_BYTES_PER_MINUTE = 100
    api = service_api(cast)
    assert api.bulk("outputs/", rows(0, 3)).status == 200
    assert api.bulk("outputs/", rows(3, 1)).status == 429


def test_without_redis_programs_go_on_and_one_loud_line_a_minute_says_so(cast, redis_is_down, caplog):
    api = service_api(cast)
    assert [api.get("rubrics/").status for _ in range(3)] == [200, 200, 200]
    assert api.bulk("outputs/", rows(0, 1)).status == 200
    loud = [one for one in caplog.records if one.levelno == logging.CRITICAL]
    assert len(loud) == 1
    assert "is not enforced" in loud[0].getMessage()


def test_without_redis_sign_in_is_closed_and_says_so(cast, redis_is_down):
    answer = sign_in("rita", PASSWORD)
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert b"Sign-in is closed" in answer.content


def test_five_failures_for_a_name_from_an_address_are_the_last(cast):
    assert [sign_in("rita", "wrong").status_code for _ in range(6)] == [200] * 5 + [429]
    refused = sign_in("rita", PASSWORD)
    assert refused.status_code == 429  # the right password, too: else it could be told apart
    assert refused["Retry-After"] == "900"
    assert b"Too many failed attempts" in refused.content


def test_the_victim_signs_in_from_elsewhere_while_others_guess(cast):
    for _ in range(8):
        sign_in("rita", "wrong", address="198.51.100.1")
    answer = sign_in("rita", PASSWORD, address="203.0.113.50")
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_twenty_failures_for_any_names_from_an_address_are_the_last(cast):
    answers = [sign_in(f"name-{n}", "wrong").status_code for n in range(25)]
    assert answers == [200] * 20 + [429] * 5
    assert sign_in("rita", PASSWORD, address="203.0.113.8").status_code == 302


def test_a_right_password_does_not_use_up_attempts(cast):
    assert {sign_in("rita", PASSWORD).status_code for _ in range(8)} == {302}


@pytest.mark.parametrize("proxies", [0, 1])
def test_another_forwarded_address_each_time_resets_nothing(cast, settings, proxies):
    """Ten thousand in SECURITY.md; the counter knows no difference after thirty."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    answers = []
    for n in range(30):
        forged = f"10.0.{n}.1" if proxies == 0 else f"10.0.{n}.1, 198.51.100.9"
        answers.append(sign_in(f"spray-{n}", "wrong", address="192.0.2.1", **{"X-Forwarded-For": forged}).status_code)
    assert answers == [200] * 20 + [429] * 10
    home = {"X-Forwarded-For": "203.0.113.50"} if proxies else {}
    assert sign_in("rita", PASSWORD, address="192.0.2.1" if proxies else "203.0.113.50", **home).status_code == 302


def test_a_throttled_spray_leaves_one_line_and_not_thousands(cast):
    for n in range(40):
        sign_in(f"spray-{n}", "wrong")
    lines = Event.objects.filter(event="access.sign_in_failed")
    assert lines.filter(object="password").count() == 20
    assert lines.filter(object="throttled").count() == 1


@pytest.mark.parametrize(
    ("proxies", "forwarded", "seen"),
    [
        (0, "198.51.100.1", "192.0.2.1"),
        (1, "", "192.0.2.1"),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        (2, "6.6.6.6, 198.51.100.1, 10.0.0.1", "198.51.100.1"),
        (2, "198.51.100.1", "192.0.2.1"),
        (1, "' OR 1=1", None),
        (1, "2001:db8::1", "2001:db8::1"),
    ],
)
def test_the_address_in_the_log_is_what_the_trusted_proxy_saw(settings, proxies, forwarded, seen):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert client_ip(RequestFactory().get("/", headers=headers, REMOTE_ADDR="192.0.2.1")) == seen


def test_the_log_keeps_the_address_of_the_caller_and_not_of_a_header(cast):
    make_person("zoe")
    sign_in("zoe", PASSWORD, address="203.0.113.77", **{"X-Forwarded-For": "6.6.6.6"})
    row = Event.objects.filter(event="access.signed_in").latest("id")
    assert "203.0.113.77" in row.payload.data
    assert "6.6.6.6" not in row.payload.data
