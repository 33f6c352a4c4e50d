"""Who may not, at the addresses that people use: the rules of separation of duties."""

from __future__ import annotations

import pytest
from django.db import InternalError, ProgrammingError, connection, transaction

from reviewapp.access.actors import SYSTEM
from reviewapp.access.matrix import ACTS, Role
from reviewapp.access.models import Project
from reviewapp.access.services import grant_role, revoke_role
from reviewapp.access.tokens import create_service_token
from reviewapp.audit.models import Event
from reviewapp.grading.models import Review
from reviewapp.lib.errors import Unprocessable
from reviewapp.queues.models import Lease
from reviewapp.queues.services import EnqueueIn, enqueue
from tests.conftest import Api, make_person, personal_api
from tests.queues.arrange import GOOD, make_outputs, make_queue


@pytest.fixture
def queue(cast):
    """Two items, two reviewers each, an adjudicator when they differ."""
    made = make_queue(cast, slug="answers", reviewers_per_item=2, adjudicate="on_disagreement")
    make_outputs(cast.project, 2)
    enqueue(actor=cast.max, queue=made, body=EnqueueIn(external_ids=["out-0", "out-1"]))
    return made


def own(actor, scopes=("review",)):
    return personal_api(actor, scopes=list(scopes))


def leased(api):
    answer = api.post("queues/answers/lease/")
    assert answer.status == 200, answer.raw
    return answer.body


def test_a_reviewer_sees_the_queues_granted_to_them_and_no_other(cast, queue):
    make_queue(cast, slug="secret", kind="pairwise")
    quinn = make_person("quinn")
    grant_role(actor=cast.max, user=quinn.person, role=Role.REVIEWER, target=queue)
    api = own(quinn)
    assert [one["slug"] for one in api.get("queues/").body["results"]] == ["answers"]
    assert api.get("queues/secret/").status == 404
    assert api.post("queues/secret/lease/").status == 404
    assert b"secret" not in api.get("queues/").raw


def test_a_reviewer_sees_an_item_leased_to_them_and_no_other(cast, queue):
    rita, rob = own(cast.rita), own(cast.rob)
    hers = leased(rita)
    assert rita.get(f"leases/{hers['id']}/").status == 200
    assert rob.get(f"leases/{hers['id']}/").status == 404
    assert rob.post(f"leases/{hers['id']}/submit/", GOOD).status == 404
    for path in ("outputs/", "outputs/out-0/"):
        assert rita.get(path).status == 403


def test_a_review_is_undone_by_the_one_who_made_it_alone(cast, queue):
    rita, rob = own(cast.rita), own(cast.rob)
    made = rita.post(f"leases/{leased(rita)['id']}/submit/", GOOD)
    assert made.status == 201
    assert rob.post(f"reviews/{made.body['id']}/undo/").status == 404
    assert own(cast.max, ["manage"]).post(f"reviews/{made.body['id']}/undo/").status == 403


@pytest.mark.parametrize("who", ["ada", "max", "otto"])
def test_no_role_but_reviewer_lets_one_grade(cast, queue, who, page):
    api = personal_api(getattr(cast, who))
    assert api.post("queues/answers/lease/").status == 403
    browser = page(getattr(cast, who))
    assert browser.get("/p/halyard/review/answers/").status_code == 403
    assert browser.post("/p/halyard/review/answers/next/").status_code == 403
    hers = leased(own(cast.rita))
    assert api.post(f"leases/{hers['id']}/submit/", GOOD).status in (403, 404)
    assert Review.objects.count() == 0


def test_nobody_changes_or_deletes_a_review(cast, queue):
    """No route takes the method, and the database refuses what comes past the routes."""
    rita = own(cast.rita)
    review = rita.post(f"leases/{leased(rita)['id']}/submit/", GOOD).body["id"]
    for api in (rita, personal_api(cast.ada), personal_api(cast.max), personal_api(cast.ivy)):
        for method in ("PUT", "PATCH", "DELETE"):
            for path in (f"reviews/{review}/", f"reviews/{review}/undo/"):
                assert api.call(method, path, {}).status in (403, 404, 405), (method, path)
    for statement in (
        "UPDATE reviewapp_grade SET value = 'false'",
        "DELETE FROM reviewapp_grade",
        "DELETE FROM reviewapp_review",
    ):
        with pytest.raises((InternalError, ProgrammingError)), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_no_act_of_the_matrix_is_to_edit_a_grade():
    of_grades = {act for act in ACTS if act.startswith(("grade", "reviews.", "adjudicat"))}
    assert of_grades == {"grade", "adjudicate", "reviews.import", "reviews.view"}


def test_an_adjudicator_is_never_handed_an_item_that_they_graded(cast, queue):
    grant_role(actor=cast.max, user=cast.rita.person, role=Role.ADJUDICATOR, target=queue)
    for actor, correct in ((cast.rita, True), (cast.rob, False)):
        api = own(actor)
        lease = leased(api)
        assert api.post(f"leases/{lease['id']}/submit/", {"grades": {"correct": correct, "tone": 3}}).status == 201
    disputed = Lease.objects.filter(reviewer=cast.rita.person).get().item_id
    assert [lease.item_id for lease in Lease.objects.filter(reviewer=cast.rob.person)] == [disputed]
    while (answer := own(cast.rita).post("queues/answers/lease/?another=1")).status == 200:
        assert Lease.objects.get(pk=answer.body["id"]).item_id != disputed
    ivy = leased(own(cast.ivy))
    assert Lease.objects.get(pk=ivy["id"]).item_id == disputed


def test_a_token_loses_its_power_with_its_makers_role(cast):
    made = create_service_token(actor=cast.max, project=cast.project, name="ci", scopes=["manage", "ingest"])
    api = Api(made.secret, "halyard")
    assert api.get("rubrics/").status == 200
    assert api.post("outputs/", {"external_id": "a", "input": "q", "output": "a"}).status == 200
    revoke_role(actor=cast.ada, user=cast.max.person, role=Role.MANAGER, target=cast.project, reason="left")
    assert api.get("rubrics/").status == 404
    assert api.post("outputs/", {"external_id": "b", "input": "q", "output": "a"}).status == 404


def test_a_token_may_what_scope_and_role_both_allow(cast):
    """The auditor's own token with every scope reads the log and sends nothing."""
    api = personal_api(cast.otto)
    assert api.get("/api/v1/audit/events/").status == 200
    assert api.post("outputs/", {"external_id": "a", "input": "q", "output": "a"}).status == 403
    assert api.post("rubrics/", {}).status == 403


def test_a_key_in_a_body_reaches_no_other_project(cast, api, queue):
    """What another project has does not exist here, whoever names it."""
    assert personal_api(cast.ada).post("/api/v1/projects/", {"slug": "other", "title": "Other"}).status == 201
    other = Project.objects.get(slug="other")
    grant_role(actor=SYSTEM, user=cast.max.person, role=Role.MANAGER, target=other)
    there = personal_api(cast.max, "other")
    rubric = queue.rubric.slug
    bodies = {
        "queues/": {"slug": "q", "title": "Q", "kind": "grade", "rubric": rubric},
        "judges/": {"slug": "j", "title": "J", "kind": "imported", "rubric": rubric},
        "datasets/": {"slug": "d", "title": "D", "queues": ["answers"], "labels": "raw"},
    }
    for path, body in bodies.items():
        assert there.post(path, body).status in (404, 422), path
        assert there.get(path).body["results"] == [], path
    assert there.post("judges/j/runs/", {"queue": "answers"}).status == 404
    assert there.get("preferences/leaderboard/?queue=answers").status == 404
    assert there.get("outputs/out-0/").status == 404


@pytest.mark.parametrize(("first", "second"), [("admin", "reviewer"), ("manager", "adjudicator")])
@pytest.mark.parametrize("turned", [False, True])
def test_two_roles_that_two_people_should_hold_are_granted_with_a_warning(cast, queue, first, second, turned):
    person = make_person("olga").person
    order = [(first, cast.project), (second, queue)]
    (one, there), (other, here) = reversed(order) if turned else order
    assert grant_role(actor=SYSTEM, user=person, role=Role(one), target=there) is None
    warning = grant_role(actor=SYSTEM, user=person, role=Role(other), target=here)
    assert warning is not None
    assert first in warning
    assert second in warning
    event = Event.objects.filter(event="access.role_granted", object=str(person.pk)).latest("id")
    assert warning in event.payload.data


def test_a_name_from_an_import_holds_no_role(cast, api, queue):
    row = {"external_id": "out-0", "reviewer": "an expert", "grades": {"correct": True, "tone": 3}}
    assert api.bulk("queues/answers/reviews/import/", [row]).status == 200
    imported = Review.objects.get().reviewer
    with pytest.raises(Unprocessable, match="not an account"):
        grant_role(actor=cast.max, user=imported, role=Role.REVIEWER, target=queue)
