"""Drafting and publishing rubrics."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from reviewapp.access.actors import Actor
from reviewapp.access.models import Project
from reviewapp.access.roles import require
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.lib.errors import Conflict, Unprocessable
from reviewapp.rubrics.errors import DraftChanged
from reviewapp.rubrics.models import Criterion, Rubric, RubricVersion
from reviewapp.rubrics.records import CriterionIn, RubricIn, problems_of
from reviewapp.rubrics.selectors import draft_version, newest_version, rubric_document, version_tag

__all__ = ["RubricIn", "publish", "save_draft"]


@transaction.atomic
def save_draft(*, actor: Actor, project: Project, rubric: RubricIn, tag: str | None = None) -> RubricVersion:
    """The draft of the rubric with this slug, made or replaced; a published version stays as it is.

    tag: the `version_tag` of the newest version that the caller read; None overwrites whatever there is.
    Raises AccessDenied, Unprocessable with one error per wrong field, or DraftChanged for another tag.
    """
    require(actor, "rubrics.edit", project)
    problems = problems_of(rubric)
    if problems:
        raise Unprocessable(f"{problems[0].pointer} {problems[0].detail}.", errors=problems)
    row, before = _locked_rubric(project, rubric, tag)
    draft = draft_version(row) or _new_version(row)
    draft.criteria.all().delete()
    Criterion.objects.bulk_create(
        [_criterion(draft, position, entry) for position, entry in enumerate(rubric.criteria, start=1)]
    )
    record(
        actor=actor,
        event=Event.RUBRIC_DRAFTED,
        subject=Subject("rubric", str(row.pk), project=project.slug, version=str(draft.number)),
        change=Change(before=before, after=rubric_document(draft)),
    )
    return draft


@transaction.atomic
def publish(*, actor: Actor, rubric: Rubric, reason: str = "") -> RubricVersion:
    """Freeze the draft: from now on reviewers are asked it. Raises AccessDenied, or Conflict without a draft."""
    require(actor, "rubrics.edit", rubric.project)
    Rubric.objects.select_for_update().get(pk=rubric.pk)
    draft = draft_version(rubric)
    if draft is None:
        raise Conflict("There is no draft to publish; save one first.")
    RubricVersion.objects.filter(pk=draft.pk).update(published_at=Now(), publish_reason=reason)
    draft.refresh_from_db()
    record(
        actor=actor,
        event=Event.RUBRIC_PUBLISHED,
        subject=Subject("rubric", str(rubric.pk), project=rubric.project.slug, version=str(draft.number)),
        change=Change(after={"slug": rubric.slug, "version": draft.number}, reason=reason or None),
    )
    return draft


def _locked_rubric(project: Project, rubric: RubricIn, tag: str | None) -> tuple[Rubric, dict[str, object] | None]:
    """The row, locked, with this title, and the document of its newest version before the change (None when new)."""
    row = Rubric.objects.select_for_update().filter(project=project, slug=rubric.slug).first()
    if row is None:
        if tag is not None:
            raise DraftChanged("There is no such rubric any more; nothing was saved.")
        try:
            with transaction.atomic():
                return Rubric.objects.create(project=project, slug=rubric.slug, title=rubric.title), None
        except IntegrityError as error:
            raise Conflict(f"The rubric {rubric.slug!r} was made by somebody else just now; read it first.") from error
    newest = newest_version(row)
    if tag is not None and tag != version_tag(newest):
        raise DraftChanged("Somebody saved this rubric after you opened it; nothing was overwritten.")
    before = rubric_document(newest)
    Rubric.objects.filter(pk=row.pk).update(title=rubric.title)
    row.title = rubric.title
    return row, before


def _new_version(rubric: Rubric) -> RubricVersion:
    newest = rubric.versions.order_by("-number").first()
    return RubricVersion.objects.create(rubric=rubric, number=newest.number + 1 if newest else 1)


def _criterion(version: RubricVersion, position: int, entry: CriterionIn) -> Criterion:
    return Criterion(
        version=version,
        position=position,
        key=entry.key,
        kind=entry.kind,
        title=entry.title,
        help=entry.help,
        is_required=entry.required,
        levels=[level.model_dump(exclude_defaults=True) for level in entry.levels],
        minimum=entry.minimum,
        maximum=entry.maximum,
        pass_at=entry.pass_at,
        show_if=entry.show_if.model_dump(by_alias=True) if entry.show_if else None,
    )
