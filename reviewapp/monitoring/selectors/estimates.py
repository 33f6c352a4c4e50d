"""Pass rates and means of production, from labels on outputs that were selected with a known probability."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

import numpy as np

from reviewapp.access.actors import Actor
from reviewapp.access.models import Project
from reviewapp.access.roles import require
from reviewapp.agreement.selectors import settled_labels
from reviewapp.ingest.models import Configuration, Output
from reviewapp.lib.errors import Malformed
from reviewapp.monitoring.selectors.windows import Window
from reviewapp.queues.models import Queue, QueueItem
from reviewapp.rubrics.answers import numeric_value, passes
from reviewapp.rubrics.models import Criterion, Rubric
from reviewapp.rubrics.selectors import criteria_of, published_version
from reviewapp.stats.result import Stat
from reviewapp.stats.sampling import kish_size, pass_rate, weighted_mean

Figure = Literal["pass_rate", "mean"]
ENOUGH_ANSWERED = 0.9  # below this share of the selected items a figure warns of nonresponse
BY_HAND = (
    "the labels are on items without an inclusion probability (enqueued by hand, imported or gold); "
    "only outputs that a sampling rule selected can stand for the others"
)
NO_LABEL = "no output of this window that a sampling rule selected has a settled label yet"
NO_BAR = "this criterion has no pass rate: it is not yes or no, and the rubric sets no pass_at"
NO_NUMBER = "answers to this criterion are not numbers"


@dataclass(frozen=True)
class Metric:
    """What is estimated. `text` is how it was asked for."""

    text: str
    figure: Figure
    rubric: Rubric
    criterion: Criterion


@dataclass(frozen=True)
class Labelled:
    """One output and its settled labels: criterion key -> value. `probability` is null where no rule selected it."""

    configuration: UUID | None
    probability: float | None
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Estimate:
    """API.md's Estimate. stat: the figure. effective_n: Kish's size of the labels, null without a figure."""

    metric: str
    configuration: str | None
    window: str
    stat: Stat
    n_population: int
    effective_n: float | None

    def as_dict(self) -> dict[str, Any]:
        """The answer of the API."""
        stat = self.stat
        return {
            "metric": self.metric,
            "configuration": self.configuration,
            "window": self.window,
            "value": stat.value,
            "interval": None if stat.interval is None else list(stat.interval),
            "confidence": stat.confidence,
            "method": "human_only",
            "n_population": self.n_population,
            "n_judged": 0,
            "n_labelled": stat.n,
            "effective_n": self.effective_n,
            "labels_saved": None,
            "undefined": stat.undefined,
            "reason": stat.reason,
        }


def estimate(*, viewer: Actor, project: Project, metric: str, configuration: str | None, window: Window) -> Estimate:
    """One figure; without `configuration` over all of them. Raises AccessDenied, Hidden, or Malformed for a metric or
    configuration that does not exist.
    """
    require(viewer, "monitoring.view", project)
    asked = metric_named(project, metric)
    chosen = None if configuration is None else configuration_named(project, configuration)
    outputs = Output.objects.filter(project=project, occurred_at__gte=window.start, occurred_at__lt=window.end)
    if chosen is not None:
        outputs = outputs.filter(configuration=chosen)
    found = labelled_outputs(project, asked.rubric, window)
    rows = [row for row in found if chosen is None or row.configuration == chosen.pk]
    stat, effective_n = figure_of(asked.figure, asked.criterion, rows)
    return Estimate(metric, configuration, window.text, stat, outputs.count(), effective_n)


def pass_rates(
    *, viewer: Actor, project: Project, window: Window
) -> list[tuple[Rubric, Criterion, dict[UUID | None, Estimate]]]:
    """The pass rate of every criterion that has one, by configuration with labels; rubrics of `grade` queues."""
    require(viewer, "monitoring.view", project)
    rubrics = Rubric.objects.filter(queues__in=_queues(project)).distinct().order_by("title", "pk")
    found = []
    for rubric in rubrics:
        version = published_version(rubric)
        if version is None:
            continue
        rows = labelled_outputs(project, rubric, window)
        configurations = dict.fromkeys(row.configuration for row in rows)
        for criterion in criteria_of(version):
            if not has_pass_rate(criterion):
                continue
            name = f"pass_rate:{rubric.slug}.{criterion.key}"
            estimates = {}
            for chosen in configurations:
                stat, effective_n = figure_of(
                    "pass_rate", criterion, [row for row in rows if row.configuration == chosen]
                )
                estimates[chosen] = Estimate(name, None, window.text, stat, 0, effective_n)
            found.append((rubric, criterion, estimates))
    return found


def metric_named(project: Project, text: str) -> Metric:
    """`pass_rate:<rubric>.<criterion>` or `mean:<rubric>.<criterion>`. Raises Malformed."""
    figure, colon, rest = text.partition(":")
    slug, dot, key = rest.partition(".")
    if figure not in ("pass_rate", "mean") or not (colon and dot and slug and key):
        raise Malformed("metric must be pass_rate:<rubric>.<criterion> or mean:<rubric>.<criterion>.")
    rubric = Rubric.objects.filter(project=project, slug=slug).first()
    version = published_version(rubric) if rubric is not None else None
    if rubric is None or version is None:
        raise Malformed(f"This project has no published rubric {slug[:80]!r}.")
    for criterion in criteria_of(version):
        if criterion.key == key:
            return Metric(text, "pass_rate" if figure == "pass_rate" else "mean", rubric, criterion)
    raise Malformed(f"The rubric {slug!r} does not ask {key[:80]!r}.")


def configuration_named(project: Project, name: str) -> Configuration:
    """The configuration with this fingerprint (or its first eight characters or more), id or label.

    Raises Malformed when there is none, and when two share it.
    """
    known = Configuration.objects.filter(project=project)
    found = [
        one
        for one in known
        if name in (one.label, str(one.pk)) or (len(name) >= 8 and one.fingerprint.startswith(name))
    ]
    if len(found) == 1:
        return found[0]
    if found:
        heads = ", ".join(sorted(one.fingerprint[:12] for one in found))
        raise Malformed(f"{len(found)} configurations are called {name[:80]!r}; name a fingerprint: {heads}.")
    raise Malformed(f"This project has no configuration {name[:80]!r}; name a fingerprint, an id or a label.")


def labelled_outputs(project: Project, rubric: Rubric, window: Window) -> list[Labelled]:
    """The outputs of the window in the `grade` queues of the rubric, each once; without `values` while unsettled."""
    merged: dict[UUID, Labelled] = {}
    for queue in _queues(project).filter(rubric=rubric).order_by("slug"):
        labels = settled_labels(queue=queue)
        items = QueueItem.objects.filter(
            queue=queue, output__occurred_at__gte=window.start, output__occurred_at__lt=window.end
        ).exclude(source="gold")
        fields = ("pk", "output_id", "output__configuration_id", "inclusion_probability")
        for item, output, configuration, probability in items.values_list(*fields).order_by("pk").iterator():
            values = {key: label.value for key, label in labels.get(item, {}).items() if label.is_settled}
            row = Labelled(configuration, probability, values)
            merged[output] = _merge(merged[output], row) if output in merged else row
    return list(merged.values())


def _merge(one: Labelled, other: Labelled) -> Labelled:
    """The same output in two queues: the larger probability, and where both settled, the sampled one's value."""
    known = [row.probability for row in (one, other) if row.probability is not None]
    first, second = (other, one) if one.probability is None else (one, other)
    return Labelled(one.configuration, max(known, default=None), {**second.values, **first.values})


def has_pass_rate(criterion: Criterion) -> bool:
    """Whether the rubric says what passes."""
    return criterion.kind == "binary" or criterion.pass_at is not None


def figure_of(figure: Figure, criterion: Criterion, rows: list[Labelled]) -> tuple[Stat, float | None]:
    """The statistic over the rows that carry a label on the criterion and a known probability, and its effective n."""
    if figure == "pass_rate" and not has_pass_rate(criterion):
        return Stat.undefined_because("not_applicable", NO_BAR), None
    if figure == "mean" and criterion.kind not in ("binary", "ordinal", "numeric"):
        return Stat.undefined_because("not_applicable", NO_NUMBER), None
    rates = response_rates(criterion, rows)
    known: list[tuple[float, float]] = []
    n_unknown = 0
    for row in rows:
        number = _number(figure, criterion, row.values.get(criterion.key))
        if number is not None and row.probability is None:
            n_unknown += 1
        elif number is not None and row.probability is not None:
            known.append((number, row.probability * rates[row.configuration, row.probability]))
    if not known:
        if n_unknown:
            return Stat.undefined_because("probabilities_missing", BY_HAND), None
        return Stat.undefined_because("no_data", NO_LABEL), None
    numbers, probabilities = [one for one, _ in known], [one for _, one in known]
    stat = (pass_rate if figure == "pass_rate" else weighted_mean)(numbers, probabilities)
    n_selected = sum(row.probability is not None for row in rows)
    if stat.value is not None and len(known) < ENOUGH_ANSWERED * n_selected:
        stat = replace(stat, warnings=(*stat.warnings, "nonresponse"))
    return stat, None if stat.value is None else kish_size(np.asarray(probabilities))


def response_rates(criterion: Criterion, rows: list[Labelled]) -> dict[tuple[UUID | None, float], float]:
    """The share of the selected outputs with a settled label, by cell of configuration and probability.

    A label's weight is 1 / (probability x response rate): without the rate, a window whose outputs were all selected
    but half reviewed would look fully known. A criterion under a condition counts as answered where any other is.
    """
    selected: Counter[tuple[UUID | None, float]] = Counter()
    answered: Counter[tuple[UUID | None, float]] = Counter()
    for row in rows:
        if row.probability is not None:
            cell = (row.configuration, row.probability)
            selected[cell] += 1
            answered[cell] += bool(row.values) if criterion.show_if else criterion.key in row.values
    return {cell: answered[cell] / count for cell, count in selected.items()}


def _number(figure: Figure, criterion: Criterion, value: Any) -> float | None:
    if value is None:
        return None
    if figure == "mean":
        return numeric_value(criterion, value)
    passed = passes(criterion, value)
    return None if passed is None else float(passed)


def _queues(project: Project) -> Any:
    return Queue.objects.filter(project=project, kind="grade")
