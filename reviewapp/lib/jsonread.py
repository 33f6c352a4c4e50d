"""The strict reader of JSON from outside: depth, size, duplicate keys, NaN, NUL and lone surrogates are refused
before anything else.

Limits are API.md's: depth 32, 10,000 keys a record, a string 1 MiB. Python's own reader takes NaN, keeps the last of
two equal keys and fails with a RecursionError on deep input; none of that may reach a table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from reviewapp.lib.errors import DomainError, Malformed, TooLarge

MAX_DEPTH = 32
MAX_KEYS = 10_000
MAX_STRING = 1024 * 1024
MAX_INTEGER = 2**53 - 1
# PostgreSQL's jsonb refuses both, and an audit log could not hash the second.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def _object_from_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise Malformed(f"The key {name[:80]!r} stands twice in one object; keep one.")
            seen.add(name)
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


def check_shape(value: Any, *, max_depth: int = MAX_DEPTH) -> None:
    """Raises TooLarge for more than 32 levels or 10,000 keys. Looks at containers only, level by level.

    The C parser refuses by itself what nests hundreds of levels deep, so nothing here or there recurses without end.
    """
    keys = depth = 0
    level = [value] if isinstance(value, dict | list) else []
    while level:
        depth += 1
        keys += sum(len(part) for part in level if isinstance(part, dict))
        if depth > max_depth:
            raise TooLarge(f"The JSON nests deeper than {MAX_DEPTH} levels.")
        if keys > MAX_KEYS:
            raise TooLarge(f"A record may have at most {MAX_KEYS:,} keys.")
        inner = [part.values() if isinstance(part, dict) else part for part in level]
        level = [one for parts in inner for one in parts if isinstance(one, dict | list)]


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


def read_json(raw: bytes) -> Any:
    """One record from UTF-8 bytes. Raises Malformed or TooLarge with a sentence that says what to change."""
    value = _parsed(raw)
    check_shape(value)
    return value


def read_json_records(raw: bytes) -> Iterator[Any | DomainError]:
    """One record, or each of an array, from UTF-8 bytes; a record of an array that is too deep or has too many keys
    comes as the refusal. Raises Malformed or TooLarge for what cannot be read at all.
    """
    value = _parsed(raw)
    if not isinstance(value, list):
        check_shape(value)
        yield value
        return
    for record in value:
        try:
            check_shape(record, max_depth=MAX_DEPTH - 1)
        except TooLarge as refusal:
            yield refusal
        else:
            yield record


def _parsed(raw: bytes) -> Any:
    if raw.startswith(b"\xef\xbb\xbf"):
        raw = raw[3:]
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_object_from_pairs,
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
