"""The strict reader of JSON from outside: depth, size, duplicate keys, NaN, NUL and lone surrogates are refused
before anything else.

Limits are API.md's: depth 32, 10,000 keys a record, a string 1 MiB. Python's own reader takes NaN, keeps the last of
two equal keys and fails with a RecursionError on deep input; none of that may reach a table.
"""

from __future__ import annotations

import json
import re
from typing import Any

from reviewapp.lib.errors import Malformed, TooLarge

MAX_DEPTH = 32
MAX_KEYS = 10_000
MAX_STRING = 1024 * 1024
MAX_INTEGER = 2**53 - 1
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[{\]}]', re.DOTALL)
# PostgreSQL's jsonb refuses both, and an audit log could not hash the second.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class _Reader:
    """Hooks of one `json.loads` call; counts keys over the whole value."""

    def __init__(self, max_keys: int) -> None:
        self.keys = 0
        self.max_keys = max_keys

    def object_from_pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        self.keys += len(pairs)
        if self.keys > self.max_keys:
            raise TooLarge(f"A record may have at most {MAX_KEYS:,} keys.")
        found: dict[str, Any] = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise Malformed(f"The key {twice[:80]!r} stands twice in one object; keep one.")
        return found


def _refuse_constant(name: str) -> float:
    raise Malformed(f"{name} is not JSON; leave the field out or send a number.")


def _read_float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise Malformed(f"The number {text[:40]} is too large.")
    return value


def _read_int(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > MAX_INTEGER:
        raise Malformed(f"The integer {text[:40]} is beyond 2^53 - 1; send it as a string.")
    return int(text)


def check_depth(raw: bytes) -> None:
    """Raises TooLarge when brackets nest deeper than 32. One linear pass, before any parser may recurse."""
    depth = 0
    for match in _BRACKETS.finditer(raw):
        mark = match[0]
        if mark in (b"{", b"["):
            depth += 1
            if depth > MAX_DEPTH:
                raise TooLarge(f"The JSON nests deeper than {MAX_DEPTH} levels.")
        elif mark in (b"}", b"]"):
            depth -= 1


def check_strings(value: Any) -> None:
    """Raises Malformed for NUL or a lone surrogate and TooLarge for a string over 1 MiB, in keys and values at any
    depth.
    """
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            _check_string(part)
        elif isinstance(part, dict):
            for key in part:
                _check_string(key)
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)


def _check_string(text: str) -> None:
    if len(text) > MAX_STRING // 4 and len(text.encode("utf-8", "surrogatepass")) > MAX_STRING:
        raise TooLarge("A string may have at most 1 MiB.")
    if _UNSTORABLE.search(text):
        raise Malformed("A string holds NUL or a lone surrogate (\\u0000, \\ud800 to \\udfff); remove it.")


def has_too_many_keys(record: Any) -> bool:
    """Whether one record of an array passes the bound on keys, which `read_json` counts over all of them."""
    keys = 0
    waiting = [record]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            keys += len(part)
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
        if keys > MAX_KEYS:
            return True
    return False


def read_json(raw: bytes, *, max_keys: int = MAX_KEYS) -> Any:
    """One JSON value from UTF-8 bytes. Raises Malformed or TooLarge with a sentence that says what to change."""
    if raw.startswith(b"\xef\xbb\xbf"):
        raw = raw[3:]
    # Shallow records cannot nest too deep: counting openers is much faster than walking strings.
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH:
        check_depth(raw)
    reader = _Reader(max_keys)
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=reader.object_from_pairs,
            parse_constant=_refuse_constant,
            parse_float=_read_float,
            parse_int=_read_int,
        )
    except UnicodeDecodeError as error:
        raise Malformed(f"The text is not UTF-8 at byte {error.start}.") from error
    except json.JSONDecodeError as error:
        raise Malformed(f"Not JSON at line {error.lineno}, column {error.colno}: {error.msg}.") from error
    except RecursionError as error:
        raise TooLarge(f"The JSON nests deeper than {MAX_DEPTH} levels.") from error
    if b"\\u" in raw or len(raw) > MAX_STRING or b"\x00" in raw:
        check_strings(value)
    return value
