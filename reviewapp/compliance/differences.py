"""Before and after as something that a person can read: what was added, removed and changed, text line by line."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

How = Literal["added", "removed", "changed"]
MAX_ROWS = 200
LONG = 80  # characters; a longer or broken text is compared line by line
_KEYS = ("key", "slug", "id", "name", "external_id")


@dataclass(frozen=True)
class Line:
    """One line of a text: in both, only before, only after; "gap" stands for lines that are left out."""

    how: Literal["same", "added", "removed", "gap"]
    text: str


@dataclass(frozen=True)
class Row:
    """One place that differs. path: `criteria › tone › levels`; before and after are texts, None for nothing."""

    path: str
    how: How
    before: str | None
    after: str | None
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Difference:
    """What differs, at most MAX_ROWS places of `total`, and how many places are alike."""

    rows: tuple[Row, ...]
    total: int
    same: int


@dataclass
class _Found:
    rows: list[Row] = field(default_factory=list)
    total: int = 0
    same: int = 0


def difference(before: Any, after: Any) -> Difference:
    """Compare two JSON values; None is "there was nothing"."""
    found = _Found()
    if before is None and after is None:
        return Difference((), 0, 0)
    for path, old, new in _places((), before, after):
        if old == new:
            found.same += 1
            continue
        found.total += 1
        if found.total <= MAX_ROWS:
            found.rows.append(_row(" › ".join(path) or "value", old, new))
    return Difference(tuple(found.rows), found.total, found.same)


def _places(path: tuple[str, ...], old: Any, new: Any) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """(path, before, after) of every leaf of either value."""
    if _is_object(old) and _is_object(new) and (old or new):
        left, right = old or {}, new or {}
        for key in [*right, *(key for key in left if key not in right)]:
            yield from _places((*path, str(key)), left.get(key), right.get(key))
    elif _is_list_of_objects(old) and _is_list_of_objects(new) and (old or new):
        left, right = _by_key(old or []), _by_key(new or [])
        for key in [*right, *(key for key in left if key not in right)]:
            yield from _places((*path, key), left.get(key), right.get(key))
    else:
        yield path, old, new


def _is_object(value: Any) -> bool:
    return value is None or isinstance(value, dict)


def _is_list_of_objects(value: Any) -> bool:
    return value is None or (isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value))


def _by_key(values: list[dict[str, Any]]) -> dict[str, Any]:
    """Objects by what names them, so that one that moved is not shown as changed; else by their number from 1."""
    for key in _KEYS:
        names = [str(value.get(key)) for value in values]
        if all(key in value for value in values) and len(set(names)) == len(names):
            return dict(zip(names, values, strict=True))
    return {str(number): value for number, value in enumerate(values, 1)}


def _row(path: str, old: Any, new: Any) -> Row:
    before, after = _text(old), _text(new)
    how: How = "added" if before is None else "removed" if after is None else "changed"
    is_long = any("\n" in text or len(text) > LONG for text in (before, after) if text is not None)
    if how == "changed" and is_long and before is not None and after is not None:
        return Row(path, how, before, after, tuple(_lines(before, after)))
    return Row(path, how, before, after)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(one, str | int) for one in value):
        return ", ".join(str(one) for one in value) or "none"
    return json.dumps(value, ensure_ascii=False)


def _lines(before: str, after: str) -> Iterator[Line]:
    old, new = before.splitlines(), after.splitlines()
    for group in difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_grouped_opcodes(2):
        if group[0][1] or group[0][3]:
            yield Line("gap", "")
        for how, start, end, new_start, new_end in group:
            if how == "equal":
                yield from (Line("same", text) for text in old[start:end])
                continue
            yield from (Line("removed", text) for text in old[start:end])
            yield from (Line("added", text) for text in new[new_start:new_end])
