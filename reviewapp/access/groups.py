"""Groups of the identity provider: which role each one gives, and who is in it.

A Django Group stands for one group of one provider; its name carries a digest of the issuer, so a group of another
provider never is the same. It exists while it holds a role. Memberships are set at sign-in and at no other time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model
from guardian.shortcuts import assign_perm, remove_perm

from reviewapp.access.actors import Actor
from reviewapp.access.matrix import PROJECT_ROLES, QUEUE_ROLES, Role
from reviewapp.access.models import GroupGrant, Project, User
from reviewapp.access.roles import Anchored, grant_tables, require
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.lib.errors import FieldError, Unprocessable

PREFIX = "oidc:"
LONGEST = 120  # characters of a group's name; Django's column holds 150


def row_name(issuer: str, name: str) -> str:
    """The name of the row that stands for a provider's group."""
    return f"{PREFIX}{hashlib.sha256(issuer.encode()).hexdigest()[:12]}:{name}"


def shown_name(row: str) -> str:
    """The name that the provider gives the group."""
    return row.removeprefix(PREFIX).partition(":")[2]


@dataclass(frozen=True)
class GroupHolding:
    """One role of one group in a project. `target` is the project or a queue of it."""

    group: str
    role: Role
    target: Project | Anchored
    members: int

    @property
    def is_of_project(self) -> bool:
        """Held on the project, not on a queue."""
        return isinstance(self.target, Project)


def group_holdings(*, viewer: Actor, project: Project) -> list[GroupHolding]:
    """Every role that groups of the provider hold in the project. Raises AccessDenied."""
    require(viewer, "people.view", project)
    found = []
    for table in grant_tables(GroupGrant):
        rows = table.objects.filter(**{table.project_path: project}, group__name__startswith=PREFIX)
        for row in rows.select_related("group", "permission", "content_object"):
            role = Role(row.permission.codename.removeprefix("hold_"))
            members = row.group.user_set.filter(is_active=True).count()
            found.append(GroupHolding(shown_name(row.group.name), role, row.content_object, members))
    return sorted(found, key=lambda one: (one.group, not one.is_of_project, str(one.target), one.role))


@transaction.atomic
def grant_group_role(
    *, actor: Actor, issuer: str, name: str, role: Role, target: Project | Anchored, reason: str
) -> None:
    """Give a group a role on a project or a queue; its people hold it from their next sign-in on.

    Raises AccessDenied, or Unprocessable for a name that no claim could hold or a role of the other kind of object.
    """
    _require_may_give(actor, role, target)
    if not name or len(name) > LONGEST or not name.isprintable() or name != " ".join(name.split()):
        raise Unprocessable(
            f"A group has a name of 1 to {LONGEST} characters on one line.", errors=(FieldError("/group", "see above"),)
        )
    group, _ = Group.objects.get_or_create(name=row_name(issuer, name))
    assign_perm(f"reviewapp.hold_{role}", group, cast(Model, target))
    _record_grant(actor, Event.GROUP_ROLE_GRANTED, group, role, target, reason)


@transaction.atomic
def revoke_group_role(
    *, actor: Actor, issuer: str, name: str, role: Role, target: Project | Anchored, reason: str
) -> None:
    """Take a role from a group; it is gone at the next request of each of its people. Revoking what is not held changes
    nothing.
    """
    _require_may_give(actor, role, target)
    group = Group.objects.filter(name=row_name(issuer, name)).first()
    if group is None:
        return
    remove_perm(f"reviewapp.hold_{role}", group, cast(Model, target))
    _record_grant(actor, Event.GROUP_ROLE_REVOKED, group, role, target, reason)
    if not any(table.objects.filter(group=group).exists() for table in grant_tables(GroupGrant)):
        group.delete()


def set_groups(*, actor: Actor, user: User, issuer: str, names: Iterable[str]) -> None:
    """Put a person into exactly those groups of the provider that have a role here, in the caller's transaction.

    Groups of an earlier provider are left as well: it no longer says who is in them.
    """
    rows = [row_name(issuer, name) for name in names if len(name) <= LONGEST]
    wanted = {group.name: group for group in Group.objects.filter(name__in=rows)}
    held = {group.name: group for group in user.groups.filter(name__startswith=PREFIX)}
    if wanted.keys() == held.keys():
        return
    user.groups.remove(*(group for name, group in held.items() if name not in wanted))
    user.groups.add(*(group for name, group in wanted.items() if name not in held))
    record(
        actor=actor,
        event=Event.GROUPS_CHANGED,
        subject=Subject("user", str(user.pk)),
        change=Change(
            before={"groups": sorted(shown_name(name) for name in held)},
            after={"groups": sorted(shown_name(name) for name in wanted)},
            more={"issuer": issuer},
        ),
    )


def _require_may_give(actor: Actor, role: Role, target: Project | Anchored) -> None:
    roles: tuple[Role, ...] = PROJECT_ROLES if isinstance(target, Project) else QUEUE_ROLES
    if role not in roles:
        raise Unprocessable(
            f"A role here is one of {', '.join(roles)}.", errors=(FieldError("/role", "not held on this"),)
        )
    require(actor, "people.edit" if role in PROJECT_ROLES else "members.edit", _project_of(target))


def _project_of(target: Project | Anchored) -> Project:
    return target if isinstance(target, Project) else Project.objects.get(pk=target.project_id)


def _record_grant(
    actor: Actor, event: Event, group: Group, role: Role, target: Project | Anchored, reason: str
) -> None:
    on: dict[str, Any] = {"role": role.value, "on": "project" if isinstance(target, Project) else "queue"}
    record(
        actor=actor,
        event=event,
        subject=Subject("group", str(group.pk), project=_project_of(target).slug),
        change=Change(after={**on, "id": str(target.pk), "group": shown_name(group.name)}, reason=reason or None),
    )
