"""The sign-in form, its log lines, and what an ended session gets."""

from __future__ import annotations

from reviewapp.audit.models import Event
from tests.conftest import PASSWORD


def sign_in(client, username, password=PASSWORD):
    return client.post("/accounts/login/", {"login": username, "password": password})


def test_a_person_signs_in_and_out_and_both_are_recorded(cast, client):
    answer = sign_in(client, "rita")
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.get("/").status_code == 200
    client.post("/accounts/logout/")
    assert client.get("/").status_code == 302
    events = Event.objects.filter(actor=str(cast.rita.person.pk)).values_list("event", flat=True)
    assert {"access.signed_in", "access.signed_out"} <= set(events)


def test_a_wrong_password_is_refused_and_recorded(cast, client):
    answer = sign_in(client, "rita", "not the password")
    assert answer.status_code == 200
    assert Event.objects.filter(event="access.sign_in_failed").count() == 1
    assert client.get("/").status_code == 302


def test_htmx_is_sent_to_the_sign_in_page_when_the_session_ended(cast, client):
    answer = client.get("/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"][:17]) == (401, "/accounts/login/?")


def test_pages_are_not_kept_by_the_browser(cast, page):
    assert page(cast.rita).get("/")["Cache-Control"] == "no-store"


def test_every_page_carries_the_strict_policy(cast, page):
    policy = page(cast.rita).get("/")["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
