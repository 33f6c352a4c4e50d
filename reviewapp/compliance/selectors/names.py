"""Between the ids of the log and the names that people know: who, and what.

The log copies ids as text and outlives the rows, so every answer here may be "nobody knows any more".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, TextField, Value
from django.db.models.functions import Cast

from reviewapp.access.models import ApiToken, Project, User
from reviewapp.audit.models import Event
from reviewapp.exports.models import Dataset, DatasetVersion
from reviewapp.grading.models import Review
from reviewapp.ingest.models import SamplingRule
from reviewapp.judge.models import Judge, JudgeRun, JudgeVersion
from reviewapp.queues.models import Queue, QueueItem
from reviewapp.rubrics.models import Rubric

SUGGESTED = 20


@dataclass(frozen=True)
class Kind:
    """One kind of object in the log: its table, the field that people call it by, and where its page is.

    page: (url name, names of the address's parts as paths from the row). The first part is always the project's slug.
    """

    word: str
    model: Any = None
    slug: str | None = None
    title: str | None = None
    page: tuple[str, tuple[tuple[str, str], ...]] | None = None


_P = ("project", "project__slug")
KINDS: dict[str, Kind] = {
    "user": Kind("person", User, "username", "username"),
    "project": Kind("project", Project, "slug", "title"),
    "token": Kind("token", ApiToken, "prefix", "name"),
    "rule": Kind("sampling rule", SamplingRule, "slug", "slug"),
    "rubric": Kind("rubric", Rubric, "slug", "title", ("rubrics:detail", (_P, ("rubric", "slug")))),
    "queue": Kind("queue", Queue, "slug", "title", ("queues:detail", (_P, ("queue", "slug")))),
    "item": Kind("item", QueueItem, None, "output__external_id"),
    "review": Kind("review", Review, None, "item__output__external_id"),
    "judge": Kind("judge", Judge, "slug", "title", ("judge:detail", (_P, ("judge", "slug")))),
    "judge_version": Kind("judge version", JudgeVersion, None, "judge__title"),
    "judge_run": Kind("run of judge", JudgeRun, None, "version__judge__title"),
    "dataset": Kind("dataset", Dataset, "slug", "title", ("exports:detail", (_P, ("dataset", "slug")))),
    "dataset_version": Kind("version of dataset", DatasetVersion, None, "dataset__title"),
    "log": Kind("log"),
    "event": Kind("event"),
    "route": Kind("address"),
    "sign-in": Kind("sign-in with"),
}


def word_for(kind: str) -> str:
    """What people call a kind of object; a kind of a room that is not listed is called what the log calls it."""
    return KINDS[kind].word if kind in KINDS else kind.replace("_", " ")


def usernames(ids: Iterable[str]) -> dict[str, str]:
    """Today's username of each account among some actors of the log; what is no account is left out."""
    keys = {one for one in ids if _is_id(one)}
    return {str(pk): name for pk, name in User.objects.filter(pk__in=keys).values_list("pk", "username")}


def actor_ids(text: str) -> Q:
    """Events by somebody: a username, a display name, an id, a part of the house, or `rva_` and a token's prefix."""
    name = text.strip()
    if name.startswith("rva_"):
        prefix = name.removeprefix("rva_")[:8]
        owners = ApiToken.objects.filter(prefix=prefix).values_list("owner_id", flat=True)
        # Narrowed by the owner first, which has an index; the prefix stands in the envelope, which has none.
        return Q(actor__in=[str(pk) for pk in owners], env__contains=f'"token_prefix":"{prefix}"')
    people = User.objects.filter(Q(username=name) | Q(display_name__iexact=name) | Q(imported_name=name))
    return Q(actor__in=[name, *(str(pk) for pk in people.values_list("pk", flat=True)[:1_000])])


def object_ids(text: str) -> list[str]:
    """The ids behind an id or a name (slug, username, prefix of a token), whatever kind they are; one statement."""
    name = text.strip()
    if _is_id(name):
        return [name.lower()]
    named = [
        kind.model.objects.filter(**{kind.slug: name}).annotate(found=Cast("pk", TextField())).values_list("found")
        for kind in KINDS.values()
        if kind.model is not None and kind.slug is not None
    ]
    first, *others = named
    return [name, *(found for (found,) in first.union(*others, all=True))]


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def titles(wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """(kind, id) -> name, for objects that still exist; one statement whatever the number."""
    by_kind: dict[str, set[str]] = {}
    for kind, pk in wanted:
        if kind in KINDS and KINDS[kind].model is not None and _is_id(pk):
            by_kind.setdefault(kind, set()).add(pk)
    if not by_kind:
        return {}
    first, *others = [_named(kind, ids) for kind, ids in sorted(by_kind.items())]
    rows = first.union(*others, all=True) if others else first
    return {(kind, pk): title for kind, pk, title in rows if title}


def _named(kind: str, ids: Iterable[str]) -> Any:
    found = KINDS[kind]
    named = (
        found.model.objects.order_by()
        .filter(pk__in=sorted(ids))
        .annotate(
            of_kind=Value(kind, TextField()),
            as_text=Cast("pk", TextField()),
            called=Cast(str(found.title), TextField()),
        )
    )
    return named.values_list("of_kind", "as_text", "called")


def address_parts(kind: str, pk: str) -> tuple[str, Mapping[str, str]] | None:
    """(url name, its parts) of an object's own page; None when it has none or is gone."""
    found = KINDS.get(kind)
    if found is None or found.page is None or not _is_id(pk):
        return None
    name, parts = found.page
    row = found.model.objects.filter(pk=pk).values(*(path for _, path in parts)).first()
    return (name, {part: row[path] for part, path in parts}) if row else None


def people_called(text: str, *, slugs: list[str] | None) -> list[User]:
    """At most SUGGESTED people whose name holds the text and who did something in these projects (None: anywhere)."""
    mine = Event.objects.filter(actor=OuterRef("as_text"))
    if slugs is not None:
        mine = mine.filter(project__in=slugs)
    named = User.objects.filter(Q(username__icontains=text) | Q(display_name__icontains=text), imported_into=None)
    acted = named.annotate(as_text=Cast("pk", TextField())).filter(Exists(mine))
    return list(acted.order_by("username")[:SUGGESTED])
