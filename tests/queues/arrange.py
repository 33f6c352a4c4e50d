"""Outputs, rubrics and queues for the tests of queues and grading."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from reviewapp.access.actors import SYSTEM
from reviewapp.audit.events import Event
from reviewapp.audit.services import Subject, record
from reviewapp.ingest.models import Configuration, GuardrailHit, Output, Pair, SamplingRule, Selection
from reviewapp.lib.clock import utc_now
from reviewapp.queues.models import Queue
from reviewapp.queues.services import QueueIn, create_queue
from reviewapp.rubrics.models import Rubric
from reviewapp.rubrics.records import RubricIn
from reviewapp.rubrics.services import publish, save_draft
from tests.conftest import arranging

MODEL = "zebra-omega-70b"
PROMPT = "kestrel-prompt"
QUALITY = [
    {"key": "correct", "kind": "binary", "title": "Is it correct?"},
    {
        "key": "tone",
        "kind": "ordinal",
        "title": "How is the tone?",
        "levels": [{"value": value, "label": str(value)} for value in (1, 2, 3)],
    },
    {"key": "notes", "kind": "text", "title": "Notes", "required": False},
]
PREFERENCE = [{"key": "preference", "kind": "preference", "title": "Which answer is better?"}]
SHOULD_FIRE = [{"key": "should_fire", "kind": "binary", "title": "Should it have fired?"}]
CRITERIA = {"grade": QUALITY, "pairwise": PREFERENCE, "guardrail": SHOULD_FIRE}
GOOD = {"grades": {"correct": True, "tone": 3}}


def make_rubric(project: Any, *, slug: str = "quality", criteria: list[dict[str, Any]] | None = None) -> Rubric:
    """A published rubric."""
    body = RubricIn.model_validate({"slug": slug, "title": slug.title(), "criteria": criteria or QUALITY})
    save_draft(actor=SYSTEM, project=project, rubric=body)
    rubric = Rubric.objects.get(project=project, slug=slug)
    publish(actor=SYSTEM, rubric=rubric)
    return rubric


def make_queue(cast: Any, *, kind: str = "grade", slug: str | None = None, **options: Any) -> Queue:
    """A queue with its published rubric; Rita, Rob and Rosa review it, Ivy adjudicates."""
    slug = slug or f"{kind}-queue"
    rubric = make_rubric(cast.project, slug=f"{slug}-rubric", criteria=CRITERIA[kind])
    body = QueueIn.model_validate({"slug": slug, "title": slug.title(), "kind": kind, "rubric": rubric.slug, **options})
    queue = create_queue(actor=cast.max, project=cast.project, queue=body)
    cast.reviewers(queue)
    return queue


@arranging()
def make_outputs(project: Any, count: int = 1, *, prefix: str = "out", **values: Any) -> list[Output]:
    """Outputs `<prefix>-0`, `<prefix>-1`, … of one configuration, a minute apart."""
    document = {"model": MODEL, "prompt_name": PROMPT, "prompt_version": "7"}
    configuration, _ = Configuration.objects.get_or_create(
        project=project,
        fingerprint="f" * 64,
        defaults={"document": document, "model": MODEL, "prompt_name": PROMPT, "prompt_version": "7"},
    )
    began = datetime(2026, 11, 20, 10, tzinfo=UTC)
    rows = [
        Output(
            project=project,
            external_id=f"{prefix}-{number}",
            configuration=configuration,
            content_sha256="0" * 64,
            input_sha256="1" * 64,
            **{
                "input": "Where is my parcel?",
                "output": f"Answer {number}.",
                "occurred_at": began + timedelta(minutes=number),
                "received_at": utc_now(),
                "sampling_unit": 0.5,
                **values,
            },
        )
        for number in range(count)
    ]
    return Output.objects.bulk_create(rows)


@arranging()
def make_pair(project: Any, name: str = "pair-0") -> Pair:
    """Two answers to one question."""
    a, b = make_outputs(project, 2, prefix=name)
    return Pair.objects.create(project=project, external_id=name, a=a, b=b)


@arranging()
def make_hit(output: Output, *, name: str = "pii", action: str = "blocked", position: int = 0) -> GuardrailHit:
    """A guardrail's decision on an output."""
    return GuardrailHit.objects.create(
        project=output.project, output=output, position=position, name=name, version="1", stage="output",
        action=action, category="email", spans=[{"field": "output", "start": 0, "end": 3}],
    )  # fmt: skip


@arranging()
def make_rule(project: Any, *, slug: str, rate: float, where: dict[str, Any] | None = None) -> SamplingRule:
    """A sampling rule."""
    return SamplingRule.objects.create(project=project, slug=slug, rate=rate, where=where or {})


def select(rule: SamplingRule, *outputs: Output) -> None:
    """The rule matched these outputs, which were selected by some rule of the project."""
    event = record(actor=SYSTEM, event=Event.OUTPUTS_INGESTED, subject=Subject("project", str(rule.project_id)))
    Selection.objects.bulk_create(
        [Selection(rule=rule, output=output, rate=rule.rate, event_id=event.id) for output in outputs]
    )


def run_out(lease: Any) -> None:
    """Let the lease's time be over, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reviewapp_lease SET leased_at = now() - interval '2 hours', expires_at = now() - interval '1 hour'"
            " WHERE id = %s",
            [str(lease.pk)],
        )
        cursor.execute(
            "UPDATE reviewapp_seat SET held_until = now() - interval '1 hour' WHERE id = %s", [str(lease.seat_id)]
        )


def events_of(kind: Any) -> int:
    """How many events of a kind stand in the log."""
    from reviewapp.audit.models import Event as Row

    return Row.objects.filter(event=kind.value).count()
