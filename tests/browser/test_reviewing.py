"""What a reviewer does, in a real browser: by keyboard alone, without script, and on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from reviewapp.audit.events import Event
from reviewapp.grading.models import Preference, Review
from reviewapp.grading.services import AnswerIn, submit_review
from reviewapp.queues.models import Lease
from reviewapp.queues.services import EnqueueIn, enqueue, lease_next
from tests.browser.conftest import sign_in
from tests.queues.arrange import events_of, make_outputs, make_pair, make_queue

pytestmark = pytest.mark.browser
PLACE = "/p/halyard/review/answers/"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def answers(committed_cast):
    cast = committed_cast
    queue = make_queue(cast, slug="answers", instructions="Read **slowly**.")
    make_outputs(cast.project, 4)
    enqueue(actor=cast.max, queue=queue, body=EnqueueIn(external_ids=[f"out-{number}" for number in range(4)]))
    return queue


def graded():
    return [
        {grade.criterion.key: grade.value for grade in review.grades.all()}
        for review in Review.objects.order_by("submitted_at")
    ]


def shown(page, text):
    """The item with this text is there and takes keys: its scripts ran and a criterion holds the focus."""
    page.get_by_text(text, exact=True).first.wait_for()
    page.wait_for_load_state("load")
    expect(page.locator("#decide .is-focus").first).to_be_visible()


def test_three_items_are_graded_and_one_undone_by_keyboard_alone(answers, browsing):
    page = browsing().new_page()
    sign_in(page, "rita")
    page.goto(PLACE)
    page.keyboard.press("Enter")
    for number in range(3):
        shown(page, f"Answer {number}.")
        page.keyboard.press("1")
        page.keyboard.press("ArrowDown")
        page.keyboard.press(str(number + 1))
        page.keyboard.press("Control+Enter")
    shown(page, "Answer 3.")
    expect(page.locator("#live")).to_have_text("Submitted. Next item.")
    assert graded() == [{"correct": True, "tone": tone} for tone in (1, 2, 3)]
    assert events_of(Event.REVIEW_SUBMITTED) == 3
    page.keyboard.press("u")
    shown(page, "Answer 2.")
    expect(page.locator("input[name=c2][value='2']")).to_be_checked()
    assert Review.objects.filter(ended_at=None).count() == 2


def test_the_agreement_page_changes_with_what_was_graded(committed_cast, browsing):
    cast = committed_cast
    queue = make_queue(cast, slug="answers", reviewers_per_item=2)
    make_outputs(cast.project, 3)
    enqueue(actor=cast.max, queue=queue, body=EnqueueIn(external_ids=["out-0", "out-1", "out-2"]))
    for tone in (1, 2, 2):
        answer = AnswerIn(grades={"correct": tone == 1, "tone": tone})
        submit_review(actor=cast.rob, lease=lease_next(actor=cast.rob, queue=queue), answer=answer)
    manager, reviewer = browsing().new_page(), browsing().new_page()
    sign_in(manager, "max")
    manager.goto("/p/halyard/agreement/answers/")
    figures = manager.locator("figure", has=manager.locator("#h-crit"))
    before = figures.inner_text()
    sign_in(reviewer, "rita")
    reviewer.goto(PLACE)
    reviewer.keyboard.press("Enter")
    for number, keys in enumerate(("11", "22", "23")):
        shown(reviewer, f"Answer {number}.")
        reviewer.keyboard.press(keys[0])
        reviewer.keyboard.press("ArrowDown")
        reviewer.keyboard.press(keys[1])
        reviewer.keyboard.press("Control+Enter")
    reviewer.get_by_role("heading", name="Nothing waits for you here").wait_for()
    manager.reload()
    after = figures.inner_text()
    assert "1.00" not in before
    assert "1.00" in after  # they agree on every answer to "Is it correct?"


def test_keys_are_letters_while_somebody_types_and_a_dialog_is_open(answers, browsing):
    page = browsing().new_page()
    sign_in(page, "rita")
    page.goto(PLACE)
    page.keyboard.press("Enter")
    page.locator("#decide").wait_for()
    page.keyboard.press("c")
    page.keyboard.type("1 su")
    assert page.locator("#comment").input_value() == "1 su"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.locator("dialog#keys[open]").wait_for()
    page.keyboard.press("1")
    page.keyboard.press("Escape")
    assert page.locator("#decide input:checked").count() == 0
    page.keyboard.press("Control+Enter")
    page.locator("#wrong").wait_for()
    assert page.locator("#comment").input_value() == "1 su"
    assert not Review.objects.exists()
    page.keyboard.press("s")
    page.keyboard.type("not mine")
    page.keyboard.press("Enter")
    shown(page, "Answer 1.")
    assert Lease.objects.get(outcome="skipped").skip_reason == "not mine"


def test_a_lost_connection_keeps_the_card(answers, browsing):
    page = browsing(expects=["ERR_CONNECTION_FAILED", "htmx:sendError", "htmx:afterRequest"]).new_page()
    sign_in(page, "rita")
    page.goto(PLACE)
    page.keyboard.press("Enter")
    page.locator("#decide").wait_for()
    page.keyboard.press("1")
    page.keyboard.press("j")
    page.keyboard.press("2")
    page.route("**/submit/", lambda route: route.abort("connectionfailed"))
    page.keyboard.press("Control+Enter")
    page.get_by_role("heading", name="No connection").wait_for()
    expect(page.locator("#decide input:checked")).to_have_count(2)
    page.unroute("**/submit/")
    page.keyboard.press("Control+Enter")
    shown(page, "Answer 1.")
    assert graded() == [{"correct": True, "tone": 2}]


def test_a_pair_is_compared_by_keyboard_alone(committed_cast, browsing):
    cast = committed_cast
    queue = make_queue(cast, kind="pairwise", slug="answers")
    make_pair(cast.project)
    enqueue(actor=cast.max, queue=queue, body=EnqueueIn(external_ids=["pair-0"]))
    page = browsing().new_page()
    sign_in(page, "rita")
    page.goto(PLACE)
    page.keyboard.press("Enter")
    page.locator(".pair").wait_for()
    for key in ("t", "b", "ArrowLeft", "2"):
        page.keyboard.press(key)
    page.keyboard.press("Control+Enter")
    page.get_by_role("heading", name="Nothing waits for you here").wait_for()
    row = Preference.objects.get()
    assert (row.winner, row.strength) == ("a" if row.a_was_left else "b", 2)


def test_the_whole_flow_works_without_script(answers, browsing):
    page = browsing(java_script_enabled=False).new_page()
    sign_in(page, "rita")
    page.goto(PLACE)
    page.get_by_role("button", name="Start").click()
    page.get_by_label("Yes").check()
    page.get_by_role("button", name="Submit and next").click()
    page.get_by_text("Choose a level.").wait_for()
    assert page.get_by_label("Yes").is_checked()
    page.locator("input[name=c2][value='2']").check()
    page.get_by_role("button", name="Submit and next").click()
    page.get_by_text("Answer 1.", exact=True).first.wait_for()
    assert graded() == [{"correct": True, "tone": 3}]
    page.get_by_role("button", name="Undo last").click()
    page.get_by_text("Answer 0.", exact=True).first.wait_for()
    assert page.get_by_label("Yes").is_checked()


def test_on_a_phone_the_decision_is_a_dock_with_large_targets(answers, browsing):
    page = browsing(**PHONE).new_page()
    sign_in(page, "rita")
    page.goto(PLACE)
    page.get_by_role("button", name="Start").tap()
    page.locator("#decide").wait_for()
    dock = page.locator("#decide").bounding_box()
    assert dock["y"] + dock["height"] == pytest.approx(844, abs=1)
    assert dock["height"] < 844 / 2
    assert page.locator(".crit[data-crit]:visible").count() == 1
    for target in page.locator("#decide :is(.opt, .btn):visible").all():
        assert target.bounding_box()["height"] >= 44
    page.locator(".opt", has_text="Yes").tap()
    page.get_by_role("button", name="Next criterion").tap()
    page.locator(".opt:visible").nth(2).tap()
    page.get_by_role("button", name="Submit and next").tap()
    page.get_by_text("Answer 1.", exact=True).first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert graded() == [{"correct": True, "tone": 3}]
