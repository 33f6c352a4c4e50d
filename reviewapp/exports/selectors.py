"""Reads: datasets, versions and files that the viewer may see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db.models import Max, OuterRef, QuerySet, Subquery

from reviewapp.access.actors import Actor
from reviewapp.access.models import Project
from reviewapp.access.roles import can, require
from reviewapp.exports.errors import FileLost, Withdrawn
from reviewapp.exports.models import Dataset, DatasetFile, DatasetVersion
from reviewapp.exports.services.files import FORMATS, files_root
from reviewapp.lib.clock import rfc3339
from reviewapp.lib.errors import Conflict, Malformed, NotFound


def datasets_of(*, viewer: Actor, project: Project) -> QuerySet[Dataset]:
    """The project's datasets; none for who may not see them."""
    if not can(viewer, "datasets.view", project):
        return Dataset.objects.none()
    return Dataset.objects.filter(project=project).select_related("project").prefetch_related("queues")


def datasets_with_newest(*, viewer: Actor, project: Project) -> QuerySet[Dataset]:
    """The same, each with `newest` (number), `newest_state`, `newest_rows` and `newest_frozen_at`."""
    newest = DatasetVersion.objects.filter(dataset=OuterRef("pk")).order_by("-number")
    return (
        datasets_of(viewer=viewer, project=project)
        .annotate(
            newest=Max("versions__number"),
            newest_state=Subquery(newest.values("state")[:1]),
            newest_rows=Subquery(newest.values("rows")[:1]),
            newest_frozen_at=Subquery(newest.values("frozen_at")[:1]),
        )
        .order_by("title", "pk")
    )


def dataset_for(*, viewer: Actor, project: Project, slug: str, act: str = "datasets.view") -> Dataset:
    """One dataset. Raises AccessDenied, Hidden, or NotFound."""
    require(viewer, act, project)
    found = Dataset.objects.filter(project=project, slug=slug).select_related("project").first()
    if found is None:
        raise NotFound("There is no such dataset in this project.")
    return found


def versions_of(*, viewer: Actor, dataset: Dataset) -> QuerySet[DatasetVersion]:
    """The versions with their files; none for who may not see them."""
    if not can(viewer, "datasets.view", dataset.project):
        return DatasetVersion.objects.none()
    return dataset.versions.select_related("dataset__project").prefetch_related("files")


def version_for(*, viewer: Actor, dataset: Dataset, number: int, act: str = "datasets.view") -> DatasetVersion:
    """One version. Raises AccessDenied, Hidden, or NotFound."""
    require(viewer, act, dataset.project)
    found = dataset.versions.filter(number=number).select_related("dataset__project").first()
    if found is None:
        raise NotFound(f"This dataset has no version {number}.")
    return found


def file_for(*, viewer: Actor, version: DatasetVersion, format: str) -> DatasetFile:
    """A file of a frozen version.

    Raises AccessDenied, Malformed for a format that does not exist, Conflict for a version that is not done, Withdrawn
    (410) when an erasure took its files, NotFound for a format that this version does not have.
    """
    require(viewer, "datasets.download", version.dataset.project)
    if format not in FORMATS:
        raise Malformed(f"format must be one of {', '.join(FORMATS)}.")
    if version.state != "done":
        raise Conflict(f"Version {version.number} is {version.state}; a file can be taken once it is done.")
    if version.withdrawn_at is not None:
        raise Withdrawn(withdrawn_sentence(version))
    found = version.files.filter(format=format).select_related("version__dataset__project").first()
    if found is None:
        has = ", ".join(sorted(version.files.values_list("format", flat=True)))
        raise NotFound(f"This version has no file of the format {format}; it has {has}.")
    return found


def withdrawn_sentence(version: DatasetVersion) -> str:
    """Why there is nothing to take, and what to do."""
    day = version.withdrawn_at.date().isoformat() if version.withdrawn_at else "never"
    return (
        f"The files of version {version.number} were erased on {day}, because they held data of somebody who had it"
        " erased. Its numbers and hashes stay; freeze a new version to get files without that data."
    )


def place_of(file: DatasetFile) -> Path:
    """Where the bytes lie. Raises FileLost when they do not, or are not as many as were frozen."""
    path = files_root() / file.path
    try:
        is_whole = path.stat().st_size == file.size
    except OSError:
        is_whole = False
    if not is_whole:
        raise FileLost("The file of this version is missing or altered; restore it from the backup.")
    return path


def shown_version(version: DatasetVersion) -> dict[str, Any]:
    """API.md's Dataset version, with the state of the build as for a run."""
    manifest = version.manifest or {}
    return {
        "dataset": version.dataset.slug,
        "number": version.number,
        "state": version.state,
        "done": version.done,
        "total": version.total,
        "error": version.error or None,
        "rows": version.rows,
        "sha256": version.sha256 or None,
        "manifest_sha256": manifest.get("manifest_sha256"),
        "created_at": rfc3339(version.created_at),
        "frozen_at": rfc3339(version.frozen_at) if version.frozen_at else None,
        "withdrawn_at": rfc3339(version.withdrawn_at) if version.withdrawn_at else None,
        "label_policy": manifest.get("label_policy", version.dataset.labels),
        "rubric_versions": manifest.get("rubric_versions", []),
        "left_out": manifest.get("left_out", {}),
        "splits": manifest.get("splits", {}),
        "formats": sorted(file.format for file in version.files.all()),
    }
