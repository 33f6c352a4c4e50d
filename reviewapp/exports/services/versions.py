"""Ask for a version, try a failed one again, record who took a file."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Max

from reviewapp.access.actors import Actor
from reviewapp.access.roles import require
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.exports.models import Dataset, DatasetFile, DatasetVersion
from reviewapp.lib.errors import Conflict


def subject_of(version: DatasetVersion) -> Subject:
    """The version as the log names it."""
    project = version.dataset.project
    return Subject("dataset_version", str(version.pk), project=project.slug, version=str(version.number))


@transaction.atomic
def request_version(*, actor: Actor, dataset: Dataset) -> DatasetVersion:
    """Leave a waiting row with the next number; a worker builds and freezes it."""
    require(actor, "datasets.edit", dataset.project)
    Dataset.objects.select_for_update().get(pk=dataset.pk)  # one number each, also for two who ask at once
    newest = dataset.versions.aggregate(newest=Max("number"))["newest"] or 0
    version = DatasetVersion.objects.create(dataset=dataset, number=newest + 1, requested_by=actor.user)
    record(
        actor=actor,
        event=Event.VERSION_REQUESTED,
        subject=subject_of(version),
        change=Change(after={"dataset": dataset.slug, "number": version.number}),
    )
    return version


@transaction.atomic
def retry_version(*, actor: Actor, version: DatasetVersion) -> DatasetVersion:
    """Let a failed version wait again, under its number. Raises Conflict for one that did not fail."""
    require(actor, "datasets.edit", version.dataset.project)
    held = DatasetVersion.objects.select_for_update().get(pk=version.pk)
    if held.state != "failed":
        raise Conflict(f"Version {held.number} did not fail; there is nothing to try again.")
    record(
        actor=actor,
        event=Event.VERSION_REQUESTED,
        subject=subject_of(held),
        change=Change(before={"error": held.error}, after={"number": held.number}, reason="tried again"),
    )
    held.state, held.error, held.done, held.total = "waiting", "", 0, None
    held.save(update_fields=["state", "error", "done", "total"])
    return held


@transaction.atomic
def record_download(*, actor: Actor, file: DatasetFile, first: int, last: int) -> None:
    """Say in the log who takes which bytes (`first` to `last`, inclusive) of a frozen file."""
    version = file.version
    require(actor, "datasets.download", version.dataset.project)
    taken = {
        "dataset": version.dataset.slug,
        "number": version.number,
        "format": file.format,
        "rows": file.rows,
        "sha256": file.sha256,
        "bytes": f"{first}-{last}/{file.size}",
    }
    record(actor=actor, event=Event.VERSION_DOWNLOADED, subject=subject_of(version), change=Change(more=taken))
