"""The sample outputs: one Output record (API.md, Records) per case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from reviewapp.demo.content.chance import between, digest, pick, share
from reviewapp.demo.content.library import CONFIGURATIONS, Answer, Case, Hit, Truth, cases, knowledge
from reviewapp.demo.content.surface import fill, filled_input, last_words, values_for
from reviewapp.demo.content.telemetry import Run, stamp, telemetry

DAYS = 28
# In the order in which they act: name, version, stage.
GUARDRAILS = (("off-topic", "v2", "input"), ("electrical-safety", "v5", "output"), ("pii-out", "v3", "output"))


def output_records(now: datetime) -> list[dict[str, Any]]:
    """All sample outputs, spread over the 28 days before `now` (aware), oldest first.

    Only the times depend on `now`; ids, texts and figures are the same on every call.
    """
    records = [output_record(case, now) for case in cases()]
    return sorted(records, key=lambda record: (record["occurred_at"], record["external_id"]))


def output_record(case: Case, now: datetime) -> dict[str, Any]:
    """The Output record of one case."""
    situation, values = case.situation, values_for(case.situation, case.variant)
    started_at = _started_at(case, now.astimezone(UTC))
    messages = filled_input(situation, values)
    output = fill(case.answer.text, values)
    context = _context(case, values)
    guardrails = _guardrails(case, values, messages, output)
    drafted = fill(case.answer.drafted, values) if case.answer.drafted else None
    prompt = messages if isinstance(messages, str) else " ".join(turn["content"] for turn in messages)
    run = Run(case, started_at, last_words(messages), prompt, output, drafted, context, guardrails)
    record = {
        "external_id": case.external_id,
        "occurred_at": stamp(started_at),
        "input": messages,
        "output": output,
        "context": context,
        "configuration": CONFIGURATIONS[case.configuration],
        **telemetry(run),
        "session_id": "ses-" + digest("session", situation.slug, case.variant)[:10],
        "end_user_id": "cust-" + digest("customer", situation.slug, case.variant)[:8],
        "feature": situation.feature,
        "guardrails": guardrails,
        "signals": _signals(case, started_at, now.astimezone(UTC)),
        "metadata": {"language": situation.language, "channel": _channel(case), "served": _served(case)},
    }
    if case.answer.error:
        record["error"] = case.answer.error
    return record


def quality(truth: Truth) -> float:
    """How good an answer is in all, 0..1, for signals and preferences; a reviewer never sees it."""
    worth = 0.3 * truth.answers + 0.4 * (truth.faithful - 1) / 3 + 0.2 * (truth.tone - 1) / 3 + 0.1
    worth -= {"none": 0.0, "unsafe": 0.35, "too_long": 0.12}.get(truth.wrong, 0.1)
    return min(1.0, max(0.0, worth))


def _started_at(case: Case, now: datetime) -> datetime:
    """Between seven in the morning and half past ten at night on one of the days before today."""
    question = (case.situation.slug, case.variant)
    day = 1 + int(share("day", *question) * (DAYS - 1))
    second = between(7 * 3600, 22.5 * 3600, "second", *question)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    shadow_delay = 0.0 if _served(case) == "customer" else between(0.4, 2.5, "shadow", case.external_id)
    return midnight - timedelta(days=day) + timedelta(seconds=round(second + shadow_delay, 3))


def _served(case: Case) -> str:
    served = pick(list(CONFIGURATIONS), "served", case.situation.slug, case.variant)
    return "customer" if case.configuration == served else "shadow"


def _channel(case: Case) -> str:
    if not isinstance(case.situation.input, str):
        return "chat"
    return pick(("app", "app", "email", "web"), "channel", case.situation.slug, case.variant)


def _context(case: Case, values: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "id": document["id"],
            "text": fill(document.get("text") or knowledge()[document["id"]], values),
            "score": document["score"],
        }
        for document in case.situation.context
    ]


def _guardrails(case: Case, values: dict[str, str], messages: Any, output: str) -> list[dict[str, Any]]:
    hits = {hit.guardrail: hit for hit in (*case.situation.input_hits, *case.answer.hits)}
    rows = []
    for name, version, stage in GUARDRAILS:
        row = {"name": name, "version": version, "stage": stage}
        if name in hits:
            # In a conversation an offset would not say which message it counts in, so those have no spans.
            text = output if stage == "output" else messages if isinstance(messages, str) else ""
            rows.append(row | _decision(hits[name], stage, text, values))
        else:
            # The input guardrail sees one message, so its score is the same for all three configurations.
            seed = (case.situation.slug, case.variant) if stage == "input" else (case.external_id,)
            rows.append({**row, "action": "passed", "score": round(between(0.01, 0.24, name, *seed), 2)})
    return rows


def _decision(hit: Hit, stage: str, text: str, values: dict[str, str]) -> dict[str, Any]:
    decision: dict[str, Any] = {"action": hit.action, "score": hit.score, "category": hit.category}
    if hit.quote is not None and text:
        quote = fill(hit.quote, values)
        start = text.index(quote)
        decision["spans"] = [{"field": stage, "start": start, "end": start + len(quote)}]
    return decision


def _signals(case: Case, started_at: datetime, now: datetime) -> list[dict[str, Any]]:
    """What the customer did with a served answer: the better it was, the more thumbs up and the fewer escalations."""
    if _served(case) != "customer":
        return []
    worth = quality(case.truth)
    likelihoods = {
        "thumbs_up": 0.55 * worth**2,
        "thumbs_down": 0.5 * (1 - worth),
        "retry": 0.45 * (1 - worth),
        "escalation": 0.6 * (1 - worth) ** 2 + _blocked(case.answer) * 0.6,
        "edit": 0.08,
        "copied": 0.15 * worth,
    }
    kinds = [kind for kind, likely in likelihoods.items() if share("signal", kind, case.external_id) < likely]
    if "thumbs_down" in kinds:
        kinds = [kind for kind in kinds if kind != "thumbs_up"]
    return [{"kind": kind, "occurred_at": stamp(_reacted_at(case, kind, started_at, now))} for kind in kinds]


def _blocked(answer: Answer) -> bool:
    return any(hit.action == "blocked" for hit in answer.hits)


def _reacted_at(case: Case, kind: str, started_at: datetime, now: datetime) -> datetime:
    return min(now, started_at + timedelta(seconds=round(between(20, 900, "reaction", kind, case.external_id))))
