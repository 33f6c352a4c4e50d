"""The manifest: what a version holds, under which rubric, how far people agreed, and what was left out and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

from reviewapp.access.actors import system_actor
from reviewapp.agreement.selectors import current_report
from reviewapp.audit.selectors import LogPosition, position
from reviewapp.audit.services import APP_VERSION
from reviewapp.exports.models import DatasetVersion
from reviewapp.exports.services.definition import SPLITS, definition
from reviewapp.exports.services.files import HashedFile
from reviewapp.exports.services.writing import Contents
from reviewapp.grading.models import Review
from reviewapp.lib.canonical import canonical_sha256
from reviewapp.lib.clock import rfc3339
from reviewapp.queues.models import Queue

WORKER = system_actor("exports")


@dataclass(frozen=True)
class Circumstances:
    """What held in the snapshot: its moment, the log's position, rubric versions, agreement."""

    at: str
    log: LogPosition
    rubric_versions: list[dict[str, Any]]
    agreement: list[dict[str, Any]]


def circumstances(queues: list[Queue]) -> Circumstances:
    """Read inside the snapshot."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT transaction_timestamp()")
        at = cursor.fetchone()[0]
    used = (
        Review.objects.filter(item__queue__in=queues, ended_at=None)
        .values_list("rubric_version__rubric__slug", "rubric_version__number")
        .distinct()
        .order_by("rubric_version__rubric__slug", "rubric_version__number")
    )
    return Circumstances(
        at=rfc3339(at),
        log=position(),
        rubric_versions=[{"rubric": rubric, "version": number} for rubric, number in used],
        agreement=[_agreement(queue) for queue in queues],
    )


def _agreement(queue: Queue) -> dict[str, Any]:
    """The queue's report as of the snapshot, without the pairs of reviewers: a dataset names nobody's score."""
    report = current_report(viewer=WORKER, queue=queue)
    kept = ("criterion", "kind", "n_items", "n_reviews", "n_reviewers", "n_pairable_items", "statistics")
    criteria = [{name: criterion[name] for name in kept} for criterion in report["criteria"]]
    return {"queue": queue.slug, "as_of": report["as_of"], "criteria": criteria}


def manifest(
    version: DatasetVersion, files: list[HashedFile], contents: Contents, held: Circumstances
) -> dict[str, Any]:
    """The whole document. `manifest_sha256` covers the canonical form of all the rest."""
    dataset = version.dataset
    main = main_file(files)
    document: dict[str, Any] = {
        "project": dataset.project.slug,
        "dataset": definition(dataset),
        "number": version.number,
        "rows": main.rows,
        "sha256": version_sha256(files),
        "snapshot": {"at": held.at, "leaf_index": held.log.leaf_index},
        "label_policy": dataset.labels,
        "rubric_versions": held.rubric_versions,
        "agreement": held.agreement,
        "labels": {key: dict(sorted(counts.items())) for key, counts in sorted(contents.labels.items())},
        "sampling": {
            "with_probability": contents.probabilities["known"],
            "without_probability": contents.probabilities["unknown"],
        },
        "splits": {side: contents.splits[side] for side in SPLITS} if dataset.split else {},
        "left_out": left_out(files),
        "files": {file.format: _shown(file) for file in files},
        "app_version": APP_VERSION,
    }
    document["manifest_sha256"] = canonical_sha256(document)
    return document


def main_file(files: list[HashedFile]) -> HashedFile:
    """The file whose rows are the version's: settled rows, else raw ones."""
    return {file.format: file for file in files}.get("jsonl", files[0])


def version_sha256(files: list[HashedFile]) -> str:
    """SHA-256 of the canonical JSON `{format: sha256}`: the same bytes in every file, and only these, give it."""
    return canonical_sha256({file.format: file.sha256 for file in files})


def left_out(files: list[HashedFile]) -> dict[str, int]:
    """Counts by reason: those of the main file, then reasons that only other files know (ties, adjudications)."""
    main = main_file(files)
    found = dict(main.left_out)
    for file in files:
        for reason, count in file.left_out.items():
            found.setdefault(reason, count)
    return dict(sorted(found.items()))


def _shown(file: HashedFile) -> dict[str, Any]:
    return {
        "name": file.name,
        "rows": file.rows,
        "size": file.size,
        "sha256": file.sha256,
        "left_out": dict(sorted(file.left_out.items())),
    }
