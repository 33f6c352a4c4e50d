"""Projects in which the published sets are loaded through the API."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Api
from tests.datasets.published import Comparison


@pytest.fixture
def compare(datasets: Path, record_property: Any) -> Callable[[str], Comparison]:
    """`compare("newsroom").same("what", ours)`."""

    def begin(name: str) -> Comparison:
        return Comparison(name, datasets / name, record_property)

    return begin


@pytest.fixture
def queue_with(api: Api) -> Callable[..., None]:
    """A published rubric with these criteria and a queue over it, both made through the API."""

    def make(slug: str, criteria: list[dict[str, Any]], *, kind: str = "grade") -> None:
        made = api.post("rubrics/", {"slug": slug, "title": slug, "criteria": criteria})
        assert made.status in (200, 201), made.body
        published = api.post(f"rubrics/{slug}/publish/", {"reason": "test"})
        assert published.status in (200, 201), published.body
        queue = api.post("queues/", {"slug": slug, "title": slug, "kind": kind, "rubric": slug})
        assert queue.status == 201, queue.body

    return make


@pytest.fixture
def load(api: Api) -> Callable[[str, list[dict[str, Any]]], None]:
    """Sends NDJSON; every record must land."""

    def send(path: str, records: list[dict[str, Any]]) -> None:
        answer = api.bulk(path, records)
        assert answer.status == 200, answer.body
        assert (answer.body["accepted"], answer.body["rejected"]) == (len(records), 0), answer.body["errors"][:3]

    return send
