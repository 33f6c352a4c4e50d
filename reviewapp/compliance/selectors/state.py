"""How the log stands, for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from reviewapp.audit import keys
from reviewapp.audit import selectors as log
from reviewapp.audit.models import Checkpoint, Cosignature
from reviewapp.compliance.models import Publication, Verification
from reviewapp.lib.errors import DomainError

# The sequencer signs at least once a minute, if only a heartbeat: twice that is an alarm.
SILENCE = timedelta(minutes=2)


@dataclass(frozen=True)
class LogState:
    """The newest signed head and its age, what waits, who refuses changes, who outside holds a copy, the public key.

    verifier_keys are all that the log had, newest last; none when this process cannot read them. verification is the
    newest one that anybody asked for.
    """

    checkpoint: Checkpoint | None
    age: timedelta | None
    waiting: int
    enforcement: str
    places: tuple[Publication, ...]
    witnesses: tuple[Cosignature, ...]
    verifier_keys: tuple[str, ...]
    verification: Verification | None

    @property
    def is_silent(self) -> bool:
        """Nothing was signed for longer than the sequencer ever waits."""
        return self.age is None or self.age > SILENCE

    @property
    def is_only_folders(self) -> bool:
        """Every copy is a file in a folder, which may well lie on this server."""
        return self.is_published and not self.witnesses and all(one.rung == "file" for one in self.places if one.size)

    @property
    def is_published(self) -> bool:
        """Somebody outside the database holds a head: without that its administrators could rewrite the log unseen."""
        return bool(self.witnesses) or any(place.size for place in self.places)


def log_state() -> LogState:
    """Read anew for every page; eight statements at the most."""
    newest = log.newest_checkpoint()
    cosigned = Cosignature.objects.order_by("witness", "-checkpoint_id").distinct("witness")
    return LogState(
        checkpoint=newest,
        age=_database_time() - newest.at if newest else None,
        waiting=log.pending_count(),
        enforcement=log.enforcement(),
        places=tuple(Publication.objects.order_by("rung", "target")),
        witnesses=tuple(cosigned),
        verifier_keys=_verifier_keys(),
        verification=Verification.objects.select_related("requested_by").order_by("-created_at").first(),
    )


def _database_time() -> datetime:
    # The head was stamped by the database's clock, so its age is asked there too.
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def _verifier_keys() -> tuple[str, ...]:
    try:
        return tuple(str(key) for key in keys.load_verifier_keys(settings.VERIFIER_DIR))
    except DomainError:
        return ()
