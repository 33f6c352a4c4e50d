"""The figures of every guardrail version, and its decisions as a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet
from django.db.models.expressions import Case, Value, When

from reviewapp.access.actors import Actor
from reviewapp.access.models import Project
from reviewapp.access.roles import can
from reviewapp.agreement.selectors import settled_labels
from reviewapp.ingest.filters import ACTED
from reviewapp.ingest.models import GuardrailHit, Output
from reviewapp.queues.models import Queue, QueueItem
from reviewapp.stats.detection import Stratum, recall
from reviewapp.stats.intervals import proportion
from reviewapp.stats.result import DEFAULT_CONFIDENCE, Stat
from reviewapp.stats.sampling import pass_rate

SHOULD_FIRE: Final = "should_fire"
HITS_ONLY: Final = "the sender reports hits only; send passed decisions too"
NOT_SAMPLED: Final = "no reviewed pass was selected with a known probability; give the queue a sampling rule"


@dataclass(frozen=True)
class Reviewed:
    """What people settled about one decision. `probability` is null for what no rule selected."""

    should_fire: bool
    probability: float | None


@dataclass(frozen=True)
class VersionFigures:
    """One guardrail version."""

    name: str
    version: str
    trigger_rate: Stat
    precision: Stat
    miss_rate: Stat
    recall: Stat
    n_hits: int
    n_hits_reviewed: int
    n_passed_reviewed: int

    def as_dict(self) -> dict[str, Any]:
        """API.md's Guardrail."""
        return {
            "name": self.name,
            "version": self.version,
            "trigger_rate": self.trigger_rate.as_dict(),
            "precision": self.precision.as_dict(),
            "miss_rate": self.miss_rate.as_dict(),
            "recall": self.recall.as_dict(),
            "n_hits": self.n_hits,
            "n_hits_reviewed": self.n_hits_reviewed,
            "n_passed_reviewed": self.n_passed_reviewed,
        }


def guardrail_figures(*, viewer: Actor, project: Project) -> list[VersionFigures]:
    """Every version that decided anything, by name and version; none for who may not see them."""
    if not can(viewer, "guardrails.view", project):
        return []
    decisions = GuardrailHit.objects.filter(project=project)
    counted = (
        decisions.values("name", "version")
        .annotate(hits=Count("id", filter=Q(action__in=ACTED)), passes=Count("id", filter=Q(action="passed")))
        .order_by("name", "version")
    )
    reviewed = _reviewed(project)
    sides: dict[tuple[str, str], tuple[list[Reviewed], list[Reviewed]]] = {}
    for hit in decisions.filter(pk__in=reviewed).only("id", "name", "version", "action"):
        acted, passed = sides.setdefault((hit.name, hit.version), ([], []))
        (acted if hit.action in ACTED else passed).append(reviewed[hit.pk])
    found = []
    for row in counted:
        acted, passed = sides.get((row["name"], row["version"]), ([], []))
        found.append(_figures(project, dict(row), acted, passed))
    return found


def _figures(project: Project, row: dict[str, Any], acted: list[Reviewed], passed: list[Reviewed]) -> VersionFigures:
    known = [one for one in passed if one.probability is not None]
    return VersionFigures(
        name=row["name"],
        version=row["version"],
        trigger_rate=_trigger_rate(project, row),
        precision=_precision(acted, row["hits"]),
        miss_rate=_miss_rate(known, row["passes"], len(passed)),
        recall=_recall(acted, known, row),
        n_hits=row["hits"],
        n_hits_reviewed=len(acted),
        n_passed_reviewed=len(passed),
    )


def _reviewed(project: Project) -> dict[UUID, Reviewed]:
    """decision -> what was settled about it, over every guardrail queue; of two queues the newer one's."""
    found: dict[UUID, Reviewed] = {}
    for queue in (
        Queue.objects.filter(project=project, kind="guardrail").select_related("rubric").order_by("created_at")
    ):
        labels = settled_labels(queue=queue)
        items = QueueItem.objects.filter(queue=queue, hit__isnull=False)
        for item, hit, probability in items.values_list("id", "hit_id", "inclusion_probability"):
            label = labels.get(item, {}).get(SHOULD_FIRE)
            if label is not None and isinstance(label.value, bool) and hit is not None:
                found[hit] = Reviewed(label.value, probability)
    return found


def _trigger_rate(project: Project, row: dict[str, Any]) -> Stat:
    """Over outputs, not decisions: one may carry several of the same version."""
    if not row["passes"]:
        return Stat.undefined_because("probabilities_missing", HITS_ONLY)
    mine = Q(guardrail_hits__name=row["name"], guardrail_hits__version=row["version"])
    acted = Case(When(guardrail_hits__action__in=ACTED, then=Value(1)), default=Value(0))
    outputs = Output.objects.filter(mine, project=project).values("id", "sampling_rate").annotate(fired=Max(acted))
    if not outputs.filter(sampling_rate__lt=1).exists():
        return proportion(outputs.filter(fired=1).count(), outputs.count())
    rows = list(outputs.values_list("fired", "sampling_rate"))
    return pass_rate([float(fired) for fired, _ in rows], [1.0 if rate is None else rate for _, rate in rows])


def _precision(acted: list[Reviewed], n_hits: int, confidence: float = DEFAULT_CONFIDENCE) -> Stat:
    """Wilson; when every reviewed hit has a known probability and they differ, weighted by them."""
    probabilities = {one.probability for one in acted}
    if len(probabilities) > 1 and None not in probabilities:
        return _weighted(acted, confidence)
    code = "no_data" if n_hits else "no_predicted_positives"
    positive = sum(one.should_fire for one in acted)
    return proportion(positive, len(acted), confidence=confidence, code=code)


def _miss_rate(known: list[Reviewed], n_passes: int, n_reviewed: int) -> Stat:
    if not n_passes:
        return Stat.undefined_because("probabilities_missing", HITS_ONLY)
    if n_reviewed and not known:
        return Stat.undefined_because("probabilities_missing", NOT_SAMPLED)
    return _weighted(known)


def _weighted(reviewed: list[Reviewed], confidence: float = DEFAULT_CONFIDENCE) -> Stat:
    values = [float(one.should_fire) for one in reviewed]
    return pass_rate(values, [one.probability for one in reviewed], confidence=confidence)


def _recall(acted: list[Reviewed], known: list[Reviewed], row: dict[str, Any]) -> Stat:
    if not row["passes"]:
        return Stat.undefined_because("probabilities_missing", HITS_ONLY)
    if not known:
        return Stat.undefined_because("no_data", "no pass selected by a rule was reviewed")
    if len({one.probability for one in known}) == 1:
        hits = Stratum(row["hits"], len(acted), sum(one.should_fire for one in acted))
        return recall(hits, [Stratum(row["passes"], len(known), sum(one.should_fire for one in known))])
    half = 1 - (1 - DEFAULT_CONFIDENCE) / 2
    return _ratio(_precision(acted, row["hits"], half), _weighted(known, half), row, len(acted) + len(known))


def _ratio(right: Stat, missed: Stat, row: dict[str, Any], n: int) -> Stat:
    """caught / (caught + missed), with a joint interval of both shares."""
    method = "ratio of totals, Bonferroni"
    for part in (right, missed):
        if part.undefined is not None:
            return Stat.undefined_because(part.undefined, part.reason, method=method, n=n)
    caught, lost = row["hits"] * (right.value or 0.0), row["passes"] * (missed.value or 0.0)
    if caught + lost == 0:
        return Stat.undefined_because("no_actual_positives", method=method, n=n)
    value = caught / (caught + lost)
    if right.interval is None or missed.interval is None:
        return Stat(value, None, DEFAULT_CONFIDENCE, method, n, warnings=("low_information",))
    low, high = (
        row["hits"]
        * right.interval[end]
        / (row["hits"] * right.interval[end] + row["passes"] * missed.interval[1 - end])
        if row["hits"] * right.interval[end] + row["passes"] * missed.interval[1 - end] > 0
        else float(end)
        for end in (0, 1)
    )
    return Stat(value, (min(low, value), max(high, value)), DEFAULT_CONFIDENCE, method, n)


@dataclass(frozen=True)
class Decision:
    """One decision in the list: no production text. `settled` is null until people settled it."""

    hit: GuardrailHit
    settled: bool | None


def visible_decisions(*, viewer: Actor, project: Project) -> QuerySet[GuardrailHit]:
    """All decisions of the project, the newest first; none for who may not see them."""
    if not can(viewer, "guardrails.view", project):
        return GuardrailHit.objects.none()
    return GuardrailHit.objects.filter(project=project).select_related("output").defer(
        "output__input", "output__output", "output__context", "output__steps"
    ).order_by("-output__occurred_at", "pk")  # fmt: skip


def with_answers(project: Project, hits: list[GuardrailHit]) -> list[Decision]:
    """The decisions with what people settled about them."""
    reviewed = _reviewed(project)
    return [Decision(hit, reviewed[hit.pk].should_fire if hit.pk in reviewed else None) for hit in hits]
