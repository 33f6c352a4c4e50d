"""Load the sample project: people, rubrics, rules, queues, outputs, pairs, a judge, finished reviews, a dataset."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from reviewapp.access.actors import Actor, system_actor
from reviewapp.access.matrix import PROJECT_ROLES, Role, Scope
from reviewapp.access.models import Project, User
from reviewapp.access.services import create_project, create_user, grant_installation_role, grant_role
from reviewapp.access.tokens import create_personal_token, create_service_token
from reviewapp.audit.events import Event
from reviewapp.audit.services import Subject, record
from reviewapp.demo.content import reviews as answers
from reviewapp.demo.content.judge import judge_definition
from reviewapp.demo.content.outputs import output_records
from reviewapp.demo.content.pairs import pair_records
from reviewapp.demo.content.people import PEOPLE, REVIEWERS, Person
from reviewapp.demo.content.rubrics import QUEUES, rubric_definitions
from reviewapp.exports.services import DatasetIn, create_dataset, request_version
from reviewapp.grading.services import AnswerIn, PreferenceIn, submit_review
from reviewapp.ingest.services import RuleIn, create_rule, ingest_outputs, ingest_pairs
from reviewapp.judge.definitions import JudgeIn
from reviewapp.judge.services import RunIn, create_judge, start_run
from reviewapp.lib.bodies import Line
from reviewapp.queues.models import Lease, Queue
from reviewapp.queues.services import EnqueueIn, QueueIn, create_queue, enqueue, lease_next, pull_selections
from reviewapp.rubrics.records import RubricIn
from reviewapp.rubrics.services import publish, save_draft

logger = logging.getLogger(__name__)
LOADER = system_actor("sample loader")
SLUG, TITLE = "halyard", "Halyard support assistant"
PASSWORD = "halyard-sample-only"  # noqa: S105 - published on purpose, for the demo on loopback alone
SERVICE_SCOPES = [Scope.INGEST.value, Scope.LABELS_READ.value, Scope.MANAGE.value, Scope.AUDIT_READ.value]
RULES: tuple[dict[str, Any], ...] = (
    {"slug": "a-third-of-all", "rate": 0.35},
    {"slug": "every-thumbs-down", "rate": 1.0, "where": {"signal": "thumbs_down"}},
    {"slug": "one-output-in-twelve", "rate": 0.08},
)
QUEUE_RULES = {
    "support-answers": ["a-third-of-all", "every-thumbs-down"],
    "guardrail-hits": ["one-output-in-twelve"],
}
# How many items each reviewer finishes per queue: enough for figures, with work left for whoever tries the demo.
FINISHED = {"support-answers": 40, "answer-pairs": 16, "guardrail-hits": 18}


@dataclass(frozen=True)
class Sample:
    """What `make demo` prints: the project's slug, its service token, and the people with their tokens."""

    project: str
    token: str
    users: list[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        """The content of `sample.json`."""
        return {"project": self.project, "token": self.token, "users": self.users}


def is_loaded() -> bool:
    """Whether this database has the sample project."""
    return Project.objects.filter(slug=SLUG).exists()


def load_sample(*, now: datetime) -> Sample:
    """Load everything in one transaction: an interrupted load leaves nothing behind. now: the end of the sample's 28
    days.
    """
    with transaction.atomic():
        people = {person.username: _person(person) for person in PEOPLE}
        project = create_project(actor=LOADER, slug=SLUG, title=TITLE)
        _grant_project_roles(people, project)
        manager = Actor(user=people["max"])
        queues = _workplaces(manager, project)
        _grant_queue_roles(people, queues)
        _traffic(manager, project, queues, now)
        _finished_reviews(people, queues)
        _judge_and_dataset(manager, project, queues)
        sample = tokens(project)
        record(actor=LOADER, event=Event.SAMPLE_LOADED, subject=Subject("project", str(project.pk), project=SLUG))
    return sample


def tokens(project: Project) -> Sample:
    """Fresh tokens for the sample's people, for a first load and for a start whose file was lost."""
    manager = Actor(user=User.objects.get(username="max"))
    service = create_service_token(actor=manager, project=project, name="sample", scopes=SERVICE_SCOPES)
    users = []
    for person in PEOPLE:
        scopes = [scope.value for scope in Scope]
        made = create_personal_token(
            actor=Actor(user=User.objects.get(username=person.username)), name="sample", scopes=scopes
        )
        users.append(
            {"username": person.username, "password": PASSWORD, "roles": list(person.roles), "token": made.secret}
        )
    return Sample(project=project.slug, token=service.secret, users=users)


def _person(person: Person) -> User:
    return create_user(actor=LOADER, username=person.username, password=PASSWORD, display_name=person.name)


def _grant_project_roles(people: dict[str, User], project: Project) -> None:
    for person in PEOPLE:
        for role in (Role(name) for name in person.roles):
            if role in PROJECT_ROLES:
                grant_role(actor=LOADER, user=people[person.username], role=role, target=project, reason="sample")
            if role is Role.ADMIN:
                grant_installation_role(actor=LOADER, user=people[person.username], role=role)


def _grant_queue_roles(people: dict[str, User], queues: dict[str, Queue]) -> None:
    for person in PEOPLE:
        for role in (Role(name) for name in person.roles):
            if role not in PROJECT_ROLES:
                for queue in queues.values():
                    grant_role(actor=LOADER, user=people[person.username], role=role, target=queue, reason="sample")


def _workplaces(manager: Actor, project: Project) -> dict[str, Queue]:
    for definition in rubric_definitions():
        version = save_draft(actor=manager, project=project, rubric=RubricIn.model_validate(definition))
        publish(actor=manager, rubric=version.rubric, reason="first version of the sample")
    for rule in RULES:
        create_rule(actor=manager, project=project, rule=RuleIn.model_validate(rule))
    made = {}
    for definition in QUEUES:
        body = QueueIn.model_validate({**definition, "rules": QUEUE_RULES.get(definition["slug"], [])})
        made[definition["slug"]] = create_queue(actor=manager, project=project, queue=body)
    return made


def _traffic(manager: Actor, project: Project, queues: dict[str, Queue], now: datetime) -> None:
    _expect_all(ingest_outputs(actor=manager, project=project, lines=_lines(output_records(now))))
    _expect_all(ingest_pairs(actor=manager, project=project, lines=_lines(pair_records())))
    for queue in queues.values():
        pull_selections(queue=queue)
    # Every decision that acted is looked at, on top of the sampled ones, which alone enter the miss rate.
    for guardrail in ("electrical-safety", "pii-out", "off-topic"):
        body = EnqueueIn.model_validate({"where": {"guardrail": guardrail}, "guardrail": guardrail})
        enqueue(actor=manager, queue=queues["guardrail-hits"], body=body)
    names = [pair["external_id"] for pair in pair_records()]
    enqueue(actor=manager, queue=queues["answer-pairs"], body=EnqueueIn.model_validate({"external_ids": names}))


def _lines(records: Iterable[dict[str, Any]]) -> Iterable[Line]:
    return (Line(number, value=value) for number, value in enumerate(records, start=1))


def _expect_all(answer: Any) -> None:
    if answer.rejected:
        raise RuntimeError(f"the sample does not fit its own doors: {answer.errors[:3]}")


def _finished_reviews(people: dict[str, User], queues: dict[str, Queue]) -> None:
    write: dict[str, Callable[[str, Lease], AnswerIn]] = {
        "grade": _grade_answer,
        "pairwise": _pair_answer,
        "guardrail": _guardrail_answer,
    }
    for slug, queue in queues.items():
        for _ in range(FINISHED[slug]):
            for name in REVIEWERS:
                actor = Actor(user=people[name])
                lease = lease_next(actor=actor, queue=queue)
                if lease is not None:
                    submit_review(actor=actor, lease=lease, answer=write[queue.kind](name, lease))


def _record(lease: Lease) -> dict[str, Any]:
    output = lease.item.output
    if output is None:
        raise RuntimeError("a graded item has an output")
    text = output.output if isinstance(output.output, str) else ""
    return {"external_id": output.external_id, "output": text}


def _grade_answer(name: str, lease: Lease) -> AnswerIn:
    found = _record(lease)
    return AnswerIn(
        grades=answers.grades_for(name, found),
        comment=answers.comment_for(name, found),
        active_seconds=float(answers.active_seconds_for(name, found)),
    )


def _guardrail_answer(name: str, lease: Lease) -> AnswerIn:
    hit = lease.item.hit
    if hit is None:
        raise RuntimeError("a guardrail item has a decision")
    found = _record(lease)
    grades = answers.guardrail_grades_for(name, found, hit.name)
    return AnswerIn(grades=grades, active_seconds=float(answers.active_seconds_for(name, found)))


def _pair_answer(name: str, lease: Lease) -> AnswerIn:
    pair = lease.item.pair
    if pair is None:
        raise RuntimeError("a pairwise item has a pair")
    found = {"external_id": pair.external_id, "a_id": pair.a.external_id, "b_id": pair.b.external_id}
    told = answers.preference_for(name, found)
    shown = {"a": "left", "b": "right"} if lease.a_is_left else {"a": "right", "b": "left"}
    reason = answers.reason_for(name, found)
    preference = PreferenceIn(winner=shown.get(told["winner"], told["winner"]), strength=told.get("strength"))
    seconds = float(answers.active_seconds_for(name, {"external_id": pair.external_id}))
    return AnswerIn(grades={"reason": reason} if reason else {}, preference=preference, active_seconds=seconds)


def _judge_and_dataset(manager: Actor, project: Project, queues: dict[str, Queue]) -> None:
    """The run and the dataset version wait as rows; the worker of the demo finishes them."""
    version = create_judge(actor=manager, project=project, judge=JudgeIn.model_validate(judge_definition()))
    start_run(actor=manager, judge=version.judge, run=RunIn(queue="support-answers"))
    dataset = create_dataset(
        actor=manager,
        project=project,
        dataset=DatasetIn.model_validate(
            {
                "slug": "support-golden",
                "title": "Support answers, settled",
                "queues": ["support-answers"],
                "labels": "settled",
            }
        ),
    )
    request_version(actor=manager, dataset=dataset)
    preferences = create_dataset(
        actor=manager,
        project=project,
        dataset=DatasetIn.model_validate(
            {"slug": "answer-preferences", "title": "Preferred answers", "queues": ["answer-pairs"], "labels": "raw"}
        ),
    )
    request_version(actor=manager, dataset=preferences)
    logger.info("the sample project is loaded: %s queues", len(queues))
