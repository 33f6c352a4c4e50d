"""Sessions of people: how long they live, and how they end.

A session is a row (never a signed cookie), so that it can be ended from outside; allauth's `UserSession` says whose it
is. It holds no credential: who, when they proved it and by what means, and what waits to be sent again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from allauth.account.internal.flows.login import get_authentication_records
from allauth.usersessions.models import UserSession
from django.contrib.auth import logout
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest

from reviewapp.access.actors import Actor, actor_from, session_mark
from reviewapp.access.errors import Hidden
from reviewapp.access.matrix import Role
from reviewapp.access.models import User
from reviewapp.access.roles import require_installation_admin, require_installation_reader, roles_anywhere
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.lib.clock import utc_now

ABSOLUTE_SECONDS = 12 * 3600
IDLE_SECONDS = 8 * 3600
PRIVILEGED_IDLE_SECONDS = 30 * 60
PRIVILEGED = frozenset({Role.ADMIN, Role.MANAGER, Role.AUDITOR})
TOUCH_SECONDS = 60  # a session is written at most this often for being in use
_STATE = "reviewapp.session"
# In this order: each browser also carries the marks of those that it wants to be taken for.
_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip


def why_over(request: HttpRequest, *, now: float) -> str | None:
    """Why the session at hand is over, in words for the log; None while it lives.

    now: seconds since the epoch. Roles are asked only when the shorter limit has passed.
    """
    state = request.session.get(_STATE)
    if state is None:
        return None
    if now - state["since"] > ABSOLUTE_SECONDS:
        return "12 hours after sign-in"
    idle = now - state["seen"]
    if idle > IDLE_SECONDS:
        return "8 hours without use"
    if idle > PRIVILEGED_IDLE_SECONDS and PRIVILEGED & roles_anywhere(_user(request)):
        return "30 minutes without use, for an admin, manager or auditor"
    return None


def touch(request: HttpRequest, *, now: float) -> None:
    """Note that the session is in use, at most once a minute; begin its clock when it is new or its key has changed."""
    state, key = request.session.get(_STATE), request.session.session_key
    if state is not None and state["key"] == session_mark(key) and now - state["seen"] < TOUCH_SECONDS:
        return
    since = state["since"] if state is not None else _signed_in_at(request, now)
    request.session[_STATE] = {"since": since, "seen": now, "key": session_mark(key)}
    UserSession.objects.create_from_request(request)


def begin(request: HttpRequest, *, now: float) -> None:
    """Start the clock of a fresh sign-in."""
    key = request.session.session_key
    request.session[_STATE] = {"since": now, "seen": now, "key": session_mark(key)}


def _signed_in_at(request: HttpRequest, now: float) -> float:
    proofs: list[float] = [proof["at"] for proof in get_authentication_records(request, _user(request))]
    return min([now, *proofs])


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)  # anonymous callers do not come here


def end_at_hand(request: HttpRequest, *, reason: str) -> None:
    """End the session of this very request; whoever asks is nobody from here on."""
    user = _user(request)
    with transaction.atomic():
        _end(actor_from(request, user=user), user, [request.session.session_key or ""], reason)
    logout(request)


@dataclass(frozen=True)
class OpenSession:
    """One place where a person is signed in. `mark` is what the log shows of it."""

    id: int
    mark: str
    source_ip: str
    user_agent: str
    since: datetime
    last_seen_at: datetime
    is_current: bool

    @property
    def browser(self) -> str:
        """The browser and system as their owner would name them."""
        name = next((word for mark, word in _BROWSERS if mark in self.user_agent), "another program")
        system = next((word for mark, word in _SYSTEMS if mark in self.user_agent), "")
        return f"{name} on {system}" if system else name


def open_sessions(*, viewer: Actor, user: User) -> list[OpenSession]:
    """Where a person is signed in, the latest first; for themself, and for who may see everybody."""
    if not _is_own(viewer, user):
        require_installation_reader(viewer)
    rows = UserSession.objects.filter(user=user).order_by("-last_seen_at", "-pk")
    alive = set(
        Session.objects.filter(session_key__in=rows.values("session_key"), expire_date__gt=utc_now()).values_list(
            "session_key", flat=True
        )
    )
    return [
        OpenSession(
            id=row.pk,
            mark=session_mark(row.session_key),
            source_ip=row.ip,
            user_agent=row.user_agent,
            since=row.created_at,
            last_seen_at=row.last_seen_at,
            is_current=session_mark(row.session_key) == viewer.session_id,
        )
        for row in rows
        if row.session_key in alive
    ]


def session_named(text: str) -> int:
    """The number of a session in a form. Raises Hidden for what is none, which must not end all of them instead."""
    if not (text.isascii() and text.isdigit()):
        raise Hidden("There is no such session, or it has ended already.")
    return int(text)


@transaction.atomic
def end_session(*, actor: Actor, user: User, session: int, reason: str = "") -> None:
    """End one session of a person at once. Raises Hidden when it is not (or no longer) theirs, AccessDenied."""
    _require_own_or_admin(actor, user)
    row = UserSession.objects.filter(user=user, pk=session).first()
    if row is None:
        raise Hidden("There is no such session, or it has ended already.")
    _end(actor, user, [row.session_key], reason)


@transaction.atomic
def end_sessions(*, actor: Actor, user: User, reason: str, but_mine: bool = False) -> int:
    """End every session of a person at once; with `but_mine`, not the one that asks. Returns how many ended.

    Raises AccessDenied.
    """
    _require_own_or_admin(actor, user)
    return drop_sessions(actor=actor, user=user, reason=reason, but_mine=but_mine)


def drop_sessions(*, actor: Actor, user: User, reason: str, but_mine: bool = False) -> int:
    """The same for services that have asked already, in their transaction."""
    keys = list(UserSession.objects.filter(user=user).values_list("session_key", flat=True))
    if but_mine:
        keys = [key for key in keys if session_mark(key) != actor.session_id]
    return _end(actor, user, keys, reason)


def _end(actor: Actor, user: User, keys: list[str], reason: str) -> int:
    if not keys:
        return 0
    Session.objects.filter(session_key__in=keys).delete()
    UserSession.objects.filter(session_key__in=keys).delete()
    record(
        actor=actor,
        event=Event.SESSION_ENDED,
        subject=Subject("user", str(user.pk)),
        change=Change(reason=reason or None, more={"sessions": [session_mark(key) for key in keys]}),
    )
    return len(keys)


def _require_own_or_admin(actor: Actor, user: User) -> None:
    if not _is_own(actor, user):
        require_installation_admin(actor)


def _is_own(actor: Actor, user: User) -> bool:
    return actor.user is not None and actor.user.pk == user.pk and actor.token is None
