"""What this room holds about a subject: known answers in words, why somebody passed an item on, who holds what.

An item of an erased output can no longer be judged: its open seats close, its leases end, and a lease that ended
without an answer is marked as skipped, so that a late autosave finds nothing to write to.
"""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from reviewapp.access.actors import system_actor
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.lib.subjects import ERASED, DataSubject, Held
from reviewapp.queues.models import GoldAnswer, Lease, QueueItem, QueueUserGrant, Seat

_END_LEASES = """
UPDATE reviewapp_lease SET ended_at = coalesce(ended_at, now()), outcome = 'skipped', skip_reason = %s
WHERE item_id = ANY(%s) AND (ended_at IS NULL OR outcome IN ('expired', 'released'))
"""
_BLANK_GOLD = """
UPDATE reviewapp_goldanswer g SET value = CASE c.kind WHEN 'text' THEN '""'::jsonb ELSE '[]'::jsonb END
FROM reviewapp_queueitem i, reviewapp_queue q, reviewapp_rubricversion v, reviewapp_criterion c
WHERE i.id = g.item_id AND q.id = i.queue_id AND v.rubric_id = q.rubric_id AND c.version_id = v.id AND c.key = g.key
  AND c.kind IN ('text', 'highlight') AND g.item_id = ANY(%s)
"""


def items_of(subject: DataSubject) -> QuerySet[QueueItem]:
    """The items of an end user's outputs, in every queue, also in pairs."""
    mine = subject.outputs
    return QueueItem.objects.filter(Q(output__in=mine) | Q(pair__a__in=mine) | Q(pair__b__in=mine))


def find_subject(subject: DataSubject) -> list[Held]:
    """An end user's items; a person's leases and the roles that they hold on queues."""
    if subject.person is None:
        items = items_of(subject).order_by("pk")
        gold = GoldAnswer.objects.filter(item__in=items).order_by("pk")
        leases = Lease.objects.filter(item__in=items).exclude(skip_reason="").order_by("pk")
        return [
            Held("queue items", items, ("queue__slug", "source", "created_at")),
            Held("known answers", gold, ("item_id", "key", "value"), ("value",)),
            Held("items passed on with a reason", leases, ("item_id", "skip_reason"), ("skip_reason",)),
        ]
    mine = Lease.objects.filter(reviewer=subject.person).order_by("pk")
    held = QueueUserGrant.objects.filter(user=subject.person).order_by("pk")
    shown = ("queue__slug", "item_id", "leased_at", "ended_at", "outcome", "skip_reason")
    return [
        Held("items taken", mine, shown, ("skip_reason",)),
        Held("roles on queues", held, ("content_object__slug", "permission__codename")),
    ]


def erase_subject(subject: DataSubject) -> Counter[str]:
    """End what is open, clear what was written, inside the caller's transaction."""
    return _erase_items(subject) if subject.person is None else _erase_person(subject.person)


def _erase_items(subject: DataSubject) -> Counter[str]:
    # The rows stay locked: an undo, which locks them too, comes before or after, never in between.
    items = [item.pk for item in items_of(subject).select_for_update(no_key=True, of=("self",)).order_by("pk")]
    counts: Counter[str] = Counter()
    # Seats first, then leases: in the order in which `leases` locks them.
    counts["seats closed"] = _close_seats(items)
    Lease.objects.filter(item__in=items).exclude(skip_reason="").update(skip_reason=ERASED)
    with connection.cursor() as cursor:
        cursor.execute(_END_LEASES, [ERASED, items])
        cursor.execute(_BLANK_GOLD, [items])
        counts["known answers"] = cursor.rowcount
    return counts


def _close_seats(items: list[UUID]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reviewapp_seat SET closed_at = now(), held_until = NULL"
            " WHERE item_id = ANY(%s) AND closed_at IS NULL",
            [items],
        )
        return int(cursor.rowcount)


def _erase_person(person: UUID) -> Counter[str]:
    counts: Counter[str] = Counter()
    open_leases = Lease.objects.filter(reviewer=person, ended_at=None)
    Seat.objects.filter(leases__in=open_leases, closed_at=None).update(held_until=None)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reviewapp_lease SET ended_at = now(), outcome = 'skipped', skip_reason = %s"
            " WHERE reviewer_id = %s AND (ended_at IS NULL OR outcome IN ('expired', 'released'))",
            [ERASED, person],
        )
    said = Lease.objects.filter(reviewer=person).exclude(skip_reason__in=("", ERASED))
    counts["items passed on with a reason"] = said.update(skip_reason=ERASED)
    # What waited for this person alone waits for everybody now.
    Seat.objects.filter(assigned_to=person, closed_at=None).update(assigned_to=None)
    QueueItem.objects.filter(assigned_to=person).update(assigned_to=None)
    counts["roles"] = QueueUserGrant.objects.filter(user=person).delete()[0]
    return counts


@transaction.atomic
def drop_expired() -> int:
    """Close seats of items that came into a queue at the moment in which their output was erased; how many."""
    erased = Q(item__output__erased_at__isnull=False)
    erased |= Q(item__pair__a__erased_at__isnull=False) | Q(item__pair__b__erased_at__isnull=False)
    items = Seat.objects.filter(erased, closed_at=None).values_list("item", flat=True)
    closed = _close_seats(list(items))
    if closed:
        record(
            actor=system_actor("retention"),
            event=Event.SEATS_CLOSED,
            subject=Subject("installation", "queues"),
            change=Change(more={"seats": closed}),
        )
    return closed
