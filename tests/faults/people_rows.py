"""Rows 21 to 36: what reviewers and the makers of rubrics send."""

from __future__ import annotations

import time

from reviewapp.grading.models import Grade, Review
from reviewapp.queues.models import Lease, Seat
from tests.faults.ground import Row
from tests.judge.arrange import ok
from tests.queues.arrange import GOOD, run_out

ROWS: list[Row] = []


def row(number, what, send, *status, **more):
    ROWS.append(Row(number, what, send, status, **more))


def submit(ground, body, *, api=None, **headers):
    """An answer for a fresh lease of Rita's."""
    return (api or ground.rita).post(f"leases/{ground.lease()['id']}/submit/", body, **headers)


def no_review(ground, answer):
    return not Review.objects.exists() and not Grade.objects.exists()


for score in (True, "3 ", 3.0000001, -0.0, 6):
    row(
        21,
        f"score {score!r}",
        lambda g, s=score: submit(g, {"grades": {"correct": True, "tone": s}}),
        422,
        then=no_review,
    )


def late(ground):
    lease = ground.lease()
    run_out(Lease.objects.select_related("seat").get(pk=lease["id"]))
    return ground.rita.post(f"leases/{lease['id']}/submit/", GOOD)


def draft_is_kept(ground, answer):
    assert answer.body["type"].endswith("lease-expired")
    return ground.lease()["draft"]["grades"] == GOOD["grades"]


row(22, "lease that ran out", late, 409, then=draft_is_kept)
row(23, "somebody else's lease", lambda g: submit(g, GOOD, api=g.rob), 404, logged=True, then=no_review)
row(
    23,
    "somebody else's lease by its draft",
    lambda g: g.rob.call("PUT", f"leases/{g.lease()['id']}/draft/", {}),
    404,
    logged=True,
)


def double_click(ground, second=GOOD):
    lease = ground.lease()["id"]
    first = ground.rita.post(f"leases/{lease}/submit/", GOOD, **{"Idempotency-Key": "k"})
    again = ground.rita.post(f"leases/{lease}/submit/", second, **{"Idempotency-Key": "k"})
    assert first.status == 201
    assert Review.objects.count() == 1
    return again


row(24, "double click", double_click, 200, 201, then=lambda g, a: a.body["id"] == str(Review.objects.get().pk))
row(25, "same key with another payload", lambda g: double_click(g, {"grades": {"correct": False, "tone": 1}}), 422)


def after_the_settlement(ground):
    """Rita and Rob differ, Ivy settles, and Rita would like to have said something else."""
    from tests.conftest import personal_api

    type(ground.queue).objects.filter(pk=ground.queue.pk).update(adjudicate="on_disagreement")
    lease = ground.lease()
    item = Lease.objects.get(pk=lease["id"]).item
    Seat.objects.create(queue=ground.queue, item=item, kind="place", number=2, rank=-99.0)
    ok(ground.rita.post(f"leases/{lease['id']}/submit/", GOOD))
    theirs = ground.lease(ground.rob)
    assert Lease.objects.get(pk=theirs["id"]).item_id == item.pk
    ok(ground.rob.post(f"leases/{theirs['id']}/submit/", {"grades": {"correct": False, "tone": 1}}))
    ivy = personal_api(ground.cast.ivy, scopes=["review"])
    settled = ground.lease(ivy)
    ok(ivy.post(f"leases/{settled['id']}/submit/", {**GOOD, "comment": "the source says so"}))
    mine = Review.objects.get(reviewer=ground.cast.rita.person)
    return ground.rita.post(f"reviews/{mine.pk}/undo/")


row(26, "a settled item's grade again", after_the_settlement, 409)
for name in ("reviewer_id", "slot", "created_at", "is_gold", "reviewer"):
    row(27, f"hidden {name} in the body", lambda g, n=name: submit(g, {**GOOD, n: "x"}), 422, then=no_review)


def hidden_in_the_form(ground):
    browser = ground.browser(ground.cast.rita)
    lease = ground.lease()["id"]
    hidden = {"reviewer_id": str(ground.cast.rob.person.pk), "slot": "9", "created_at": "2020-01-01", "is_gold": "on"}
    return browser.post(f"/p/halyard/review/answers/{lease}/submit/", {"correct": "true", "tone": "3", **hidden})


def nothing_of_it_is_kept(ground, answer):
    review = Review.objects.filter(event__isnull=False).first()
    if review is None:
        return True
    return review.reviewer_id == ground.cast.rita.person.pk and review.submitted_at.year != 2020


row(27, "hidden fields in the form", hidden_in_the_form, 200, 302, 422, then=nothing_of_it_is_kept)


def before_the_own_submit(path):
    def send(ground):
        ok(ground.rob.post(f"leases/{ground.lease(ground.rob)['id']}/submit/", {**GOOD, "comment": "rob's secret"}))
        ground.lease()
        return ground.rita.get(path)

    return send


for path in ("outputs/", "outputs/out-0/", "queues/answers/agreement/", "datasets/", "judges/"):
    row(28, f"others' work by {path}", before_the_own_submit(path), 403, logged=True)


def blind_lease(ground):
    ok(ground.rob.post(f"leases/{ground.lease(ground.rob)['id']}/submit/", {**GOOD, "comment": "rob's secret"}))
    return ground.rita.post("queues/answers/lease/")


row(
    28,
    "others' work in the lease",
    blind_lease,
    200,
    then=lambda g, a: not [word for word in (b"gold", b"rob", b"secret", b"reviews") if word in a.raw],
)
row(29, "comment of 1 MB", lambda g: submit(g, {**GOOD, "comment": "x" * 1_000_000}), 422, then=no_review)
row(29, "comment that turns the text", lambda g: submit(g, {**GOOD, "comment": "a\u202eb" + "\u0301" * 10_000}), 201)


def without_token(ground):
    browser = ground.browser(ground.cast.rita, enforce_csrf_checks=True)
    return browser.post("/p/halyard/review/answers/next/")


def from_elsewhere(ground):
    browser = ground.browser(ground.cast.rita, enforce_csrf_checks=True)
    browser.get("/account/")
    form = {"csrfmiddlewaretoken": browser.cookies["reviewapp_csrf"].value}
    return browser.post("/p/halyard/review/answers/next/", form, headers={"Origin": "https://evil.example"})


def nothing_taken(ground, answer):
    return not Lease.objects.exists()


row(30, "a form without its token", without_token, 403, then=nothing_taken)
row(30, "a form from another origin", from_elsewhere, 403, then=nothing_taken)


def rubric(**more):
    criterion = {"key": "ok", "kind": "binary", "title": "OK?"}
    return {"slug": "new", "title": "New", "criteria": [criterion], **more}


def scale(**more):
    return rubric(criteria=[{"key": "s", "kind": "ordinal", "title": "S", **more}])


def levels(values):
    return [{"value": value, "label": str(value)} for value in values]


def is_literal(name):
    def look(ground, answer):
        page = ground.browser(ground.cast.max).get("/p/halyard/rubrics/new/").content.decode()
        return name.replace("'", "&#x27;").replace("<", "&lt;").replace(">", "&gt;") in page

    return look


for name in ("{{7*7}}", "{% debug %}", "${x}", "<b>x</b>"):
    row(31, f"{name} as a name", lambda g, n=name: g.max.post("rubrics/", rubric(title=n)), 201, then=is_literal(name))


def explosive_check(ground):
    check = {
        "criterion": "correct",
        "check": "regex",
        "options": {"pattern": "(a+)+$", "found": True, "missing": False},
    }
    judge = {"slug": "slow", "title": "S", "rubric": ground.queue.rubric.slug, "kind": "program", "checks": [check]}
    return ground.max.post("judges/", {**judge, "criteria": ["correct"]})


def is_cut_off(ground, answer):
    from reviewapp.judge.models import JudgeRun, Verdict
    from reviewapp.judge.work import work_on

    if answer.status == 422:
        return True
    ground.send(external_id="aaa", output="a" * 40 + "!")
    run = ok(ground.max.post("judges/slow/runs/", {"where": {}}))
    began = time.monotonic()
    work_on(JudgeRun.objects.get(pk=run["id"]).pk)
    assert time.monotonic() - began < 20
    return Verdict.objects.filter(output__external_id="aaa", error__isnull=False, value__isnull=True).exists()


row(32, "a pattern that explodes", explosive_check, 201, 422, then=is_cut_off)
SELF = {"criterion": "s", "in": [1]}
for what, body in (
    (
        "minimum above maximum",
        rubric(criteria=[{"key": "n", "kind": "numeric", "title": "N", "minimum": 5, "maximum": 1}]),
    ),
    ("no levels", scale(levels=[])),
    ("a thousand levels", scale(levels=levels(range(1_000)))),
    ("a level twice", scale(levels=levels([1, 1]))),
    ("a key twice", rubric(criteria=[{"key": "k", "kind": "binary", "title": "K"}] * 2)),
    ("a condition on itself", scale(levels=levels([1, 2]), show_if=SELF)),
):
    row(33, what, lambda g, b=body: g.max.post("rubrics/", b), 422)


def edit_published(ground):
    slug = ground.queue.rubric.slug
    before = ground.max.get(f"rubrics/{slug}/?version=1").body
    changed = ground.max.post("rubrics/", rubric(slug=slug, title=before["title"]))
    assert changed.body["version"] == 2
    assert ground.max.get(f"rubrics/{slug}/?version=1").body == before
    return ground.max.call("PUT", f"rubrics/{slug}/?version=1", rubric(slug=slug))


row(34, "editing a published version", edit_published, 405)
row(34, "publishing it again", lambda g: g.max.post(f"rubrics/{g.queue.rubric.slug}/publish/"), 409)
row(
    35,
    "a stale ETag",
    lambda g: (g.max.post("rubrics/", rubric()), g.max.post("rubrics/", rubric(), **{"If-Match": '"old"'}))[1],
    412,
)
row(36, "deleting what grades rest on", lambda g: g.max.call("DELETE", f"rubrics/{g.queue.rubric.slug}/"), 405)
