"""A project whose sampling rules selected some outputs, made through the public API."""

from __future__ import annotations

from typing import Any

import pytest

from reviewapp.queues.services import pull_all
from tests.conftest import Api, Cast, service_api

RUBRIC = {
    "slug": "answers",
    "title": "Answers",
    "criteria": [
        {"key": "correct", "kind": "binary", "title": "Is it correct?"},
        {
            "key": "tone",
            "kind": "ordinal",
            "title": "Tone",
            "required": False,
            "levels": [{"value": value, "label": str(value)} for value in (1, 2, 3)],
            "pass_at": 2,
        },
        {"key": "words", "kind": "text", "title": "In your words", "required": False},
    ],
}
WINDOW = "2026-11-01T00:00:00Z/2026-11-08T00:00:00Z"


class World:
    """The cast's project with one queue `support` fed by the rules `often` (0.5) and `seldom` (0.1)."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.api: Api = service_api(cast)
        self.ok(self.api.post("rubrics/", RUBRIC))
        self.ok(self.api.post("rubrics/answers/publish/"))
        for slug, rate in (("often", 0.5), ("seldom", 0.1)):
            self.ok(self.api.post("rules/", {"slug": slug, "rate": rate, "where": {"feature": slug}}))
        body = {
            "slug": "support",
            "title": "Support",
            "kind": "grade",
            "rubric": "answers",
            "rules": ["often", "seldom"],
        }
        self.ok(self.api.post("queues/", body))

    def ok(self, answer: Any) -> Any:
        """The body of an answer that must have succeeded, record by record."""
        assert answer.status < 300, answer.raw
        assert not (answer.body or {}).get("rejected"), answer.body
        return answer.body

    def outputs(self, *rows: dict[str, Any]) -> None:
        """Ingest, and let the queue pull what the rules selected."""
        defaults = {"input": "?", "output": "!", "occurred_at": "2026-11-03T10:00:00Z"}
        self.ok(self.api.bulk("outputs/", [{**defaults, **row} for row in rows]))
        pull_all()

    def reviews(self, answers: dict[str, dict[str, Any]], reviewer: str = "mara") -> None:
        """One imported review an output."""
        rows = [{"external_id": name, "reviewer": reviewer, "grades": grades} for name, grades in answers.items()]
        self.ok(self.api.bulk("queues/support/reviews/import/", rows))

    def estimate(self, **asked: str) -> Any:
        """The body of GET estimates."""
        query = {"metric": "pass_rate:answers.correct", "window": WINDOW, **asked}
        return self.ok(self.api.get("estimates/?" + "&".join(f"{name}={value}" for name, value in query.items())))


@pytest.fixture
def world(cast: Cast) -> World:
    """In a test that is rolled back."""
    return World(cast)
