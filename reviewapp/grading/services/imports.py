"""Human reviews from elsewhere, thousands at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db import connection, transaction
from pydantic import AwareDatetime, Field

from reviewapp.access.actors import Actor
from reviewapp.access.models import User
from reviewapp.access.roles import require
from reviewapp.access.services import imported_reviewer
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Recorded, Subject, record, record_many
from reviewapp.grading.models import Grade, Preference, Review
from reviewapp.grading.selectors import OVERALL
from reviewapp.grading.services.answers import Checked, checked_grades, split
from reviewapp.ingest.models import GuardrailHit, Output, Pair
from reviewapp.ingest.selectors import named
from reviewapp.ingest.services.landing import copy_rows
from reviewapp.lib.api import BulkAnswer, Strict, check
from reviewapp.lib.bodies import Line
from reviewapp.lib.canonical import canonical_sha256
from reviewapp.lib.errors import DomainError, FieldError, Unprocessable
from reviewapp.lib.ids import new_id
from reviewapp.queues.errors import NothingPublished
from reviewapp.queues.models import Queue
from reviewapp.queues.services import ImportSubject, items_for_import
from reviewapp.rubrics.models import Criterion, RubricVersion
from reviewapp.rubrics.selectors import criteria_of, published_version

CHUNK = 2_000
_REVIEW = (
    "id", "item_id", "reviewer_id", "rubric_version_id", "attempt", "is_imported", "comment", "body_sha256",
    "submitted_at", "event_id",
)  # fmt: skip
_GRADE = ("review_id", "criterion_id", "value")
_PREFERENCE = ("review_id", "criterion_id", "winner", "strength")


class ImportedPreference(Strict):
    """Which side won, as the pair names its sides."""

    winner: Literal["a", "b", "tie", "both_bad"]
    strength: Annotated[int, Field(ge=1, le=3)] | None = None


class ImportedReviewIn(Strict):
    """One review from elsewhere."""

    external_id: Annotated[str, Field(min_length=1)]
    reviewer: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
    grades: dict[str, Any] = {}
    preference: ImportedPreference | None = None
    comment: Annotated[str, Field(max_length=20_000)] = ""
    submitted_at: Annotated[AwareDatetime, Field(strict=False)] | None = None
    attempt: Annotated[int, Field(ge=1, le=1_000)] = 1


@dataclass(frozen=True)
class _Read:
    """A line whose own content is right."""

    line: int
    review: ImportedReviewIn
    checked: Checked
    body: str


@dataclass
class _Import:
    """What holds for the whole import."""

    actor: Actor
    queue: Queue
    version: RubricVersion
    criteria: list[Criterion]
    slots: bool
    answer: BulkAnswer = field(default_factory=BulkAnswer)
    people: dict[str, User | DomainError] = field(default_factory=dict)


def import_reviews(*, actor: Actor, queue: Queue, lines: Iterable[Line], slots: bool = False) -> BulkAnswer:
    """Reviews by people who do not sign in here. Good records land, in chunks; each refused one is reported.

    slots: the names are positions, not people. Raises AccessDenied, and NothingPublished when there is no version to
    check against.
    """
    require(actor, "reviews.import", queue)
    version = published_version(queue.rubric)
    if version is None:
        raise NothingPublished("The rubric of this queue has no published version; publish one first.")
    work = _Import(actor, queue, version, criteria_of(version), slots)
    for chunk in _chunks(lines):
        _import_chunk(work, chunk)
    with transaction.atomic():
        record(
            actor=actor,
            event=Event.REVIEWS_IMPORTED,
            subject=Subject("queue", str(queue.pk), project=queue.project.slug),
            change=Change(
                more={
                    "accepted": work.answer.accepted,
                    "duplicates": work.answer.duplicates,
                    "rejected": work.answer.rejected,
                    "reviewers_are_slots": slots,
                }
            ),
        )
    return work.answer


def _chunks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    waiting = iter(lines)
    while chunk := list(islice(waiting, CHUNK)):
        yield chunk


@transaction.atomic
def _import_chunk(work: _Import, lines: list[Line]) -> None:
    with connection.cursor() as cursor:
        # Two imports at once would both make the account of a name that is new to the project.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"import {work.queue.project_id}"])
    read = [one for line in lines if (one := _read(work, line)) is not None]
    subjects = _subjects(work, read)
    placed = [(one, subjects[one.line]) for one in read if one.line in subjects]
    placed = [(one, subject) for one, subject in placed if _reviewer(work, one) is not None]
    items = items_for_import(queue=work.queue, subjects=[subject for _, subject in placed])
    _write(work, _new_ones(work, [(one, items[subject]) for one, subject in placed]))


def _read(work: _Import, line: Line) -> _Read | None:
    """The line as a checked record; None when it was refused."""
    named = line.value.get("external_id") if isinstance(line.value, dict) else None
    try:
        if line.refusal is not None:
            raise line.refusal
        review = check(line.value, ImportedReviewIn)
        return _Read(line.number, review, _checked(work, review), _body(review))
    except DomainError as error:
        work.answer.reject_all(line.number, error, external_id=named if isinstance(named, str) else None)
        return None


def _checked(work: _Import, review: ImportedReviewIn) -> Checked:
    grades = dict(review.grades)
    if review.preference is not None:
        if grades.get(OVERALL) is not None:
            raise _wrong("/grades/preference", "stands twice; send it as preference only")
        grades[OVERALL] = review.preference.model_dump(exclude_none=True)
    found = checked_grades(work.criteria, grades, is_import=True)
    if not found:
        raise _wrong("/grades", "answers no criterion")
    return split(work.criteria, found)


def _body(review: ImportedReviewIn) -> str:
    body = review.model_dump(mode="json", exclude_none=True, exclude={"external_id", "reviewer", "attempt"})
    body["grades"] = {key: value for key, value in review.grades.items() if value is not None}
    return canonical_sha256(body)


def _subjects(work: _Import, read: list[_Read]) -> dict[int, ImportSubject]:
    """By line: the output, decision or pair that each record names; unknown ones are refused."""
    names = {one.review.external_id for one in read}
    table: type[Pair] | type[Output] = Pair if work.queue.kind == "pairwise" else Output
    known = named(project=work.queue.project, table=table, names=names)
    decisions = _decisions(known.values()) if work.queue.kind == "guardrail" else {}
    found: dict[int, ImportSubject] = {}
    for one in read:
        pk = known.get(one.review.external_id)
        refusal = None
        if pk is None:
            refusal = f"is no {'pair' if table is Pair else 'output'} of this project, or was erased"
        elif work.queue.kind == "guardrail" and len(decisions.get(pk, [])) != 1:
            refusal = f"has {len(decisions.get(pk, []))} guardrail decisions; a review is of exactly one"
        if refusal is not None:
            work.answer.reject(one.line, refusal, external_id=one.review.external_id, pointer="/external_id")
        elif pk is not None:
            hit = decisions[pk][0] if pk in decisions else None
            found[one.line] = ImportSubject(pair_id=pk) if table is Pair else ImportSubject(output_id=pk, hit_id=hit)
    return found


def _decisions(outputs: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    found: dict[UUID, list[UUID]] = {}
    for output_id, pk in GuardrailHit.objects.filter(output__in=list(outputs)).values_list("output_id", "pk"):
        found.setdefault(output_id, []).append(pk)
    return found


def _reviewer(work: _Import, one: _Read) -> User | None:
    """The account behind the name, made at its first use; None when the line was refused."""
    name = one.review.reviewer
    if name not in work.people:
        found = imported_reviewer(actor=work.actor, project=work.queue.project, name=name, is_slot=work.slots)
        as_other = Unprocessable(
            "",
            errors=(FieldError("/reviewer", "is known as a person here" if work.slots else "is known as a slot here"),),
        )
        work.people[name] = found if found.imported_as_slot == work.slots else as_other
    person = work.people[name]
    if isinstance(person, DomainError):
        work.answer.reject_all(one.line, person, external_id=one.review.external_id)
        return None
    return person


@dataclass(frozen=True)
class _New:
    read: _Read
    item_id: UUID
    reviewer: User
    id: UUID = field(default_factory=new_id)


def _new_ones(work: _Import, placed: list[tuple[_Read, UUID]]) -> list[_New]:
    """Those that are not there yet. Equal content is a duplicate, other content a refused line."""
    known = {
        (item, reviewer, attempt): body
        for item, reviewer, attempt, body in Review.objects.filter(
            item__in={item for _, item in placed}, ended_at=None
        ).values_list("item_id", "reviewer_id", "attempt", "body_sha256")
    }
    found = []
    for one, item_id in placed:
        reviewer = work.people[one.review.reviewer]
        if isinstance(reviewer, DomainError):
            continue
        place = (item_id, reviewer.pk, one.review.attempt)
        if place not in known:
            known[place] = one.body
            found.append(_New(one, item_id, reviewer))
        elif known[place] == one.body:
            work.answer.duplicates += 1
        else:
            work.answer.reject(
                one.line,
                "this reviewer answered this item otherwise; send another attempt number for a second review",
                external_id=one.review.external_id,
            )
    return found


def _write(work: _Import, new: list[_New]) -> None:
    events = record_many(actor=work.actor, event=Event.REVIEW_IMPORTED, entries=[_entry(work, one) for one in new])
    copy_rows(Review, _REVIEW, (_row(work, one, event) for one, event in zip(new, events, strict=True)))
    copy_rows(Grade, _GRADE, (row for one in new for row in _grades(one)))
    copy_rows(Preference, _PREFERENCE, (row for one in new for row in _preferences(one)))
    work.answer.accepted += len(new)


def _entry(work: _Import, one: _New) -> tuple[Subject, Change]:
    checked = one.read.checked
    after = {"grades": dict(checked.values), "preferences": dict(checked.preferences)}
    more = {
        "item": str(one.item_id),
        "queue": work.queue.slug,
        "reviewer": str(one.reviewer.pk),
        "attempt": one.read.review.attempt,
    }
    return Subject("review", str(one.id), project=work.queue.project.slug), Change(after=after, more=more)


def _row(work: _Import, one: _New, event: Recorded) -> tuple[str | None, ...]:
    said = one.read.review
    return (
        str(one.id), str(one.item_id), str(one.reviewer.pk), str(work.version.pk), str(said.attempt), "true",
        said.comment, one.read.body, (said.submitted_at or event.at).isoformat(), str(event.id),
    )  # fmt: skip


def _grades(one: _New) -> Iterator[tuple[str | None, ...]]:
    checked = one.read.checked
    for key, value in checked.values.items():
        yield str(one.id), str(checked.criteria[key].pk), json.dumps(value)


def _preferences(one: _New) -> Iterator[tuple[str | None, ...]]:
    checked = one.read.checked
    for key, value in checked.preferences.items():
        strength = value.get("strength")
        yield str(one.id), str(checked.criteria[key].pk), value["winner"], None if strength is None else str(strength)


def _wrong(pointer: str, detail: str) -> Unprocessable:
    return Unprocessable(f"{pointer} {detail}.", errors=(FieldError(pointer, detail),))
