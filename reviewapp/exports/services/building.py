"""Build a version's files in one snapshot and freeze it. Safe to repeat, and safe to run twice at once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from reviewapp.access.models import User
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, record
from reviewapp.exports.models import DatasetFile, DatasetVersion
from reviewapp.exports.services import rows
from reviewapp.exports.services.files import Workshop, files_root, folder_of
from reviewapp.exports.services.manifest import WORKER, Circumstances, circumstances, manifest
from reviewapp.exports.services.versions import subject_of
from reviewapp.exports.services.writing import Writer
from reviewapp.grading.models import Grade, Preference
from reviewapp.grading.services import freeze_items
from reviewapp.ingest.models import Output
from reviewapp.lib.canonical import canonical_bytes
from reviewapp.lib.clock import utc_now
from reviewapp.lib.errors import DomainError
from reviewapp.lib.subjects import ERASING_LOCK, hold_off_erasures
from reviewapp.queues.models import QueueItem

logger = logging.getLogger(__name__)
OPEN = ("waiting", "running")


@dataclass(frozen=True)
class Snapshot:
    """What held, and the database's time, when the rows were read."""

    held: Circumstances
    taken_at: datetime


def open_version_ids() -> list[UUID]:
    """Versions that wait, or that a worker left half-way; oldest first."""
    return list(DatasetVersion.objects.filter(state__in=OPEN).order_by("created_at").values_list("pk", flat=True))


def build_version(*, version_id: UUID) -> None:
    """Build and freeze one version. One that is done, failed, or being built by another worker is left as it is.

    A fault of the work itself fails the version with a sentence; a lost database leaves it to the next sweep.
    """
    version = DatasetVersion.objects.select_related("dataset__project").filter(pk=version_id, state__in=OPEN).first()
    if version is None:
        return
    try:
        _build(version)
    except Exception as error:
        if _may_pass(error):
            raise
        logger.exception("dataset version %s failed", version_id)
        _fail(version, _sentence(error))


def _build(version: DatasetVersion) -> None:
    with Workshop(files_root() / folder_of(version.dataset, version.number)) as shop:
        with _snapshot(version) as is_ours:
            if not is_ours:
                return
            with Progress(version) as progress:
                writer = Writer(version.dataset, shop, progress.step)
                progress.start(_total(version, writer))
                writer.write()
                held = circumstances(writer.queues)
                taken_at = _database_time()
        shop.close_files()
        _freeze(version, shop, writer, Snapshot(held, taken_at))


@contextmanager
def _snapshot(version: DatasetVersion) -> Iterator[bool]:
    """One REPEATABLE READ transaction; False when another worker builds this version or has built it."""
    with _no_erasure_now() as released, transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # Every row is read: plan for the whole, not (as for a cursor by default) for the first tenth.
            cursor.execute("SET LOCAL cursor_tuple_fraction = 1.0")
            cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"build {version.pk}"])
            is_free = bool(cursor.fetchone()[0])
        released()
        yield is_free and DatasetVersion.objects.filter(pk=version.pk, state__in=OPEN).exists()


@contextmanager
def _no_erasure_now() -> Iterator[Callable[[], None]]:
    """Wait until no step of an erasure is under way; yields what lets them go on, called once the snapshot is taken.

    So whatever is erased and not seen by the snapshot was erased after it, and `_freeze` finds that out.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock_shared(%s)", [ERASING_LOCK])
    is_held = True

    def release() -> None:
        nonlocal is_held
        if is_held:
            is_held = False
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock_shared(%s)", [ERASING_LOCK])

    try:
        yield release
    finally:
        release()


def _total(version: DatasetVersion, writer: Writer) -> int:
    """How many items and answers will be looked at."""
    queues, dataset = writer.queues, version.dataset
    walked = [queue for queue in queues if dataset.labels != "raw" or queue.kind == "pairwise"]
    total = QueueItem.objects.filter(queue__in=walked).count()
    for table in (Grade.objects, Preference.objects):
        answers = table.filter(review__item__queue__in=queues, review__ended_at=None)
        if dataset.criteria:
            answers = answers.filter(criterion__key__in=dataset.criteria)
        total += answers.count()
    return total


def _database_time() -> datetime:
    """When the snapshot's transaction began."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        moment: datetime = cursor.fetchone()[0]
    return moment


@transaction.atomic
def _freeze(version: DatasetVersion, shop: Workshop, writer: Writer, snapshot: Snapshot) -> None:
    row = DatasetVersion.objects.select_for_update().get(pk=version.pk)
    if row.state not in OPEN:
        return  # another worker froze it first; our files go with the workshop
    hold_off_erasures()
    if _erased_since(snapshot.taken_at):
        return  # what was read is no longer ours to write; the next sweep builds it from what is left
    files = list(shop.files.values())
    document = manifest(version, files, writer.contents, snapshot.held)
    shop.add("manifest.json", canonical_bytes(document))
    shop.publish()
    folder = folder_of(version.dataset, version.number)
    DatasetFile.objects.bulk_create(
        DatasetFile(
            version=row,
            format=file.format,
            path=str(folder / file.name),
            sha256=file.sha256,
            size=file.size,
            rows=file.rows,
        )
        for file in files
    )
    changed = {
        "state": "done",
        "rows": document["rows"],
        "sha256": document["sha256"],
        "manifest": document,
        "done": row.total or 0,
        "frozen_at": utc_now(),
        "error": "",
    }
    # The trigger that holds frozen rows looks at the state before: this is the last change that it lets through.
    DatasetVersion.objects.filter(pk=row.pk).update(**changed)
    freeze_items(queues=writer.queues, taken_at=snapshot.taken_at)
    after = {"rows": document["rows"], "sha256": document["sha256"], "manifest_sha256": document["manifest_sha256"]}
    record(actor=WORKER, event=Event.VERSION_FROZEN, subject=subject_of(version), change=Change(after=after))


@transaction.atomic
def _fail(version: DatasetVersion, sentence: str) -> None:
    changed = DatasetVersion.objects.filter(pk=version.pk, state__in=OPEN).update(state="failed", error=sentence)
    if changed:
        change = Change(after={"number": version.number}, reason=sentence)
        record(actor=WORKER, event=Event.VERSION_FAILED, subject=subject_of(version), change=change, outcome="error")


def _erased_since(moment: datetime) -> bool:
    """Whether anything was erased since then: what a snapshot of that moment saw must not be written to a file."""
    outputs = Output.objects.filter(erased_at__gte=moment).exists()
    return outputs or User.objects.filter(erased_at__gte=moment).exists()


def _may_pass(error: Exception) -> bool:
    """Whether the next sweep may succeed: the database went away. A statement that takes too long will again."""
    is_lost = isinstance(error, OperationalError | InterfaceError)
    return is_lost and not isinstance(error.__cause__, psycopg.errors.QueryCanceled)


def _sentence(error: Exception) -> str:
    if isinstance(error, DomainError):
        return error.detail
    if isinstance(error, OSError):
        return f"The files could not be written: {error.strerror or 'input or output error'}. Make room and try again."
    if isinstance(error, DatabaseError):
        return "The database refused to go on; the log of the worker says why. Try again, or narrow the filter."
    return "A fault on our side; the log of the worker names it. Nothing was frozen, and trying again is safe."


class Progress:
    """Tells pages how far the build is, over a connection of its own: the snapshot sees and changes nothing."""

    SECONDS = 0.5

    def __init__(self, version: DatasetVersion) -> None:
        self._version = version
        self._done = 0
        self._said_at = 0.0

    def __enter__(self) -> Progress:
        self._connection = connection.copy()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def start(self, total: int) -> None:
        """State `running`, nothing done of `total`."""
        self._say("UPDATE reviewapp_datasetversion SET state = 'running', done = 0, total = %s", total)

    def step(self) -> None:
        """One more. Written at most twice a second."""
        self._done += 1
        if self._done % rows.CHUNK == 0 and time.monotonic() - self._said_at > self.SECONDS:
            self._say("UPDATE reviewapp_datasetversion SET done = %s", self._done)

    def _say(self, update: str, number: int) -> None:
        self._said_at = time.monotonic()
        with self._connection.cursor() as cursor:
            cursor.execute(f"{update} WHERE id = %s AND state IN ('waiting', 'running')", [number, self._version.pk])
