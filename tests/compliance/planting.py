"""Strings planted in every place where something about one end user and one person can lie, and looking for them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import redis
from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db import connection, transaction
from django.test import Client

from reviewapp.access.actors import SYSTEM, Actor
from reviewapp.access.models import User
from reviewapp.access.tokens import create_personal_token
from reviewapp.compliance.register import Holds, listed
from reviewapp.compliance.services.erasures import decide_erasure, request_erasure, request_person_erasure
from reviewapp.exports.models import DatasetVersion
from reviewapp.exports.services import build_version
from reviewapp.judge.work import work_on
from reviewapp.lib import pgprograms
from tests.conftest import PASSWORD, Cast, owner_connection, personal_api, service_api
from tests.fake_openai import FakeOpenAI, Step, asked_nonce

END_USER = "zqx-enduser-7f3a"
PERSON = "zqx-person"
IMPORTED = "zqx-imported"
ADDRESS = "10.77.66.55"  # from where the person signs in
# What was planted where; every text begins alike, so that one look finds any of them.
MARK = "zqx-"
PLACES = (
    "input", "output", "context", "step", "metadata", "error", "session", "signal", "gold", "comment", "correction",
    "textgrade", "highlight", "draft", "skip", "settlement", "rationale", "transcript", "note", "reason",
    "display", "first", "last", "mail", "factor", "elsewhere", "token", "browser", "tokenname", "owncomment",
    "owngrade", "ownhighlight", "owncorrection", "owndraft", "ownskip", "importedcomment", "personreason",
)  # fmt: skip
STRINGS = (END_USER, PERSON, IMPORTED, ADDRESS, *(f"{MARK}{place}" for place in PLACES))

RUBRIC = {
    "slug": "answers",
    "title": "Answers",
    "criteria": [
        {"key": "correct", "kind": "binary", "title": "Is it correct?"},
        {"key": "note", "kind": "text", "title": "Note", "required": False},
        {"key": "spans", "kind": "highlight", "title": "Where", "required": False},
    ],
}


def z(place: str) -> str:
    """The string of a place."""
    if place not in PLACES:
        raise KeyError(place)
    return f"{MARK}{place}"


def ok(answer: Any) -> Any:
    """The body of a call that must have worked, record by record."""
    assert answer.status < 300, answer.raw
    assert not (isinstance(answer.body, dict) and answer.body.get("rejected")), answer.body
    return answer.body


class Planted:
    """A project in which one end user, one person and one imported reviewer are everywhere."""

    def __init__(self, cast: Cast, server: FakeOpenAI) -> None:
        self.cast = cast
        self.api = service_api(cast)
        self.person = self._person()
        self._traffic()
        self._queue()
        self._reviews()
        self._person_reviews()
        self._judges(server)
        self._dataset()
        self._account()

    def _person(self) -> Actor:
        user = self.cast.rita.person
        user.username, user.display_name, user.email = PERSON, z("display"), f"{z('mail')}@example.org"
        user.first_name, user.last_name = z("first"), z("last")
        with transaction.atomic():
            user.save()
            # Changing a name is an event of its own elsewhere; here it is only the stage being set.
            request_note(user)
        return Actor(user=user, source_ip=ADDRESS, user_agent=z("browser"))

    def _traffic(self) -> None:
        named = {"end_user_id": END_USER, "session_id": z("session")}
        rows = [
            {
                "external_id": "req-1", "input": f"{z('input')} one", "output": f"{z('output')} one", **named,
                "context": [{"id": "c1", "text": z("context")}],
                "steps": [{"id": "s1", "kind": "tool", "name": "look", "output": z("step")}],
                "metadata": {"note": z("metadata")}, "error": z("error"), "latency_ms": 120.0,
                "signals": [{"kind": "edit", "value": z("signal")}],
                "guardrails": [
                    {"name": "pii", "stage": "input", "action": "passed",
                     "spans": [{"field": "input", "start": 0, "end": 3}]},
                ],
            },
            {"external_id": f"{END_USER}/req-2", "input": z("input"), "output": z("output"), **named},
            {"external_id": "other-1", "input": "somebody else", "output": "an answer", "end_user_id": "cust-1"},
            {"external_id": "other-2", "input": "somebody else", "output": "an answer", "end_user_id": "cust-1"},
        ]  # fmt: skip
        ok(self.api.bulk("outputs/", rows))
        pair = {"a": {"output": z("output"), **named}, "b": {"output": f"{z('output')} b"}}
        ok(self.api.post("pairs/", {"external_id": f"pair {END_USER}", "input": z("input"), **pair}))
        # Answers of calls with a key are kept for a day; this one names the subject.
        key = {"Idempotency-Key": "k-1"}
        ok(self.api.call("POST", "signals/", {"external_id": "req-1", "kind": "thumbs_up", "value": True}, **key))

    def _queue(self) -> None:
        ok(self.api.post("rubrics/", RUBRIC))
        ok(self.api.post("rubrics/answers/publish/", {}))
        body = {"title": "Support", "kind": "grade", "rubric": "answers"}
        ok(self.api.post("queues/", {"slug": "support", **body, "reviewers_per_item": 2, "adjudicate": "always"}))
        ok(self.api.post("queues/", {"slug": "known", **body}))
        ok(self.api.post("queues/", {"slug": "later", **body}))
        for queue in self.cast.project.queues.all():
            self.cast.reviewers(queue)
        ok(self.api.post("queues/support/items/", {"external_ids": ["req-1"]}))
        gold = {"correct": True, "note": z("gold")}
        ok(self.api.post("queues/known/items/", {"external_ids": ["req-1"], "gold": gold}))
        ok(self.api.post("queues/later/items/", {"external_ids": [f"{END_USER}/req-2"]}))

    def _reviews(self) -> None:
        spans = [{"field": "output", "start": 0, "end": 2, "label": z("highlight")}]
        said = {"grades": {"correct": True, "note": z("textgrade"), "spans": spans}, "comment": z("comment")}
        for name in ("rob", "rosa"):
            self.review(getattr(self.cast, name), "support", {**said, "correction": z("correction")})
        # On an adjudicate seat the comment is the reason.
        self.review(self.cast.ivy, "support", {"grades": {"correct": True}, "comment": z("settlement")})
        rob, rosa = personal_api(self.cast.rob), personal_api(self.cast.rosa)
        lease = ok(rosa.post("queues/later/lease/"))
        ok(rosa.post(f"/api/v1/projects/halyard/leases/{lease['id']}/skip/", {"reason": z("skip")}))
        lease = ok(rob.post("queues/later/lease/", **{"Idempotency-Key": "k-2"}))
        draft = {"grades": {"note": z("draft")}}
        ok(rob.call("PUT", f"/api/v1/projects/halyard/leases/{lease['id']}/draft/", draft))

    def review(self, who: Actor, queue: str, answer: dict[str, Any]) -> None:
        """Take the next item and submit."""
        api = personal_api(who)
        lease = ok(api.post(f"queues/{queue}/lease/"))
        ok(api.post(f"/api/v1/projects/halyard/leases/{lease['id']}/submit/", answer))

    def _person_reviews(self) -> None:
        """On somebody else's outputs: what the person wrote goes, what the others hold stays."""
        ok(self.api.post("queues/", {
            "slug": "own", "title": "Own", "kind": "grade", "rubric": "answers", "reviewers_per_item": 2,
        }))  # fmt: skip
        self.cast.reviewers(self.cast.project.queues.get(slug="own"))
        ok(self.api.post("queues/own/items/", {"external_ids": ["other-1", "other-2"]}))
        spans = [{"field": "output", "start": 0, "end": 2, "label": z("ownhighlight")}]
        answer = {
            "grades": {"correct": True, "note": z("owngrade"), "spans": spans},
            "comment": z("owncomment"),
            "correction": z("owncorrection"),
        }
        self.review(self.person, "own", answer)
        self.review(self.cast.rob, "own", {"grades": {"correct": True}})
        api = personal_api(self.person)
        lease = ok(api.post("queues/own/lease/"))
        leases = f"/api/v1/projects/halyard/leases/{lease['id']}"
        ok(api.call("PUT", f"{leases}/draft/", {"grades": {"note": z("owndraft")}}))
        ok(api.post(f"{leases}/skip/", {"reason": z("ownskip")}))
        imported = {
            "external_id": "other-1", "reviewer": IMPORTED, "grades": {"correct": False},
            "comment": z("importedcomment"), "submitted_at": "2026-11-20T12:00:00Z",
        }  # fmt: skip
        ok(self.api.bulk("queues/own/reviews/import/", [imported]))

    def _judges(self, server: FakeOpenAI) -> None:
        made = {"rubric": "answers", "title": "J"}
        prices = {"max_tokens": 100, "timeout_seconds": 5}
        ok(self.api.post("judges/", {
            **made, "slug": "model", "kind": "llm", "criteria": ["correct"], "base_url": server.url, "model": "fake-1",
            "parameters": prices,
        }))  # fmt: skip
        run = ok(self.api.post("judges/model/runs/", {"queue": "support"}))
        work_on(run["id"])
        ok(self.api.post("judges/", {**made, "slug": "theirs", "kind": "imported"}))
        verdict = {"external_id": "req-1", "criterion": "correct", "value": True, "rationale": z("rationale")}
        ok(self.api.bulk("judges/theirs/verdicts/import/", [verdict]))

    def _dataset(self) -> None:
        body = {"title": "For training", "labels": "settled", "queues": ["support"]}
        ok(self.api.post("datasets/", {"slug": "gold", **body}))
        ok(self.api.post("datasets/", {"slug": "people", **body, "queues": ["own"]}))
        for slug in ("gold", "people"):
            ok(self.api.post(f"datasets/{slug}/versions/"))
            row = DatasetVersion.objects.get(dataset__slug=slug)
            build_version(version_id=row.pk)
            row.refresh_from_db()
            assert row.state == "done", row.error

    def _account(self) -> None:
        user = self.person.person
        browser = Client(REMOTE_ADDR=ADDRESS, headers={"User-Agent": z("browser")})
        signed_in = browser.post("/accounts/login/", {"login": PERSON, "password": PASSWORD})
        assert signed_in.status_code == 302, signed_in.content[:500]
        assert browser.get("/account/").status_code == 200
        UserSession.objects.filter(user=user).update(ip=ADDRESS, user_agent=z("browser"), data={"b": z("browser")})
        address = EmailAddress.objects.create(user=user, email=f"{z('mail')}@example.org", primary=True)
        EmailConfirmation.objects.create(email_address=address, key=z("mail"))
        Authenticator.objects.create(user=user, type="totp", data={"secret": z("factor")})
        app = SocialApp.objects.create(provider="openid_connect", provider_id="corp", name="Corp", client_id="id")
        elsewhere = SocialAccount.objects.create(
            user=user, provider="corp", uid=z("elsewhere"), extra_data={"n": PERSON}
        )
        SocialToken.objects.create(app=app, account=elsewhere, token=z("token"), token_secret=z("token"))
        token = create_personal_token(actor=self.person, name=z("tokenname"), scopes=["review"])
        call = Client(REMOTE_ADDR=ADDRESS).get("/api/v1/projects/", headers={"Authorization": f"Bearer {token.secret}"})
        assert call.status_code == 200

    def requests(self, second_admin: Actor) -> list[tuple[Any, Actor]]:
        """(erasure, who may decide) of the end user, the person and the imported reviewer."""
        cast, imported = self.cast, User.objects.get(imported_name=IMPORTED)
        about = {"project": cast.project, "end_user_id": END_USER, "reason": z("reason")}
        first = request_erasure(actor=cast.ada, **about)
        decide_erasure(actor=cast.max, erasure=first, approve=False, note=z("note"))
        ours = request_erasure(actor=cast.ada, **about)
        people = [
            request_person_erasure(actor=cast.ada, user=one, reason=z("personreason"))
            for one in (self.person.person, imported)
        ]
        return [(ours, cast.max), *((one, second_admin) for one in people)]


def request_note(user: User) -> None:
    """An event for a change that a test makes by hand."""
    from reviewapp.audit.events import Event
    from reviewapp.audit.services import Change, Subject, record

    change = Change(after={"username": user.username, "display_name": user.display_name})
    record(actor=SYSTEM, event=Event.USER_CREATED, subject=Subject("user", str(user.pk)), change=change)


def transcript(body: dict[str, Any]) -> Step:
    """A model that quotes what it was shown."""
    answers = {"correct": {"reasoning": z("transcript"), "verdict": True}}
    return Step(raw=json.dumps({"nonce": asked_nonce(body), "answers": answers}))


def dump(database: str, folder: Path) -> bytes:
    """The whole database as plain text, as its owner sees it."""
    path = folder / "dump.sql"
    path.unlink(missing_ok=True)
    with owner_connection(database) as owner:
        major = owner.info.server_version // 10_000
    given = {**connection.settings_dict, "NAME": database, "USER": settings.DATABASE_OWNER_USER}
    pgprograms.run("pg_dump", ["--format=plain", f"--file={path}"], database=given, server_major=major)
    return path.read_bytes()


def redis_content() -> bytes:
    """Every key and value."""
    store = redis.Redis.from_url(settings.REDIS_URL)
    found = []
    for key in store.scan_iter("*"):
        found += [key, store.dump(key) or b""]
    return b"\n".join(found)


def files_content(folder: Path) -> bytes:
    """Every file below a folder, with its name."""
    found = [str(path).encode() + b"\n" + path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
    return b"\n".join(found)


def subject_columns() -> list[tuple[str, str]]:
    """The register's columns about subjects."""
    return [one for one, kind in listed().items() if kind is Holds.SUBJECT]


def column_values(table: str, column: str) -> dict[str, str]:
    """pk -> text of every value of a column that says something."""
    from django.apps import apps

    model = apps.get_model(table)
    name = model._meta.get_field(column).column
    key = model._meta.pk.column
    place = model._meta.db_table  # the log's tables carry the quotes of their schema inside
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT "{key}"::text, "{name}"::text FROM "{place}" WHERE "{name}" IS NOT NULL')
        return dict(cursor.fetchall())


def completed(command: list[str], **more: Any) -> str:
    """What a command printed. It must have worked."""
    run = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout
