"""Filling a queue with what its sampling rules selected."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from reviewapp.access.actors import system_actor
from reviewapp.audit.selectors import position
from reviewapp.queues.models import Queue, QueueItem
from reviewapp.queues.services.items import ImportSubject, NewItem, add_items, locked, record_items

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


@transaction.atomic
def pull_selections(*, queue: Queue) -> int:
    """Make items of the outputs that the queue's rules selected since the last pull; how many.

    Safe to repeat and to run twice at once. A selection is new when its event has a leaf above `pulled_leaf`, or none
    yet. A rule that matches later with a larger rate raises the item's probability.
    """
    if queue.kind == "pairwise" or queue.closed_at is not None or not queue.rules.exists():
        return 0
    held = locked(queue, skip_locked=True)
    if held is None:
        return 0
    reached = position().leaf_index  # read first: what the next statement sees contains every leaf up to here
    rows = _chosen(held)
    new = [
        NewItem(ImportSubject(output_id=row.output_id, hit_id=row.hit_id), row.reason, probability=row.probability)
        for row in rows
        if row.item_id is None
    ]
    add_items(held, new, source="rule")
    raised = [row for row in rows if row.is_raised]
    for row in raised:
        QueueItem.objects.filter(queue=queue, output=row.output_id, hit=row.hit_id).update(
            inclusion_probability=row.probability
        )
    if reached > held.pulled_leaf:
        Queue.objects.filter(pk=queue.pk).update(pulled_leaf=reached)
    if new or raised:
        record_items(
            system_actor("queues"), held, {"source": "rule", "items": len(new), "probabilities_raised": len(raised)}
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
