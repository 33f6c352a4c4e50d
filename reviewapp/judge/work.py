"""A run's items: claim some, answer them, store each, until none is left. Safe to repeat and to kill at any point.

One worker at a time works on a run (an advisory lock that ends with its connection). A claim is fenced by the
database's clock: when its worker died, the item waits until `claimed_until` and is claimed again. Verdicts are unique,
and an item is finished in the transaction that stores them, so a repeat has one effect.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Now

from reviewapp.access.actors import system_actor
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, record
from reviewapp.audit.services import Subject as Logged
from reviewapp.ingest.models import Output
from reviewapp.ingest.services import record_facts
from reviewapp.judge.answering import Answerer, CannotAnswer, answerer_of
from reviewapp.judge.drafts import Answered, Draft, Subject
from reviewapp.judge.imports import confidence_facts, content_sha256
from reviewapp.judge.models import JudgeRun, RunItem, Verdict

WORKER = system_actor("judge-worker")
OPEN_STATES = ("waiting", "running")
MAX_TRIES = 3  # of a failure that may pass
MAX_CLAIMS = 8  # a subject that kills its worker this often is given up
LONGEST_WAIT = 600.0
WORK_SECONDS = 300.0


def runs_with_work() -> list[UUID]:
    """Open runs in which something can be claimed now, or that only wait to be finished."""
    claimable = RunItem.objects.filter(_claimable(), finished_at=None).values("run")
    waiting = RunItem.objects.filter(finished_at=None).values("run")
    rows = JudgeRun.objects.filter(state__in=OPEN_STATES).filter(Q(pk__in=claimable) | ~Q(pk__in=waiting))
    return list(rows.order_by("created_at").values_list("pk", flat=True))


def work_on(run_id: UUID) -> None:
    """Answer what waits in the run, for five minutes at most; the sweep comes back for the rest."""
    run = JudgeRun.objects.select_related("version__judge__project", "version__rubric_version").get(pk=run_id)
    with _alone(run_id) as is_mine:
        if not is_mine or not _is_open(run_id):
            return
        JudgeRun.objects.filter(pk=run_id, state="waiting").update(state="running")
        try:
            with answerer_of(run.version) as answerer:
                _work(run, answerer)
        except CannotAnswer as error:
            _end(run, "failed", error=str(error))


def _work(run: JudgeRun, answerer: Answerer) -> None:
    until = time.monotonic() + WORK_SECONDS
    while time.monotonic() < until and _is_open(run.pk):
        claims = _claim(run, answerer)
        if not claims:
            break
        fatal = None
        for claim, answered in _answers(claims, answerer):
            fatal = fatal or answered.fatal
            if answered.fatal is None:
                _store(run, claim, answered)
        if fatal is not None:
            _end(run, "failed", error=fatal)
            return
    if not RunItem.objects.filter(run=run, finished_at=None).exists():
        _end(run, "done")


@contextmanager
def _alone(run_id: UUID) -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [f"judge run {run_id}"])
        is_mine = bool(cursor.fetchone()[0])
    try:
        yield is_mine
    finally:
        if is_mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [f"judge run {run_id}"])


def _claimable() -> Q:
    return Q(claimed_until=None) | Q(claimed_until__lt=Now())


def _is_open(run_id: UUID) -> bool:
    return JudgeRun.objects.filter(pk=run_id, state__in=OPEN_STATES).exists()


@dataclass(frozen=True)
class Claim:
    """An item for this worker, its subject, and the dollars that it was charged with beforehand."""

    item: RunItem
    subject: Subject
    bound: Decimal


def _claim(run: JudgeRun, answerer: Answerer) -> list[Claim]:
    """Some items for this worker, each charged with the most that it can cost. Ends the run when nothing fits."""
    with transaction.atomic():
        rows = (
            RunItem.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("output", "pair__a", "pair__b")
            .filter(_claimable(), run=run, finished_at=None)
            .order_by("id")[: answerer.batch]
        )
        found = list(rows)
        claims = _affordable(run, found, answerer)
        for claim in claims:
            # Added to what earlier tries of this item cost, or may have cost when their worker died.
            RunItem.objects.filter(pk=claim.item.pk).update(
                attempts=claim.item.attempts + 1,
                cost_usd=F("cost_usd") + claim.bound,
                claimed_until=Now() + timedelta(seconds=answerer.claim_seconds),
            )
    if found and not claims and not _in_flight(run).exists():
        _end(run, "failed", error="over_budget: the next call could pass the budget of this judge version")
    return claims


def _affordable(run: JudgeRun, items: list[RunItem], answerer: Answerer) -> list[Claim]:
    budget = run.version.budget_usd
    spent = RunItem.objects.filter(run=run).aggregate(spent=Sum("cost_usd"))["spent"] or Decimal(0)
    claims = []
    for item in items:
        subject = item.output or item.pair
        if subject is None:
            raise RuntimeError("a run item is an output or a pair")
        bound = answerer.most_it_can_cost(subject)
        if budget is not None and spent + bound > budget:
            break
        spent += bound
        claims.append(Claim(item, subject, bound))
    return claims


def _in_flight(run: JudgeRun) -> QuerySet[RunItem]:
    return RunItem.objects.filter(run=run, finished_at=None, claimed_until__gte=Now())


def _answers(claims: list[Claim], answerer: Answerer) -> Iterator[tuple[Claim, Answered]]:
    fresh = []
    for claim in claims:
        if claim.item.attempts >= MAX_CLAIMS:
            yield claim, Answered()
        else:
            fresh.append(claim)
    subjects = [claim.subject for claim in fresh]
    if not answerer.is_threaded:
        yield from zip(fresh, map(answerer.answer, subjects), strict=True)
        return
    with ThreadPoolExecutor(max_workers=answerer.batch, thread_name_prefix="judge") as pool:
        yield from zip(fresh, pool.map(answerer.answer, subjects), strict=True)


@transaction.atomic
def _store(run: JudgeRun, claim: Claim, answered: Answered) -> None:
    """The verdicts on one subject, with their event; or the item back into the line when waiting may help."""
    item = RunItem.objects.select_for_update().get(pk=claim.item.pk)
    if item.finished_at is not None:
        return
    cost = F("cost_usd") - claim.bound + answered.cost_usd
    row = RunItem.objects.filter(pk=item.pk)
    if answered.may_pass and item.attempts < MAX_TRIES:
        wait = min(LONGEST_WAIT, max(answered.retry_after or 0.0, 2.0**item.attempts))
        row.update(cost_usd=cost, claimed_until=Now() + timedelta(seconds=wait))
        return
    stored = _store_verdicts(run, claim, answered.drafts or _given_up(run))
    row.update(cost_usd=cost, finished_at=Now())
    errors = [verdict.error for verdict in stored if verdict.error]
    named = claim.subject
    record(
        actor=WORKER,
        event=Event.VERDICTS_RECORDED,
        subject=Logged("judge_version", str(run.version_id), project=run.version.judge.project.slug),
        change=Change(
            after={"external_id": named.external_id, "verdicts": len(stored), "errors": errors},
            more={"judge": run.version.judge.slug, "run": str(run.pk)},
        ),
    )


def _given_up(run: JudgeRun) -> list[Draft]:
    criteria = run.version.rubric_version.criteria.filter(key__in=run.version.criteria)
    return [Draft(one, error="unavailable", rationale="Every worker that took it ended.") for one in criteria]


def _store_verdicts(run: JudgeRun, claim: Claim, drafts: list[Draft]) -> list[Verdict]:
    """New rows. What an earlier run has a value for is left as it is."""
    on = {"output": claim.subject} if isinstance(claim.subject, Output) else {"pair": claim.subject}
    earlier = Verdict.objects.filter(version=run.version, error=None, **on)
    known = set(earlier.values_list("criterion_id", "order"))
    rows = [_row(run, draft, on) for draft in drafts if (draft.criterion.pk, draft.order) not in known]
    Verdict.objects.bulk_create(rows, ignore_conflicts=True)
    judge = run.version.judge
    record_facts(project=judge.project, facts=confidence_facts(judge, rows))
    return rows


def _row(run: JudgeRun, draft: Draft, on: dict[str, Any]) -> Verdict:
    return Verdict(
        version=run.version,
        criterion=draft.criterion,
        order=draft.order,
        value=draft.value,
        preference=draft.preference,
        confidence=draft.confidence,
        rationale=draft.rationale,
        cost_usd=draft.cost_usd,
        error=draft.error,
        raw=draft.raw,
        content_sha256=content_sha256(
            value=draft.value,
            preference=draft.preference,
            order=draft.order,
            confidence=draft.confidence,
            rationale=draft.rationale,
            cost_usd=None if draft.cost_usd is None else float(draft.cost_usd),
            error=draft.error,
        ),
        run=run,
        **on,
    )


@transaction.atomic
def _end(run: JudgeRun, state: str, *, error: str = "") -> None:
    """The run's last word, once."""
    rows = JudgeRun.objects.filter(pk=run.pk, state__in=OPEN_STATES)
    if rows.update(state=state, error=error, finished_at=Now()):
        record(
            actor=WORKER,
            event=Event.RUN_FINISHED,
            subject=Logged("judge_run", str(run.pk), project=run.version.judge.project.slug),
            change=Change(after={"state": state, "error": error, "judge": run.version.judge.slug}),
        )
