"""Reads of this room. What a reviewer may not see is not built."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Any
from uuid import UUID

from reviewapp.access.actors import Actor
from reviewapp.access.errors import Hidden
from reviewapp.grading.models import Draft, Review
from reviewapp.ingest.models import Configuration, GuardrailHit, Output
from reviewapp.lib.canonical import canonical_bytes
from reviewapp.lib.clock import rfc3339, utc_now
from reviewapp.queues.models import Lease, Queue
from reviewapp.queues.selectors import held_leases, with_subject
from reviewapp.rubrics.selectors import rubric_document

# Words by which a maker or a family of models is recognised, whatever the configuration says.
MAKERS = frozenset(
    {"anthropic", "azure", "bedrock", "claude", "cohere", "deepseek", "gemini", "gemma", "gpt", "grok", "groq", "jamba",
     "llama", "mistral", "mixtral", "ollama", "openai", "palm", "qwen", "vertex", "vllm", "xai"}
)  # fmt: skip
OVERALL = "preference"  # the key of the criterion behind the top-level `preference`
_WORD = re.compile(r"[a-z]+|\d+")


def subject_of(lease: Lease) -> dict[str, Any]:
    """What the holder of the lease judges.

    `{"input", "output", "context", "steps"}`, with `"guardrail"` in a guardrail queue; a pair is `{"input", "left",
    "right"}`. In a queue that is not blind each output also has external_id, configuration, telemetry, metadata and
    signals. Never other people's answers, verdicts, or why the item is here.
    """
    item, is_blind = lease.item, lease.queue.is_blind
    if item.pair is not None:
        a, b = (_shown(side, is_blind) for side in (item.pair.a, item.pair.b))
        left, right = (a, b) if lease.a_is_left else (b, a)
        asked = left.pop("input")
        right.pop("input")
        return {"input": asked, "left": left, "right": right}
    if item.output is None:
        raise ValueError("an item is an output or a pair")
    subject = _shown(item.output, is_blind)
    if item.hit is not None:
        subject["guardrail"] = _decision(item.hit, is_blind)
    return subject


def _shown(output: Output, is_blind: bool) -> dict[str, Any]:
    tells = telltales(output.configuration)
    shown: dict[str, Any] = {
        "input": output.input,
        "output": output.output,
        "context": [_passage(passage, is_blind) for passage in output.context or []],
        "steps": _blind_steps(output.steps or [], tells) if is_blind else output.steps or [],
    }
    if output.erased_at is not None:
        shown["erased_at"] = rfc3339(output.erased_at)
    if not is_blind:
        shown.update(_open_parts(output))
    return shown


def _passage(passage: dict[str, Any], is_blind: bool) -> dict[str, Any]:
    # The retriever's score would be telemetry.
    return {key: value for key, value in passage.items() if not is_blind or key in ("id", "text", "url")}


def _open_parts(output: Output) -> dict[str, Any]:
    cost = None if output.cost_usd is None else float(output.cost_usd)
    return {
        "external_id": output.external_id,
        "occurred_at": rfc3339(output.occurred_at),
        "configuration": output.configuration.document if output.configuration else None,
        "latency_ms": output.latency_ms,
        "time_to_first_token_ms": output.time_to_first_token_ms,
        "input_tokens": output.input_tokens,
        "output_tokens": output.output_tokens,
        "cost_usd": cost,
        "error": output.error,
        "feature": output.feature,
        "metadata": output.metadata,
        "signals": [
            {
                "kind": signal.kind,
                "value": signal.value,
                "occurred_at": signal.occurred_at and rfc3339(signal.occurred_at),
            }
            for signal in output.signals.order_by("received_at")
        ],
    }


def _decision(hit: GuardrailHit, is_blind: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": hit.name, "stage": hit.stage, "action": hit.action, "category": hit.category, "spans": hit.spans,
    }  # fmt: skip
    if not is_blind:
        shown.update({"version": hit.version, "score": hit.score})
    return shown


def _blind_steps(steps: list[dict[str, Any]], tells: frozenset[str]) -> list[dict[str, Any]]:
    """Steps as a tree with numbers of our own: the sender's ids are traceable, times and tokens are telemetry."""
    numbers = {step.get("id"): str(number) for number, step in enumerate(steps, start=1)}
    shown = []
    for step in steps:
        one: dict[str, Any] = {
            "id": numbers[step.get("id")],
            "parent_id": numbers.get(step.get("parent_id")) if step.get("parent_id") else None,
            "kind": step.get("kind"),
        }
        one.update(
            {
                part: step[part]
                for part in ("name", "input", "output", "error")
                if step.get(part) is not None and not is_telling(step[part], tells)
            }
        )
        shown.append(one)
    return shown


def telltales(configuration: Configuration | None) -> frozenset[str]:
    """Lower-case texts of which none may stand in what a reviewer of a blind queue sees of a step."""
    found = set(MAKERS)
    if configuration is None:
        return frozenset(found)
    found.update(text for text in _texts(configuration.document) if len(text) >= 3)
    # "gpt-4o-mini-2024" also stands in "chat mini": its words of three letters and more tell as well.
    found.update(word for word in _WORD.findall(configuration.model.lower()) if len(word) >= 3 and word.isalpha())
    return frozenset(found)


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value.lower()
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


def is_telling(value: Any, tells: frozenset[str]) -> bool:
    """Whether a text, or a JSON value, holds one of the telltales anywhere, keys included."""
    text = value if isinstance(value, str) else canonical_bytes(value).decode()
    lowered = text.lower()
    return any(tell in lowered for tell in tells)


def lease_document(lease: Lease, *, draft: dict[str, Any] | None) -> dict[str, Any]:
    """API.md's answer to a lease. The reason is shown only where nothing is blind."""
    return {
        "id": str(lease.pk),
        "expires_at": rfc3339(lease.expires_at),
        "item": {"id": str(lease.item_id), "kind": lease.queue.kind, "subject": subject_of(lease)},
        "rubric": rubric_document(lease.rubric_version),
        "reason": None if lease.queue.is_blind else lease.reason or None,
        "draft": draft,
    }


def draft_of(lease: Lease) -> dict[str, Any] | None:
    """What the holder of the lease typed on this item before, in the form of the submit body."""
    draft = Draft.objects.filter(item=lease.item_id, reviewer=lease.reviewer_id).first()
    return dict(draft.answer) if draft else None


def comparable_reviews(*, item_id: UUID) -> list[Review]:
    """The current reviews that enter agreement (place and extra seats, and imported), with their answers, in an order
    drawn by hash.
    """
    found = Review.objects.filter(item=item_id, ended_at=None).select_related("reviewer", "seat", "rubric_version")
    found = found.prefetch_related("grades__criterion", "preferences__criterion")
    kept = [each for each in found if each.seat is None or each.seat.kind in ("place", "extra")]
    return sorted(kept, key=lambda each: sha256(each.pk.bytes).digest())


def own_review(*, viewer: Actor, review_id: UUID, project: str | None = None) -> Review:
    """A current review that the viewer wrote. Raises Hidden for any other."""
    found = Review.objects.select_related("lease__queue__project", "lease__seat").filter(pk=review_id, ended_at=None)
    if project is not None:
        found = found.filter(item__queue__project__slug=project)
    review = found.filter(reviewer=viewer.user).first() if viewer.user is not None else None
    if review is None:
        raise Hidden("There is no such review, or it is not yours.")
    return review


def last_review(*, viewer: Actor, queue: Queue) -> Review | None:
    """The viewer's newest current review in a queue: what undo would take back, while it may."""
    if viewer.user is None:
        return None
    mine = Review.objects.select_related("lease__queue__project", "lease__seat").filter(
        reviewer=viewer.user, item__queue=queue, ended_at=None, lease__isnull=False
    )
    return mine.order_by("-submitted_at").first()


def finished_today(*, viewer: Actor, queue: Queue) -> int:
    """How many items of the queue the viewer finished since midnight UTC."""
    if viewer.user is None:
        return 0
    midnight = utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
    mine = Review.objects.filter(reviewer=viewer.user, item__queue=queue, ended_at=None, lease__isnull=False)
    return mine.filter(submitted_at__gte=midnight).count()


def held_lease(*, viewer: Actor, queue: Queue) -> Lease | None:
    """The live lease of the viewer in a queue, the newest first, with what its screen shows; None without one."""
    held = held_leases(viewer=viewer, project=queue.project).filter(queue=queue).order_by("-leased_at", "-id")
    lease = with_subject(held, queue.kind).first()
    if lease is not None:
        lease.queue, lease.item.queue = queue, queue
    return lease


def shown_winner(winner: str, *, a_was_left: bool | None) -> str:
    """A stored winner as its reviewer saw it: a and b become left and right again."""
    if winner not in ("a", "b") or a_was_left is None:
        return winner
    return "left" if (winner == "a") == a_was_left else "right"


def review_document(review: Review) -> dict[str, Any]:
    """A review as its reviewer gets it back after submitting: the sides are the ones they saw."""
    grades: dict[str, Any] = {grade.criterion.key: grade.value for grade in review.grades.select_related("criterion")}
    preference: dict[str, Any] | None = None
    for each in review.preferences.select_related("criterion"):
        shown = {"winner": shown_winner(each.winner, a_was_left=each.a_was_left), "strength": each.strength}
        if each.criterion.key == OVERALL:
            preference = shown
        else:
            grades[each.criterion.key] = shown
    return {
        "id": str(review.pk),
        "item": str(review.item_id),
        "lease": str(review.lease_id) if review.lease_id else None,
        "submitted_at": rfc3339(review.submitted_at),
        "grades": grades,
        "preference": preference,
        "correction": review.correction,
        "comment": review.comment,
        "active_seconds": review.active_seconds,
    }
