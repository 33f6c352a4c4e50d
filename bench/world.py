"""The project, people and tokens that the benchmarks act as. Django must be set up before this is imported."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench import payload
from bench.client import Client
from bench.stack import Stack
from reviewapp.access.actors import SYSTEM, Actor
from reviewapp.access.matrix import Role
from reviewapp.access.models import Project
from reviewapp.access.services import create_project, create_user, grant_role
from reviewapp.access.tokens import create_personal_token, create_service_token
from reviewapp.queues.models import Queue
from reviewapp.queues.services import QueueIn, create_queue
from reviewapp.rubrics.models import Rubric
from reviewapp.rubrics.services import RubricIn, publish, save_draft

PASSWORD = "correct horse battery"
PROJECT = "bench"
REVIEWERS = 8


@dataclass(frozen=True)
class World:
    """A manager with a service token, and eight reviewers with personal ones."""

    stack: Stack
    project: Project
    manager: Actor
    reviewers: list[Actor]
    service_token: str
    reviewer_tokens: list[str]

    def service(self) -> Client:
        """A program of the project."""
        return Client(self.stack.port, project=PROJECT, token=self.service_token)

    def reviewer(self, number: int) -> Client:
        """A front end of one reviewer."""
        return Client(self.stack.port, project=PROJECT, token=self.reviewer_tokens[number])

    def queue(self, slug: str) -> Queue:
        """A queue of the benchmark's rubric, one reviewer an item, all eight may review it."""
        asked = QueueIn(slug=slug, title=slug, kind="grade", rubric=payload.RUBRIC["slug"])
        made = create_queue(actor=self.manager, project=self.project, queue=asked)
        for reviewer in self.reviewers:
            grant_role(actor=SYSTEM, user=reviewer.person, role=Role.REVIEWER, target=made)
        return made

    def send_outputs(self, items: Sequence[dict[str, Any]]) -> None:
        """Send items that are needed, not measured."""
        client = self.service()
        for body in payload.ndjson_bodies(items):
            client.bulk("outputs/", body)
        client.close()

    def enqueue(self, queue: str, items: Sequence[dict[str, Any]]) -> None:
        """Make them items of the queue."""
        client = self.service()
        answer = client.call("POST", f"queues/{queue}/items/", {"external_ids": [one["external_id"] for one in items]})
        client.close()
        if answer["accepted"] != len(items):
            raise RuntimeError(f"only {answer['accepted']} of {len(items)} items were enqueued")

    def import_reviews(self, queue: str, reviews: Sequence[dict[str, Any]]) -> None:
        """Reviews by people from elsewhere."""
        client = self.service()
        for start in range(0, len(reviews), 5_000):
            lines = (json.dumps(review).encode() for review in reviews[start : start + 5_000])
            client.bulk(f"queues/{queue}/reviews/import/", b"\n".join(lines))
        client.close()


def make_world(stack: Stack) -> World:
    """Make them through the services, as the application does."""
    project = create_project(actor=SYSTEM, slug=PROJECT, title="Benchmark")
    people = {
        name: Actor(user=create_user(actor=SYSTEM, username=name, password=PASSWORD))
        for name in ("manager", *(f"reviewer{number}" for number in range(REVIEWERS)))
    }
    manager = people.pop("manager")
    grant_role(actor=SYSTEM, user=manager.person, role=Role.MANAGER, target=project)
    save_draft(actor=manager, project=project, rubric=RubricIn.model_validate(payload.RUBRIC))
    publish(actor=manager, rubric=Rubric.objects.get(project=project, slug=payload.RUBRIC["slug"]))
    service = create_service_token(
        actor=manager, project=project, name="bench", scopes=["ingest", "labels:read", "manage"]
    )
    return World(
        stack=stack,
        project=project,
        manager=manager,
        reviewers=list(people.values()),
        service_token=service.secret,
        reviewer_tokens=[
            create_personal_token(actor=person, name="bench", scopes=["review"]).secret for person in people.values()
        ],
    )
