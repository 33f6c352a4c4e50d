"""Somebody new comes in by a link that works once; what is wrong with a link looks the same whatever it is."""

from __future__ import annotations

import hashlib
import io
import re
import threading
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from reviewapp.access.actors import SYSTEM, Actor
from reviewapp.access.invitations import FirstRole, find_link, invite_again, invite_user, reset_link, withdraw_link
from reviewapp.access.matrix import Role
from reviewapp.access.models import Invitation, User
from reviewapp.access.roles import roles_on
from reviewapp.access.services import create_project, create_user, deactivate_user, grant_role, reactivate_user
from reviewapp.audit.models import Event, Payload
from reviewapp.lib.clock import utc_now
from reviewapp.lib.errors import AccessDenied, Conflict, DomainError, Unprocessable
from tests.access.test_sign_in import sign_in
from tests.conftest import PASSWORD, make_person

NEW = {"password": "a wholly new sentence", "again": "a wholly new sentence"}


def invite(cast, **more):
    return invite_user(actor=cast.ada, username="iris", reason="joins the team", **more)


def events_of(user):
    """What the log says was done to this person, oldest first."""
    return list(Event.objects.filter(object=str(user.pk)).order_by("pk").values_list("event", flat=True))


def test_an_invited_person_sets_a_password_and_signs_in(cast, client):
    made = invite(cast, first_role=FirstRole(Role.AUDITOR, cast.project))
    iris = made.invitation.user
    assert roles_on(iris, cast.project) == frozenset()
    page = client.get(f"/invite/{made.secret}/")
    assert (page.status_code, page["Referrer-Policy"], page["Cache-Control"]) == (200, "strict-origin", "no-store")
    assert client.post(f"/invite/{made.secret}/", NEW)["Location"] == "/accounts/login/"
    assert sign_in(client, "iris", NEW["password"]).status_code == 302
    iris.refresh_from_db()
    assert roles_on(iris, cast.project) == {Role.AUDITOR}
    assert events_of(iris) == [
        "access.user_invited", "access.role_granted", "access.invitation_accepted", "access.signed_in",
    ]  # fmt: skip


def test_only_the_hash_of_the_link_is_kept_and_it_has_256_bits(cast):
    made = invite(cast)
    assert re.fullmatch("[0-9A-Za-z]{43}", made.secret)
    assert bytes(made.invitation.secret_sha256) == hashlib.sha256(made.secret.encode()).digest()
    assert made.secret not in str(list(Payload.objects.values_list("data", flat=True)))
    left = made.invitation.expires_at - utc_now()
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)


def test_looking_at_the_link_uses_nothing_up_and_using_it_does(cast, client):
    made = invite(cast)
    for _ in range(3):
        assert client.get(f"/invite/{made.secret}/").status_code == 200
    client.post(f"/invite/{made.secret}/", NEW)
    assert client.get(f"/invite/{made.secret}/").status_code == 404
    assert (
        client.post(
            f"/invite/{made.secret}/", {"password": "an enemy's sentence", "again": "an enemy's sentence"}
        ).status_code
        == 404
    )
    assert User.objects.get(username="iris").check_password(NEW["password"])


def test_nobody_is_locked_out_by_an_account_of_the_same_name_in_another_case(cast):
    with pytest.raises(Conflict, match="is taken"):
        invite_user(actor=cast.ada, username="RITA", reason="joins the team")
    with pytest.raises(Conflict, match="is taken"):
        create_user(actor=cast.ada, username="Rita", password=PASSWORD)
    assert sign_in(Client(), "rita").status_code == 302


def used(made, cast):
    Client().post(f"/invite/{made.secret}/", NEW)


def withdrawn(made, cast):
    withdraw_link(actor=cast.ada, user=made.invitation.user, reason="typed the wrong name")


def too_old(made, cast):
    Invitation.objects.filter(pk=made.invitation.pk).update(expires_at=utc_now() - timedelta(seconds=1))


def closed(made, cast):
    deactivate_user(actor=cast.ada, user=made.invitation.user, reason="did not come")


def replaced(made, cast):
    invite_again(actor=cast.ada, user=made.invitation.user, reason="lost the mail")


@pytest.mark.parametrize("spoil", [used, withdrawn, too_old, closed, replaced], ids=lambda spoil: spoil.__name__)
def test_a_spoilt_link_looks_like_one_that_never_was(cast, spoil):
    made = invite(cast)
    spoil(made, cast)
    never = Client().get(f"/invite/{'x' * 43}/")
    shown = Client().get(f"/invite/{made.secret}/")
    nameless = [re.sub(r"[0-9a-f-]{36}", "", page.content.decode()) for page in (never, shown)]
    csrf = [re.sub(r'X-CSRFToken": "\w+"', "", text) for text in nameless]
    assert (never.status_code, shown.status_code) == (404, 404)
    assert csrf[0] == csrf[1]
    assert "was used, withdrawn, is too old, or never was" in csrf[0]


@pytest.mark.parametrize("secret", ["short", "x" * 44, "ü" * 43, "' OR pg_sleep(8)--"])
def test_nonsense_opens_nothing(cast, secret):
    assert find_link(secret) is None


def test_a_weak_password_is_refused_in_words_and_leaves_the_link_open(cast, client):
    made = invite(cast)
    answer = client.post(f"/invite/{made.secret}/", {"password": "password", "again": "password"})
    assert answer.status_code == 422
    assert b"too common" in answer.content
    differs = client.post(f"/invite/{made.secret}/", {**NEW, "again": "another sentence"})
    assert b"This differs from the password above" in differs.content
    assert find_link(made.secret) is not None


@pytest.mark.parametrize("who", ["max", "otto", "rita", "nemo"])
def test_who_is_no_admin_invites_nobody(cast, who):
    with pytest.raises(DomainError) as refused:
        invite_user(
            actor=getattr(cast, who), username="iris", reason="r", first_role=FirstRole(Role.AUDITOR, cast.project)
        )
    assert refused.value.status in (403, 404)
    assert not User.objects.filter(username="iris").exists()


def test_the_admin_of_a_project_invites_into_it_and_nowhere_else(cast):
    adam, other = make_person("adam"), create_project(actor=SYSTEM, slug="other", title="Other")
    grant_role(actor=SYSTEM, user=adam.person, role=Role.ADMIN, target=other, reason="r")
    made = invite_user(actor=adam, username="iris", reason="r", first_role=FirstRole(Role.MANAGER, other))
    assert made.invitation.created_by == adam.user
    for first_role in (None, FirstRole(Role.MANAGER, cast.project)):
        with pytest.raises(DomainError):
            invite_user(actor=adam, username="jon", reason="r", first_role=first_role)
    withdraw_link(actor=adam, user=made.invitation.user, reason="typed the wrong name")
    assert find_link(made.secret) is None
    with pytest.raises(AccessDenied):
        withdraw_link(actor=cast.max, user=made.invitation.user, reason="not mine")


def test_a_taken_name_and_a_name_that_nobody_can_have_are_refused(cast):
    with pytest.raises(Conflict, match="taken"):
        invite_user(actor=cast.ada, username="rita", reason="r")
    for name in ("", "  ", "a:b", "x" * 151, "line\nbreak"):
        with pytest.raises(Unprocessable):
            invite_user(actor=cast.ada, username=name, reason="r")


def test_two_open_links_of_one_person_cannot_be(cast):
    made = invite(cast)
    with pytest.raises(IntegrityError), transaction.atomic():
        Invitation.objects.create(
            user=made.invitation.user, purpose="invite", secret_sha256=b"x" * 32, expires_at=utc_now()
        )


def test_a_reset_link_ends_the_sessions_and_keeps_the_second_factor(cast, page):
    browser = page(cast.rita)
    assert browser.get("/account/").status_code == 200
    Authenticator.objects.create(user=cast.rita.person, type="totp", data={"secret": "closed"})
    made = reset_link(actor=cast.ada, user=cast.rita.person, reason="forgot it")
    assert made.invitation.expires_at - utc_now() <= timedelta(hours=24)
    assert browser.get("/account/").status_code == 200
    Client().post(f"/invite/{made.secret}/", NEW)
    assert browser.get("/account/")["Location"].startswith("/accounts/login/")
    assert Session.objects.count() == 0
    assert find_link(made.secret) is None
    assert Authenticator.objects.filter(user=cast.rita.person).count() == 1
    assert sign_in(Client(), "rita", NEW["password"])["Location"] == "/accounts/2fa/authenticate/"
    assert "access.password_link_issued" in events_of(cast.rita.person)
    assert "access.password_changed" in events_of(cast.rita.person)


def test_when_the_factor_is_lost_the_old_password_goes_with_it(cast, page):
    browser = page(cast.rita)
    browser.get("/account/")
    Authenticator.objects.create(user=cast.rita.person, type="totp", data={"secret": "closed"})
    made = reset_link(actor=cast.ada, user=cast.rita.person, reason="lost the phone", is_factor_lost=True)
    assert browser.get("/account/")["Location"].startswith("/accounts/login/")
    assert sign_in(Client(), "rita", PASSWORD).status_code == 200
    Client().post(f"/invite/{made.secret}/", NEW)
    assert sign_in(Client(), "rita", NEW["password"])["Location"] == "/"
    assert "access.second_factor_removed" in events_of(cast.rita.person)


def test_links_are_for_those_whom_they_fit(cast):
    made = invite(cast)
    with pytest.raises(Conflict):
        reset_link(actor=cast.ada, user=made.invitation.user, reason="r")
    with pytest.raises(Conflict):
        invite_again(actor=cast.ada, user=cast.rita.person, reason="r")
    for make in (reset_link, invite_again):
        with pytest.raises(AccessDenied):
            make(actor=cast.max, user=cast.rita.person, reason="r")


def test_a_closed_account_is_opened_again_but_its_old_link_is_not(cast, page):
    browser = page(cast.rita)
    browser.get("/account/")
    made = reset_link(actor=cast.ada, user=cast.rita.person, reason="forgot it")
    deactivate_user(actor=cast.ada, user=cast.rita.person, reason="on leave")
    reactivate_user(actor=cast.ada, user=cast.rita.person, reason="is back")
    assert find_link(made.secret) is None
    assert browser.get("/account/").status_code == 302
    assert sign_in(Client(), "rita").status_code == 302
    assert events_of(cast.rita.person)[-3:] == [
        "access.invitation_withdrawn", "access.user_reactivated", "access.signed_in",
    ]  # fmt: skip


def test_the_last_admin_who_can_sign_in_stays(cast):
    with pytest.raises(Conflict, match="last admin"):
        deactivate_user(actor=SYSTEM, user=cast.ada.person, reason="r")


def test_the_right_password_of_a_closed_account_opens_nothing_and_is_recorded(cast, client):
    deactivate_user(actor=cast.ada, user=cast.rita.person, reason="left")
    answer = client.post("/accounts/login/", {"login": "rita", "password": PASSWORD}, follow=True)
    assert b"This account is closed" in answer.content
    assert client.get("/").status_code == 302
    assert Event.objects.filter(event="access.sign_in_failed", object="closed account").count() == 1


def test_the_first_admin_can_come_by_a_link(db, client):
    said = io.StringIO()
    call_command("create_admin", "ada", "--link", "--address", "https://reviews.example.org/", stdout=said)
    link = said.getvalue().split()[-1]
    assert link.startswith("https://reviews.example.org/invite/")
    assert User.objects.get(username="ada").is_active is False
    client.post(link.removeprefix("https://reviews.example.org"), NEW)
    assert sign_in(client, "ada", NEW["password"]).status_code == 302
    ada = User.objects.get(username="ada")
    assert ada.installation_roles.get().role == "admin"
    assert Actor(user=ada).person.is_active


def test_two_posts_of_one_link_at_once_set_one_password(committed_cast):
    made = invite(committed_cast)
    sentences = ["the first of two sentences", "the second of two sentences"]
    together = threading.Barrier(2)
    statuses = []

    def post(sentence):
        together.wait()
        answer = Client().post(f"/invite/{made.secret}/", {"password": sentence, "again": sentence})
        statuses.append(answer.status_code)
        connection.close()

    threads = [threading.Thread(target=post, args=[sentence]) for sentence in sentences]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [302, 404]
    iris = User.objects.get(username="iris")
    assert [iris.check_password(sentence) for sentence in sentences].count(True) == 1
