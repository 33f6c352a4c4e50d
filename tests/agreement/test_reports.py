"""Stored reports: used while they hold, refreshed from the log, missing nothing that commits late."""

from __future__ import annotations

import threading

import pytest
from django.conf import settings
from django.db import connection, transaction

from reviewapp.agreement.models import AgreementReport
from reviewapp.agreement.selectors import current_report
from reviewapp.agreement.tasks import refresh_due_reports
from reviewapp.audit.events import Event
from reviewapp.audit.models import Event as EventRow
from reviewapp.audit.selectors import position
from reviewapp.audit.sequencer import Sequencer
from tests.agreement.examples import end_review, figure, figures, fill, make_item, make_queue, review
from tests.conftest import arranging, owner_connection


@pytest.fixture
def sequencer(committed_db, tmp_path):
    """A sequencer in the test's own process; the owner lets the app's role place events in this copy."""
    with owner_connection(committed_db) as owner:
        app = settings.DATABASE_APP_USER
        owner.execute(f'GRANT INSERT ON audit.leaf, audit.checkpoint TO "{app}"')
        owner.execute(f'GRANT DELETE ON audit.pending TO "{app}"')
    made = Sequencer(origin="tests.local/audit", keys_dir=tmp_path)
    made.load()
    return made


@pytest.fixture
def queue(committed_cast):
    return make_queue(committed_cast, "safe")


def sequenced(sequencer):
    while sequencer.step():
        pass


def test_the_task_stores_a_report_of_each_queue_that_moved_and_records_it(committed_cast, queue, sequencer):
    fill(queue, "safe", [[True, True], [False, True]], (committed_cast.rita, committed_cast.rob))
    sequenced(sequencer)
    before = position().leaf_index
    assert refresh_due_reports() == 1
    report = AgreementReport.objects.get()
    assert (report.queue_id, report.leaf_index, report.n_reviews) == (queue.pk, before, 4)
    event = EventRow.objects.get(event=Event.REPORT_REFRESHED)
    assert (event.object, event.project, event.actor) == (str(queue.pk), "halyard", "agreement")


def test_the_task_delivered_twice_stores_nothing_more(committed_cast, queue, sequencer):
    fill(queue, "safe", [[True, True]], (committed_cast.rita, committed_cast.rob))
    sequenced(sequencer)
    refresh_due_reports()
    assert refresh_due_reports() == 0
    assert AgreementReport.objects.count() == 1


def test_a_stored_report_is_answered_while_it_holds(committed_cast, queue, sequencer):
    fill(queue, "safe", [[True, True]], (committed_cast.rita, committed_cast.rob))
    sequenced(sequencer)
    refresh_due_reports()
    with arranging():
        AgreementReport.objects.update(document={"queue": "kept"})
    assert current_report(viewer=committed_cast.max, queue=queue) == {"queue": "kept"}


def test_a_new_review_shows_at_once_though_no_report_was_refreshed(committed_cast, queue, sequencer):
    [item] = fill(queue, "safe", [[True, True]], (committed_cast.rita, committed_cast.rob))
    sequenced(sequencer)
    refresh_due_reports()
    review(item, committed_cast.rosa, {"safe": False})
    assert figures(current_report(viewer=committed_cast.max, queue=queue), "safe")["n_reviews"] == 3


def test_an_answer_taken_back_and_given_anew_is_not_hidden_by_the_stored_report(committed_cast, queue, sequencer):
    items = fill(queue, "safe", [[True, True], [False, False]], (committed_cast.rita, committed_cast.rob))
    sequenced(sequencer)
    refresh_due_reports()
    end_review(items[0].reviews.get(reviewer=committed_cast.rob.person))
    review(items[0], committed_cast.rob, {"safe": False})
    report = current_report(viewer=committed_cast.max, queue=queue)
    assert figure(report, "safe", "percent_agreement")["value"] == pytest.approx(0.5)


def test_the_end_of_a_review_moves_its_queue(committed_cast, queue, sequencer):
    items = fill(queue, "safe", [[True, True], [False, False]], (committed_cast.rita, committed_cast.rob))
    sequenced(sequencer)
    refresh_due_reports()
    end_review(items[0].reviews.get(reviewer=committed_cast.rob.person))
    sequenced(sequencer)
    assert refresh_due_reports() == 1
    assert AgreementReport.objects.latest("leaf_index").n_reviews == 3


def test_a_review_that_commits_late_is_found(committed_cast, queue, sequencer):
    """Its event got an earlier id than a review that was already sequenced and reported."""
    items = [make_item(queue, name) for name in ("early", "late")]
    began, may_commit = threading.Event(), threading.Event()

    def slow_writer():
        try:
            with transaction.atomic():
                review(items[1], committed_cast.rob, {"safe": True})
                began.set()
                assert may_commit.wait(20)
        finally:
            connection.close()

    writer = threading.Thread(target=slow_writer)
    writer.start()
    assert began.wait(20)
    fast = review(items[0], committed_cast.rita, {"safe": True})
    sequenced(sequencer)
    assert refresh_due_reports() == 1
    may_commit.set()
    writer.join()
    slow = items[1].reviews.get()
    assert slow.event_id < fast.event_id
    sequenced(sequencer)
    assert refresh_due_reports() == 1
    assert AgreementReport.objects.latest("leaf_index").n_reviews == 2


def test_reviews_of_another_queue_leave_a_report_alone(committed_cast, queue, sequencer):
    other = make_queue(committed_cast, "safe", slug="other")
    fill(queue, "safe", [[True, True]], (committed_cast.rita, committed_cast.rob))
    sequenced(sequencer)
    refresh_due_reports()
    kept = AgreementReport.objects.get(queue=queue)
    fill(other, "safe", [[True, False]], (committed_cast.rita, committed_cast.rob))
    sequenced(sequencer)
    assert refresh_due_reports() == 1
    assert AgreementReport.objects.get(queue=queue).pk == kept.pk
    assert current_report(viewer=committed_cast.max, queue=queue) == kept.document


def test_a_pass_that_dies_half_way_leaves_both_queues_due(committed_cast, queue, sequencer):
    """Its first report would move the place in the log past the second queue."""
    other = make_queue(committed_cast, "safe", slug="other")
    for one in (queue, other):
        fill(one, "safe", [[True, True]], (committed_cast.rita, committed_cast.rob))
    sequenced(sequencer)
    dying = transaction.atomic()
    dying.__enter__()
    assert refresh_due_reports() == 2
    dying.__exit__(RuntimeError, RuntimeError("the worker died"), None)
    assert refresh_due_reports() == 2
