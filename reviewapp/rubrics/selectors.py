"""Rubrics as the viewer may see them, and the documents that the API answers."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from reviewapp.access.actors import Actor
from reviewapp.access.errors import Hidden
from reviewapp.access.models import Project
from reviewapp.access.roles import can, require
from reviewapp.lib.canonical import canonical_sha256
from reviewapp.lib.errors import Malformed
from reviewapp.rubrics.models import Criterion, Rubric, RubricVersion


def visible_rubrics(*, viewer: Actor, project: Project) -> QuerySet[Rubric]:
    """The project's rubrics; none for who may not see them."""
    if not can(viewer, "rubrics.view", project):
        return Rubric.objects.none()
    return Rubric.objects.filter(project=project)


def rubric_for(*, viewer: Actor, project: Project, slug: str) -> Rubric:
    """A rubric by its slug. Raises AccessDenied, or Hidden when there is none."""
    require(viewer, "rubrics.view", project)
    found = visible_rubrics(viewer=viewer, project=project).filter(slug=slug).select_related("project").first()
    if found is None:
        raise Hidden("There is no such rubric in this project.")
    return found


def published_version(rubric: Rubric) -> RubricVersion | None:
    """The newest frozen version: what reviewers are asked today."""
    return rubric.versions.filter(published_at__isnull=False).order_by("-number").first()


def draft_version(rubric: Rubric) -> RubricVersion | None:
    """The version that may still change, if there is one."""
    return rubric.versions.filter(published_at=None).first()


def newest_version(rubric: Rubric) -> RubricVersion:
    """The draft, else the newest published version. A rubric always has one."""
    return rubric.versions.latest("number")


def versions_of(rubric: Rubric) -> QuerySet[RubricVersion]:
    """All versions, the newest first."""
    return rubric.versions.order_by("-number")


def criteria_of(version: RubricVersion) -> list[Criterion]:
    """The criteria in order."""
    return list(version.criteria.order_by("position"))


def criterion_document(criterion: Criterion) -> dict[str, Any]:
    """One criterion in API.md's shape; optional fields only when they say something."""
    document: dict[str, Any] = {"key": criterion.key, "kind": criterion.kind, "title": criterion.title}
    optional = {
        "help": criterion.help or None,
        "levels": criterion.levels or None,
        "minimum": criterion.minimum,
        "maximum": criterion.maximum,
        "pass_at": criterion.pass_at,
        "show_if": criterion.show_if,
    }
    document["required"] = criterion.is_required
    document.update({name: value for name, value in optional.items() if value is not None})
    return document


def rubric_document(version: RubricVersion) -> dict[str, Any]:
    """One version in API.md's shape, with `version` (its number) and `published` (whether it is frozen)."""
    return {
        "slug": version.rubric.slug,
        "title": version.rubric.title,
        "version": version.number,
        "published": version.published_at is not None,
        "criteria": [criterion_document(criterion) for criterion in criteria_of(version)],
    }


def version_tag(version: RubricVersion) -> str:
    """A fingerprint of what a version asks: equal for equal content, used as ETag."""
    return canonical_sha256(rubric_document(version))[:32]


def version_of(rubric: Rubric, which: str | None) -> RubricVersion:
    """A version by its number, `published` for the newest frozen one, None for the newest of all. Raises Hidden or
    Malformed.
    """
    if which is None:
        return newest_version(rubric)
    if which == "published":
        found = published_version(rubric)
    elif which.isascii() and which.isdigit() and len(which) < 7:
        found = rubric.versions.filter(number=int(which)).first()
    else:
        raise Malformed("version must be a number, or published.")
    if found is None:
        raise Hidden("This rubric has no such version.")
    return found
