"""A dataset version, frozen by the worker and downloaded, against a server-side cursor over the same items."""

from __future__ import annotations

import random
import time
from statistics import median
from typing import Any

from bench import payload, rivals
from bench.client import Client
from bench.measure import Reading, Row, in_turns, rate_row
from bench.sizes import Size
from bench.world import World

QUEUE = "exporting"
DATASET = "labelled"
FREEZE_SECONDS = 600.0
_ROWS = """
SELECT o.external_id, o.input, o.output, o.context, c.document, i.inclusion_probability, g.grades
FROM reviewapp_queueitem i
JOIN reviewapp_queue q ON q.id = i.queue_id AND q.slug = %s
JOIN reviewapp_output o ON o.id = i.output_id
LEFT JOIN reviewapp_configuration c ON c.id = o.configuration_id
JOIN LATERAL (
    SELECT jsonb_object_agg(k.key, g.value) AS grades FROM reviewapp_review r
    JOIN reviewapp_grade g ON g.review_id = r.id JOIN reviewapp_criterion k ON k.id = g.criterion_id
    WHERE r.item_id = i.id AND r.ended_at IS NULL
) g ON true
ORDER BY o.external_id
"""


def measure(world: World, size: Size) -> list[Row]:
    """The whole export (ask, freeze, download), and the download of what is frozen."""
    _label(world, size.labelled)
    world.stack.settle()
    client = world.service()
    definition = {"slug": DATASET, "title": "Labelled", "queues": [QUEUE], "labels": "settled"}
    client.call("POST", "datasets/", definition)
    freezes: list[Reading] = []
    downloads: list[Reading] = []

    def export(_: int) -> Reading:
        freezes.append(_freeze(world, client))
        downloads.append(_download(world, client, freezes[-1].latencies["number"][0], size.labelled))
        return Reading(operations=size.labelled, seconds=freezes[-1].seconds + downloads[-1].seconds)

    whole, cursors = in_turns(size.rounds, export, lambda _: _cursor(world))
    client.close()
    rate = median(one.rate for one in whole)
    first = f"our first byte {median(one.latencies['first'][0] for one in downloads) * 1_000:.0f} ms"
    return [
        rate_row(
            "export, ask to last byte", whole, cursors, floor="cursor",
            rival=f"{rivals.EXPORT}; ours {rivals.times(rate, rivals.EXPORT_PER_SECOND)}",
            note=f"{size.labelled:,} labelled items, JSONL (the version has every format, manifest, hashes). Floor: a "
            "server-side cursor over the same items with their grades, rows only.",
        ),
        rate_row("  of that, freeze by the worker", freezes, cursors, floor="cursor"),
        rate_row("  download, frozen once", downloads, cursors, floor="cursor", rival=first),
    ]  # fmt: skip


def _label(world: World, count: int) -> None:
    items = payload.renamed([payload.item(place) for place in range(count)], "export")
    world.queue(QUEUE)
    world.send_outputs(items)
    rng = random.Random(2)
    reviews = [
        {"external_id": one["external_id"], "reviewer": "somebody", "grades": payload.grades(rng)} for one in items
    ]
    world.import_reviews(QUEUE, reviews)


def _freeze(world: World, client: Client) -> Reading:
    with world.stack.meter_of("web", "worker").reading() as reading:
        version = _frozen(client)
        reading.operations = int(version["rows"])
    reading.latencies = {"number": [float(version["number"])]}
    return reading


def _frozen(client: Client) -> dict[str, Any]:
    """A new version, when it is done."""
    began = time.perf_counter()
    version: dict[str, Any] = client.call("POST", f"datasets/{DATASET}/versions/", expect=(202,))
    place = f"datasets/{DATASET}/versions/{version['number']}/"
    while version["state"] in ("waiting", "running"):
        if time.perf_counter() - began > FREEZE_SECONDS:
            raise RuntimeError(f"the version is still {version['state']}")
        time.sleep(0.02)
        version = client.call("GET", place)
    if version["state"] != "done":
        raise RuntimeError(f"the version ended as {version['state']}: {version}")
    return version


def _download(world: World, client: Client, number: float, expected: int) -> Reading:
    with world.stack.meter.reading() as reading:
        streamed = client.stream(f"datasets/{DATASET}/versions/{number:.0f}/download/?format=jsonl")
        reading.operations = streamed.lines
    if streamed.lines != expected:
        raise RuntimeError(f"{streamed.lines} rows came of {expected} labelled items")
    reading.latencies = {"first": [streamed.first_byte_seconds]}
    return reading


def _cursor(world: World) -> Reading:
    meter = world.stack.postgres_meter
    with world.stack.owner() as owner, owner.transaction(), owner.cursor(name="bench") as cursor:
        cursor.itersize = 2_000
        with meter.reading() as reading:
            cursor.execute(_ROWS.encode(), [QUEUE])
            reading.operations = sum(1 for _ in cursor)
    return reading
