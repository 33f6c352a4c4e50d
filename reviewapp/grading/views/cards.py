"""The card: one item with its questions, or what there is instead. A whole page without htmx, a fragment with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from reviewapp.access.middleware import PageRequest
from reviewapp.grading.forms import other_errors, questions_of
from reviewapp.grading.models import Review
from reviewapp.grading.selectors import draft_of, finished_today, last_review, subject_of
from reviewapp.grading.services import UNDO_SECONDS, reviews_to_adjudicate
from reviewapp.grading.views.disputes import agreed_answer, compared
from reviewapp.grading.views.subject import answer_text, shown
from reviewapp.lib.clock import utc_now
from reviewapp.lib.errors import DomainError, FieldError
from reviewapp.queues.models import Lease, Queue
from reviewapp.queues.selectors import waiting_for
from reviewapp.queues.services import lease_next
from reviewapp.rubrics.selectors import criteria_of

Context = dict[str, Any]


def item_card(
    request: PageRequest,
    lease: Lease,
    *,
    typed: Mapping[str, Any] | None = None,
    errors: Sequence[FieldError] = (),
    said: str = "",
    refusal: DomainError | None = None,
) -> HttpResponse:
    """The item that the viewer holds, with what was typed, else the draft. 422 when something is wrong with it.

    refusal: why another step was not done.
    """
    subject, criteria = subject_of(lease), criteria_of(lease.rubric_version)
    text = answer_text(subject)
    reviews: list[Review] = []
    if lease.seat.kind == "adjudicate":
        reviews = reviews_to_adjudicate(actor=request.actor, lease=lease)
    answer = typed if typed is not None else draft_of(lease) or agreed_answer(criteria, reviews, lease.a_is_left)
    questions = questions_of(criteria, answer, lease=lease, errors=errors, text=text)
    context: Context = {
        "lease": lease,
        "refusal": refusal,
        "subject": shown(subject),
        "questions": questions,
        "n_answered": sum(question.is_answered for question in questions),
        "comment": answer.get("comment") or "",
        "correction": answer.get("correction"),
        "original": text,
        "active_seconds": answer.get("active_seconds") or 0,
        "has_draft": typed is None and bool(answer) and not reviews,
        "wrong": other_errors(criteria, errors),
        "n_wrong": len(errors),
        "dispute": compared(criteria, reviews, lease.a_is_left) if reviews else None,
    }
    return _card(request, lease.queue, context, said=said, status=refusal.status if refusal else 422 if errors else 200)


def idle_card(
    request: PageRequest, queue: Queue, *, said: str = "", refusal: DomainError | None = None
) -> HttpResponse:
    """No item: what the queue is, what waits, and how to begin. refusal: why the last step was not done."""
    status = refusal.status if refusal is not None else 200
    return _card(request, queue, {"lease": None, "refusal": refusal}, said=said, status=status)


def onward(request: PageRequest, queue: Queue, *, said: str) -> HttpResponse:
    """The next item after a step; without htmx a redirect to the page that shows it."""
    try:
        lease = lease_next(actor=request.actor, queue=queue)
    except DomainError as error:
        # The step itself was done; that nothing follows it is not its failure.
        return idle_card(request, queue, said=said, refusal=error)
    if not request.htmx:
        if said:
            messages.success(request, said)
        return redirect("grading:review", project=queue.project.slug, queue=queue.slug)
    if lease is None:
        return idle_card(request, queue, said=f"{said} Nothing more waits for you.".strip())
    return item_card(request, lease, said=f"{said} Next item.".strip())


def _card(request: PageRequest, queue: Queue, context: Context, *, said: str, status: int) -> HttpResponse:
    grade = waiting_for(viewer=request.actor, queues=[queue]).get(queue.pk, 0)
    disputed = waiting_for(viewer=request.actor, queues=[queue], act="adjudicate").get(queue.pk, 0)
    done = finished_today(viewer=request.actor, queue=queue)
    last = last_review(viewer=request.actor, queue=queue)
    is_undoable = last is not None and last.submitted_at > utc_now() - timedelta(seconds=UNDO_SECONDS)
    held = 1 if context["lease"] else 0
    context |= {
        "queue": queue,
        "project": queue.project,
        "said": said,
        "lease_minutes": max(1, queue.lease_seconds // 60),
        "n_waiting": grade + disputed,
        "n_disputed": disputed,
        "n_done": done,
        "n_day": done + held + grade + disputed,
        "last": last if is_undoable else None,
    }
    template = "grading/_card.html" if request.htmx else "grading/review.html"
    return render(request, template, context, status=status)
