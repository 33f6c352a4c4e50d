"""The erasable half of events. The event itself stays with its place, its hash and its ids: the log still verifies."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from reviewapp.audit.models import Event, Payload
from reviewapp.lib.subjects import DataSubject, Held, mention_pattern

# What an erasure itself leaves: counts, ids of events and of people. It names nobody, and the journal is made from it.
NAMELESS = ("audit.payload_erased", "compliance.erasure_finished")
READINGS = ("audit.viewed", "audit.exported")


def find_subject(subject: DataSubject) -> list[Held]:
    """Payloads of events by the person, and of events that are about the subject or name it anywhere.

    What stands in the payload of somebody else's event is also that person's data, so a report shows only the event.
    """
    found, shown = payloads_of(subject).order_by("pk"), ("event__eid", "event__at", "event__event")
    if subject.person is None:
        return [Held("audit events about it", found, shown)]
    mine = Q(event__actor=str(subject.person))
    return [
        Held("audit events by the person", found.filter(mine), (*shown, "data"), ("data",)),
        Held("audit events about the person", found.exclude(mine), shown),
    ]


def payloads_of(subject: DataSubject) -> QuerySet[Payload]:
    """The rows behind both. Looks into every payload for the names; the ids are found by their index."""
    mine = Q(event__object__in=subject.objects)
    if subject.person is not None:
        mine |= Q(event__actor=str(subject.person))
    if subject.names:
        mine |= Q(data__regex=mention_pattern(subject.names)) & _where_names_count(subject)
    return Payload.objects.filter(mine).exclude(event__event__in=NAMELESS)


def _where_names_count(subject: DataSubject) -> Q:
    """An end user's id is whatever a project sends, also the name of an admin or of a field: it is looked for in that
    project's events, and among filters that somebody typed into the log of the installation.
    """
    if subject.person is not None:
        return Q()
    return Q(event__project__in=subject.projects) | Q(event__project=None, event__event__in=READINGS)


def erase_subject(subject: DataSubject) -> list[UUID]:
    """Delete the payloads, salt and all, inside the caller's transaction; the eids of their events."""
    return erase_payloads(list(payloads_of(subject).values_list("event__eid", flat=True)))


def erase_payloads(eids: Iterable[UUID]) -> list[UUID]:
    """Delete the payloads of these events; the eids of those that had one. Safe to repeat."""
    rows = Payload.objects.filter(event__eid__in=list(eids)).values_list("event_id", "event__eid").order_by("pk")
    found = list(rows)
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit.erase_payloads(%s::bigint[])", [[key for key, _ in found]])
    return [eid for _, eid in found]


def payloads_of_object(object_id: str, *, event: str) -> QuerySet[Payload]:
    """The payloads of one kind of event about one object, oldest first."""
    events = Event.objects.filter(object=object_id, event=event)
    return Payload.objects.filter(event__in=events).order_by("pk")
