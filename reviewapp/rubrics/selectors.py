"""Rubrics as the viewer may see them, and the documents that the API answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

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
    """The criteria in order. Those of a frozen version are read once a process: they never change."""
    if version.published_at is not None:
        return list(_frozen_criteria(version.pk))
    return sorted(version.criteria.all(), key=lambda criterion: criterion.position)


@lru_cache(maxsize=512)
def _frozen_criteria(version_id: UUID) -> tuple[Criterion, ...]:
    return tuple(Criterion.objects.filter(version=version_id).order_by("position"))


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


@dataclass(frozen=True)
class RubricRow:
    """A rubric in the list: its newest published version, its draft, and how many criteria it asks today."""

    rubric: Rubric
    published: RubricVersion | None
    draft: RubricVersion | None
    n_criteria: int


def rubric_rows(*, viewer: Actor, project: Project) -> list[RubricRow]:
    """The project's rubrics by title, in three queries however many there are."""
    rows = []
    for rubric in (
        visible_rubrics(viewer=viewer, project=project).prefetch_related("versions__criteria").order_by("title")
    ):
        versions = sorted(rubric.versions.all(), key=lambda version: -version.number)
        published = next((version for version in versions if version.published_at), None)
        draft = next((version for version in versions if not version.published_at), None)
        asked = published or draft
        rows.append(RubricRow(rubric, published, draft, len(asked.criteria.all()) if asked else 0))
    return rows


@dataclass(frozen=True)
class Difference:
    """One thing that two versions ask differently; None where it is not there."""

    what: str
    before: str | None
    after: str | None


def differences(older: RubricVersion, newer: RubricVersion) -> list[Difference]:
    """What changed, criterion by criterion (matched by key), level by level (matched by value)."""
    before = {entry["key"]: entry for entry in rubric_document(older)["criteria"]}
    after = {entry["key"]: entry for entry in rubric_document(newer)["criteria"]}
    found: list[Difference] = []
    for key in [*before, *(key for key in after if key not in before)]:
        was, now = before.get(key), after.get(key)
        if was is None or now is None:
            found.append(Difference(key, was and f"asked: {was['title']}", now and f"asked: {now['title']}"))
        else:
            found += _changes(key, _parts(was), _parts(now))
    common = [key for key in after if key in before]
    if common != [key for key in before if key in after]:
        found.append(Difference("Order", ", ".join(key for key in before if key in after), ", ".join(common)))
    return found


def _parts(criterion: dict[str, Any]) -> dict[str, str]:
    """The parts of a criterion as people read them, by name."""
    parts: dict[str, str] = {name: _said(criterion[name]) for name in ("kind", "title", "help") if name in criterion}
    parts["required"] = "yes" if criterion["required"] else "no"
    for level in criterion.get("levels", []):
        parts[f"level {level['value']}"] = " – ".join(
            part for part in (level["label"], level.get("description")) if part
        )
    for name, shown in (("minimum", "minimum"), ("maximum", "maximum"), ("pass_at", "passes at")):
        if name in criterion:
            parts[shown] = _said(criterion[name])
    if "show_if" in criterion:
        parts["asked when"] = f"{criterion['show_if']['criterion']} is {_said(criterion['show_if']['in'])}"
    return parts


def _changes(key: str, was: dict[str, str], now: dict[str, str]) -> list[Difference]:
    names = [*was, *(name for name in now if name not in was)]
    return [
        Difference(f"{key}, {name}", was.get(name), now.get(name)) for name in names if was.get(name) != now.get(name)
    ]


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " or ".join(_said(entry) for entry in value) or "nothing"
    return f"{value:g}" if isinstance(value, float) else str(value)


def criterion_cards(criteria: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Criteria of API.md's shape with the sentences that pages show beside them: `passes` and `asked_when`."""
    return [
        {
            **entry,
            "passes": _passing(entry),
            "asked_when": f"{entry['show_if']['criterion']} is {_said(entry['show_if']['in'])}"
            if entry.get("show_if")
            else "",
        }
        for entry in criteria
    ]


def _passing(entry: dict[str, Any]) -> str:
    if entry["kind"] == "binary":
        return "yes"
    bar = entry.get("pass_at")
    if bar is None:
        return ""
    return _said(bar) if isinstance(bar, list) else f"{_said(bar)} or more"
