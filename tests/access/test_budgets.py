"""Lists of a hundred cost as many statements as lists of one."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from reviewapp.access.actors import SYSTEM
from reviewapp.access.services import create_project
from reviewapp.audit.events import Event
from reviewapp.audit.services import Subject, record
from reviewapp.exports.models import Dataset
from reviewapp.judge.models import Judge, JudgeVersion
from reviewapp.queues.models import Queue
from reviewapp.rubrics.models import Criterion, Rubric, RubricVersion
from tests.conftest import personal_api
from tests.queues.arrange import make_rubric, make_rule

BUDGET = 12


def projects(cast):
    for number in range(100):
        create_project(actor=SYSTEM, slug=f"project-{number:03d}", title="P")


def queues(cast):
    rubric, rule = make_rubric(cast.project), make_rule(cast.project, slug="some", rate=0.1)
    for number in range(100):
        row = Queue.objects.create(
            project=cast.project, slug=f"queue-{number:03d}", title="Q", kind="grade", rubric=rubric
        )
        row.rules.add(rule)


def rubrics(cast):
    for number in range(100):
        rubric = Rubric.objects.create(project=cast.project, slug=f"rubric-{number:03d}", title="R")
        version = RubricVersion.objects.create(rubric=rubric, number=1)
        Criterion.objects.create(version=version, position=0, key="ok", kind="binary", title="OK?")


def judges(cast):
    rubric = make_rubric(cast.project)
    for number in range(100):
        judge = Judge.objects.create(
            project=cast.project, slug=f"judge-{number:03d}", title="J", kind="imported", rubric=rubric
        )
        JudgeVersion.objects.create(judge=judge, number=1, rubric_version=rubric.versions.get())


def datasets(cast):
    queues(cast)
    for number in range(100):
        row = Dataset.objects.create(project=cast.project, slug=f"set-{number:03d}", title="D", labels="raw")
        row.queues.set(Queue.objects.all()[:3])


def events(cast):
    for _ in range(100):
        record(actor=cast.max, event=Event.PROJECT_CREATED, subject=Subject("project", "x", project="halyard"))


LISTS = {
    "/api/v1/projects/": projects, "queues/": queues, "rubrics/": rubrics, "judges/": judges, "datasets/": datasets,
    "/api/v1/audit/events/": events,
}  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
def test_a_list_of_a_hundred_stays_within_its_statements(cast, path):
    LISTS[path](cast)
    api = personal_api(cast.ada)  # an admin of the project and of the installation
    api.get(path)  # the mark of the token's first use is written once a minute
    with CaptureQueriesContext(connection) as counted:
        answer = api.get(f"{path}?limit=100")
    assert (answer.status, len(answer.body["results"])) == (200, 100)
    asked = [one["sql"][:200] for one in counted if not one["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(asked) <= BUDGET, "\n".join(asked[: 2 * BUDGET])
