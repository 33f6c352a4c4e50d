"""API tokens: `rva_<8 id>_<43 secret>_<6 checksum>`, each part base62. Stored as SHA-256, shown once, compared in
constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from reviewapp.access.actors import Actor
from reviewapp.access.errors import Hidden
from reviewapp.access.matrix import Scope
from reviewapp.access.models import ApiToken, Project
from reviewapp.access.roles import can, is_installation_admin, require
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.lib.clock import utc_now
from reviewapp.lib.errors import AccessDenied, Conflict, Unprocessable

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FORM = re.compile(
    r"(?P<body>rva_(?P<prefix>[0-9A-Za-z]{8})_(?P<secret>[0-9A-Za-z]{43}))_(?P<checksum>[0-9A-Za-z]{6})", re.ASCII
)
DEFAULT_DAYS, MAX_DAYS = 90, 365


@dataclass(frozen=True)
class NewToken:
    """The row and the text that is shown this one time."""

    token: ApiToken
    secret: str


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(text: str) -> str:
    number = zlib.crc32(text.encode())
    digits = []
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


@transaction.atomic
def create_service_token(
    *, actor: Actor, project: Project, name: str, scopes: list[str], days: int = DEFAULT_DAYS
) -> NewToken:
    """A token of a project for programs. Raises AccessDenied and Unprocessable."""
    require(actor, "tokens.edit", project)
    if Scope.REVIEW in scopes:
        raise Unprocessable(
            "A service token cannot review: only a reviewer's personal token can hold the scope review."
        )
    return _create(actor=actor, project=project, name=name, scopes=scopes, days=days)


@transaction.atomic
def create_personal_token(*, actor: Actor, name: str, scopes: list[str], days: int = DEFAULT_DAYS) -> NewToken:
    """A token that acts as the person who makes it, and never more than that person may at the time of use."""
    if actor.token is not None:
        raise AccessDenied("A token cannot make tokens; sign in.")
    return _create(actor=actor, project=None, name=name, scopes=scopes, days=days)


@transaction.atomic
def rotate_token(*, actor: Actor, token: ApiToken) -> NewToken:
    """A successor with the same name, scopes and length of life; both work, so that programs can be changed over.

    At most two of a line are alive: what the token itself replaced is revoked, with an event of its own. A service
    token's successor acts with the power of who rotates it. Raises Hidden for a token that is not the actor's to
    rotate, AccessDenied for a token that would rotate, Conflict for one that is over or has a live successor.
    """
    if actor.token is not None:
        raise AccessDenied("A token cannot make tokens; sign in.")
    # Locked, so that of two clicks one makes the successor and the other finds it.
    row = ApiToken.objects.select_for_update(of=("self",)).select_related("project", "replaces").get(pk=token.pk)
    if row.project is None and (actor.user is None or row.owner_id != actor.user.pk):
        raise Hidden("There is no such token here.")
    if row.project is not None:
        require(actor, "tokens.edit", row.project)
    if row.revoked_at is not None or row.is_expired:
        raise Conflict("This token is over; make a new one.")
    if row.replaced_by.filter(revoked_at=None, expires_at__gt=utc_now()).exists():
        raise Conflict("This token has a successor already. Rotate the successor, or revoke it first.")
    if row.replaces is not None:
        _end(actor, row.replaces, reason="its successor was rotated")
    days = max(1, min(MAX_DAYS, round((row.expires_at - row.created_at) / timedelta(days=1))))
    return _create(actor=actor, project=row.project, name=row.name, scopes=list(row.scopes), days=days, replaces=row)


def _create(
    *,
    actor: Actor,
    project: Project | None,
    name: str,
    scopes: list[str],
    days: int,
    replaces: ApiToken | None = None,
) -> NewToken:
    known = {scope.value for scope in Scope}
    if not scopes or not set(scopes) <= known:
        raise Unprocessable(f"Choose one or more scopes of {', '.join(sorted(known))}.")
    if not 1 <= days <= MAX_DAYS:
        raise Unprocessable(f"A token lives 1 to {MAX_DAYS} days.")
    if not name.strip():
        raise Unprocessable("Give the token a name, so that it can be told apart later.")
    prefix, secret = _random(8), _random(43)
    body = f"rva_{prefix}_{secret}"
    token = ApiToken.objects.create(
        owner=actor.person,
        project=project,
        name=name.strip()[:200],
        prefix=prefix,
        secret_sha256=hashlib.sha256(secret.encode()).digest(),
        scopes=sorted(set(scopes)),
        expires_at=utc_now() + timedelta(days=days),
        replaces=replaces,
    )
    after = {"name": token.name, "scopes": token.scopes, "expires_at": token.expires_at.isoformat()}
    if replaces is not None:
        after["replaces"] = replaces.prefix
    record(
        actor=actor,
        event=Event.TOKEN_CREATED,
        subject=Subject("token", str(token.pk), project=project.slug if project else None),
        change=Change(after={**after, "prefix": prefix}),
    )
    return NewToken(token, f"{body}_{_checksum(body)}")


@transaction.atomic
def revoke_token(*, actor: Actor, token: ApiToken, reason: str = "") -> None:
    """End a token at once: one's own, one of a project whose tokens one may edit, any as admin of the installation.

    Repeating it changes nothing. Raises Hidden.
    """
    if not _may_end(actor, token):
        raise Hidden("There is no such token here.")
    _end(actor, token, reason=reason)


def _may_end(actor: Actor, token: ApiToken) -> bool:
    if actor.system is not None:
        return True
    if actor.user is not None and token.owner_id == actor.user.pk and actor.token is None:
        return True
    if token.project is not None and can(actor, "tokens.edit", token.project):
        return True
    return is_installation_admin(actor)


def _end(actor: Actor, token: ApiToken, *, reason: str) -> None:
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=utc_now()):
        record(
            actor=actor,
            event=Event.TOKEN_REVOKED,
            subject=Subject("token", str(token.pk), project=token.project.slug if token.project else None),
            change=Change(before={"name": token.name, "prefix": token.prefix}, reason=reason or None),
        )


def find_token(text: str, *, ip: str | None = None) -> ApiToken | None:
    """The live token behind a header value, None for anything else. Marks its use at most once a minute.

    What has not the form or the checksum of a token is turned away without a question to the database.
    """
    found = _FORM.fullmatch(text)
    if found is None or not hmac.compare_digest(_checksum(found["body"]), found["checksum"]):
        return None
    token = ApiToken.objects.select_related("owner", "project").filter(prefix=found["prefix"]).first()
    sha256 = hashlib.sha256(found["secret"].encode()).digest()
    if token is None or not hmac.compare_digest(sha256, bytes(token.secret_sha256)):
        return None
    now = utc_now()
    if token.revoked_at is not None or token.is_expired or not token.owner.is_active:
        return None
    if token.last_used_at is None or token.last_used_at < now - timedelta(minutes=1):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now, last_ip=ip)
    return token
