"""Records that the tests send."""

from __future__ import annotations

from random import Random
from typing import Any

from reviewapp.ingest.services.rows import sampling_unit

CONFIGURATION = {"prompt_name": "support", "prompt_version": "7", "model": "m-1", "parameters": {"temperature": 0.2}}


def output(external_id: str = "req-1", **more: Any) -> dict[str, Any]:
    """A small output."""
    return {"external_id": external_id, "input": "Where is my order?", "output": "On its way.", **more}


def full(external_id: str = "req-full", **more: Any) -> dict[str, Any]:
    """An output with every field of API.md."""
    return output(
        external_id,
        occurred_at="2026-11-20T10:00:00Z",
        input=[{"role": "user", "content": "Hi"}, {"role": "user", "content": [{"type": "text", "text": "Where?"}]}],
        context=[{"id": "KB-1", "text": "Orders ship daily.", "score": 0.9, "url": "https://kb.example/1"}],
        steps=[
            {"id": "root", "kind": "chain", "name": "answer", "started_at": "2026-11-20T10:00:00Z"},
            {"id": "llm", "parent_id": "root", "kind": "llm", "name": "generate", "input": {"q": 1}, "output": [1],
             "ended_at": "2026-11-20T10:00:01+01:00", "input_tokens": 3, "output_tokens": 4, "cost_usd": 0.01,
             "error": "late"},
        ],
        configuration=CONFIGURATION | {"retrieval": {"k": 3}},
        latency_ms=1200,
        time_to_first_token_ms=80.5,
        input_tokens=10,
        output_tokens=20,
        cost_usd=0.0042,
        error="cut off",
        session_id="s",
        end_user_id="u",
        feature="chat",
        guardrails=[{"name": "pii", "version": "v2", "stage": "output", "action": "flagged", "score": 0.8,
                     "category": "name", "spans": [{"field": "output", "start": 0, "end": 2}]}],
        signals=[{"kind": "thumbs_down", "value": {"why": "slow"}, "occurred_at": "2026-11-20T10:01:00Z"}],
        sampling_rate=0.5,
        metadata={"language": "en", "nested": {"a": [1, 2]}},
    ) | more  # fmt: skip


def id_with_unit(seed: str, *, low: float = 0.0, high: float = 1.0, stem: str = "drawn") -> str:
    """An external id whose sampling unit lies in [low, high)."""
    return next(name for name in (f"{stem}-{n}" for n in range(100_000)) if low <= sampling_unit(seed, name) < high)


def random_output(chance: Random, number: int) -> dict[str, Any]:
    """Something that any of the filters may or may not match."""

    def maybe(value: Any) -> Any:
        return value if chance.random() < 0.6 else None

    record: dict[str, Any] = output(f"random-{number}")
    record["feature"] = maybe(chance.choice(["chat", "search"]))
    record["latency_ms"] = maybe(chance.choice([100, 1000.5, 2000]))
    record["cost_usd"] = maybe(chance.choice([0, 0.0000000001, 0.1, 0.3]))
    record["error"] = maybe(chance.choice(["cut off", ""]))
    record["metadata"] = random_metadata(chance)
    record["configuration"] = maybe(
        {
            "model": chance.choice(["m-1", "m-2"]),
            "parameters": chance.choice([{}, {"t": 0}, {"t": 1, "stop": ["a", "b"]}]),
        }
    )
    record["guardrails"] = [
        {
            "name": chance.choice(["pii", "tone"]),
            "stage": "output",
            "action": chance.choice(["passed", "blocked", "flagged"]),
        }
        for _ in range(chance.randrange(3))
    ]
    record["signals"] = [{"kind": chance.choice(["retry", "edit", "copied"])} for _ in range(chance.randrange(3))]
    return record


def random_metadata(chance: Random) -> dict[str, Any]:
    return {
        key: chance.choice([True, False, 1, 0, 1.0, "1", None, [1, 2], [[1], 2], {"a": 1}, {"a": {"b": [2, 3]}}])
        for key in chance.sample(["x", "y", "z"], chance.randrange(3))
    }


def random_where(chance: Random) -> dict[str, Any]:
    """One to three conditions."""
    every: dict[str, Any] = {
        "guardrail": chance.choice(["any", "pii", "tone"]),
        "signal": chance.choice(["retry", "edit"]),
        "feature": chance.choice(["chat", "search"]),
        "latency_ms_over": chance.choice([0, 100, 1000.5]),
        "cost_usd_over": chance.choice([0, 1e-11, 0.1, 0.29999]),
        "error": chance.choice([True, False]),
        "metadata": {key: value for key, value in random_metadata(chance).items() if value is not None},
        "configuration": chance.choice(
            [{"model": "m-1"}, {"parameters": {"stop": ["b"]}}, {"parameters": {"t": 1}}, {}]
        ),
    }
    names = chance.sample(sorted(every), chance.randrange(1, 4))
    return {name: every[name] for name in names}
