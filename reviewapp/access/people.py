"""People as admins and auditors of the installation see them: who there is, what each holds, and why."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db.models import Q, QuerySet

from reviewapp.access.actors import Actor
from reviewapp.access.errors import Hidden
from reviewapp.access.factors import MAIN_KINDS
from reviewapp.access.matrix import APART, Role
from reviewapp.access.models import ApiToken, GroupGrant, InstallationRole, Invitation, Project, User, UserGrant
from reviewapp.access.roles import Anchored, grant_tables, require_installation_reader
from reviewapp.access.words import allowed_by
from reviewapp.audit.models import Event as LogEvent

MOST = 200  # people on one page; a search narrows further
MOST_EVENTS = 1_000


class State(StrEnum):
    """Whether somebody can sign in, and if not, why."""

    ACTIVE = "active"
    INVITED = "invited"
    CLOSED = "closed"
    IMPORTED = "imported"


@dataclass(frozen=True)
class Given:
    """Who gave a role, when, and with which reason. `reason` is None when none was given or it was erased."""

    by: str
    at: datetime
    reason: str | None


@dataclass(frozen=True)
class Held:
    """One role that somebody holds. `target` is a project, a queue, or None for the whole installation.

    group: the identity provider's group through which it is held; None when it was given to the person.
    """

    role: Role
    target: Project | Anchored | None
    project: Project | None
    group: str | None = None
    group_id: int | None = None
    given: Given | None = None

    @property
    def is_of_queue(self) -> bool:
        """Held on one queue."""
        return self.target is not None and not isinstance(self.target, Project)

    @property
    def where(self) -> str:
        """On what, in words."""
        if self.target is None:
            return "the whole installation"
        return f"{self.target} in {self.project}" if self.is_of_queue else str(self.target)

    @property
    def allows(self) -> tuple[str, ...]:
        """What the role lets them do, in plain words."""
        return allowed_by(self.role, is_installation=self.target is None)


@dataclass(frozen=True)
class PersonLine:
    """Somebody in the list."""

    user: User
    state: State
    held: tuple[Held, ...]
    has_factor: bool

    @property
    def roles(self) -> list[str]:
        """What they hold, in short: roles on queues are counted per project."""
        found = [f"{one.role} of {one.where}" for one in self.held if not one.is_of_queue]
        queues: dict[tuple[Role, str], int] = defaultdict(int)
        for one in self.held:
            if one.is_of_queue:
                queues[one.role, str(one.project)] += 1
        return found + [
            f"{role} on {count} queue{'' if count == 1 else 's'} of {project}"
            for (role, project), count in queues.items()
        ]


@dataclass(frozen=True)
class People:
    """One page of people. `total` counts all that match; `is_cut` says that not all are shown."""

    lines: tuple[PersonLine, ...]
    total: int

    @property
    def is_cut(self) -> bool:
        """Whether a search is needed to see the others."""
        return self.total > len(self.lines)


def people(*, viewer: Actor, search: str = "", state: State | None = None) -> People:
    """Everybody with an account, by name; imported reviewers only when asked for. Raises AccessDenied.

    search: part of a username, a shown name or a mail address.
    """
    require_installation_reader(viewer)
    found = User.objects.filter(_in_state(state) if state else ~Q(imported_into__isnull=False))
    if search:
        found = found.filter(
            Q(username__icontains=search) | Q(display_name__icontains=search)
            | Q(email__icontains=search) | Q(imported_name__icontains=search)
        )  # fmt: skip
    users = list(found.order_by("username")[:MOST])
    held, waiting = held_by(users), _waiting_links(users)
    guarded = set(Authenticator.objects.filter(user__in=users, type__in=MAIN_KINDS).values_list("user_id", flat=True))
    lines = [
        PersonLine(user, _state(user, user.pk in waiting), tuple(held[user.pk]), user.pk in guarded) for user in users
    ]
    return People(tuple(lines), found.count())


def person_for(*, viewer: Actor, pk: UUID) -> User:
    """Somebody, for those who may see everybody. Raises AccessDenied, and Hidden for an id that is nobody's."""
    require_installation_reader(viewer)
    user = User.objects.filter(pk=pk).first()
    if user is None:
        raise Hidden("There is nobody with this address.")
    return user


def state_of(user: User) -> State:
    """Whether they can sign in, and if not, why."""
    return _state(user, bool(_waiting_links([user])))


def _state(user: User, is_waiting: bool) -> State:
    if user.imported_into_id is not None:
        return State.IMPORTED
    if user.is_active:
        return State.ACTIVE
    return State.INVITED if is_waiting else State.CLOSED


def _open_invites() -> QuerySet[Invitation]:
    return Invitation.objects.filter(purpose="invite", used_at=None, withdrawn_at=None)


def _waiting_links(users: Iterable[User]) -> set[UUID]:
    return set(_open_invites().filter(user__in=users).values_list("user_id", flat=True))


def _in_state(state: State) -> Q:
    if state is State.IMPORTED:
        return Q(imported_into__isnull=False)
    own, waiting = Q(imported_into=None), Q(pk__in=_open_invites().values("user_id"))
    if state is State.ACTIVE:
        return own & Q(is_active=True)
    return own & Q(is_active=False) & (waiting if state is State.INVITED else ~waiting)


def held_by(users: Iterable[User]) -> dict[UUID, list[Held]]:
    """What each of some people holds: the installation first, then by project and queue. One query per grant table."""
    users = list(users)
    found: dict[UUID, list[Held]] = defaultdict(list)
    for row in InstallationRole.objects.filter(user__in=users):
        found[row.user_id].append(Held(Role(row.role), None, None))
    for table in grant_tables(UserGrant):
        for grant in _rows(table, Q(user__in=users)):
            found[grant.user_id].append(_held(grant))
    for table in grant_tables(GroupGrant):
        _add_by_group(table, users, found)
    for held in found.values():
        held.sort(key=lambda one: (one.target is not None, str(one.project), one.is_of_queue, one.where, one.role))
    return found


def _rows(table: type[Any], who: Q) -> QuerySet[Any]:
    rows: QuerySet[Any] = table.objects.filter(who).select_related("permission", table.project_path)
    return rows


def _add_by_group(table: type[Any], users: list[User], found: dict[UUID, list[Held]]) -> None:
    members = User.groups.through.objects.filter(user__in=users).values_list("group_id", "user_id")
    people_of: dict[int, list[UUID]] = defaultdict(list)
    for group, user in members:
        people_of[group].append(user)
    if people_of:
        for grant in _rows(table, Q(group__in=people_of)).select_related("group"):
            for user in people_of[grant.group_id]:
                found[user].append(_held(grant, group=grant.group))


def _held(grant: Any, *, group: Any = None) -> Held:
    target = grant.content_object
    return Held(
        role=Role(grant.permission.codename.removeprefix("hold_")),
        target=target,
        project=target if isinstance(target, Project) else target.project,
        # A row stands for a group of one provider; what stands before the name is the provider's digest.
        group=group.name.rpartition(":")[2] if group else None,
        group_id=group.pk if group else None,
    )


def explained(user: User) -> list[Held]:
    """What somebody holds, each with who gave it, when and why, as the log has it."""
    held = held_by([user])[user.pk]
    given = _given("access.role_granted", [str(user.pk)])
    by_group = _given("access.group_role_granted", [str(one.group_id) for one in held if one.group_id is not None])
    found = []
    for one in held:
        target = "installation" if one.target is None else str(one.target.pk)
        subject = str(user.pk) if one.group_id is None else str(one.group_id)
        source = given if one.group_id is None else by_group
        found.append(
            Held(one.role, one.target, one.project, one.group, one.group_id, source.get((subject, one.role, target)))
        )
    return found


def _given(event: str, subjects: list[str]) -> dict[tuple[str, str, str], Given]:
    """(subject, role, target) -> who gave it last."""
    found: dict[tuple[str, str, str], Given] = {}
    if not subjects:
        return found
    rows = LogEvent.objects.filter(event=event, object__in=subjects).select_related("payload").order_by("-id")
    for row in rows[:MOST_EVENTS]:
        payload = getattr(row, "payload", None)
        data = json.loads(payload.data) if payload is not None else {}
        after = data.get("after") or {}
        key = (row.object, str(after.get("role")), str(after.get("id") or after.get("on")))
        found.setdefault(key, Given(data.get("actor_name") or row.actor, row.at, data.get("reason")))
    return found


def warnings_of(held: Iterable[Held]) -> list[str]:
    """Pairs of roles that one person should not hold in one project, in words."""
    per_project: dict[Project, set[Role]] = defaultdict(set)
    everywhere = {one.role for one in held if one.target is None}
    for one in held:
        if one.project is not None:
            per_project[one.project] |= {one.role} | everywhere
    return [
        f"{first} and {second} in {project}: who makes the rules should not be measured by them or have the last word."
        for project, roles in per_project.items()
        for first, second in APART
        if {first, second} <= roles
    ]


def tokens_of(user: User) -> QuerySet[ApiToken]:
    """The tokens that somebody made, newest first; never their secrets."""
    return ApiToken.objects.filter(owner=user).select_related("project").order_by("-created_at")


def factors_of(user: User) -> list[Authenticator]:
    """Their second factors: kinds, names and times; the pages never show what opens them."""
    return list(Authenticator.objects.filter(user=user).order_by("type", "created_at"))
