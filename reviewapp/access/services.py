"""People, projects and roles."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Model
from guardian.shortcuts import assign_perm, remove_perm

from reviewapp.access.actors import Actor
from reviewapp.access.matrix import PROJECT_ROLES, Role
from reviewapp.access.models import InstallationRole, Project, User
from reviewapp.access.roles import Anchored, require, require_installation_admin
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.lib.errors import Conflict, FieldError, Unprocessable


@transaction.atomic
def create_user(*, actor: Actor, username: str, password: str, display_name: str = "", email: str = "") -> User:
    """A person who can sign in. Raises AccessDenied, Conflict for a taken name, Unprocessable for a weak password."""
    require_installation_admin(actor)
    name = username.strip()
    if not name or ":" in name or len(name) > 150:
        raise Unprocessable(
            "A username has 1 to 150 characters and no colon.", errors=(FieldError("/username", "choose another"),)
        )
    user = User(username=name, display_name=display_name.strip(), email=email.strip())
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Unprocessable(" ".join(error.messages), errors=(FieldError("/password", error.messages[0]),)) from error
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(f"The username {name!r} is taken.") from error
    record(
        actor=actor,
        event=Event.USER_CREATED,
        subject=Subject("user", str(user.pk)),
        change=Change(after={"username": name, "display_name": user.display_name}),
    )
    return user


@transaction.atomic
def imported_reviewer(*, actor: Actor, project: Project, name: str, is_slot: bool) -> User:
    """The account behind a name in an import: inactive, of this project only, never an existing person."""
    require(actor, "reviews.import", project)
    found = User.objects.filter(imported_into=project, imported_name=name).first()
    if found is not None:
        return found
    user = User(
        username=f"import:{project.slug}:{name}",
        imported_name=name,
        imported_into=project,
        imported_as_slot=is_slot,
        is_active=False,
    )
    user.set_unusable_password()
    user.save(force_insert=True)
    record(
        actor=actor,
        event=Event.USER_CREATED,
        subject=Subject("user", str(user.pk), project=project.slug),
        change=Change(after={"imported_name": name, "is_slot": is_slot}),
    )
    return user


@transaction.atomic
def deactivate_user(*, actor: Actor, user: User, reason: str) -> None:
    """End a person's access: every session and token answers 401 from the next request on."""
    require_installation_admin(actor)
    User.objects.filter(pk=user.pk).update(is_active=False)
    record(
        actor=actor, event=Event.USER_DEACTIVATED, subject=Subject("user", str(user.pk)), change=Change(reason=reason)
    )


@transaction.atomic
def create_project(*, actor: Actor, slug: str, title: str) -> Project:
    """A new application under review. Raises AccessDenied, or Conflict when the slug is taken."""
    require_installation_admin(actor)
    try:
        with transaction.atomic():
            project = Project.objects.create(slug=slug, title=title)
    except IntegrityError as error:
        raise Conflict(f"There is already a project with the slug {slug!r}.") from error
    record(
        actor=actor,
        event=Event.PROJECT_CREATED,
        subject=Subject("project", str(project.pk), project=project.slug),
        change=Change(after={"slug": slug, "title": title}),
    )
    return project


@transaction.atomic
def grant_role(*, actor: Actor, user: User, role: Role, target: Project | Anchored, reason: str = "") -> None:
    """Give a person a role on a project or a queue. Granting what is held changes nothing."""
    _require_may_give(actor, role, target)
    assign_perm(f"reviewapp.hold_{role}", user, cast(Model, target))
    _record_role(actor, Event.ROLE_GRANTED, user, role, target, reason)


@transaction.atomic
def revoke_role(*, actor: Actor, user: User, role: Role, target: Project | Anchored, reason: str = "") -> None:
    """Take a role away; it is gone at the next request."""
    _require_may_give(actor, role, target)
    remove_perm(f"reviewapp.hold_{role}", user, cast(Model, target))
    _record_role(actor, Event.ROLE_REVOKED, user, role, target, reason)


@transaction.atomic
def grant_installation_role(*, actor: Actor, user: User, role: Role) -> None:
    """Make a person admin or auditor of everything here."""
    require_installation_admin(actor)
    if role not in (Role.ADMIN, Role.AUDITOR):
        raise Unprocessable("Only admin and auditor can be held for the installation.")
    InstallationRole.objects.get_or_create(user=user, role=role.value)
    record(
        actor=actor,
        event=Event.ROLE_GRANTED,
        subject=Subject("user", str(user.pk)),
        change=Change(after={"role": role.value, "on": "installation"}),
    )


def _require_may_give(actor: Actor, role: Role, target: Project | Anchored) -> None:
    # A manager fills the queues; who manages and who audits is not theirs to choose.
    require(actor, "people.edit" if role in PROJECT_ROLES else "members.edit", _project_of(target))


def _project_of(target: Project | Anchored) -> Project:
    return target if isinstance(target, Project) else Project.objects.get(pk=target.project_id)


def _record_role(actor: Actor, event: Event, user: User, role: Role, target: Project | Anchored, reason: str) -> None:
    project = _project_of(target)
    kind = "project" if role in PROJECT_ROLES else "queue"
    record(
        actor=actor,
        event=event,
        subject=Subject("user", str(user.pk), project=project.slug),
        change=Change(after={"role": role.value, "on": kind, "id": str(target.pk)}, reason=reason or None),
    )
