"""The one way into the log."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from django.db import connection, transaction

from reviewapp.audit.events import Event
from reviewapp.lib.canonical import canonical_bytes
from reviewapp.lib.ids import new_id

Outcome = Literal["success", "denied", "error"]
APP_VERSION = "0.1.0"
# The database's clock writes the time into `env`. A quote inside a JSON string is always escaped, so this text
# stands there once.
_AT = '"at":"@"'
_INSERT = """
WITH t AS (SELECT clock_timestamp() AS at),
e AS (
    INSERT INTO audit.event (eid, at, env)
    SELECT %s, t.at,
        replace(%s, %s, '"at":"' || to_char(t.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '"')
    FROM t RETURNING id, at
),
p AS (INSERT INTO audit.payload (event_id, salt, data) SELECT e.id, %s, %s FROM e)
SELECT id, at FROM e
"""
_INSERT_MANY = """
WITH t AS (SELECT clock_timestamp() AS at),
given AS (
    SELECT eid, env, decode(salt, 'hex') AS salt, data, place
    FROM ROWS FROM (json_to_recordset(%s::json) AS (eid uuid, env text, salt text, data text)) WITH ORDINALITY
        AS g (eid, env, salt, data, place)
),
e AS (
    INSERT INTO audit.event (eid, at, env)
    SELECT g.eid, t.at,
           replace(g.env, %s, '"at":"' || to_char(t.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '"')
    FROM given g, t ORDER BY g.place RETURNING id, eid, at
),
p AS (
    INSERT INTO audit.payload (event_id, salt, data) SELECT e.id, g.salt, g.data FROM e JOIN given g ON g.eid = e.eid
)
SELECT e.id, e.eid, e.at FROM e JOIN given g ON g.eid = e.eid ORDER BY g.place
"""


@dataclass(frozen=True)
class Who:
    """Who acts, as the log keeps it.

    `id` is a random id; `name`, `source_ip` and `user_agent` go to the erasable payload.
    """

    kind: Literal["user", "token", "system"]
    id: str
    name: str
    source_ip: str | None = None
    user_agent: str | None = None
    request_id: str | None = None
    auth_method: str | None = None
    token_prefix: str | None = None
    session: str | None = None  # tells the sessions of a person apart, leads back to none
    mfa: str | None = None  # the kind of second factor that the session was proved with


class HasWho(Protocol):
    """Anything that can say who it is: `access.Actor`."""

    @property
    def who(self) -> Who: ...


@dataclass(frozen=True)
class Subject:
    """What was acted on, copied as text: the log outlives the row."""

    kind: str
    id: str
    project: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class Recorded:
    """The event just written; `id` is for foreign keys, `eid` is public."""

    id: int
    eid: UUID
    at: datetime


@dataclass(frozen=True)
class Change:
    """What the payload says besides who: values before and after, a reason, and anything else worth erasing later."""

    before: Any = None
    after: Any = None
    reason: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


def record(
    *,
    actor: HasWho,
    event: Event,
    subject: Subject,
    change: Change | None = None,
    outcome: Outcome = "success",
    facts: Mapping[str, str] | None = None,
) -> Recorded:
    """Append one event in the caller's transaction.

    facts: what must outlive every erasure (a public key, a size); it stands in the hashed envelope. Raises NotCanonical
    for values without canonical JSON and RuntimeError outside a transaction: an event that could survive its change, or
    a change its event, would be worth nothing.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("audit.record must run in the transaction of the change that it records")
    who = actor.who
    eid = new_id()
    salt = os.urandom(32)
    data = canonical_bytes(_payload(who, change or Change()))
    commitment = hashlib.sha256(salt + data).hexdigest()
    env = _envelope(who, event, subject, outcome=outcome, eid=eid, commitment=commitment, facts=facts)
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [eid, env, _AT, salt, data.decode()])
        row = cursor.fetchone()
    return Recorded(id=row[0], eid=eid, at=row[1])


def record_many(
    *, actor: HasWho, event: Event, entries: Sequence[tuple[Subject, Change | None]], outcome: Outcome = "success"
) -> list[Recorded]:
    """Append one event per entry with one statement, in the caller's transaction; answered in the order of the entries.

    For bulk doors whose rows each need an event of their own. All carry the same time. Raises as `record`.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("audit.record_many must run in the transaction of the changes that it records")
    if not entries:
        return []
    who = actor.who
    eids = [new_id() for _ in entries]
    salts = [os.urandom(32) for _ in entries]
    data = [canonical_bytes(_payload(who, change or Change())) for _, change in entries]
    envs = [
        _envelope(who, event, subject, outcome=outcome, eid=eid, commitment=hashlib.sha256(salt + payload).hexdigest())
        for (subject, _), eid, salt, payload in zip(entries, eids, salts, data, strict=True)
    ]
    # One JSON text: the driver would quote four arrays element by element, which takes longer than the insert.
    given = json.dumps(
        [
            {"eid": str(eid), "env": env, "salt": salt.hex(), "data": payload.decode()}
            for eid, env, salt, payload in zip(eids, envs, salts, data, strict=True)
        ]
    )
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_MANY, [given, _AT])
        return [Recorded(id=row[0], eid=row[1], at=row[2]) for row in cursor.fetchall()]


def record_alone(
    *, actor: HasWho, event: Event, subject: Subject, change: Change | None = None, outcome: Outcome = "denied"
) -> Recorded:
    """Record what left no change behind, in a transaction of its own: a refusal is written after the rollback."""
    with transaction.atomic():
        return record(actor=actor, event=event, subject=subject, change=change, outcome=outcome)


def _payload(who: Who, change: Change) -> dict[str, Any]:
    data: dict[str, Any] = {"actor_name": who.name}
    said = {
        "source_ip": who.source_ip,
        "user_agent": who.user_agent,
        "before": change.before,
        "after": change.after,
        "reason": change.reason,
    }
    data.update({key: value for key, value in said.items() if value is not None})
    data.update(change.more)
    return data


def _envelope(
    who: Who,
    event: Event,
    subject: Subject,
    *,
    outcome: Outcome,
    eid: UUID,
    commitment: str,
    facts: Mapping[str, str] | None = None,
) -> str:
    """Canonical JSON without floats: every number and id is a text, so that any language hashes the same bytes."""
    actor = {"type": who.kind, "id": who.id}
    if who.auth_method:
        actor["auth_method"] = who.auth_method
    if who.token_prefix:
        actor["token_prefix"] = who.token_prefix
    if who.session:
        actor["session"] = who.session
    if who.mfa:
        actor["mfa"] = who.mfa
    target = {"type": subject.kind, "id": subject.id}
    if subject.version:
        target["version"] = subject.version
    env: dict[str, Any] = {
        "v": "1",
        "eid": str(eid),
        "at": "@",
        "event": event.value,
        "actor": actor,
        "object": target,
        "outcome": outcome,
        "app_version": APP_VERSION,
        "data_commit": commitment,
    }
    if subject.project:
        env["project"] = subject.project
    if who.request_id:
        env["request_id"] = who.request_id
    if facts:
        env["facts"] = dict(facts)
    return canonical_bytes(env).decode()
