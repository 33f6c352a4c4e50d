"""The publication ladder: signed heads go outside, so that whoever owns the database cannot rewrite the log unseen.

The sequencer only signs, and writes the newest head to its standard output; everything that touches a network or a
folder runs here, in a worker, as the app. SECURITY.md section 2.3 says what each rung is worth.
"""

from __future__ import annotations

from datetime import date, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from reviewapp.access.actors import system_actor
from reviewapp.audit.events import Event
from reviewapp.audit.models import Checkpoint
from reviewapp.audit.selectors import newest_checkpoint
from reviewapp.audit.services import Change, Outcome, Subject, record
from reviewapp.compliance.models import Publication
from reviewapp.compliance.services.places import Folder, Mail, NotPublished, Place, Webhook
from reviewapp.compliance.services.witnessing import Witness

PUBLISHER = system_actor("publisher")
# Beat comes every minute. A second delivery of the same minute finds the place taken.
CLAIM = timedelta(seconds=45)


def configured_places() -> list[Place]:
    """Every place that the environment names."""
    chosen = settings.PUBLISHING
    places: list[Place] = []
    if chosen.folder:
        places.append(Folder(chosen.folder))
    if chosen.webhook:
        places.append(Webhook(chosen.webhook, chosen.webhook_secret, chosen.webhook_minutes))
    if chosen.mail:
        places.append(Mail(chosen.mail))
    places += [Witness(entry, chosen.witness_minutes) for entry in chosen.witnesses]
    return places


def publish_checkpoints() -> None:
    """Bring the newest head to every place that is due. One that fails keeps nobody else from theirs.

    A place that cannot be reached is tried again every minute.
    """
    newest = newest_checkpoint()
    if newest is None:
        return
    places = configured_places()
    _forget_others(places)
    for place in places:
        row = _claimed(place, newest)
        if row is None:
            continue
        try:
            if row.size > newest.size:
                raise NotPublished(
                    f"A head over {row.size} events went there, the log has {newest.size}: it was set back."
                )
            place.send(newest, known_size=row.size)
        except NotPublished as error:
            _note_failure(row, newest, error.detail)
        else:
            _note_success(row, newest)


def _forget_others(places: list[Place]) -> None:
    """A place that is no longer named must not count as one that holds a head; that it did is in the log."""
    kept = Q(pk__in=[])
    for place in places:
        kept |= Q(rung=place.rung, target=place.target)
    Publication.objects.exclude(kept).delete()


def _claimed(place: Place, newest: Checkpoint) -> Publication | None:
    """The place's row when the newest head is due there and nobody else is on the way."""
    row, _ = Publication.objects.get_or_create(rung=place.rung, target=place.target)
    is_free = Q(tried_at=None) | Q(tried_at__lt=Now() - CLAIM)
    # Half a minute of grace: beat's minute is not the clock's.
    waited = timedelta(minutes=place.minutes) - timedelta(seconds=30)
    is_due = Q(published_at=None) | Q(published_at__lt=Now() - waited) | ~Q(error="")
    is_new = ~Q(size=newest.size) | ~Q(error="")
    taken = Publication.objects.filter(is_free, is_due, is_new, pk=row.pk).update(tried_at=Now())
    return Publication.objects.get(pk=row.pk) if taken else None


@transaction.atomic
def _note_success(row: Publication, newest: Checkpoint) -> None:
    """One event per place and day, and one when it works again."""
    before = Publication.objects.select_for_update().get(pk=row.pk)
    Publication.objects.filter(pk=row.pk).update(size=newest.size, published_at=Now(), error="")
    after = Publication.objects.get(pk=row.pk)
    if before.error or _day(before) != _day(after):
        _record(Event.CHECKPOINT_PUBLISHED, row, newest, Change(more={"place": row.target}))


@transaction.atomic
def _note_failure(row: Publication, newest: Checkpoint, detail: str) -> None:
    """One event per outage: the next one comes after the place worked again."""
    before = Publication.objects.select_for_update().get(pk=row.pk)
    Publication.objects.filter(pk=row.pk).update(error=detail)
    if not before.error:
        _record(
            Event.CHECKPOINT_WITHHELD, row, newest, Change(reason=detail, more={"place": row.target}), outcome="error"
        )


def _day(row: Publication) -> date | None:
    return row.published_at.date() if row.published_at else None


def _record(event: Event, row: Publication, head: Checkpoint, change: Change, *, outcome: Outcome = "success") -> None:
    record(
        actor=PUBLISHER,
        event=event,
        subject=Subject("checkpoint", str(head.size)),
        change=change,
        outcome=outcome,
        facts={"rung": row.rung, "size": str(head.size), "root": bytes(head.root).hex()},
    )
