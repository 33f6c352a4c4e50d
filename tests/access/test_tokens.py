"""The life of a token: shown once, used, rotated, ended by every path; each end is shown by using the token."""

from __future__ import annotations

import hashlib
import time
import zlib
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from reviewapp.access.errors import Hidden
from reviewapp.access.matrix import Role
from reviewapp.access.models import ApiToken
from reviewapp.access.services import deactivate_user, revoke_role
from reviewapp.access.tokens import (
    create_personal_token,
    create_service_token,
    find_token,
    revoke_token,
    rotate_token,
)
from reviewapp.audit.models import Event
from reviewapp.lib.clock import utc_now
from reviewapp.lib.errors import AccessDenied, Conflict
from tests.conftest import Api


@pytest.fixture
def made(cast):
    return create_service_token(actor=cast.max, project=cast.project, name="ci", scopes=["manage"], days=30)


def use(made, path="rubrics/", **headers):
    """What a program gets that uses the token."""
    return Api(made.secret, "halyard").get(path, **headers).status


def test_its_use_is_marked_with_time_and_address_once_a_minute(cast, made, django_assert_num_queries):
    client = Client()
    for address in ("203.0.113.5", "203.0.113.6"):
        answer = client.get(
            "/api/v1/projects/", headers={"Authorization": f"Bearer {made.secret}"}, REMOTE_ADDR=address
        )
        assert answer.status_code == 200
    row = ApiToken.objects.get(pk=made.token.pk)
    assert row.last_used_at is not None
    assert row.last_ip == "203.0.113.5"


@pytest.mark.parametrize("where", ["?token=", "?access_token=", "?api_key=", "?Authorization=Bearer%20"])
def test_a_token_in_the_address_is_no_identity(made, where):
    assert Api(None, "halyard").get(f"/api/v1/projects/{where}{made.secret}").status == 401


def test_a_token_in_another_scheme_or_header_is_no_identity(made):
    for headers in ({"Authorization": f"Token {made.secret}"}, {"X-Api-Key": made.secret}, {"Cookie": made.secret}):
        assert Api(None, "halyard").get("/api/v1/projects/", **headers).status == 401


def test_a_wrong_part_is_401_whichever_it_is(made):
    rva, prefix, secret, checksum = made.secret.split("_")
    other = "A" if secret[0] != "A" else "B"

    def signed(body):
        number, digits = zlib.crc32(body.encode()), ""
        for _ in range(6):
            number, digit = divmod(number, 62)
            digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[digit] + digits
        return f"{body}_{digits}"

    assert signed(f"{rva}_{prefix}_{secret}") == made.secret
    for text in (
        f"{rva}_{prefix}_{secret}_000000",
        f"{rva}_{prefix}_{other}{secret[1:]}_{checksum}",
        signed(f"{rva}_{prefix}_{other}{secret[1:]}"),
        signed(f"{rva}_{'0' * 8}_{secret}"),
        signed(f"{rva}_{prefix}_{secret}x"),
        signed(f"{rva}_{prefix[:7]}\x00_{secret}"),
        made.secret.upper(),
        f"{made.secret}\u00e9",
        f"{made.secret} {made.secret}",
    ):
        assert find_token(text) is None, text
        assert Api(text, "halyard").get("rubrics/").status == 401, text


def test_what_has_no_checksum_costs_no_question_to_the_database(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert find_token("rva_aaaaaaaa_" + "b" * 43 + "_cccccc") is None
        assert find_token("' OR pg_sleep(8)--") is None


def test_an_injection_in_the_header_is_refused_at_once(db):
    began = time.monotonic()
    assert Api("' OR pg_sleep(8)--", "halyard").get("rubrics/").status == 401
    assert time.monotonic() - began < 0.5


def test_the_database_holds_a_hash_of_the_secret_alone(made):
    row = ApiToken.objects.get(pk=made.token.pk)
    assert bytes(row.secret_sha256) == hashlib.sha256(made.secret.split("_")[2].encode()).digest()
    text = "".join(event.env + event.payload.data for event in Event.objects.select_related("payload"))
    assert made.secret.split("_")[2] not in text


def test_it_expires_to_the_second(made):
    ApiToken.objects.filter(pk=made.token.pk).update(expires_at=utc_now() + timedelta(seconds=1))
    assert use(made) == 200
    ApiToken.objects.filter(pk=made.token.pk).update(expires_at=utc_now())
    assert use(made) == 401


def by_service(cast, made):
    revoke_token(actor=cast.max, token=made.token, reason="test")


def by_page(cast, made):
    client = Client()
    client.force_login(cast.max.person, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.post(f"/p/halyard/settings/tokens/{made.token.pk}/revoke/").status_code == 302


def by_command(cast, made):
    call_command("revoke_token", f"rva_{made.token.prefix}", reason="it leaked", stdout=StringIO())


def by_installation_admin(cast, made):
    revoke_token(actor=cast.ada, token=made.token)


def by_closing_the_owners_account(cast, made):
    deactivate_user(actor=cast.ada, user=cast.max.person, reason="left")


@pytest.mark.parametrize("end", [by_service, by_page, by_command, by_installation_admin, by_closing_the_owners_account])
def test_every_way_to_end_it_ends_it_at_once(cast, made, end):
    assert use(made) == 200
    end(cast, made)
    assert use(made) == 401


def test_it_has_no_power_when_its_owner_lost_the_role(cast, made):
    revoke_role(actor=cast.ada, user=cast.max.person, role=Role.MANAGER, target=cast.project, reason="moved")
    assert use(made) == 404
    assert use(made, "/api/v1/projects/") == 200  # still an identity, which sees nothing
    assert Api(made.secret, "halyard").get("/api/v1/projects/").body["results"] == []


def test_the_command_names_what_it_did_and_refuses_what_it_does_not_know(made):
    said = StringIO()
    call_command("revoke_token", made.secret, stdout=said)
    call_command("revoke_token", made.token.prefix, stdout=said)
    assert "is revoked" in said.getvalue()
    assert "was revoked before" in said.getvalue()
    assert made.secret.split("_")[2] not in said.getvalue()
    with pytest.raises(CommandError, match="No token begins with"):
        call_command("revoke_token", "nosuchid")


def test_rotation_leaves_two_alive_and_never_three(cast, made):
    second = rotate_token(actor=cast.max, token=made.token)
    assert (use(made), use(second)) == (200, 200)
    assert second.token.replaces == made.token
    assert (second.token.name, second.token.scopes) == ("ci", ["manage"])
    assert timedelta(days=29) < second.token.expires_at - second.token.created_at <= timedelta(days=30)
    third = rotate_token(actor=cast.max, token=second.token)
    assert (use(made), use(second), use(third)) == (401, 200, 200)
    ended = Event.objects.filter(event="access.token_revoked", object=str(made.token.pk)).get()
    assert "its successor was rotated" in ended.payload.data
    born = Event.objects.filter(event="access.token_created", object=str(third.token.pk)).get()
    assert second.token.prefix in born.payload.data


def test_a_token_with_a_live_successor_is_not_rotated_again(cast, made):
    second = rotate_token(actor=cast.max, token=made.token)
    with pytest.raises(Conflict, match="successor"):
        rotate_token(actor=cast.max, token=made.token)
    revoke_token(actor=cast.max, token=second.token)
    third = rotate_token(actor=cast.max, token=made.token)
    assert (use(made), use(second), use(third)) == (200, 401, 200)


def test_who_may_rotate(cast, made):
    with pytest.raises(AccessDenied):
        rotate_token(actor=cast.otto, token=made.token)
    with pytest.raises(Hidden):
        rotate_token(actor=cast.nemo, token=made.token)
    own = create_personal_token(actor=cast.rita, name="mine", scopes=["review"])
    for actor in (cast.rob, cast.ada):
        with pytest.raises(Hidden):
            rotate_token(actor=actor, token=own.token)
    with pytest.raises(AccessDenied, match="sign in"):
        rotate_token(actor=type(cast.rita)(user=cast.rita.user, token=own.token), token=own.token)
    assert rotate_token(actor=cast.rita, token=own.token).token.owner == cast.rita.person


@pytest.mark.parametrize("state", ["revoked", "expired"])
def test_a_token_that_is_over_has_no_successor(cast, made, state):
    if state == "revoked":
        revoke_token(actor=cast.max, token=made.token)
    else:
        ApiToken.objects.filter(pk=made.token.pk).update(expires_at=utc_now())
    with pytest.raises(Conflict, match="over"):
        rotate_token(actor=cast.max, token=made.token)


def test_an_admin_of_the_installation_ends_anybodys_token_and_others_do_not(cast):
    own = create_personal_token(actor=cast.rita, name="mine", scopes=["review"])
    for actor in (cast.max, cast.otto, cast.rob):
        with pytest.raises(Hidden):
            revoke_token(actor=actor, token=own.token)
    revoke_token(actor=cast.ada, token=own.token, reason="it was in a repository")
    assert use(own, "/api/v1/projects/") == 401


def test_the_settings_page_rotates_and_shows_the_new_token_once(cast, made, page):
    browser = page(cast.max)
    shown = browser.post(f"/p/halyard/settings/tokens/{made.token.pk}/rotate/")
    second = ApiToken.objects.get(replaces=made.token)
    assert f"rva_{second.prefix}_".encode() in shown.content
    listed = browser.get("/p/halyard/settings/").content
    assert f'replaces <span class="mono">rva_{made.token.prefix}_'.encode() in listed
    again = browser.post(f"/p/halyard/settings/tokens/{made.token.pk}/rotate/")
    assert again.status_code == 302
    assert ApiToken.objects.filter(replaces=made.token).count() == 1


def test_my_page_rotates_my_own_and_says_where_it_was_used(cast, page):
    own = create_personal_token(actor=cast.rita, name="mine", scopes=["review"])
    ApiToken.objects.filter(pk=own.token.pk).update(last_ip="203.0.113.9", last_used_at=utc_now())
    browser = page(cast.rita)
    assert b"from 203.0.113.9" in browser.get("/account/").content
    assert browser.post(f"/account/tokens/{own.token.pk}/rotate/").status_code == 200
    assert ApiToken.objects.filter(replaces=own.token, owner=cast.rita.person).exists()
    assert page(cast.rob).post(f"/account/tokens/{own.token.pk}/rotate/").status_code == 404


def test_rotating_needs_a_recent_sign_in(cast, made, page):
    answer = page(cast.max, seconds_ago=600).post(f"/p/halyard/settings/tokens/{made.token.pk}/rotate/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert not ApiToken.objects.filter(replaces=made.token).exists()
