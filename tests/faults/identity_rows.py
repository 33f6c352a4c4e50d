"""Rows 50 to 60: filters, and who one says one is."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client
from django.urls import reverse

from reviewapp.access.matrix import Role
from reviewapp.access.models import ApiToken
from reviewapp.access.services import deactivate_user, revoke_role
from reviewapp.access.tokens import create_service_token, revoke_token
from reviewapp.audit.models import Event
from reviewapp.lib.clock import utc_now
from tests.conftest import PASSWORD, Api
from tests.faults.ground import Row

ROWS: list[Row] = []


def row(number, what, send, *status, **more):
    ROWS.append(Row(number, what, send, status, **more))


def get(path):
    return lambda ground: ground.api.get(path)


for text in ("owner__password__startswith=p", "_connector=OR", "id__in=abc"):
    row(50, text, get(f"rubrics/?{text}"), 400)
for text in ("nosuch=1", "limit=1&limit=2", "limit=", "limit=0", "limit=1001"):
    row(51, text, get(f"outputs/?{text}"), 400)
row(51, "a parameter twice", get("/api/v1/audit/events/?outcome=success&outcome=denied"), 400)
for text in ("ordering=-password", "page_size=1e9", "limit=1e9", "cursor=tampered", "cursor=bjphAA"):
    row(52, text, get(f"rubrics/?{text}"), 400)
for what, text in (
    ("NUL", "%00"),
    ("half a character", "%ff"),
    ("5,000 characters", "x" * 5_000),
    ("percents", "%25" * 500),
):
    row(53, f"search of {what}", get(f"outputs/?search={text}"), 400, seconds=0.5)
    row(53, f"name of {what}", get(f"guardrails/?name={text}"), 200, 400, seconds=0.5)
    row(53, f"actor of {what}", get(f"/api/v1/audit/events/?actor={text}"), 200, 400, seconds=0.5)
BIG = "9" * 26
for path in (
    f"leases/{BIG}/",
    "leases/-1/",
    f"datasets/gold/versions/{BIG}/",
    "datasets/gold/versions/-1/",
    f"runs/{BIG}/",
    "runs/0197A000-0000-7000-8000-000000000000/",
    "runs/%7B0197a000-0000-7000-8000-000000000000%7D/",
    f"rubrics/quality/?version={BIG}",
    f"judges/{BIG}/",
):
    row(54, f"id {path}", lambda g, p=path: g.max.get(p), 400, 404)


def sign_in(name, password, address="198.51.100.9", **headers):
    return Client().post(
        "/accounts/login/", {"login": name, "password": password}, REMOTE_ADDR=address, headers=headers
    )


def spray(ground):
    for n in range(30):
        answer = sign_in(f"name-{n}", "wrong", **{"X-Forwarded-For": f"10.0.0.{n}"})
    return answer


def victim_comes_in(ground, answer):
    assert Event.objects.filter(event="access.sign_in_failed", object="throttled").count() == 1
    return sign_in("rita", PASSWORD, "203.0.113.5").status_code == 302


row(55, "spraying with forged addresses", spray, 429, then=victim_comes_in)


def session_after(end):
    def send(ground):
        browser = ground.browser(ground.cast.max)
        assert browser.get("/api/v1/projects/halyard/rubrics/").status_code == 200
        end(ground, browser)
        return browser.get("/api/v1/projects/halyard/rubrics/")

    return send


def signed_out(ground, browser):
    kept = browser.cookies["reviewapp_session"].value
    browser.post("/accounts/logout/")
    browser.cookies["reviewapp_session"] = kept


def deactivated(ground, browser):
    deactivate_user(actor=ground.cast.ada, user=ground.cast.max.person, reason="left")


def without_role(ground, browser):
    revoke_role(actor=ground.cast.ada, user=ground.cast.max.person, role=Role.MANAGER, target=ground.cast.project)


row(56, "session after sign-out", session_after(signed_out), 401)
row(56, "session after deactivation", session_after(deactivated), 401)
row(56, "session after the role went", session_after(without_role), 404, logged=True)


def with_token(change=None, scopes=("manage",), path="rubrics/"):
    def send(ground):
        made = create_service_token(actor=ground.cast.max, project=ground.cast.project, name="t", scopes=list(scopes))
        if change:
            change(ground, made.token)
        return Api(made.secret, "halyard").get(path)

    return send


def revoke(ground, token):
    revoke_token(actor=ground.cast.max, token=token)


def expire(ground, token):
    ApiToken.objects.filter(pk=token.pk).update(expires_at=utc_now() - timedelta(seconds=1))


row(57, "token in the address", lambda g: g.nobody.get(f"rubrics/?token={g.api.token}"), 401)
row(57, "revoked token", with_token(revoke), 401)
row(57, "wrong scope", with_token(scopes=("ingest",)), 403, logged=True)
row(57, "token expired by a second", with_token(expire), 401)


def nobody_is_signed_in(ground, answer):
    return "_auth_user_id" not in answer.client.session


def callback(**query):
    """What comes back from a provider to a browser that never left for it. The rest of the row is test_oidc.py."""
    return lambda ground: Client(raise_request_exception=False).get(reverse("oidc_callback"), query)


row(58, "callback without a state", callback(code="x"), 302, 400, 403, 404, then=nobody_is_signed_in)
row(
    58, "callback with a forged state", callback(code="x", state="forged"), 302, 400, 403, 404, then=nobody_is_signed_in
)


def second_factor_alone(ground):
    """A code without the password before it. Replays and other origins are test_second_factors.py."""
    return Client(raise_request_exception=False).post(reverse("mfa_authenticate"), {"code": "000000"})


row(59, "a code without a password before", second_factor_alone, 302, 403, 404, then=nobody_is_signed_in)


def page(path="/accounts/login/", **headers):
    return lambda ground: Client(raise_request_exception=False).get(path, headers=headers)


def next_page(target):
    def send(ground):
        form = {"login": "rita", "password": PASSWORD, "next": target}
        return Client().post("/accounts/login/", form, REMOTE_ADDR="203.0.113.60")

    return send


row(60, "Host evil", page(Host="evil.example"), 400)
row(60, "Host evil for a program", lambda g: g.api.get("rubrics/", Host="evil.example"), 400)
row(
    60,
    "X-Forwarded-Host evil",
    page(**{"X-Forwarded-Host": "evil.example"}),
    200,
    then=lambda g, a: b"evil.example" not in a.content,
)
row(60, "next elsewhere", next_page("//evil.example"), 302, then=lambda g, a: a["Location"] == "/")
row(60, "Accept of 32 kB", lambda g: g.api.get("rubrics/", Accept="text/html;q=0.1," * 2_000), 200, seconds=0.5)
row(60, "TRACE", lambda g: g.api.call("TRACE", "rubrics/"), 405)
row(
    60,
    "a method override",
    lambda g: g.api.call("POST", "rubrics/nosuch/", {}, **{"X-HTTP-Method-Override": "DELETE"}),
    405,
)
