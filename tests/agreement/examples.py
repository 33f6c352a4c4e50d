"""Queues with reviews, written row by row: what grading leaves behind, without its screens."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from reviewapp.access.actors import SYSTEM, Actor
from reviewapp.access.models import Project, User
from reviewapp.access.services import imported_reviewer
from reviewapp.audit.events import Event
from reviewapp.audit.services import Subject, record
from reviewapp.grading.models import Adjudication, Grade, Preference, Review
from reviewapp.ingest.models import Configuration, Output, Pair
from reviewapp.lib.clock import utc_now
from reviewapp.lib.ids import new_id
from reviewapp.queues.models import Lease, Queue, QueueItem, Seat
from reviewapp.rubrics.models import Criterion
from reviewapp.rubrics.services import RubricIn, publish, save_draft
from tests.conftest import Cast, arranging


def level(value: Any) -> dict[str, Any]:
    return {"value": value, "label": str(value)}


CRITERIA: dict[str, dict[str, Any]] = {
    "safe": {"kind": "binary", "title": "Safe to follow"},
    "tone": {"kind": "ordinal", "title": "Tone", "levels": [level(n) for n in range(1, 6)]},
    "topic": {
        "kind": "categorical",
        "title": "Topic",
        "levels": [level(name) for name in ("tariff", "storm", "visit")],
    },
    "faults": {"kind": "multiselect", "title": "Faults", "levels": [level(name) for name in "ABC"]},
    "minutes": {"kind": "numeric", "title": "Minutes"},
    "note": {"kind": "text", "title": "Note"},
    "preference": {"kind": "preference", "title": "Better"},
}


def make_queue(cast: Cast, *keys: str, kind: str = "grade", slug: str = "answers", **more: Any) -> Queue:
    """A queue whose published rubric asks these criteria, with the cast's reviewers."""
    publish_rubric(cast, *keys, slug=f"rubric-{slug}")
    with arranging():
        queue = Queue.objects.create(
            project=cast.project,
            slug=slug,
            title=f"Queue {slug}",
            kind=kind,
            rubric=cast.project.rubrics.get(slug=f"rubric-{slug}"),
            **more,
        )
    cast.reviewers(queue)
    return queue


def publish_rubric(cast: Cast, *keys: str, slug: str, **changed: dict[str, Any]) -> None:
    """The next published version of a rubric; `changed` overrides parts of a criterion."""
    criteria = [{"key": key, "required": False, **CRITERIA[key], **changed.get(key, {})} for key in keys]
    document = {"slug": slug, "title": slug, "criteria": criteria}
    save_draft(actor=cast.max, project=cast.project, rubric=RubricIn.model_validate(document))
    publish(actor=cast.max, rubric=cast.project.rubrics.get(slug=slug))


@arranging()
def make_configuration(project: Project, **document: str) -> Configuration:
    fingerprint = hashlib.sha256(repr(sorted(document.items())).encode()).hexdigest()
    fields = {name: document.get(name, "") for name in ("prompt_name", "prompt_version", "model")}
    return Configuration.objects.get_or_create(
        project=project, fingerprint=fingerprint, defaults={"document": document, **fields}
    )[0]


@arranging()
def make_output(project: Project, external_id: str, **more: Any) -> Output:
    prompt = str(more.pop("input", external_id))
    return Output.objects.create(
        project=project,
        external_id=external_id,
        content_sha256=hashlib.sha256(external_id.encode()).hexdigest(),
        input_sha256=hashlib.sha256(prompt.encode()).hexdigest(),
        input=prompt,
        output="an answer",
        occurred_at=utc_now(),
        received_at=utc_now(),
        sampling_unit=0.5,
        **more,
    )


@arranging()
def make_item(queue: Queue, external_id: str, **more: Any) -> QueueItem:
    """An item over a new output."""
    output = make_output(queue.project, external_id, **more)
    return QueueItem.objects.create(queue=queue, output=output, source="manual")


@arranging()
def make_pair_item(
    queue: Queue, external_id: str, a: Configuration | None, b: Configuration | None, *, prompt: str
) -> QueueItem:
    """An item over a new pair of outputs with the same prompt."""
    sides = [
        make_output(queue.project, f"{external_id}#{side}", configuration=configuration, input=prompt)
        for side, configuration in (("a", a), ("b", b))
    ]
    pair = Pair.objects.create(project=queue.project, external_id=external_id, a=sides[0], b=sides[1])
    return QueueItem.objects.create(queue=queue, pair=pair, source="manual")


@transaction.atomic
def review(
    item: QueueItem, by: Actor | User, answers: Mapping[str, Any], *, seat: str | None = "place", **more: Any
) -> Review:
    """A current review. seat: the kind of the seat it was leased on, None for an imported one. A preference is a
    winner, or (winner, whether a was left).
    """
    reviewer = by if isinstance(by, User) else by.person
    version = item.queue.rubric.versions.filter(published_at__isnull=False).latest("number")
    lease = None if seat is None else _spent_lease(item, reviewer, seat, version)
    review_id = new_id()
    event = record(
        actor=SYSTEM,
        event=Event.REVIEW_IMPORTED if seat is None else Event.REVIEW_SUBMITTED,
        subject=Subject("review", str(review_id), project=item.queue.project.slug),
    )
    made = Review.objects.create(
        id=review_id,
        item=item,
        seat=lease and lease.seat,
        lease=lease,
        reviewer=reviewer,
        rubric_version=version,
        is_imported=seat is None,
        body_sha256="0" * 64,
        submitted_at=utc_now(),
        event_id=event.id,
        **more,
    )
    for key, value in answers.items():
        _answer(made, Criterion.objects.get(version=version, key=key), value)
    return made


def _answer(made: Review, criterion: Criterion, value: Any) -> None:
    if criterion.kind == "preference":
        winner, was_left = value if isinstance(value, tuple) else (value, None)
        Preference.objects.create(review=made, criterion=criterion, winner=winner, a_was_left=was_left)
    else:
        Grade.objects.create(review=made, criterion=criterion, value=value)


def _spent_lease(item: QueueItem, reviewer: User, kind: str, version: Any) -> Lease:
    number = Seat.objects.filter(item=item, kind=kind).count() + 1
    now = utc_now()
    seat = Seat.objects.create(queue=item.queue, item=item, kind=kind, number=number, rank=0.0, closed_at=now)
    return Lease.objects.create(
        queue=item.queue, item=item, seat=seat, reviewer=reviewer, rubric_version=version,
        leased_at=now, expires_at=now.replace(year=now.year + 1), ended_at=now, outcome="submitted",
    )  # fmt: skip


@transaction.atomic
def end_review(made: Review) -> None:
    """What undo does."""
    record(
        actor=SYSTEM,
        event=Event.REVIEW_UNDONE,
        subject=Subject("review", str(made.pk), project=made.item.queue.project.slug),
    )
    Review.objects.filter(pk=made.pk).update(ended_at=utc_now())


@arranging()
def adjudicate(item: QueueItem, by: Actor, answers: Mapping[str, Any]) -> Review:
    made = review(item, by, answers, seat="adjudicate")
    Adjudication.objects.create(item=item, review=made, reason="read both")
    return made


def slot(cast: Cast, name: str) -> User:
    """A position of an imported set."""
    with transaction.atomic():
        return imported_reviewer(actor=cast.max, project=cast.project, name=name, is_slot=True)


def fill(queue: Queue, key: str, rows: Sequence[str | Sequence[Any]], by: Sequence[Actor | User]) -> list[QueueItem]:
    """One item per row, one answer per reviewer in the row's order; `.` and None are no answer."""
    items = []
    for number, row in enumerate(rows):
        item = make_item(queue, f"{queue.slug}-{number}")
        for reviewer, value in zip(by, row, strict=True):
            if value not in (".", None):
                review(item, reviewer, {key: int(value) if isinstance(row, str) else value})
        items.append(item)
    return items


def figures(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    """One criterion of an answer."""
    return next(entry for entry in document["criteria"] if entry["criterion"] == key)


def figure(document: Mapping[str, Any], key: str, name: str, **wanted: Any) -> dict[str, Any]:
    """One statistic of one criterion; `wanted` picks by level or params."""
    return next(
        stat
        for stat in figures(document, key)["statistics"]
        if stat["name"] == name and all(stat[field] == value for field, value in wanted.items())
    )
