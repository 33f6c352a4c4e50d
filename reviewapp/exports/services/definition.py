"""What a dataset is made of."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.db import IntegrityError, transaction
from pydantic import Field, field_validator, model_validator

from reviewapp.access.actors import Actor
from reviewapp.access.models import Project
from reviewapp.access.roles import require
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.exports.models import Dataset
from reviewapp.ingest.filters import Where
from reviewapp.lib.api import Strict
from reviewapp.lib.errors import Conflict, FieldError, Unprocessable
from reviewapp.queues.models import Queue
from reviewapp.rubrics.models import Criterion

SPLITS = ("train", "validation", "test")
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,79}$")]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class SplitIn(Strict):
    """Shares that sum to 1, drawn by the hash of what must not stand on both sides."""

    train: Share = 0.0
    validation: Share = 0.0
    test: Share = 0.0
    by: Literal["input", "session", "end_user"] = "input"

    @model_validator(mode="after")
    def _sums_to_one(self) -> SplitIn:
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-9:
            raise ValueError(f"the shares of train, validation and test must sum to 1; these sum to {total:.6g}")
        return self


class DatasetIn(Strict):
    """API.md's Dataset."""

    slug: Slug
    title: Annotated[str, Field(min_length=1, max_length=200)]
    queues: Annotated[list[str], Field(min_length=1, max_length=100)]
    criteria: Annotated[list[str], Field(max_length=200)] = []
    labels: Literal["settled", "raw", "adjudicated"]
    where: Where | None = None
    split: SplitIn | None = None

    @field_validator("queues", "criteria")
    @classmethod
    def _each_once(cls, names: list[str]) -> list[str]:
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice[:80]!r} stands twice; name each once")
        return names


@transaction.atomic
def create_dataset(*, actor: Actor, project: Project, dataset: DatasetIn) -> Dataset:
    """Save a definition. Raises AccessDenied, Unprocessable for an unknown queue or criterion, Conflict for a slug that
    is taken.
    """
    require(actor, "datasets.edit", project)
    queues = _known_queues(project, dataset.queues)
    _check_criteria(queues, dataset.criteria)
    try:
        with transaction.atomic():
            made = Dataset.objects.create(
                project=project,
                slug=dataset.slug,
                title=dataset.title,
                criteria=dataset.criteria,
                labels=dataset.labels,
                where=_stated(dataset.where),
                split=dataset.split.model_dump() if dataset.split else None,
            )
    except IntegrityError as error:
        raise Conflict(f"There is already a dataset with the slug {dataset.slug!r} in this project.") from error
    made.queues.set(queues)
    record(
        actor=actor,
        event=Event.DATASET_CREATED,
        subject=Subject("dataset", str(made.pk), project=project.slug),
        change=Change(after=definition(made)),
    )
    return made


def definition(dataset: Dataset) -> dict[str, Any]:
    """API.md's Dataset as it was saved."""
    return {
        "slug": dataset.slug,
        "title": dataset.title,
        "queues": sorted(queue.slug for queue in dataset.queues.all()),
        "criteria": dataset.criteria,
        "labels": dataset.labels,
        "where": dataset.where,
        "split": dataset.split,
    }


def _stated(where: Where | None) -> dict[str, Any]:
    return where.as_document() if where is not None else {}


def _known_queues(project: Project, slugs: list[str]) -> list[Queue]:
    found = {queue.slug: queue for queue in Queue.objects.filter(project=project, slug__in=slugs)}
    unknown = tuple(
        FieldError(f"/queues/{place}", f"there is no queue {slug[:80]!r} in this project")
        for place, slug in enumerate(slugs)
        if slug not in found
    )
    if unknown:
        raise Unprocessable(f"{unknown[0].detail.capitalize()}.", errors=unknown)
    return [found[slug] for slug in slugs]


def _check_criteria(queues: list[Queue], keys: list[str]) -> None:
    rubrics = {queue.rubric_id for queue in queues}
    asked = set(Criterion.objects.filter(version__rubric__in=rubrics).values_list("key", flat=True))
    unknown = tuple(
        FieldError(f"/criteria/{place}", f"no rubric of these queues asks {key[:80]!r}")
        for place, key in enumerate(keys)
        if key not in asked
    )
    if unknown:
        raise Unprocessable(f"{unknown[0].detail.capitalize()}.", errors=unknown)
