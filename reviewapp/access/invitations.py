"""One-time links: somebody new sets a first password, somebody who forgot theirs sets another.

The link is shown once to the admin who made it, and only its SHA-256 is kept. Used, withdrawn, too old and never made
look the same from outside.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from dataclasses import dataclass
from datetime import timedelta

from allauth.mfa.models import Authenticator
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from reviewapp.access.actors import Actor
from reviewapp.access.matrix import Role
from reviewapp.access.models import Invitation, Project, User
from reviewapp.access.roles import Anchored, require, require_installation_admin
from reviewapp.access.services import checked_username, grant_role, project_of, withdraw_open_links
from reviewapp.access.sessions import drop_sessions
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.lib.clock import rfc3339, utc_now
from reviewapp.lib.errors import Conflict, FieldError, NotFound, Unprocessable

INVITED_FOR, RESET_FOR = timedelta(days=7), timedelta(hours=24)
SECRET = re.compile(r"[0-9A-Za-z]{43}")  # 256 bits in base62
_ALPHABET = string.digits + string.ascii_letters
NO_SUCH_LINK = (
    "This link does not open anything: it was used, withdrawn, is too old, or never was. Ask an admin for one."
)


@dataclass(frozen=True)
class NewLink:
    """The row, and the secret that is shown this one time."""

    invitation: Invitation
    secret: str


@dataclass(frozen=True)
class FirstRole:
    """What somebody new holds as soon as they have accepted."""

    role: Role
    target: Project | Anchored


@transaction.atomic
def invite_user(
    *,
    actor: Actor,
    username: str,
    reason: str,
    display_name: str = "",
    email: str = "",
    first_role: FirstRole | None = None,
) -> NewLink:
    """An account that waits for its link, with a first role if one is given.

    An admin of the installation invites anybody; the admin of a project invites into that project, with a role there.
    Raises AccessDenied, Hidden, Conflict for a taken name, Unprocessable for a bad one.
    """
    if first_role is None:
        require_installation_admin(actor)
    else:
        require(actor, "people.invite", project_of(first_role.target))
    user = User(
        username=checked_username(username), display_name=display_name.strip(), email=email.strip(), is_active=False
    )
    user.set_unusable_password()
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(
            f"The username {user.username!r} is taken. Give the role to that person, or choose another."
        ) from error
    made = _new_link(actor, user, "invite", INVITED_FOR)
    record(
        actor=actor,
        event=Event.USER_INVITED,
        subject=Subject("user", str(user.pk), project=project_of(first_role.target).slug if first_role else None),
        change=Change(
            after={"username": user.username, "display_name": user.display_name, **_until(made)}, reason=reason or None
        ),
    )
    if first_role is not None:
        grant_role(actor=actor, user=user, role=first_role.role, target=first_role.target, reason=reason)
    return made


@transaction.atomic
def invite_again(*, actor: Actor, user: User, reason: str) -> NewLink:
    """Another link for somebody who has not used theirs; the first one stops working. Raises AccessDenied, Conflict."""
    require_installation_admin(actor)
    if not is_invited(user):
        raise Conflict("This person has a password already, or the account was closed. Make a password link instead.")
    withdraw_open_links(actor=actor, user=user, reason="another link was made")
    made = _new_link(actor, user, "invite", INVITED_FOR)
    record(
        actor=actor,
        event=Event.USER_INVITED,
        subject=Subject("user", str(user.pk)),
        change=Change(after={"username": user.username, **_until(made)}, reason=reason or None),
    )
    return made


@transaction.atomic
def reset_link(*, actor: Actor, user: User, reason: str, is_factor_lost: bool = False) -> NewLink:
    """A link with which an active person sets a new password within 24 hours.

    is_factor_lost: their second factors go at once, and so do their password and sessions, because a password that was
    guarded by a factor is not trusted alone. Raises AccessDenied, Conflict for a closed account.
    """
    require_installation_admin(actor)
    if not user.is_active:
        raise Conflict("This account cannot sign in. Invite the person again, or open the account first.")
    withdraw_open_links(actor=actor, user=user, reason="another link was made")
    if is_factor_lost:
        _drop_factors(actor, user, reason)
    made = _new_link(actor, user, "reset", RESET_FOR)
    record(
        actor=actor,
        event=Event.PASSWORD_LINK_ISSUED,
        subject=Subject("user", str(user.pk)),
        change=Change(after={"is_factor_lost": is_factor_lost, **_until(made)}, reason=reason or None),
    )
    return made


@transaction.atomic
def withdraw_link(*, actor: Actor, user: User, reason: str) -> None:
    """Make a person's open link useless: an admin of the installation any, whoever made it their own.

    Withdrawing what is not open changes nothing. Raises AccessDenied.
    """
    mine = actor.user is not None and _open_rows(user).filter(created_by=actor.user).exists()
    if not mine:
        require_installation_admin(actor)
    withdraw_open_links(actor=actor, user=user, reason=reason)


def find_link(secret: str) -> Invitation | None:
    """The open link behind a secret; None for anything else."""
    if not SECRET.fullmatch(secret):
        return None
    digest = hashlib.sha256(secret.encode()).digest()
    row = Invitation.objects.select_related("user").filter(secret_sha256=digest).first()
    if row is None or not hmac.compare_digest(bytes(row.secret_sha256), digest):
        return None
    is_open = row.used_at is None and row.withdrawn_at is None and row.expires_at > utc_now()
    # The account may have been closed or opened in the meantime.
    return row if is_open and row.user.is_active == (row.purpose == "reset") else None


@transaction.atomic
def accept_link(*, actor: Actor, secret: str, password: str) -> User:
    """Set the password of the person behind the link, once. They sign in themselves, with their second factor if any.

    actor: the anonymous caller, for the address in the log. Raises NotFound for a link that is not open, and
    Unprocessable for a weak password, which leaves the link open.
    """
    row = find_link(secret)
    if row is not None:
        # Two posts of one link, or a post while the account is closed: the second waits here, then looks again.
        User.objects.select_for_update().get(pk=row.user_id)
        row = find_link(secret)
    if row is None:
        raise NotFound(NO_SUCH_LINK)
    user = row.user
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Unprocessable(" ".join(error.messages), errors=(FieldError("/password", error.messages[0]),)) from error
    user.set_password(password)
    user.is_active = True
    user.save(update_fields=["password", "is_active"])
    Invitation.objects.filter(pk=row.pk).update(used_at=utc_now())
    who = Actor(user=user, source_ip=actor.source_ip, user_agent=actor.user_agent, request_id=actor.request_id)
    is_first = row.purpose == "invite"
    record(
        actor=who,
        event=Event.INVITATION_ACCEPTED if is_first else Event.PASSWORD_CHANGED,
        subject=Subject("user", str(user.pk)),
        change=Change(more={"by": "one-time link"}),
    )
    drop_sessions(actor=who, user=user, reason="the password was set by a one-time link")
    return user


def is_invited(user: User) -> bool:
    """Whether the account still waits for its first password: invited, never accepted, not closed."""
    if user.is_active or user.imported_into_id is not None:
        return False
    return _open_rows(user).filter(purpose="invite").exists()


def _open_rows(user: User) -> QuerySet[Invitation]:
    return Invitation.objects.filter(user=user, used_at=None, withdrawn_at=None)


def _new_link(actor: Actor, user: User, purpose: str, lives: timedelta) -> NewLink:
    secret = "".join(secrets.choice(_ALPHABET) for _ in range(43))
    row = Invitation.objects.create(
        user=user,
        purpose=purpose,
        secret_sha256=hashlib.sha256(secret.encode()).digest(),
        created_by=actor.user,
        expires_at=utc_now() + lives,
    )
    return NewLink(row, secret)


def _until(made: NewLink) -> dict[str, str]:
    return {"until": rfc3339(made.invitation.expires_at)}


def _drop_factors(actor: Actor, user: User, reason: str) -> None:
    rows = Authenticator.objects.filter(user=user)
    kinds = sorted(rows.values_list("type", flat=True))
    rows.delete()
    user.set_unusable_password()
    user.save(update_fields=["password"])
    record(
        actor=actor,
        event=Event.SECOND_FACTOR_REMOVED,
        subject=Subject("user", str(user.pk)),
        change=Change(before={"kinds": kinds}, reason=reason or None),
    )
    drop_sessions(actor=actor, user=user, reason="the second factor was lost")
