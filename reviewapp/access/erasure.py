"""What this room holds about people: the account and everything that hangs on it; answers kept for idempotency.

An erased account stays as a row with a pseudonym, because reviews and events refer to it; nobody can sign in with it.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from reviewapp.access.actors import system_actor
from reviewapp.access.idempotency import KEPT
from reviewapp.access.models import (
    ApiToken,
    IdempotencyRecord,
    InstallationRole,
    Invitation,
    ProjectUserGrant,
    User,
)
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.lib.subjects import ERASED, DataSubject, Held, mention_pattern

WORKER = system_actor("retention")
_ANSWERS = """
DELETE FROM reviewapp_idempotencyrecord r
WHERE r.caller = ANY(%(callers)s) OR r.answer::text ~ %(mention)s
   OR EXISTS (SELECT FROM unnest(%(ids)s::text[]) AS i (id) WHERE strpos(r.answer::text, i.id) > 0)
"""


def find_subject(subject: DataSubject) -> list[Held]:
    """The account with its addresses, sessions, second factors, tokens and roles; never a secret."""
    if subject.person is None:
        return []
    mine = {"user": subject.person}
    shown = ("username", "display_name", "imported_name", "first_name", "last_name", "email")
    token = ("name", "prefix", "scopes", "created_at", "expires_at", "last_used_at", "last_ip", "revoked_at")
    return [
        Held("accounts", User.objects.filter(pk=subject.person), (*shown, "date_joined", "last_login", "is_active")),
        Held("mail addresses", EmailAddress.objects.filter(**mine), ("email", "verified", "primary")),
        Held("sessions", UserSession.objects.filter(**mine), ("ip", "user_agent", "created_at", "last_seen_at")),
        Held("second factors", Authenticator.objects.filter(**mine), ("type", "created_at", "last_used_at")),
        Held("accounts elsewhere", SocialAccount.objects.filter(**mine), ("provider", "uid", "extra_data")),
        Held("tokens", ApiToken.objects.filter(owner=subject.person), token),
        Held("invitations", Invitation.objects.filter(**mine), ("purpose", "created_at", "used_at", "withdrawn_at")),
        Held("roles of the installation", InstallationRole.objects.filter(**mine), ("role", "granted_at")),
        Held(
            "roles on projects",
            ProjectUserGrant.objects.filter(**mine),
            ("content_object__slug", "permission__codename"),
        ),
    ]


def names_of(user: User) -> tuple[str, ...]:
    """Every text by which the account is known, longest first, so that no name is cut out of a longer one."""
    addresses = EmailAddress.objects.filter(user=user).values_list("email", flat=True)
    elsewhere = SocialAccount.objects.filter(user=user).values_list("uid", flat=True)
    known = {user.username, user.display_name, user.imported_name, user.email, *addresses, *elsewhere}
    full = f"{user.first_name} {user.last_name}".strip()
    return tuple(sorted((known | {full}) - {""}, key=lambda name: (-len(name), name)))


def erase_subject(subject: DataSubject) -> Counter[str]:
    """Clear it inside the caller's transaction: every session and token ends at once."""
    counts: Counter[str] = Counter()
    if subject.person is None:
        counts["kept answers"] = _drop_answers(subject, [])
        return counts
    person = subject.person
    tokens = [str(key) for key in ApiToken.objects.filter(owner=person).values_list("pk", flat=True)]
    callers = [f"user:{person}", *(f"token:{key}" for key in tokens)]
    counts["kept answers"] = _drop_answers(subject, callers)
    counts["sessions"] = _end_sessions(person)
    for kind, table in (
        ("mail addresses", EmailAddress),
        ("second factors", Authenticator),
        ("accounts elsewhere", SocialAccount),
        ("invitations", Invitation),
        ("roles", InstallationRole),
        ("roles", ProjectUserGrant),
    ):
        counts[kind] += table.objects.filter(user=person).delete()[0]
    live = ApiToken.objects.filter(owner=person)
    live.filter(revoked_at=None).update(revoked_at=Now())
    counts["tokens"] = live.update(name=ERASED, last_ip=None)
    counts["accounts"] = _erase_account(person, subject)
    return counts


def _erase_account(person: UUID, subject: DataSubject) -> int:
    user = User.objects.select_for_update().get(pk=person)
    user.groups.clear()
    user.user_permissions.clear()
    cleared: dict[str, Any] = {
        "username": subject.pseudonym,
        "display_name": "",
        # Two imported reviewers of one project may not share a name, not even an empty one.
        "imported_name": subject.pseudonym if user.imported_name else "",
        "first_name": "",
        "last_name": "",
        "email": "",
        "password": make_password(None),
        "is_active": False,
        "erased_at": subject.at,
    }
    return User.objects.filter(pk=person).update(**cleared)


def _end_sessions(person: UUID) -> int:
    """Their rows, found by what is inside: a session's table names nobody."""
    UserSession.objects.filter(user=person).delete()
    ended = [row.pk for row in Session.objects.iterator() if row.get_decoded().get("_auth_user_id") == str(person)]
    return int(Session.objects.filter(pk__in=ended).delete()[0])


def _drop_answers(subject: DataSubject, callers: list[str]) -> int:
    """Those that the subject got, that name them, or that speak of one of their rows."""
    values: dict[str, Any] = {
        "callers": callers,
        "ids": list(subject.objects),
        "mention": mention_pattern(subject.names),
    }
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERS, values)
        return int(cursor.rowcount)


@transaction.atomic
def drop_expired() -> int:
    """Drop answers kept for idempotency after a day, and sessions that ran out; how many rows. One event when any."""
    answers = IdempotencyRecord.objects.filter(created_at__lt=Now() - KEPT).delete()[0]
    sessions = Session.objects.filter(expire_date__lt=Now()).delete()[0]
    # A sign-in's note of address and browser goes with its session.
    notes = UserSession.objects.filter(~Q(session_key__in=Session.objects.values("session_key")))
    old = notes.filter(last_seen_at__lt=Now() - timedelta(days=1)).delete()[0]
    if answers or sessions or old:
        record(
            actor=WORKER,
            event=Event.ACCESS_TIDIED,
            subject=Subject("installation", "access"),
            change=Change(more={"answers": answers, "sessions": sessions + old}),
        )
    return int(answers + sessions + old)
