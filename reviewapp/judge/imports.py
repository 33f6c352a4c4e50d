"""Verdicts from elsewhere: NDJSON in, rows in bulk, one event a call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db import transaction
from pydantic import Field

from reviewapp.access.actors import Actor
from reviewapp.access.roles import require
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.ingest.models import Output, Pair
from reviewapp.ingest.selectors import named
from reviewapp.ingest.services import record_facts
from reviewapp.ingest.services.landing import refresh_statistics
from reviewapp.judge.models import Judge, JudgeVersion, Verdict
from reviewapp.lib.api import BulkAnswer, Strict, check
from reviewapp.lib.bodies import Line
from reviewapp.lib.canonical import canonical_sha256
from reviewapp.lib.errors import Conflict, DomainError, FieldError, Unprocessable
from reviewapp.rubrics.answers import check_verdict_value
from reviewapp.rubrics.models import Criterion

CHUNK = 2_000
_Key = tuple[UUID, UUID, str | None]


class VerdictIn(Strict):
    """One verdict of an imported judge. `value` and `preference` are null exactly when `error` is set."""

    external_id: Annotated[str, Field(min_length=1, max_length=1_000)]
    criterion: Annotated[str, Field(min_length=1, max_length=200)]
    value: Any = None
    preference: Literal["a", "b", "tie", "both_bad"] | None = None
    order: Literal["ab", "ba"] | None = None
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    rationale: Annotated[str, Field(max_length=20_000)] | None = None
    cost_usd: Annotated[float, Field(ge=0, le=100_000)] | None = None
    error: Literal["refused", "timeout", "malformed"] | None = None


@dataclass(frozen=True)
class _Read:
    """A line whose fields are right for its criterion."""

    line: int
    verdict: VerdictIn
    criterion: Criterion
    value: Any


def content_sha256(
    *,
    value: Any,
    preference: str | None,
    order: str | None,
    confidence: float | None,
    rationale: str | None,
    cost_usd: float | None,
    error: str | None,
) -> str:
    """What makes two verdicts on the same question the same."""
    return canonical_sha256([value, preference, order, confidence, rationale or "", cost_usd, error])


@transaction.atomic
def import_verdicts(*, actor: Actor, judge: Judge, lines: Iterable[Line]) -> BulkAnswer:
    """Store what is right, say by line what is not.

    The same verdict again is a duplicate, another one on the same question is rejected. In a rubric with a preference
    an `external_id` names a pair, elsewhere an output. Raises Conflict for a judge that is not of kind imported.
    """
    require(actor, "verdicts.import", judge.project)
    if judge.kind != "imported":
        raise Conflict(f"The judge {judge.slug} is of kind {judge.kind}; only an imported judge takes verdicts.")
    # The lock keeps two imports from both finding a verdict absent.
    version = JudgeVersion.objects.select_for_update(of=("self",)).filter(judge=judge).latest("number")
    criteria = {criterion.key: criterion for criterion in version.rubric_version.criteria.all()}
    answer = BulkAnswer()
    numbered = iter(lines)
    while chunk := list(islice(numbered, CHUNK)):
        _import_chunk(version, list(_read(chunk, version, criteria, answer)), answer)
    record(
        actor=actor,
        event=Event.VERDICTS_IMPORTED,
        subject=Subject("judge_version", str(version.pk), project=judge.project.slug),
        change=Change(
            after={"judge": judge.slug, "accepted": answer.accepted, "duplicates": answer.duplicates,
                   "rejected": answer.rejected},
        ),
    )  # fmt: skip
    return answer


def _read(
    chunk: list[Line], version: JudgeVersion, criteria: dict[str, Criterion], answer: BulkAnswer
) -> Iterator[_Read]:
    allowed = set(version.criteria)
    for line in chunk:
        external_id = line.value.get("external_id") if isinstance(line.value, dict) else None
        external_id = external_id if isinstance(external_id, str) else None
        try:
            if line.refusal is not None:
                raise line.refusal
            verdict = check(line.value, VerdictIn)
            if verdict.criterion not in allowed:
                raise _wrong("/criterion", f"is not a criterion of this judge; it answers {', '.join(allowed)}")
            criterion = criteria[verdict.criterion]
            yield _Read(line.number, verdict, criterion, _checked_value(criterion, verdict))
        except DomainError as error:
            answer.reject_all(line.number, error, external_id=external_id)


def _checked_value(criterion: Criterion, verdict: VerdictIn) -> Any:
    is_preference = criterion.kind == "preference"
    if verdict.error is not None:
        if verdict.value is not None or verdict.preference is not None:
            raise _wrong("/error", "stands alone: a verdict with an error has neither value nor preference")
        return None
    if is_preference != (verdict.preference is not None) or is_preference != (verdict.value is None):
        needed = "preference" if is_preference else "value"
        raise _wrong(
            f"/{needed}", f"is required for this criterion, and {'value' if is_preference else 'preference'} not"
        )
    if is_preference:
        return None
    try:
        return check_verdict_value(criterion, verdict.value)
    except Unprocessable as error:
        first = error.errors[0] if error.errors else FieldError("", error.detail)
        raise _wrong(f"/value{first.pointer}", first.detail) from error


def _import_chunk(version: JudgeVersion, read: list[_Read], answer: BulkAnswer) -> None:
    is_pairwise = version.rubric_version.criteria.filter(kind="preference").exists()
    table: type[Output] | type[Pair] = Pair if is_pairwise else Output
    names = {entry.verdict.external_id for entry in read}
    ids = named(project=version.judge.project, table=table, names=names)
    on = "pair_id" if is_pairwise else "output_id"
    known = _known(version, on, set(ids.values()))
    made: list[Verdict] = []
    for entry in read:
        subject = ids.get(entry.verdict.external_id)
        if subject is None or (entry.verdict.order is not None and not is_pairwise):
            pointer, detail = (
                "/external_id",
                f"is no {'pair' if is_pairwise else 'output'} of this project, or was erased",
            )
            if subject is not None:
                pointer, detail = "/order", "belongs to verdicts on pairs"
            answer.reject(entry.line, detail, external_id=entry.verdict.external_id, pointer=pointer)
            continue
        row = _row(version, entry, {on: subject})
        key = (entry.criterion.pk, subject, entry.verdict.order)
        if key not in known:
            known[key] = row.content_sha256
            made.append(row)
            answer.accepted += 1
        elif known[key] == row.content_sha256:
            answer.duplicates += 1
        else:
            detail = "has another verdict on this criterion already; nothing is overwritten"
            answer.reject(entry.line, detail, external_id=entry.verdict.external_id, pointer="/external_id")
    Verdict.objects.bulk_create(made)
    refresh_statistics(Verdict)
    record_facts(project=version.judge.project, facts=confidence_facts(version.judge, made))


def confidence_facts(judge: Judge, verdicts: Iterable[Verdict]) -> dict[tuple[UUID, str], float]:
    """What sampling rules may know of verdicts: the confidence per output and criterion."""
    return {
        (verdict.output_id, f"judge/{judge.slug}/{verdict.criterion.key}/confidence"): verdict.confidence
        for verdict in verdicts
        if verdict.output_id is not None and verdict.confidence is not None
    }


def _known(version: JudgeVersion, on: str, subjects: set[UUID]) -> dict[_Key, str]:
    rows = Verdict.objects.filter(version=version, **{f"{on}__in": subjects})
    return {
        (criterion, subject, order): sha
        for criterion, subject, order, sha in rows.values_list("criterion_id", on, "order", "content_sha256")
    }


def _row(version: JudgeVersion, entry: _Read, on: dict[str, UUID]) -> Verdict:
    verdict = entry.verdict
    return Verdict(
        version=version,
        criterion=entry.criterion,
        order=verdict.order,
        value=entry.value,
        preference=verdict.preference,
        confidence=verdict.confidence,
        rationale=verdict.rationale or "",
        cost_usd=verdict.cost_usd,
        error=verdict.error,
        content_sha256=content_sha256(
            value=entry.value,
            preference=verdict.preference,
            order=verdict.order,
            confidence=verdict.confidence,
            rationale=verdict.rationale,
            cost_usd=verdict.cost_usd,
            error=verdict.error,
        ),
        is_imported=True,
        **on,
    )


def _wrong(pointer: str, detail: str) -> Unprocessable:
    return Unprocessable(f"{pointer} {detail}.", errors=(FieldError(pointer, detail),))
