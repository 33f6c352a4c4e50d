"""Handing out seats and taking them back. Time is the database's `now()`, never this process's clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from reviewapp.access.actors import Actor
from reviewapp.access.roles import allowed_acts, require
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.lib.errors import Conflict
from reviewapp.lib.ids import new_id
from reviewapp.queues.errors import LeaseOver, NothingPublished, QueueClosed
from reviewapp.queues.models import Lease, Queue
from reviewapp.queues.selectors import act_of, with_subject
from reviewapp.queues.services.pull import pull_selections

# Work that was begun is finished first: `extra` stands before `place`.
KINDS_BY_ACT = {"grade": ("extra", "place"), "adjudicate": ("adjudicate",)}
_TRIES = 4

# The lock makes two requests of one person in one queue follow each other, so that a double click finds the lease of
# the first; taken with this query, because the next statement must not have begun before it.
_VERSION = """
SELECT (SELECT v.id FROM reviewapp_rubricversion v WHERE v.rubric_id = %(rubric)s AND v.published_at IS NOT NULL
        ORDER BY v.number DESC LIMIT 1)
FROM pg_advisory_xact_lock(hashtextextended(%(lock)s, 0))
"""
# One statement. `taken` reads `open_seats` in order, kind after kind, and stops at the first seat that nobody locks;
# the row lock re-reads the seat, so what another request took meanwhile is passed over. `made` counts `ended`, so that
# the expired lease is over before the new one is inserted. OFFSET 0 keeps the bar a look-up by (reviewer, item): as an
# anti join all that the reviewer has done would be read anew for every seat.
_CLAIM = """
WITH mine AS (
    SELECT l.id FROM reviewapp_lease l
    WHERE NOT %(another)s AND l.queue_id = %(queue)s AND l.reviewer_id = %(me)s AND l.ended_at IS NULL
      AND l.expires_at > now()
    ORDER BY l.leased_at DESC LIMIT 1
), taken AS (
    SELECT free.id, free.item_id
    FROM unnest(%(kinds)s::text[]) AS wanted (kind)
    CROSS JOIN LATERAL (
        SELECT s.id, s.item_id FROM reviewapp_seat s
        WHERE s.queue_id = %(queue)s AND s.kind = wanted.kind AND s.closed_at IS NULL
          AND (s.held_until IS NULL OR s.held_until <= now())
          AND (s.assigned_to_id IS NULL OR s.assigned_to_id = %(me)s)
          AND NOT EXISTS (
              SELECT FROM reviewapp_lease b
              WHERE b.reviewer_id = %(me)s AND b.item_id = s.item_id
                AND (b.ended_at IS NULL OR b.outcome IN ('submitted', 'skipped'))
                AND NOT (b.ended_at IS NULL AND b.expires_at <= now())
              OFFSET 0
          )
        ORDER BY s.rank, s.id LIMIT 1
        FOR UPDATE OF s SKIP LOCKED
    ) free
    WHERE NOT EXISTS (SELECT FROM mine)
    LIMIT 1
), ended AS (
    UPDATE reviewapp_lease l SET ended_at = l.expires_at, outcome = 'expired'
    WHERE l.expires_at <= now() AND l.id IN (
        SELECT o.id FROM reviewapp_lease o WHERE o.seat_id = (SELECT id FROM taken) AND o.ended_at IS NULL
        UNION ALL
        SELECT o.id FROM reviewapp_lease o
        WHERE o.item_id = (SELECT item_id FROM taken) AND o.reviewer_id = %(me)s AND o.ended_at IS NULL
    )
    RETURNING l.id
), held AS (
    UPDATE reviewapp_seat s SET held_until = now() + make_interval(secs => %(seconds)s)
    FROM taken WHERE s.id = taken.id
    RETURNING s.id, s.held_until
), made AS (
    INSERT INTO reviewapp_lease (id, queue_id, item_id, seat_id, reviewer_id, rubric_version_id, leased_at, expires_at,
                                 reason, skip_reason, a_is_left)
    SELECT %(id)s, %(queue)s, item.id, held.id, %(me)s, %(version)s, now(), held.held_until, item.reason, '',
           CASE WHEN item.pair_id IS NOT NULL
                THEN get_byte(sha256(convert_to(%(salt)s || item.id::text || %(me)s::text, 'UTF8')), 0) %% 2 = 0 END
    FROM taken JOIN held ON held.id = taken.id JOIN reviewapp_queueitem item ON item.id = taken.item_id
    WHERE (SELECT count(*) FROM ended) >= 0
    RETURNING id
)
SELECT id, true FROM made UNION ALL SELECT id, false FROM mine
"""
# The seat first, then the lease: `_CLAIM` locks in the same order, so the two cannot wait for each other.
_END = """
WITH freed AS (
    UPDATE reviewapp_seat s SET held_until = NULL, closed_at = CASE WHEN %(closes)s THEN now() END
    FROM reviewapp_lease l WHERE l.id = %(lease)s AND s.id = l.seat_id AND s.closed_at IS NULL
    RETURNING s.id
)
UPDATE reviewapp_lease l SET ended_at = now(), outcome = %(outcome)s, skip_reason = %(reason)s
FROM freed
WHERE l.id = %(lease)s AND l.seat_id = freed.id AND l.ended_at IS NULL AND l.expires_at > now()
"""
_REOPEN = """
WITH undone AS (
    UPDATE reviewapp_lease l SET outcome = 'undone' WHERE l.id = %(lease)s AND l.outcome = 'submitted' RETURNING l.*
), opened AS (
    UPDATE reviewapp_seat s SET closed_at = NULL, held_until = now() + make_interval(secs => %(seconds)s)
    FROM undone WHERE s.id = undone.seat_id AND s.closed_at IS NOT NULL
    RETURNING s.id, s.held_until
)
INSERT INTO reviewapp_lease (id, queue_id, item_id, seat_id, reviewer_id, rubric_version_id, leased_at, expires_at,
                             reason, skip_reason, a_is_left)
SELECT %(id)s, u.queue_id, u.item_id, u.seat_id, u.reviewer_id, u.rubric_version_id, now(), opened.held_until,
       u.reason, '', u.a_is_left
FROM undone u JOIN opened ON opened.id = u.seat_id
"""


@dataclass(frozen=True)
class _Claim:
    lease_id: UUID
    is_new: bool


def lease_next(*, actor: Actor, queue: Queue, another: bool = False) -> Lease | None:
    """The lease that the actor holds in this queue, else one on the next seat; None when nothing waits for them.

    another: take one more although a lease is held, for a front end that fetches ahead. Reviewers get place and extra
    seats, adjudicators adjudicate seats of items that they did not grade. Raises AccessDenied, NothingPublished,
    QueueClosed. Records ITEM_LEASED, or ITEM_VIEWED for a lease already held.
    """
    for _ in range(_TRIES - 1):
        try:
            return _lease_once(actor=actor, queue=queue, another=another)
        except IntegrityError:
            # Another request won the same item for the same person between our look and our insert. Look again.
            continue
    return _lease_once(actor=actor, queue=queue, another=another)


@transaction.atomic
def _lease_once(*, actor: Actor, queue: Queue, another: bool) -> Lease | None:
    allowed = allowed_acts(actor, KINDS_BY_ACT, queue)
    if not allowed:
        require(actor, "grade", queue)
    if queue.closed_at is not None:
        raise QueueClosed("This queue is closed; nothing is handed out from it.")
    values = {
        "queue": queue.pk,
        "me": actor.person.pk,
        "another": another,
        "kinds": [kind for act, kinds in KINDS_BY_ACT.items() if act in allowed for kind in kinds],
        "seconds": queue.lease_seconds,
        "version": _published(actor, queue),
        # The seed is secret to the project, so nobody can compute which side is which from ids that they see.
        "salt": queue.project.sampling_seed,
    }
    claim = _claim(values) or (_claim(values) if pull_selections(queue=queue) else None)
    if claim is None:
        return None
    lease = with_subject(Lease.objects.all(), queue.kind).get(pk=claim.lease_id)
    lease.queue, lease.reviewer, lease.item.queue = queue, actor.person, queue
    _record(actor, Event.ITEM_LEASED if claim.is_new else Event.ITEM_VIEWED, lease)
    return lease


def _published(actor: Actor, queue: Queue) -> UUID:
    with connection.cursor() as cursor:
        cursor.execute(_VERSION, {"rubric": queue.rubric_id, "lock": f"lease {queue.pk} {actor.person.pk}"})
        version = cursor.fetchone()[0]
    if version is None:
        raise NothingPublished("The rubric of this queue has no published version; publish one first.")
    return UUID(str(version))


def _claim(values: dict[str, Any]) -> _Claim | None:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {**values, "id": new_id()})
        row = cursor.fetchone()
    return _Claim(*row) if row else None


@transaction.atomic
def view_lease(*, actor: Actor, lease: Lease) -> Lease:
    """Show a live lease again. Raises AccessDenied. The text is read once more, so it is recorded once more."""
    require(actor, act_of(lease), lease.queue)
    _record(actor, Event.ITEM_VIEWED, lease)
    return lease


@transaction.atomic
def skip(*, actor: Actor, lease: Lease, reason: str) -> None:
    """Give the item back and never see it again; others get it. Raises AccessDenied or LeaseOver."""
    require(actor, act_of(lease), lease.queue)
    _end(lease, outcome="skipped", reason=reason)
    _record(actor, Event.ITEM_SKIPPED, lease, Change(reason=reason))


@transaction.atomic
def release(*, actor: Actor, lease: Lease) -> None:
    """Give the item back; it may come again. Raises AccessDenied or LeaseOver."""
    require(actor, act_of(lease), lease.queue)
    _end(lease, outcome="released")
    _record(actor, Event.LEASE_RELEASED, lease)


def close_lease(*, lease: Lease, outcome: str = "submitted") -> None:
    """End a live lease and close its seat, inside the caller's transaction.

    Raises LeaseOver when the lease ended or ran out; the transaction must then be rolled back.
    """
    _end(lease, outcome=outcome, closes=True)


def reopen_seat(*, lease: Lease) -> Lease:
    """Open the seat of a submitted lease again for the same person, with a new lease, inside the caller's transaction.

    The sides of a pair and the rubric version stay. Raises Conflict when the lease was not submitted.
    """
    fresh = new_id()
    with connection.cursor() as cursor:
        cursor.execute(_REOPEN, {"lease": lease.pk, "id": fresh, "seconds": lease.queue.lease_seconds})
        if cursor.rowcount != 1:
            raise Conflict("This review was already undone.")
    return with_subject(Lease.objects.all(), lease.queue.kind).select_related("queue__project").get(pk=fresh)


def _end(lease: Lease, *, outcome: str, reason: str = "", closes: bool = False) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_END, {"lease": lease.pk, "outcome": outcome, "reason": reason, "closes": closes})
        if cursor.rowcount != 1:
            raise LeaseOver(
                "This lease is over: it was ended, or its time ran out and the item may be with somebody else. "
                "What you wrote is kept as a draft."
            )


def _record(actor: Actor, event: Event, lease: Lease, change: Change | None = None) -> None:
    record(
        actor=actor,
        event=event,
        subject=Subject("item", str(lease.item_id), project=lease.queue.project.slug),
        change=Change(
            reason=change.reason if change else None, more={"lease": str(lease.pk), "queue": lease.queue.slug}
        ),
    )
