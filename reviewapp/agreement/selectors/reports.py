"""API.md's Agreement answer: computed from the reviews, or the stored report where it still holds."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from reviewapp.access.actors import Actor
from reviewapp.access.roles import require
from reviewapp.agreement.models import AgreementReport
from reviewapp.agreement.selectors.entering import entering_reviews
from reviewapp.agreement.selectors.figures import criterion_figures
from reviewapp.agreement.selectors.known import Labels, Long, raters_named
from reviewapp.agreement.selectors.labels import BETWEEN, Scope, Tables, check_slice, read_long, read_tables
from reviewapp.agreement.selectors.questions import Question, questions_of
from reviewapp.audit.selectors import LogPosition, position
from reviewapp.ingest.models import Configuration
from reviewapp.lib.errors import Malformed
from reviewapp.queues.models import Queue

MOST_SLICES = 200
NOT_STATED = "not stated"


def current_report(
    *, viewer: Actor, queue: Queue, slice: str | None = None, configuration: str | None = None
) -> dict[str, Any]:
    """API.md's answer as of now, with `slices` when a slice is named.

    slice: configuration, model, feature, language or metadata.<key>. configuration: a label, model, id or fingerprint.
    Raises Hidden or AccessDenied, and Malformed for a slice or configuration that does not exist.
    """
    require(viewer, "agreement.view", queue)
    chosen = None if configuration is None else configurations_named(queue, configuration)
    cut = None if slice is None else check_slice(slice)
    if cut is None and chosen is None:
        stored = newest_report(queue)
        if stored is not None and is_fresh(stored):
            document: dict[str, Any] = stored.document
            return document
    as_of = position()
    document = compute_report(queue, as_of=as_of, configurations=chosen)
    if cut is not None:
        document["slices"] = _slices(Scope(queue, cut, chosen))
    return document


def compute_report(
    queue: Queue, *, as_of: LogPosition, configurations: tuple[UUID, ...] | None = None
) -> dict[str, Any]:
    """The answer without slices. as_of: read before the labels, so that they contain every change up to it."""
    scope = Scope(queue, configurations=configurations)
    criteria = []
    for question in questions_of(queue):
        tables = read_tables(question, scope).get(None, Tables())
        known = Labels(question, tables, raters_named(set(tables.reviewers)), partial(_whole, question, scope))
        criteria.append(criterion_figures(known))
    at = None if as_of.at is None else as_of.at.isoformat().replace("+00:00", "Z")
    return {"queue": queue.slug, "as_of": {"leaf_index": as_of.leaf_index, "at": at}, "criteria": criteria}


def newest_report(queue: Queue) -> AgreementReport | None:
    """The stored report of a queue."""
    return AgreementReport.objects.filter(queue=queue).order_by("-leaf_index", "-computed_at").first()


def is_fresh(report: AgreementReport) -> bool:
    """Whether no review was added or ended since.

    As many reviews as then, and none whose event has a later place in the log or none yet.
    """
    entering = entering_reviews(report.queue)
    if entering.filter(event__pending__isnull=False).exists():
        return False
    if entering.filter(event__leaf__idx__gt=report.leaf_index).exists():
        return False
    return entering.count() == report.n_reviews


def configurations_named(queue: Queue, name: str) -> tuple[UUID, ...]:
    """The configurations of the project with this label, model, id, or fingerprint (eight characters or more).

    Raises Malformed when there is none.
    """
    known = Configuration.objects.filter(project=queue.project_id)
    found = tuple(
        one.pk
        for one in known
        if name in (one.label, one.model, str(one.pk)) or (len(name) >= 8 and one.fingerprint.startswith(name))
    )
    if not found:
        raise Malformed(f"This project has no configuration {name[:80]!r}; name a label, model, id or fingerprint.")
    return found


def _whole(question: Question, scope: Scope) -> Long:
    return read_long(question, scope).get(None, [])


def _slices(scope: Scope) -> list[dict[str, Any]]:
    """`[{"slice", "criteria"}]` in the order of their names; null is what states none."""
    questions = questions_of(scope.queue)
    tables = {question.key: read_tables(question, scope) for question in questions}
    cuts = {cut for by_cut in tables.values() for cut in by_cut}
    if len(cuts) > MOST_SLICES:
        raise Malformed(f"{scope.slice} has {len(cuts)} values here; a slice may have at most {MOST_SLICES}.")
    raters = raters_named({one for by_cut in tables.values() for table in by_cut.values() for one in table.reviewers})
    longs = _Longs(scope)

    def figures(question: Question, cut: str | None) -> dict[str, Any]:
        counted = tables[question.key].get(cut, Tables())
        return criterion_figures(Labels(question, counted, raters, partial(longs.of, question, cut)))

    names = slice_names(scope, cuts)
    ordered = sorted(cuts, key=lambda cut: (names[cut] is None, names[cut] or "", cut or ""))
    return [{"slice": names[cut], "criteria": [figures(question, cut) for question in questions]} for cut in ordered]


class _Longs:
    """The labels one by one, read at most once per question for all slices."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.read: dict[str, dict[str | None, list[tuple[int, int, str]]]] = {}

    def of(self, question: Question, cut: str | None) -> Long:
        """The labels of one slice."""
        if question.key not in self.read:
            self.read[question.key] = read_long(question, self.scope)
        return self.read[question.key].get(cut, [])


def slice_names(scope: Scope, cuts: set[str | None]) -> dict[str | None, str | None]:
    """What each raw slice value is called: configurations by label, the two sides of a pair as "one vs other"."""
    if scope.slice not in ("configuration", "model"):
        return {cut: cut for cut in cuts}
    called = configuration_names(scope.queue) if scope.slice == "configuration" else {}
    names: dict[str | None, str | None] = {}
    for cut in cuts:
        sides = [called.get(side, side) for side in (cut or "").split(BETWEEN)]
        names[cut] = " vs ".join(side or NOT_STATED for side in sides) if any(sides) else None
    return names


def configuration_names(queue: Queue) -> dict[str, str]:
    """Configuration id -> label; those that share a label also show the head of their fingerprint."""
    known = list(Configuration.objects.filter(project=queue.project_id))
    seen = [one.label for one in known]
    return {
        str(one.pk): one.label if seen.count(one.label) == 1 else f"{one.label} ({one.fingerprint[:8]})"
        for one in known
    }
