"""A project with labels in it, made through the public API, and versions frozen from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from reviewapp.exports.models import DatasetVersion
from reviewapp.exports.services import build_version
from reviewapp.queues.models import Queue
from tests.conftest import Answer, Api, Cast, personal_api, service_api

RUBRIC = {
    "slug": "answers",
    "title": "Answers",
    "criteria": [
        {"key": "correct", "kind": "binary", "title": "Is it correct?"},
        {
            "key": "tone",
            "kind": "ordinal",
            "title": "Tone",
            "levels": [{"value": value, "label": str(value)} for value in (1, 2, 3)],
            "pass_at": 2,
        },
    ],
}
PREFERENCES = {
    "slug": "sides",
    "title": "Sides",
    "criteria": [{"key": "preference", "kind": "preference", "title": "Which is better?"}],
}


def output(external_id: str, **more: Any) -> dict[str, Any]:
    """An output that differs from others by its id."""
    return {
        "external_id": external_id,
        "input": f"Question of {external_id}?",
        "output": f"Answer to {external_id}.",
        "occurred_at": "2026-11-20T10:00:00Z",
        "configuration": {"model": "halyard-l"},
        **more,
    }


class World:
    """The cast's project behind its service token, with short words for what tests do often."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.api: Api = service_api(cast)

    def ok(self, answer: Answer) -> Any:
        """The body of an answer that must have succeeded, record by record."""
        assert answer.status < 300, answer.raw
        assert not (answer.body or {}).get("rejected"), answer.body
        return answer.body

    def outputs(self, *rows: dict[str, Any]) -> None:
        """Ingest."""
        self.ok(self.api.bulk("outputs/", list(rows)))

    def queue(
        self, slug: str = "support", *, kind: str = "grade", rubric: dict[str, Any] = RUBRIC, **more: Any
    ) -> Queue:
        """A queue with its rubric published; the cast's reviewers hold it."""
        known = self.api.get(f"rubrics/{rubric['slug']}/")
        if known.status == 404:
            self.ok(self.api.post("rubrics/", rubric))
            self.ok(self.api.post(f"rubrics/{rubric['slug']}/publish/"))
        self.ok(self.api.post("queues/", {"slug": slug, "title": slug, "kind": kind, "rubric": rubric["slug"], **more}))
        made = Queue.objects.get(slug=slug, project=self.cast.project)
        self.cast.reviewers(made)
        return made

    def reviews(self, slug: str, *rows: dict[str, Any]) -> None:
        """Import reviews."""
        self.ok(self.api.bulk(f"queues/{slug}/reviews/import/", list(rows)))

    def dataset(self, slug: str = "gold", **more: Any) -> None:
        """Define a dataset."""
        body = {"slug": slug, "title": "For training", "queues": ["support"], "labels": "settled", **more}
        self.ok(self.api.post("datasets/", body))

    def freeze(self, slug: str = "gold") -> dict[str, Any]:
        """Ask for a version over the API and build it as the worker would."""
        number = self.ok(self.api.post(f"datasets/{slug}/versions/"))["number"]
        row = DatasetVersion.objects.get(dataset__slug=slug, number=number)
        build_version(version_id=UUID(str(row.pk)))
        found: dict[str, Any] = self.ok(self.api.get(f"datasets/{slug}/versions/{number}/"))
        return found

    def download(self, format: str = "jsonl", *, slug: str = "gold", number: int = 1, **headers: str) -> Answer:
        """Take a file."""
        return self.api.get(f"datasets/{slug}/versions/{number}/download/?format={format}", **headers)


def graded(external_id: str, reviewer: str, *, correct: bool, tone: int = 2) -> dict[str, Any]:
    """One imported review."""
    return {
        "external_id": external_id,
        "reviewer": reviewer,
        "grades": {"correct": correct, "tone": tone},
        "submitted_at": "2026-11-20T12:00:00Z",
    }


@pytest.fixture
def world(committed_cast: Cast, settings: Any, tmp_path: Path) -> World:
    """An empty project whose versions are written below a folder of the test's own."""
    settings.FILES_DIR = tmp_path / "files"
    return World(committed_cast)


@pytest.fixture
def labelled(world: World) -> World:
    """Four outputs: two settled, one disputed, one never reviewed; a dataset `gold` over them."""
    return with_labels(world)


@pytest.fixture
def unbuilt(cast: Cast) -> World:
    """The same in a test that is rolled back and builds nothing: a snapshot needs commits."""
    return with_labels(World(cast))


def with_labels(world: World) -> World:
    """What `labelled` holds."""
    world.outputs(*(output(f"req-{number}") for number in range(1, 5)))
    world.queue()
    world.reviews(
        "support",
        graded("req-1", "mara", correct=True),
        graded("req-1", "tom", correct=True, tone=3),
        graded("req-2", "mara", correct=False),
        graded("req-3", "mara", correct=True, tone=1),
        graded("req-3", "tom", correct=False, tone=3),
    )
    world.ok(world.api.post("queues/support/items/", {"external_ids": ["req-4"]}))
    world.dataset()
    return world


def as_person(actor: Any, scopes: list[str] | None = None) -> Api:
    """A program that acts as one of the cast."""
    return personal_api(actor, scopes=scopes)
