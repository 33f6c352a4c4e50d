"""Whom an erasure, or a report "what do we hold about X", is about. Every room that holds people's data reads this.

Such a room has a file `erasure.py` with two functions: `find_subject(subject)` names the rows, `erase_subject(subject)`
clears them inside the caller's transaction and counts them. `compliance` asks the rooms, highest first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

# What a text becomes where a column may not be empty.
ERASED: Final = "erased"
# Held exclusively by each step of an erasure, shared by whoever writes a file from what a snapshot saw.
ERASING_LOCK: Final = 0x5245_5649_4552
ORDINARY_WORD: Final = 5


@dataclass(frozen=True)
class DataSubject:
    """One person with an account (`person`), or some outputs of one end user (`outputs`); the other is empty.

    names: texts that stand for the subject: a username and an address, or an end user's id and sessions.
    objects: ids, as the log writes them, of everything whose events speak about the subject.
    projects: slugs of an end user's project: what a project calls its users must not take payloads of others along.
    pseudonym: what a name becomes. at: the moment that pages show as the day of erasure.
    """

    at: datetime
    pseudonym: str
    person: UUID | None = None
    outputs: tuple[UUID, ...] = ()
    names: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Held:
    """Rows of one table about a subject, in words for people, with the columns that a report shows.

    texts: those of the columns that hold production text, or what people wrote about it; admins do not read them.
    """

    kind: str
    rows: QuerySet[Any]
    columns: tuple[str, ...]
    texts: tuple[str, ...] = ()


def hold_off_erasures() -> None:
    """Wait for the step of an erasure that is under way, and let the next one wait for the caller's transaction.

    For whoever looks up whether an output was erased and then writes texts about it: without this, the erasure may come
    in between.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [ERASING_LOCK])


def mention_pattern(names: Iterable[str]) -> str:
    """A regular expression, the same for Python and PostgreSQL, that finds a name as a whole word in JSON.

    "u-1" is found in "req/u-1/7" and not in "u-17": a short id must not take other people's rows with it. A name of few
    letters and nothing else ("max") is an ordinary word too, so it is found only where it is a whole JSON text. Matches
    nothing when there are no names.
    """
    spelled = [json.dumps(name, ensure_ascii=False)[1:-1] for name in names if name]
    if not spelled:
        return "$.^"
    escaped = "|".join(f'"{name}"' if _is_ordinary(name) else _escaped(name) for name in spelled)
    return f"(^|[^A-Za-z0-9_-])({escaped})($|[^A-Za-z0-9_-])"


def _is_ordinary(name: str) -> bool:
    return len(name) < ORDINARY_WORD and name.isalpha()


def _escaped(name: str) -> str:
    return re.sub(r"([^\w\s-])", r"\\\1", name)
