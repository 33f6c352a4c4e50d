"""Agreement from the database, against one GROUP BY, and against a library that has everything in memory."""

from __future__ import annotations

import random
from functools import partial
from statistics import median
from typing import Any

import krippendorff
import numpy as np
from django.db import OperationalError

from bench import payload, rivals
from bench.measure import Row, number, ratio_text, spread, timed
from bench.sizes import Size
from bench.world import World
from reviewapp.agreement.selectors import compute_report
from reviewapp.agreement.selectors.known import Labels
from reviewapp.agreement.selectors.labels import Scope, read_tables
from reviewapp.agreement.selectors.questions import questions_of
from reviewapp.audit.selectors import position
from reviewapp.queues.models import Queue
from reviewapp.stats.agreement import krippendorff_alpha

QUEUE = "agreeing"
RATERS = ("ada", "ben", "cleo")
_COUNTED = """
SELECT counts, count(*) FROM (
    SELECT r.item_id, array[{counts}] AS counts
    FROM reviewapp_review r JOIN reviewapp_grade g ON g.review_id = r.id
    JOIN reviewapp_criterion k ON k.id = g.criterion_id AND k.key = 'rating'
    JOIN reviewapp_queueitem i ON i.id = r.item_id
    WHERE i.queue_id = %s AND r.ended_at IS NULL
    GROUP BY r.item_id) AS item
GROUP BY counts
""".format(counts=", ".join(f"count(*) FILTER (WHERE g.value = '{level}')" for level in range(1, 6)))


def measure(world: World, size: Size) -> list[Row]:
    """Ordinal alpha of one criterion, and the whole report."""
    queue = world.queue(QUEUE)
    items = _review(world, size.labelled)
    ratings = len(items) * len(RATERS)
    at_once = _alpha_at_once(queue)
    world.stack.settle()
    alphas, bare, reports, libraries = [], [], [], []
    values: set[float] = set()
    for _ in range(size.rounds):
        seconds, value = timed(lambda: _alpha(queue))
        alphas.append(seconds)
        values.add(round(value, 9))
        seconds, counts = timed(lambda: _bare(world, queue))
        bare.append(seconds)
        seconds, value = timed(partial(_library, counts))
        libraries.append(seconds)
        values.add(round(value, 9))
        reports.append(timed(lambda: compute_report(queue, as_of=position()))[0])
    if len(values) != 1:
        raise RuntimeError(f"the alphas differ: {sorted(values)}")
    shown = [f"{spread([second * 1_000 for second in seconds])} ms" for seconds in (alphas, bare, reports)]
    note = (
        f"{ratings:,} ratings of 1 to 5 by {len(RATERS)} reviewers. Ours: counts, pairs, alpha with interval. "
        f"Floor: one GROUP BY over the same rows. The library krippendorff gives the same 9 digits, {values.pop()}; "
        f"its call on the counts in memory took {number(median(libraries) * 1_000)} ms. Ratio of times."
    )
    floor = f"{shown[1]} GROUP BY"
    return [
        Row("ordinal alpha, from the database", shown[0], floor, _times(alphas, bare), rivals.ALPHA, note),
        Row("  right after the import, unanalysed", at_once),
        Row("  the whole report, 3 criteria", shown[2], floor, _times(reports, bare)),
    ]


def _alpha_at_once(queue: Queue) -> str:
    """The same before autovacuum has looked at the tables, when the planner knows nothing of their size."""
    try:
        return f"{number(timed(partial(_alpha, queue))[0] * 1_000)} ms"
    except OperationalError as error:  # the statement timeout of the application
        return str(error).strip()


def _times(mine: list[float], floor: list[float]) -> str:
    return ratio_text([other / one for one, other in zip(mine, floor, strict=True)])


def _review(world: World, count: int) -> list[dict[str, Any]]:
    items = payload.renamed([payload.item(place) for place in range(count)], "agree")
    world.send_outputs(items)
    rng = random.Random(3)
    truths = [rng.randint(1, 5) for _ in items]
    reviews = [
        {"external_id": one["external_id"], "reviewer": rater, "grades": payload.agreeing_grades(rng, truth)}
        for rater in RATERS
        for one, truth in zip(items, truths, strict=True)
    ]
    world.import_reviews(QUEUE, reviews)
    return items


def _alpha(queue: Queue) -> float:
    question = next(one for one in questions_of(queue) if one.key == "rating")
    tables = read_tables(question, Scope(queue))[None]
    found = krippendorff_alpha(Labels(question, tables, {}, list).patterns, level="ordinal").value
    if found is None:
        raise RuntimeError("alpha is undefined")
    return float(found)


def _bare(world: World, queue: Queue) -> list[tuple[list[int], int]]:
    with world.stack.owner() as owner:
        return owner.execute(_COUNTED.encode(), [queue.pk]).fetchall()


def _library(counts: list[tuple[list[int], int]]) -> float:
    table = np.repeat(np.array([row for row, _ in counts]), np.array([items for _, items in counts]), axis=0)
    alpha = krippendorff.alpha(value_counts=table, value_domain=np.arange(1, 6), level_of_measurement="ordinal")
    return float(alpha)
