"""The leaderboard of a project, counted from current preferences."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet

from reviewapp.access.actors import Actor
from reviewapp.access.matrix import ACTS
from reviewapp.access.models import Project
from reviewapp.access.roles import can, objects_with_role, require
from reviewapp.audit.selectors import position
from reviewapp.grading.models import Preference
from reviewapp.ingest.models import Configuration
from reviewapp.queues.models import Queue
from reviewapp.stats.preference import Leaderboard, PairCount, leaderboard_from_counts
from reviewapp.stats.preference.comparisons import Side

Ties = Literal["davidson", "half"]
ContestantKind = Literal["configuration", "model"]
TIES: Final[tuple[Ties, ...]] = ("davidson", "half")
CONTESTANTS: Final[tuple[ContestantKind, ...]] = ("configuration", "model")
# Every pairwise rubric has this criterion: the overall preference.
OVERALL: Final = "preference"
_COUNTED: Final[dict[str, str]] = {"a": "wins_a", "b": "wins_b", "tie": "ties", "both_bad": "both_bad"}


@dataclass(frozen=True)
class Ranking:
    """A leaderboard with what it was made from.

    left_out: comparisons without a contestant on a side (`no_configuration`) and of one contestant with itself
    (`same_contestant`). n_reviewers, n_prompts: different people and inputs behind the comparisons that count.
    """

    board: Leaderboard
    contestant: ContestantKind
    queues: tuple[Queue, ...]
    left_out: dict[str, int]
    n_reviewers: int
    n_prompts: int
    leaf_index: int
    at: str | None

    def as_dict(self) -> dict[str, Any]:
        """API.md's Leaderboard, and beside it the contestants' kind, the queues, what was left out and `as_of`."""
        return {
            **self.board.as_dict(),
            "contestant": self.contestant,
            "queues": [queue.slug for queue in self.queues],
            "left_out": self.left_out,
            "n_reviewers": self.n_reviewers,
            "n_prompts": self.n_prompts,
            "as_of": {"leaf_index": self.leaf_index, "at": self.at},
        }


def compared_queues(*, viewer: Actor, project: Project) -> list[Queue]:
    """The pairwise queues whose preferences the viewer may see counted.

    Raises Hidden or AccessDenied when there is none to see and never could be.
    """
    queues = Queue.objects.filter(project=project, kind="pairwise").order_by("created_at", "pk")
    if can(viewer, "agreement.view", project):
        return list(queues)
    if viewer.user is not None and viewer.token is None:
        mine = objects_with_role(viewer.user, ACTS["agreement.view"].roles, Queue.objects.filter(project=project))
        if mine.exists():
            return list(queues.filter(pk__in=mine))
    require(viewer, "agreement.view", project)
    return []


def ranking(
    *,
    viewer: Actor,
    project: Project,
    queue: Queue | None = None,
    ties: Ties = "davidson",
    contestant: ContestantKind | None = None,
) -> Ranking:
    """Who is preferred, over one queue or all pairwise queues that the viewer may see.

    contestant: null picks the model where it tells all compared configurations apart, else the configuration.
    Raises Hidden or AccessDenied.
    """
    if queue is not None:
        require(viewer, "agreement.view", queue)
    queues = compared_queues(viewer=viewer, project=project) if queue is None else [queue]
    as_of = position()
    rows = _preferences(queues)
    known = {one.pk: one for one in Configuration.objects.filter(project=project)}
    counted = list(
        rows.values("a", "b", "prompt", "winner", "a_was_left").order_by("a", "b", "prompt").annotate(n=Count("pk"))
    )
    kind = contestant or _default_contestant({known[row[side]] for row in counted for side in "ab" if row[side]})
    names = _names(known, kind)
    pairs, left_out = _counted(counted, names)
    people = rows.filter(a__isnull=False, b__isnull=False).aggregate(n=Count("review__reviewer", distinct=True))["n"]
    return Ranking(
        board=leaderboard_from_counts(pairs, ties=ties),
        contestant=kind,
        queues=tuple(queues),
        left_out=left_out,
        n_reviewers=people,
        n_prompts=len({pair.cluster for pair in pairs}),
        leaf_index=as_of.leaf_index,
        at=None if as_of.at is None else as_of.at.isoformat().replace("+00:00", "Z"),
    )


def _preferences(queues: list[Queue]) -> QuerySet[Any]:
    """The overall preferences that count, with the configurations `a` and `b` and the `prompt` that they answered."""
    of_people = Q(review__is_imported=True) | Q(review__seat__kind__in=("place", "extra"))
    return Preference.objects.filter(
        of_people,
        review__item__queue__in=queues,
        review__ended_at=None,
        review__attempt=1,
        criterion__key=OVERALL,
    ).annotate(
        a=F("review__item__pair__a__configuration"),
        b=F("review__item__pair__b__configuration"),
        prompt=F("review__item__pair__a__input_sha256"),
    )


def _default_contestant(compared: set[Configuration]) -> ContestantKind:
    models = Counter(configuration.model for configuration in compared)
    is_told_apart = bool(compared) and "" not in models and max(models.values()) == 1
    return "model" if is_told_apart else "configuration"


def _names(known: dict[UUID, Configuration], kind: ContestantKind) -> dict[UUID, str]:
    """What each configuration is called; absent when it has no such name."""
    if kind == "model":
        return {pk: one.model for pk, one in known.items() if one.model}
    seen = Counter(one.label for one in known.values())
    return {
        pk: one.label if seen[one.label] == 1 else f"{one.label} ({one.fingerprint[:8]})" for pk, one in known.items()
    }


def _counted(rows: list[dict[str, Any]], names: dict[UUID, str]) -> tuple[list[PairCount], dict[str, int]]:
    left_out = {"no_configuration": 0, "same_contestant": 0}
    pairs = []
    for row in rows:
        a, b = names.get(row["a"]), names.get(row["b"])
        if a is None or b is None:
            left_out["no_configuration"] += row["n"]
        elif a == b:
            left_out["same_contestant"] += row["n"]
        else:
            first: Side | None = None if row["a_was_left"] is None else "a" if row["a_was_left"] else "b"
            outcome = {_COUNTED[row["winner"]]: row["n"]}
            pairs.append(PairCount(a, b, cluster=row["prompt"], first_shown=first, **outcome))
    return pairs, left_out
