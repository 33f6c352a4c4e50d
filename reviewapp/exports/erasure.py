"""Files on disk that hold somebody's data. The files go; the version stays, withdrawn, with numbers and hashes."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from reviewapp.access.models import User
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, record
from reviewapp.exports.models import DatasetFile, DatasetVersion
from reviewapp.exports.services.files import files_root
from reviewapp.exports.services.manifest import WORKER
from reviewapp.exports.services.versions import subject_of
from reviewapp.exports.services.writing import text
from reviewapp.grading.models import Review
from reviewapp.lib.subjects import DataSubject, Held
from reviewapp.queues.erasure import items_of

# No build lasts this long (a task ends after eleven minutes), so a workshop this old belongs to a worker that died.
WORKSHOP_SECONDS = 3600


def find_subject(subject: DataSubject) -> list[Held]:
    """Frozen versions of datasets whose files hold the subject's texts, answers or name."""
    held = DatasetVersion.objects.filter(pk__in=[version.pk for version in _holding(subject)]).order_by("pk")
    return [Held("dataset versions", held, ("dataset__slug", "number", "frozen_at"))]


def erase_subject(subject: DataSubject) -> Counter[str]:
    """Withdraw those versions inside the caller's transaction, one event each, and delete their files.

    The files go before the commit: when it fails, the same erasure finds a version without files and withdraws it.
    """
    counts: Counter[str] = Counter()
    for version in list(_holding(subject)):
        counts["dataset versions"] += 1
        DatasetVersion.objects.filter(pk=version.pk, withdrawn_at=None).update(withdrawn_at=subject.at)
        record(
            actor=WORKER,
            event=Event.VERSION_WITHDRAWN,
            subject=subject_of(version),
            change=Change(after={"dataset": version.dataset.slug, "number": version.number}, reason="erasure"),
        )
        for file in version.files.all():
            (files_root() / file.path).unlink(missing_ok=True)
    return counts


def drop_expired() -> int:
    """Delete what must not lie on the disk: files of withdrawn versions, and workshops of workers that died."""
    dropped = 0
    for place in DatasetFile.objects.filter(version__withdrawn_at__isnull=False).values_list("path", flat=True):
        path = files_root() / place
        if path.exists():
            path.unlink(missing_ok=True)
            dropped += 1
    for folder in files_root().glob("*/*/.*-*"):
        if folder.is_dir() and time.time() - folder.stat().st_mtime > WORKSHOP_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
            dropped += 1
    return dropped


def _holding(subject: DataSubject) -> Iterator[DatasetVersion]:
    """Done versions, not withdrawn yet, whose files hold something of the subject; a missing file counts as one."""
    queues, marks, is_corrected = _marks(subject)
    if not queues:
        return
    rows = DatasetVersion.objects.filter(dataset__queues__in=queues, state="done", withdrawn_at=None).distinct()
    for version in rows.select_related("dataset__project").prefetch_related("files").order_by("pk"):
        wrote = is_corrected & set(version.dataset.queues.values_list("pk", flat=True))
        if wrote or any(_mentions(files_root() / file.path, file.format, marks) for file in version.files.all()):
            yield version


def _marks(subject: DataSubject) -> tuple[set[UUID], tuple[bytes, ...], set[UUID]]:
    """Queues to look at, what stands in a line of their files, and queues whose files hold a person's own wording."""
    if subject.person is None:
        items = items_of(subject).values_list("queue", "output__external_id", "pair__external_id")
        found = list(items)
        names = {name for _, *both in found for name in both if name is not None}
        return {queue for queue, *_ in found}, tuple(f'{{"external_id":{text(name)}'.encode() for name in names), set()
    mine = Review.objects.filter(reviewer=subject.person)
    user = User.objects.get(pk=subject.person)
    corrected = set(mine.filter(correction__isnull=False).values_list("item__queue", flat=True))
    mark = f'"reviewer":{text(user.public_name)}'.encode()
    return set(mine.values_list("item__queue", flat=True)), (mark,), corrected


def _mentions(path: Path, format: str, marks: tuple[bytes, ...]) -> bool:
    """Whether a line carries one of the marks. Every line begins with its external id; a raw one has its reviewer next.

    The CSV holds the same items as the lines.
    """
    if not path.exists():
        return True
    if format == "csv":
        return False
    wanted = set(marks)
    with path.open("rb") as lines:
        return any(part in wanted for line in lines for part in _head(line))


def _head(line: bytes) -> list[bytes]:
    # A quote inside a JSON text is escaped, so a comma followed by a quote ends a member.
    first, _, rest = line.partition(b',"')
    return [first, b'"' + rest.partition(b',"')[0]]
