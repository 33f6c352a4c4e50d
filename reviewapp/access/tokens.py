"""API tokens: `rva_<8 id>_<43 secret>_<6 checksum>`, each part base62. Stored as SHA-256, shown once, compared in
constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import zlib
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from reviewapp.access.actors import Actor
from reviewapp.access.errors import Hidden
from reviewapp.access.matrix import Scope
from reviewapp.access.models import ApiToken, Project
from reviewapp.access.roles import can, require
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.lib.clock import utc_now
from reviewapp.lib.errors import AccessDenied, Unprocessable

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
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


def _create(*, actor: Actor, project: Project | None, name: str, scopes: list[str], days: int) -> NewToken:
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
    )
    record(
        actor=actor,
        event=Event.TOKEN_CREATED,
        subject=Subject("token", str(token.pk), project=project.slug if project else None),
        change=Change(after={"name": token.name, "scopes": token.scopes, "expires_at": token.expires_at.isoformat()}),
    )
    return NewToken(token, f"{body}_{_checksum(body)}")


@transaction.atomic
def revoke_token(*, actor: Actor, token: ApiToken) -> None:
    """End a token at once: one's own, or one of a project whose tokens one may edit. Repeating it changes nothing."""
    own = actor.user is not None and token.owner_id == actor.user.pk and actor.token is None
    if not own and (token.project is None or not can(actor, "tokens.edit", token.project)):
        raise Hidden("There is no such token here.")
    ended = ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=utc_now())
    if ended:
        record(
            actor=actor,
            event=Event.TOKEN_REVOKED,
            subject=Subject("token", str(token.pk), project=token.project.slug if token.project else None),
        )


def find_token(text: str) -> ApiToken | None:
    """The live token behind a header value, None for anything else. Marks its use at most once a minute."""
    parts = text.split("_")
    if (
        len(text) > 100
        or len(parts) != 4
        or parts[0] != "rva"
        or not hmac.compare_digest(_checksum(text[: text.rindex("_")]), parts[3])
    ):
        return None
    token = ApiToken.objects.select_related("owner", "project").filter(prefix=parts[1]).first()
    if token is None or not hmac.compare_digest(hashlib.sha256(parts[2].encode()).digest(), bytes(token.secret_sha256)):
        return None
    now = utc_now()
    if token.revoked_at is not None or token.expires_at <= now or not token.owner.is_active:
        return None
    if token.last_used_at is None or token.last_used_at < now - timedelta(minutes=1):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token
