"""The pages of queues."""

import pytest

from reviewapp.queues.models import Queue
from reviewapp.queues.services import EnqueueIn, close_lease, enqueue, lease_next
from tests.queues.arrange import make_outputs, make_queue, make_rubric, make_rule

LIST = "/p/halyard/queues/"
FORM = {
    "title": "Answers", "slug": "answers", "kind": "grade", "rubric": "quality", "reviewers_per_item": "2",
    "overlap_percent": "50", "max_extra_reviewers": "1", "adjudicate": "always", "lease_minutes": "10",
    "order": "oldest", "blind": "on", "instructions": "Read twice.",
}  # fmt: skip


@pytest.fixture
def queue(cast):
    queue = make_queue(cast, slug="mine", title="Mine")
    make_outputs(cast.project, 3)
    enqueue(actor=cast.max, queue=queue, body=EnqueueIn(external_ids=["out-0", "out-1", "out-2"]))
    close_lease(lease=lease_next(actor=cast.rita, queue=queue))
    return queue


def text_of(response):
    return " ".join(response.content.decode().split())


def test_a_reviewer_sees_what_waits_and_where_to_begin(cast, queue, page):
    shown = text_of(page(cast.rita).get(LIST))
    assert 'href="/p/halyard/review/mine/">Review 2<' in shown
    assert "Make a queue" not in shown


def test_a_manager_sees_all_queues_and_may_make_one(cast, queue, page):
    shown = text_of(page(cast.max).get(LIST))
    assert "you do not review here" in shown
    assert "/p/halyard/queues/new/" in shown


def test_somebody_without_a_role_finds_nothing(cast, queue, page):
    client = page(cast.nemo)
    assert [client.get(LIST).status_code, client.get(LIST + "mine/").status_code] == [404, 404]


def test_nobody_signed_in_is_sent_to_sign_in(cast, client):
    assert client.get(LIST).status_code == 302


def test_a_manager_makes_a_queue_by_the_form(cast, page):
    make_rubric(cast.project)
    make_rule(cast.project, slug="every", rate=0.5)
    client = page(cast.max)
    assert client.get(LIST + "new/").status_code == 200
    made = client.post(LIST + "create/", {**FORM, "rules": ["every"]})
    assert (made.status_code, made["Location"]) == (302, LIST + "answers/")
    queue = Queue.objects.get()
    assert (queue.overlap_share, queue.lease_seconds, queue.is_blind, queue.adjudicate) == (0.5, 600, True, "always")
    assert [rule.slug for rule in queue.rules.all()] == ["every"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"slug": "No Spaces"}, "slug"),
        ({"reviewers_per_item": "0"}, "reviewers_per_item"),
        ({"rubric": "x"}, "rubric"),
        ({"title": ""}, "title"),
        ({"kind": "pairwise"}, "rubric"),
    ],
)
def test_a_refused_form_keeps_what_was_typed_and_names_the_field(cast, page, change, field):
    make_rubric(cast.project)
    refused = page(cast.max).post(LIST + "create/", {**FORM, **change})
    shown = text_of(refused)
    assert refused.status_code == 422
    assert f'class="error" id="id_{field}_error"' in shown
    assert "Read twice." in shown
    assert not Queue.objects.exists()


def test_a_taken_slug_is_said_beside_the_slug(cast, page):
    make_rubric(cast.project)
    client = page(cast.max)
    client.post(LIST + "create/", FORM)
    assert 'id="id_slug_error"' in text_of(client.post(LIST + "create/", FORM))


@pytest.mark.parametrize(("name", "status"), [("ada", 302), ("otto", 403), ("rita", 403)])
def test_who_may_make_a_queue(cast, queue, page, name, status):
    make_rubric(cast.project)
    assert page(getattr(cast, name)).post(LIST + "create/", FORM).status_code == status


def test_the_page_of_a_queue_counts_and_tells_managers_why(cast, queue, page):
    shown = text_of(page(cast.max).get(LIST + "mine/"))
    assert "3 items, 33&nbsp;% done" in shown
    assert "added by hand" in shown
    assert "/p/halyard/agreement/mine/" in shown


def test_a_reviewer_is_not_told_why_and_cannot_put_items_in(cast, queue, page):
    client = page(cast.rita)
    shown = text_of(client.get(LIST + "mine/"))
    assert "added by hand" not in shown
    assert "Put them in" not in shown
    assert (
        client.post(LIST + "mine/items/", {"external_ids": "out-0", "priority": "0", "limit": "1"}).status_code == 403
    )


def test_items_are_put_in_by_name_and_by_filter(cast, queue, page):
    make_outputs(cast.project, 4, prefix="more", feature="billing")
    client = page(cast.max)
    base = {"priority": "3", "limit": "2"}
    named = client.post(LIST + "mine/items/", {**base, "external_ids": "more-0\r\nout-0\r\n"}, follow=True)
    assert "1 put in, 1 were there already." in text_of(named)
    client.post(LIST + "mine/items/", {**base, "where": '{"feature": "billing"}'})
    assert queue.items.count() == 6
    assert queue.items.filter(priority=3).count() == 3


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({}, "external_ids"),
        ({"external_ids": "nobody"}, "external_ids"),
        ({"where": "{not json"}, "where"),
        ({"where": '{"colour": 1}'}, "where"),
        ({"external_ids": "out-0", "priority": "9999"}, "priority"),
        ({"external_ids": "out-0", "assigned_to": "nemo"}, "assigned_to"),
    ],
)
def test_a_refused_entry_is_explained_beside_its_field(cast, queue, page, typed, field):
    refused = page(cast.max).post(LIST + "mine/items/", {"priority": "0", "limit": "5", **typed})
    assert refused.status_code == 422
    assert f'id="id_{field}_error"' in text_of(refused)
