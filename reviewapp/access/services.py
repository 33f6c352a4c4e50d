"""People, projects and roles."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Model
from guardian.shortcuts import assign_perm, remove_perm

from reviewapp.access.actors import Actor
from reviewapp.access.matrix import APART, PROJECT_ROLES, Role
from reviewapp.access.models import InstallationRole, Invitation, Project, User
from reviewapp.access.roles import Anchored, holders, require, require_installation_admin, roles_in_project
from reviewapp.access.sessions import drop_sessions
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.lib.clock import utc_now
from reviewapp.lib.errors import Conflict, FieldError, Unprocessable


@transaction.atomic
def create_user(*, actor: Actor, username: str, password: str, display_name: str = "", email: str = "") -> User:
    """A person who can sign in. Raises AccessDenied, Conflict for a taken name, Unprocessable for a weak password."""
    require_installation_admin(actor)
    name = checked_username(username)
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


def checked_username(text: str) -> str:
    """The name to sign in with, as it is kept. Raises Unprocessable for one that nobody can have."""
    name = text.strip()
    if not name or ":" in name or len(name) > 150 or not name.isprintable():
        raise Unprocessable(
            "A username has 1 to 150 characters on one line and no colon.",
            errors=(FieldError("/username", "choose another"),),
        )
    return name


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
    """End a person's access: every session, token and link is dead from the next request on.

    What they hold stays on record, so that opening the account again gives it back. Raises AccessDenied, and Conflict
    for the last active admin of the installation.
    """
    require_installation_admin(actor)
    _keep_an_admin(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    record(
        actor=actor, event=Event.USER_DEACTIVATED, subject=Subject("user", str(user.pk)), change=Change(reason=reason)
    )
    drop_sessions(actor=actor, user=user, reason="the account was closed")
    withdraw_open_links(actor=actor, user=user, reason="the account was closed")


@transaction.atomic
def reactivate_user(*, actor: Actor, user: User, reason: str) -> None:
    """Open a closed account again; the roles that it still holds count again, sessions do not come back.

    Raises AccessDenied, and Conflict for an account that was not closed: active, imported, or never accepted.
    """
    require_installation_admin(actor)
    if user.erased_at is not None:
        raise Conflict("This account was erased; there is nobody behind it any more.")
    closed = User.objects.filter(pk=user.pk, is_active=False, imported_into=None)
    if not user.has_usable_password() and user.last_login is None:
        raise Conflict("This person never set a password. Invite them again.")
    if not closed.update(is_active=True):
        raise Conflict("This account is not closed.")
    record(
        actor=actor, event=Event.USER_REACTIVATED, subject=Subject("user", str(user.pk)), change=Change(reason=reason)
    )


def withdraw_open_links(*, actor: Actor, user: User, reason: str) -> None:
    """Part of services that make a person's one-time link useless, in their transaction."""
    rows = Invitation.objects.filter(user=user, used_at=None, withdrawn_at=None)
    if rows.update(withdrawn_at=utc_now()):
        record(
            actor=actor,
            event=Event.INVITATION_WITHDRAWN,
            subject=Subject("user", str(user.pk)),
            change=Change(reason=reason or None),
        )


def _keep_an_admin(user: User) -> None:
    # Locked, so that two admins who close each other's account leave one.
    admins = set(
        InstallationRole.objects.select_for_update()
        .filter(role="admin", user__is_active=True)
        .values_list("user_id", flat=True)
    )
    if admins == {user.pk}:
        raise Conflict(
            f"{user} is the last admin of this installation who can sign in. Make somebody else admin first."
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
def grant_role(*, actor: Actor, user: User, role: Role, target: Project | Anchored, reason: str = "") -> str | None:
    """Give a person a role on a project or a queue. Granting what is held changes nothing.

    Returns a sentence when the person now holds two roles that two people should hold; it stands in the event, too.
    Raises AccessDenied, Hidden, and Unprocessable for a name that came in with an import: nobody is behind it.
    """
    _require_may_give(actor, role, target)
    if user.imported_into_id is not None:
        raise Unprocessable(f"{user} is a name in imported reviews, not an account; it cannot hold a role.")
    warning = _unwise_pair(user, role, target)
    if not _holds(user, role, target):
        assign_perm(f"reviewapp.hold_{role}", user, cast(Model, target))
        _record_role(actor, Event.ROLE_GRANTED, user, role, target, reason, warning)
    return warning


@transaction.atomic
def revoke_role(*, actor: Actor, user: User, role: Role, target: Project | Anchored, reason: str = "") -> None:
    """Take a role away; it is gone at the next request. Taking what is not held changes nothing."""
    _require_may_give(actor, role, target)
    if _holds(user, role, target):
        remove_perm(f"reviewapp.hold_{role}", user, cast(Model, target))
        _record_role(actor, Event.ROLE_REVOKED, user, role, target, reason)


def _holds(user: User, role: Role, target: Project | Anchored) -> bool:
    # The log would tell of a change that none was, and "given by" would name the wrong person.
    return holders(target, role).filter(pk=user.pk).exists()


@transaction.atomic
def grant_installation_role(*, actor: Actor, user: User, role: Role, reason: str = "") -> None:
    """Make a person admin or auditor of everything here."""
    require_installation_admin(actor)
    if role not in (Role.ADMIN, Role.AUDITOR):
        raise Unprocessable("Only admin and auditor can be held for the installation.")
    InstallationRole.objects.get_or_create(user=user, role=role.value)
    record(
        actor=actor,
        event=Event.ROLE_GRANTED,
        subject=Subject("user", str(user.pk)),
        change=Change(after={"role": role.value, "on": "installation"}, reason=reason or None),
    )


@transaction.atomic
def revoke_installation_role(*, actor: Actor, user: User, role: Role, reason: str) -> None:
    """Take admin or auditor of everything away. Raises AccessDenied, and Conflict for the last active admin."""
    require_installation_admin(actor)
    if role is Role.ADMIN:
        _keep_an_admin(user)
    if InstallationRole.objects.filter(user=user, role=role.value).delete()[0]:
        record(
            actor=actor,
            event=Event.ROLE_REVOKED,
            subject=Subject("user", str(user.pk)),
            change=Change(after={"role": role.value, "on": "installation"}, reason=reason or None),
        )


def _require_may_give(actor: Actor, role: Role, target: Project | Anchored) -> None:
    # A manager fills the queues; who manages and who audits is not theirs to choose.
    require(actor, "people.edit" if role in PROJECT_ROLES else "members.edit", project_of(target))


def project_of(target: Project | Anchored) -> Project:
    """The project itself, or the one that a queue belongs to."""
    return target if isinstance(target, Project) else Project.objects.get(pk=target.project_id)


def _unwise_pair(user: User, role: Role, target: Project | Anchored) -> str | None:
    other = next((one for pair in APART if role in pair for one in pair if one is not role), None)
    if other is None or other not in roles_in_project(user, project_of(target)):
        return None
    return f"{user} now holds {role} and {other} in the same project; two people should."


def _record_role(
    actor: Actor,
    event: Event,
    user: User,
    role: Role,
    target: Project | Anchored,
    reason: str,
    warning: str | None = None,
) -> None:
    project = project_of(target)
    kind = "project" if role in PROJECT_ROLES else "queue"
    more = {"warning": warning} if warning else {}
    record(
        actor=actor,
        event=event,
        subject=Subject("user", str(user.pk), project=project.slug),
        change=Change(after={"role": role.value, "on": kind, "id": str(target.pk)}, reason=reason or None, more=more),
    )
