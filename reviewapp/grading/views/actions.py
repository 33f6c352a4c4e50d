"""The reviewer's pages. Every POST answers the next card to htmx, and a redirect without it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from reviewapp.access.errors import Hidden
from reviewapp.access.middleware import PageRequest
from reviewapp.access.roles import allowed_acts, require
from reviewapp.grading.forms import asked_only, read_answer
from reviewapp.grading.selectors import held_lease, own_review, subject_of
from reviewapp.grading.services import AnswerIn, DraftIn, save_draft, submit_review, undo_review
from reviewapp.grading.views.cards import idle_card, item_card, onward
from reviewapp.grading.views.subject import answer_text
from reviewapp.lib.api import check
from reviewapp.lib.errors import Conflict, FieldError, Unprocessable
from reviewapp.queues.models import Lease, Queue
from reviewapp.queues.selectors import own_lease, queue_known
from reviewapp.queues.services import release as release_lease
from reviewapp.queues.services import skip as skip_lease
from reviewapp.queues.services import view_lease
from reviewapp.rubrics.selectors import criteria_of

MAX_REASON = 1_000


@login_required
@require_safe
@vary_on_headers("HX-Request")
def review(request: PageRequest, project: str, queue: str) -> HttpResponse:
    """The item that the viewer holds here, else what the queue is. Looking never takes an item."""
    found = _queue(request, project, queue)
    lease = held_lease(viewer=request.actor, queue=found)
    if lease is None:
        return idle_card(request, found)
    return item_card(request, view_lease(actor=request.actor, lease=lease))


@login_required
@require_POST
def next_item(request: PageRequest, project: str, queue: str) -> HttpResponse:
    """Take the next item."""
    return onward(request, _queue(request, project, queue), said="")


@login_required
@require_POST
def submit(request: PageRequest, project: str, queue: str, lease: UUID) -> HttpResponse:
    """Submit the answer and take the next item. 422 with the same card when something is wrong, 409 when it is over."""
    held = _lease(request, project, queue, lease)
    criteria, typed = criteria_of(held.rubric_version), _typed(request, held)
    try:
        body = asked_only(typed, criteria=criteria, a_is_left=held.a_is_left)
        submit_review(actor=request.actor, lease=held, answer=check(body, AnswerIn))
    except Unprocessable as error:
        errors = error.errors or (FieldError("", error.detail),)
        return item_card(request, view_lease(actor=request.actor, lease=held), typed=typed, errors=errors)
    except Conflict as error:
        return idle_card(request, held.queue, refusal=error)
    return onward(request, held.queue, said="Settled." if held.seat.kind == "adjudicate" else "Submitted.")


@login_required
@require_POST
def draft(request: PageRequest, project: str, queue: str, lease: UUID) -> HttpResponse:
    """Keep what is typed so far."""
    held = _lease(request, project, queue, lease)
    _keep(request, held)
    return HttpResponse(status=204) if request.htmx else _to_page(held.queue)


@login_required
@require_POST
def skip(request: PageRequest, project: str, queue: str, lease: UUID) -> HttpResponse:
    """Pass the item on to others, with a reason."""
    held = _lease(request, project, queue, lease)
    reason = request.POST.get("reason", "").strip()
    if not reason or len(reason) > MAX_REASON:
        detail = "Say in a few words why you pass it on." if not reason else f"Use at most {MAX_REASON:,} characters."
        shown = view_lease(actor=request.actor, lease=held)
        # Without script the form of Skip holds its reason alone; the draft then fills the card.
        typed = _typed(request, held) if "comment" in request.POST else None
        return item_card(request, shown, typed=typed, errors=[FieldError("/skip", detail)])
    try:
        skip_lease(actor=request.actor, lease=held, reason=reason)
    except Conflict as error:
        return idle_card(request, held.queue, refusal=error)
    return onward(request, held.queue, said="Skipped; others get it.")


@login_required
@require_POST
def release(request: PageRequest, project: str, queue: str, lease: UUID) -> HttpResponse:
    """Give the item back and stop. What was typed is kept for when it comes back."""
    held = _lease(request, project, queue, lease)
    try:
        _keep(request, held)
        release_lease(actor=request.actor, lease=held)
    except Conflict as error:
        return idle_card(request, held.queue, refusal=error)
    return idle_card(request, held.queue, said="Given back.") if request.htmx else _to_page(held.queue)


@login_required
@require_POST
def undo(request: PageRequest, project: str, queue: str, review: UUID) -> HttpResponse:
    """Take one's last review back and hold its item again."""
    found = _queue(request, project, queue)
    mine = own_review(viewer=request.actor, review_id=review, project=project)
    held = held_lease(viewer=request.actor, queue=found)
    try:
        if held is not None and request.POST.get("lease") == str(held.pk):
            _keep(request, held)
        reopened = undo_review(actor=request.actor, review=mine)
    except Conflict as error:
        return idle_card(request, found, refusal=error) if held is None else item_card(request, held, refusal=error)
    if not request.htmx:
        return _to_page(found)
    return item_card(request, view_lease(actor=request.actor, lease=reopened), said="Undone. Your answer is back.")


def _queue(request: PageRequest, project: str, queue: str) -> Queue:
    """The queue, for somebody who works in it. Raises Hidden or AccessDenied."""
    found = queue_known(viewer=request.actor, project=project, slug=queue)
    if not allowed_acts(request.actor, ("grade", "adjudicate"), found):
        require(request.actor, "grade", found)
    return found


def _lease(request: PageRequest, project: str, queue: str, lease: UUID) -> Lease:
    held = own_lease(viewer=request.actor, lease_id=lease, project=project)
    if held.queue.slug != queue:
        raise Hidden("There is no such lease in this queue.")
    return held


def _typed(request: PageRequest, lease: Lease) -> dict[str, Any]:
    text = answer_text(subject_of(lease))
    return read_answer(request.POST, criteria=criteria_of(lease.rubric_version), text=text)


def _keep(request: PageRequest, lease: Lease) -> None:
    body = check(_typed(request, lease), DraftIn)
    save_draft(actor=request.actor, lease=lease, answer=body.model_dump(mode="json", exclude_none=True))


def _to_page(queue: Queue) -> HttpResponse:
    return redirect("grading:review", project=queue.project.slug, queue=queue.slug)
