"""Making a queue."""

from __future__ import annotations

from typing import Annotated, Literal

from django.db import IntegrityError, transaction
from pydantic import Field

from reviewapp.access.actors import Actor
from reviewapp.access.models import Project
from reviewapp.access.roles import require
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.ingest.models import SamplingRule
from reviewapp.lib.api import Strict
from reviewapp.lib.errors import Conflict, FieldError, Unprocessable
from reviewapp.queues.models import Queue
from reviewapp.rubrics.models import Criterion, Rubric

Share = Annotated[float, Field(ge=0, le=1)]


class QueueIn(Strict):
    """A queue to make."""

    slug: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,79}$")]
    title: Annotated[str, Field(min_length=1, max_length=200)]
    kind: Literal["grade", "pairwise", "guardrail"]
    rubric: Annotated[str, Field(min_length=1, max_length=80)]
    reviewers_per_item: Annotated[int, Field(ge=1, le=100)] = 1
    overlap_share: Share = 1.0
    max_extra_reviewers: Annotated[int, Field(ge=0, le=100)] = 0
    lease_seconds: Annotated[int, Field(ge=30, le=604_800)] = 1800
    order: Literal["priority", "oldest", "random"] = "priority"
    rules: Annotated[list[str], Field(max_length=100)] = []
    gold_share: Share = 0.0
    repeat_share: Share = 0.0
    blind: bool = True
    adjudicate: Literal["never", "on_disagreement", "always"] = "never"
    instructions: Annotated[str, Field(max_length=20_000)] = ""


@transaction.atomic
def create_queue(*, actor: Actor, project: Project, queue: QueueIn) -> Queue:
    """A new queue. Raises AccessDenied, Unprocessable with pointers, or Conflict when the slug is taken."""
    require(actor, "queues.edit", project)
    rubric = _rubric(project, queue)
    rules = _rules(project, queue)
    _refuse_what_is_not_served(queue)
    values = queue.model_dump(exclude={"rubric", "rules", "blind"})
    try:
        with transaction.atomic():
            made = Queue.objects.create(project=project, rubric=rubric, is_blind=queue.blind, **values)
    except IntegrityError as error:
        raise Conflict(f"There is already a queue with the slug {queue.slug!r} in this project.") from error
    made.rules.set(rules)
    record(
        actor=actor,
        event=Event.QUEUE_CREATED,
        subject=Subject("queue", str(made.pk), project=project.slug),
        change=Change(after=queue.model_dump(mode="json")),
    )
    return made


def _wrong(pointer: str, detail: str) -> Unprocessable:
    return Unprocessable(f"{pointer} {detail}", errors=(FieldError(pointer, detail),))


def _rubric(project: Project, queue: QueueIn) -> Rubric:
    rubric = Rubric.objects.filter(project=project, slug=queue.rubric).first()
    if rubric is None:
        raise _wrong("/rubric", "names no rubric of this project")
    if queue.kind == "pairwise":
        newest = rubric.versions.order_by("-number").first()
        asks = Criterion.objects.filter(version=newest, kind="preference", key="preference")
        if not asks.exists():
            raise _wrong("/rubric", "has no criterion of kind preference with the key preference, which pairs need")
    return rubric


def _rules(project: Project, queue: QueueIn) -> list[SamplingRule]:
    if queue.rules and queue.kind == "pairwise":
        raise _wrong("/rules", "must be empty for a pairwise queue: rules select outputs, not pairs")
    found = {rule.slug: rule for rule in SamplingRule.objects.filter(project=project, slug__in=queue.rules)}
    for place, slug in enumerate(queue.rules):
        if slug not in found:
            raise _wrong(f"/rules/{place}", f"names no sampling rule of this project: {slug[:80]!r}")
    return list(found.values())


def _refuse_what_is_not_served(queue: QueueIn) -> None:
    # A share that nothing serves would promise a measurement that never comes.
    for name in ("gold_share", "repeat_share"):
        if getattr(queue, name) > 0:
            raise _wrong(f"/{name}", "must be 0: this version does not mix in gold items or repeats yet")
