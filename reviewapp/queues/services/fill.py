"""Filling a queue: by its sampling rules, by hand, and for imported reviews."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from django.db import connection, transaction
from pydantic import Field, model_validator

from reviewapp.access.actors import Actor, system_actor
from reviewapp.access.models import User
from reviewapp.access.roles import require, roles_on
from reviewapp.audit.events import Event
from reviewapp.audit.selectors import position
from reviewapp.audit.services import Change, Subject, record
from reviewapp.ingest.filters import Where, outputs_where
from reviewapp.ingest.models import GuardrailHit, Output, Pair
from reviewapp.lib.api import BulkAnswer, Strict
from reviewapp.lib.clock import utc_now
from reviewapp.lib.errors import Conflict, FieldError, Unprocessable
from reviewapp.lib.ids import new_id
from reviewapp.queues.errors import NothingPublished, QueueClosed
from reviewapp.queues.models import GoldAnswer, Queue, QueueItem, Seat
from reviewapp.queues.services.seats import place_seats
from reviewapp.rubrics.answers import check_answers
from reviewapp.rubrics.selectors import criteria_of, published_version

CHUNK = 2_000

# The queue's own rules only, and the largest of their rates: a Selection says that a rule matched, the output's uniform
# number against that rate says whether it chose. Guardrail queues ask per decision: a rule about guardrails that acted
# chooses those decisions, any other rule all decisions of the output, so that passed ones have a probability too.
_CHOSEN = """
WITH changed AS (
    SELECT DISTINCT s.output_id
    FROM reviewapp_selection s
    JOIN reviewapp_queue_rules r ON r.samplingrule_id = s.rule_id AND r.queue_id = %(queue)s
    WHERE s.event_id IN (SELECT l.event_id FROM audit.leaf l WHERE l.idx > %(pulled)s
                         UNION ALL SELECT p.event_id FROM audit.pending p)
), best AS (
    SELECT DISTINCT ON (s.output_id, h.id) s.output_id, h.id AS hit_id, h.action, s.rate, rule.slug, rule."where"
    FROM changed
    JOIN reviewapp_selection s ON s.output_id = changed.output_id
    JOIN reviewapp_queue_rules r ON r.samplingrule_id = s.rule_id AND r.queue_id = %(queue)s
    JOIN reviewapp_samplingrule rule ON rule.id = s.rule_id
    LEFT JOIN reviewapp_guardrailhit h ON %(by_hit)s AND h.output_id = s.output_id
        AND (rule."where" ->> 'guardrail' IS NULL
             OR (h.action <> 'passed' AND rule."where" ->> 'guardrail' IN ('any', h.name)))
    WHERE (h.id IS NOT NULL) = %(by_hit)s
    ORDER BY s.output_id, h.id, s.rate DESC, rule.slug
)
SELECT b.output_id, b.hit_id, b.rate * coalesce(o.sampling_rate, 1), b.action, b.slug, b."where" ->> 'guardrail',
       b."where" ->> 'signal', i.id, i.source, i.inclusion_probability
FROM best b
JOIN reviewapp_output o ON o.id = b.output_id
LEFT JOIN reviewapp_queueitem i ON i.queue_id = %(queue)s AND i.output_id = b.output_id
    AND i.hit_id IS NOT DISTINCT FROM b.hit_id
WHERE o.sampling_unit < b.rate AND o.text_dropped_at IS NULL
ORDER BY o.occurred_at, o.id
"""


class EnqueueIn(Strict):
    """What to enqueue by hand, and how."""

    external_ids: Annotated[list[str], Field(max_length=100_000)] | None = None
    where: Where | None = None
    limit: Annotated[int, Field(ge=1, le=100_000)] = 1000
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    assigned_to: str | None = None
    guardrail: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    gold: Annotated[dict[str, Any], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> EnqueueIn:
        if (self.external_ids is None) == (self.where is None):
            raise ValueError("needs either external_ids or where")
        return self


@dataclass(frozen=True)
class ImportSubject:
    """What an imported review is about: an output, one decision on it, or a pair."""

    output_id: UUID | None = None
    pair_id: UUID | None = None
    hit_id: UUID | None = None


@dataclass(frozen=True)
class _New:
    """An item to add; `line` is the record that asked for it."""

    subject: ImportSubject
    reason: str
    probability: float | None = None
    line: int = 0


def _locked(queue: Queue, *, skip_locked: bool = False) -> Queue | None:
    # One writer adds items at a time, so no unique constraint is hit half-way through a bulk insert. Leases refer to
    # the row with a weaker lock and do not wait.
    return Queue.objects.select_for_update(no_key=True, skip_locked=skip_locked).filter(pk=queue.pk).first()


@transaction.atomic
def pull_selections(*, queue: Queue) -> int:
    """Make items of the outputs that the queue's rules selected since the last pull; how many.

    Safe to repeat and to run twice at once. A selection is new when its event has a leaf above `pulled_leaf`, or none
    yet. A rule that matches later with a larger rate raises the item's probability.
    """
    if queue.kind == "pairwise" or queue.closed_at is not None or not queue.rules.exists():
        return 0
    locked = _locked(queue, skip_locked=True)
    if locked is None:
        return 0
    reached = position().leaf_index  # read first: what the next statement sees contains every leaf up to here
    rows = _chosen(locked)
    new = [
        _New(ImportSubject(output_id=row.output_id, hit_id=row.hit_id), row.reason, probability=row.probability)
        for row in rows
        if row.item_id is None
    ]
    _add(locked, new, source="rule")
    raised = [row for row in rows if row.is_raised]
    for row in raised:
        QueueItem.objects.filter(queue=queue, output=row.output_id, hit=row.hit_id).update(
            inclusion_probability=row.probability
        )
    if reached > locked.pulled_leaf:
        Queue.objects.filter(pk=queue.pk).update(pulled_leaf=reached)
    if new or raised:
        _record(
            system_actor("queues"), locked, {"source": "rule", "items": len(new), "probabilities_raised": len(raised)}
        )
    return len(new)


def pull_all() -> int:
    """Pull for every open queue that has rules; how many items came."""
    open_queues = Queue.objects.filter(closed_at=None).exclude(kind="pairwise").filter(rules__isnull=False).distinct()
    return sum(pull_selections(queue=queue) for queue in open_queues)


@dataclass(frozen=True)
class _Chosen:
    output_id: UUID
    hit_id: UUID | None
    probability: float
    action: str | None
    rule: str
    guardrail: str | None
    signal: str | None
    item_id: UUID | None
    source: str | None
    known_probability: float | None

    @property
    def is_raised(self) -> bool:
        return self.source == "rule" and self.probability > (self.known_probability or 0)

    @property
    def reason(self) -> str:
        """Why the item is here, for managers; reviewers of a blind queue never see it."""
        if self.hit_id is not None:
            return "guardrail passed" if self.action == "passed" else "guardrail hit"
        if self.guardrail:
            return "guardrail hit"
        return f"signal {self.signal}" if self.signal else f"sampled by {self.rule}"


def _chosen(queue: Queue) -> list[_Chosen]:
    with connection.cursor() as cursor:
        cursor.execute(_CHOSEN, {"queue": queue.pk, "pulled": queue.pulled_leaf, "by_hit": queue.kind == "guardrail"})
        return [_Chosen(*row) for row in cursor.fetchall()]


@transaction.atomic
def enqueue(*, actor: Actor, queue: Queue, body: EnqueueIn) -> BulkAnswer:
    """Add items by hand: by external id, or the newest outputs that match a filter. They have no probability.

    Raises AccessDenied, QueueClosed, Unprocessable for a person who does not review here or a wrong gold answer.
    """
    require(actor, "queues.enqueue", queue)
    if queue.closed_at is not None:
        raise QueueClosed("This queue is closed; nothing is added to it.")
    person = _assignee(queue, body.assigned_to)
    gold = _gold(queue, body.gold)
    answer = BulkAnswer()
    wanted = _wanted(queue, body, answer)
    locked = _locked(queue) or queue
    new = _unknown(locked, wanted, answer)
    items = _add(
        locked,
        new,
        source="gold" if gold else "manual",
        priority=body.priority,
        assigned_to=person.pk if person else None,
    )
    if gold:
        GoldAnswer.objects.bulk_create(
            [GoldAnswer(item=item, key=key, value=value) for item in items for key, value in gold.items()]
        )
    answer.accepted += len(new)
    if new:
        _record(
            actor,
            locked,
            {
                "source": "manual",
                "items": len(new),
                **body.model_dump(mode="json", exclude={"external_ids", "gold"}, exclude_none=True),
            },
        )
    return answer


def _wrong(pointer: str, detail: str) -> Unprocessable:
    return Unprocessable(f"{pointer} {detail}", errors=(FieldError(pointer, detail),))


def _assignee(queue: Queue, username: str | None) -> User | None:
    if username is None:
        return None
    person = User.objects.filter(username=username, is_active=True).first()
    if person is None or "reviewer" not in roles_on(person, queue):
        raise _wrong("/assigned_to", "must be the username of somebody who reviews this queue")
    return person


def _gold(queue: Queue, gold: dict[str, Any] | None) -> dict[str, Any] | None:
    if gold is None:
        return None
    version = published_version(queue.rubric)
    if version is None:
        raise NothingPublished(
            "The rubric of this queue has no published version, so a known answer cannot be checked."
        )
    try:
        return check_answers(criteria_of(version), gold, is_import=True)
    except Unprocessable as error:
        moved = tuple(FieldError(part.pointer.replace("/grades", "/gold", 1), part.detail) for part in error.errors)
        raise Unprocessable(error.detail.replace("/grades", "/gold", 1), errors=moved) from error


def _wanted(queue: Queue, body: EnqueueIn, answer: BulkAnswer) -> list[_New]:
    """What the body names, in its order; unknown ids are refused line by line."""
    if queue.kind == "pairwise":
        if body.external_ids is None:
            raise _wrong("/where", "selects outputs; a pairwise queue takes the external_ids of pairs")
        return _named_pairs(queue, body.external_ids, answer)
    if body.guardrail is not None and queue.kind != "guardrail":
        raise _wrong("/guardrail", "is for guardrail queues")
    if body.external_ids is None:
        chosen = outputs_where(queue.project, body.where).filter(text_dropped_at=None)  # type: ignore[arg-type] # EnqueueIn has one of the two
        ids = list(chosen.order_by("-occurred_at", "-pk").values_list("pk", flat=True)[: body.limit])
        named = [(line, pk) for line, pk in enumerate(ids, start=1)]
    else:
        named = _named_outputs(queue, body.external_ids, answer)
    if queue.kind == "guardrail":
        return _decisions(named, body, answer)
    return [_New(ImportSubject(output_id=pk), "added by hand", line=line) for line, pk in named]


def _named_pairs(queue: Queue, names: Sequence[str], answer: BulkAnswer) -> list[_New]:
    known = dict(Pair.objects.filter(project=queue.project, external_id__in=names).values_list("external_id", "pk"))
    found = []
    for line, name in enumerate(names, start=1):
        if name in known:
            found.append(_New(ImportSubject(pair_id=known[name]), "added by hand", line=line))
        else:
            answer.reject(line, "is no pair of this project", external_id=name, pointer=f"/external_ids/{line - 1}")
    return found


def _named_outputs(queue: Queue, names: Sequence[str], answer: BulkAnswer) -> list[tuple[int, UUID]]:
    rows = Output.objects.filter(project=queue.project, external_id__in=names).values_list(
        "external_id", "pk", "text_dropped_at"
    )
    known = {name: (pk, dropped) for name, pk, dropped in rows}
    found = []
    for line, name in enumerate(names, start=1):
        pk, dropped = known.get(name, (None, None))
        if pk is None or dropped is not None:
            why = "is no output of this project" if pk is None else "has no text any more: retention dropped it"
            answer.reject(line, why, external_id=name, pointer=f"/external_ids/{line - 1}")
        else:
            found.append((line, pk))
    return found


def _decisions(named: list[tuple[int, UUID]], body: EnqueueIn, answer: BulkAnswer) -> list[_New]:
    hits = GuardrailHit.objects.filter(output__in=[pk for _, pk in named]).order_by("position")
    if body.guardrail is not None:
        hits = hits.filter(name=body.guardrail)
    by_output: dict[UUID, list[UUID]] = {}
    for output_id, pk in hits.values_list("output_id", "pk"):
        by_output.setdefault(output_id, []).append(pk)
    found = []
    for line, output_id in named:
        if output_id not in by_output and body.external_ids is not None:
            name = body.external_ids[line - 1]
            answer.reject(line, "has no such guardrail decision", external_id=name, pointer=f"/external_ids/{line - 1}")
        found += [
            _New(ImportSubject(output_id=output_id, hit_id=pk), "added by hand", line=line)
            for pk in by_output.get(output_id, [])
        ]
    return found


def _unknown(queue: Queue, wanted: list[_New], answer: BulkAnswer) -> list[_New]:
    """Those that the queue does not hold yet, once each; the others are counted as duplicates."""
    seen = set(_known_items(queue, [new.subject for new in wanted]))
    found = []
    for new in wanted:
        if new.subject in seen:
            answer.duplicates += 1
        else:
            seen.add(new.subject)
            found.append(new)
    return found


def _known_items(queue: Queue, subjects: Iterable[ImportSubject]) -> dict[ImportSubject, UUID]:
    outputs, pairs = set(), set()
    for subject in subjects:
        outputs.add(subject.output_id)
        pairs.add(subject.pair_id)
    rows = QueueItem.objects.filter(queue=queue)
    rows = (
        rows.filter(pair__in=pairs - {None}) if queue.kind == "pairwise" else rows.filter(output__in=outputs - {None})
    )
    return {
        ImportSubject(output_id, pair_id, hit_id): pk
        for output_id, pair_id, hit_id, pk in rows.values_list("output_id", "pair_id", "hit_id", "pk")
    }


def _add(
    queue: Queue,
    new: Sequence[_New],
    *,
    source: str,
    priority: int = 0,
    assigned_to: UUID | None = None,
    is_seated: bool = True,
) -> list[QueueItem]:
    """Insert items and their place seats. Gold and imported items get none. The caller holds the queue's row."""
    now = utc_now()
    items = [
        QueueItem(
            id=new_id(), queue=queue, source=source, reason=one.reason, priority=priority, assigned_to_id=assigned_to,
            inclusion_probability=one.probability, output_id=one.subject.output_id, pair_id=one.subject.pair_id,
            hit_id=one.subject.hit_id,
        )
        for one in new
    ]  # fmt: skip
    QueueItem.objects.bulk_create(items, batch_size=CHUNK)
    if is_seated and source != "gold":
        # A microsecond apart, so that items of one call keep the order of the call.
        seats = [
            seat
            for place, item in enumerate(items)
            for seat in place_seats(queue=queue, item=item, created_at=now + timedelta(microseconds=place))
        ]
        Seat.objects.bulk_create(seats, batch_size=CHUNK)
    return items


def items_for_import(*, queue: Queue, subjects: Iterable[ImportSubject]) -> dict[ImportSubject, UUID]:
    """The items of what imported reviews are about, inside the caller's transaction.

    What is not in the queue yet becomes an item without seats and without probability.
    """
    wanted = list(dict.fromkeys(subjects))
    locked = _locked(queue) or queue
    known = _known_items(locked, wanted)
    missing = [_New(subject, "imported review") for subject in wanted if subject not in known]
    for item in _add(locked, missing, source="import", is_seated=False):
        known[ImportSubject(item.output_id, item.pair_id, item.hit_id)] = item.pk
    return known


@transaction.atomic
def item_for_import(*, queue: Queue, output: Output | None = None, pair: Pair | None = None) -> QueueItem:
    """The item of one output or pair, made without seats and probability when it is not there."""
    if (output is None) == (pair is None) or (pair is None) == (queue.kind == "pairwise"):
        raise Conflict("A pairwise queue holds pairs, the others outputs.")
    subject = ImportSubject(output.pk if output else None, pair.pk if pair else None)
    return QueueItem.objects.get(pk=items_for_import(queue=queue, subjects=[subject])[subject])


def _record(actor: Actor, queue: Queue, what: dict[str, Any]) -> None:
    record(
        actor=actor,
        event=Event.ITEMS_ENQUEUED,
        subject=Subject("queue", str(queue.pk), project=queue.project.slug),
        change=Change(after=what),
    )
