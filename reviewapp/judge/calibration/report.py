"""API.md's Calibration of one judge against one queue."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from reviewapp.access.actors import Actor
from reviewapp.access.models import User
from reviewapp.access.roles import require
from reviewapp.agreement.selectors import POLICIES, labels_of
from reviewapp.judge.calibration.figures import Material, Votes, criterion_figures
from reviewapp.judge.calibration.rows import (
    Items,
    criterion_rows,
    cut_of,
    group_of,
    items_of,
    labels_by_key,
    verdicts_on,
)
from reviewapp.judge.models import Judge, JudgeVersion, Verdict
from reviewapp.lib.errors import Malformed, Unprocessable
from reviewapp.queues.models import Queue
from reviewapp.rubrics.models import Criterion

LABELS: Final[tuple[str, ...]] = POLICIES
UNITS: Final = ("output", "model", "configuration")
MOST_SLICES: Final = 200
FOLDS: Final = 0  # nothing is fitted


@dataclass(frozen=True)
class _Asked:
    version: JudgeVersion
    items: Items
    labels: str
    unit: str


def calibration(
    *, viewer: Actor, judge: Judge, queue: Queue, labels: str = "settled", unit: str = "output", cut: str | None = None
) -> dict[str, Any]:
    """The newest version with verdicts against the queue's labels. Raises Unprocessable for a queue of another rubric,
    Malformed for a unit or slice that does not apply.
    """
    require(viewer, "judges.view", judge.project)
    if queue.rubric_id != judge.rubric_id:
        raise Unprocessable(f"The queue {queue.slug} asks another rubric than the judge {judge.slug} answers.")
    if unit != "output" and queue.kind == "pairwise":
        raise Malformed(f"unit={unit} compares outputs; a pair has two of them.")
    version = _judging_version(judge)
    asked = _Asked(version, items_of(queue), labels, unit)
    materials = _materials(asked)
    document: dict[str, Any] = {
        "judge": judge.slug,
        "version": version.number,
        "queue": queue.slug,
        "label_policy": labels,
        "folds": FOLDS,
        "criteria": [criterion_figures(material) for material in materials],
    }
    if cut is not None:
        document["slices"] = _slices(asked, materials, cut)
    return document


def _judging_version(judge: Judge) -> JudgeVersion:
    """The newest with verdicts, else the newest."""
    versions = judge.versions.select_related("rubric_version").order_by("-number")
    judged = set(Verdict.objects.filter(version__judge=judge).order_by().values_list("version", flat=True).distinct())
    return next((version for version in versions if version.pk in judged), versions[0])


def _materials(asked: _Asked) -> list[Material]:
    labels = labels_by_key(asked.items.queue, asked.labels)
    groups = None if asked.unit == "output" else group_of(asked.items, asked.unit)
    found = []
    for criterion in asked.version.rubric_version.criteria.filter(key__in=asked.version.criteria):
        said, orders = verdicts_on(asked.version, criterion, asked.items)
        rows = criterion_rows(asked.items, labels.get(criterion.key, {}), said)
        votes = labels_of(asked.items.queue, criterion.key)
        found.append(
            Material(
                criterion,
                asked.labels,
                rows,
                votes,
                _unlabelled(asked, criterion, {row.item for row in rows}),
                orders,
                groups,
                _has_slots(votes),
            )
        )
    return found


def _unlabelled(asked: _Asked, criterion: Criterion, labelled: set[UUID]) -> list[float]:
    subjects = {asked.items.subject(item) for item in asked.items.rows if item.pk in labelled}
    said, _ = verdicts_on(asked.version, criterion, None)
    return [one.confidence for subject, one in said.items() if subject not in subjects and one.confidence is not None]


def _has_slots(votes: Votes) -> bool:
    reviewers = {reviewer for answers in votes.values() for reviewer, _ in answers}
    return User.objects.filter(pk__in=reviewers, imported_as_slot=True).exists()


def _slices(asked: _Asked, materials: list[Material], name: str) -> list[dict[str, Any]]:
    cuts = cut_of(asked.items, name)
    known = {cuts[row.item] for material in materials for row in material.rows}
    if len(known) > MOST_SLICES:
        raise Malformed(f"{name} has {len(known)} values here; a slice may have at most {MOST_SLICES}.")
    return [
        {"slice": one, "criteria": [criterion_figures(_within(material, cuts, one)) for material in materials]}
        for one in sorted(known, key=lambda one: (one is None, one or ""))
    ]


def _within(material: Material, cuts: dict[UUID, str | None], one: str | None) -> Material:
    # Position bias is of the judge, not of a slice of labels.
    return replace(material, rows=[row for row in material.rows if cuts[row.item] == one], orders=None)
