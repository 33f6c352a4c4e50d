"""Production texts as a judge reads them: plain, in order, roles named."""

from __future__ import annotations

import json
from typing import Any

from reviewapp.ingest.models import Output


def message_text(value: Any) -> str:
    """A text, one message, or a list of messages as one text. Null (dropped) is empty."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        content = message_text(value.get("content"))
        calls = value.get("tool_calls")
        return f"{content}\n{json.dumps(calls, ensure_ascii=False)}" if calls else content
    return "\n\n".join(_turn(entry) for entry in value)


def _turn(entry: Any) -> str:
    if isinstance(entry, dict):
        role = entry.get("role") or entry.get("type")
        text = message_text(entry.get("content", entry.get("text")))
        return f"{role}: {text}" if role else text
    return str(entry)


def context_text(output: Output) -> str:
    """The retrieved passages with their ids."""
    return "\n\n".join(f"[{entry.get('id')}] {entry.get('text', '')}" for entry in output.context or [])
