"""Drafts, frozen versions and refusals, over HTTP."""

import pytest

from reviewapp.access.actors import SYSTEM
from reviewapp.access.services import create_project
from reviewapp.audit.models import Event
from reviewapp.rubrics.models import Criterion, Rubric
from tests.conftest import personal_api, service_api
from tests.rubrics.examples import level, quality


def events(kind):
    return Event.objects.filter(event=kind)


def test_a_new_rubric_is_a_draft_in_the_shape_that_was_sent(api):
    made = api.post("rubrics/", quality())
    assert made.status == 201
    assert (made.body["version"], made.body["published"]) == (1, False)
    criteria = quality()["criteria"]
    assert made.body["criteria"] == [{"required": True, **entry} for entry in criteria]
    assert events("rubrics.drafted").count() == 1


def test_saving_again_replaces_the_draft(api):
    api.post("rubrics/", quality())
    again = api.post("rubrics/", quality(title="Better title", criteria=quality()["criteria"][:1]))
    assert (again.status, again.body["version"], len(again.body["criteria"])) == (200, 1, 1)
    assert api.get("rubrics/quality/").body["title"] == "Better title"
    assert Criterion.objects.count() == 1
    assert events("rubrics.drafted").count() == 2


def test_publishing_freezes_and_the_next_save_is_a_new_version(api):
    api.post("rubrics/", quality())
    published = api.post("rubrics/quality/publish/", {"reason": "First use"})
    assert (published.status, published.body["slug"], published.body["version"]) == (200, "quality", 1)
    assert published.body["published_at"].endswith("Z")
    assert events("rubrics.published").count() == 1
    second = api.post("rubrics/", quality(criteria=quality()["criteria"][:2]))
    assert (second.status, second.body["version"], second.body["published"]) == (200, 2, False)
    assert len(api.get("rubrics/quality/?version=1").body["criteria"]) == 8
    assert api.get("rubrics/quality/?version=published").body["version"] == 1
    assert api.get("rubrics/quality/").body["version"] == 2


def test_publishing_needs_a_draft(api):
    api.post("rubrics/", quality())
    assert api.post("rubrics/quality/publish/").status == 200
    assert api.post("rubrics/quality/publish/", {}).status == 409
    assert events("rubrics.published").count() == 1


def test_the_list_shows_what_is_asked_today(api):
    api.post("rubrics/", quality())
    api.post("rubrics/quality/publish/")
    api.post("rubrics/", quality(criteria=quality()["criteria"][:1]))
    api.post("rubrics/", quality(slug="another"))
    listed = api.get("rubrics/").body["results"]
    assert [(row["slug"], row["version"], row["published"]) for row in listed] == [
        ("another", 1, False),
        ("quality", 1, True),
    ]
    first = api.get("rubrics/?limit=1").body
    assert [row["slug"] for row in first["results"]] == ["another"]
    assert first["next"]


def test_a_stale_etag_is_refused_and_overwrites_nothing(api):
    tag = api.post("rubrics/", quality()).headers["ETag"]
    assert api.post("rubrics/", quality(title="Mine"), **{"If-Match": tag}).status == 200
    stale = api.post("rubrics/", quality(title="Yours"), **{"If-Match": tag})
    assert stale.status == 412
    assert Rubric.objects.get().title == "Mine"


def put(path, value):
    """A change of the example at `criteria/<key>/<field>`."""

    def change(rubric):
        key, field = path.split("/")
        next(entry for entry in rubric["criteria"] if entry["key"] == key)[field] = value

    return change


def drop(path):
    def change(rubric):
        key, field = path.split("/")
        del next(entry for entry in rubric["criteria"] if entry["key"] == key)[field]

    return change


def at_top(field, value):
    return lambda rubric: rubric.update({field: value})


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        (put("faithful/key", "answers"), "/criteria/1/key"),
        (put("faithful/key", ""), "/criteria/1/key"),
        (put("faithful/key", "k" * 101), "/criteria/1/key"),
        (put("faithful/key", "  "), "/criteria/1/key"),
        (put("faithful/kind", "stars"), "/criteria/1/kind"),
        (put("faithful/levels", []), "/criteria/1/levels"),
        (put("faithful/levels", [level(1)]), "/criteria/1/levels"),
        (put("faithful/levels", [level(n) for n in range(1_000)]), "/criteria/1/levels"),
        (put("faithful/levels", [level(1), level(1.0)]), "/criteria/1/levels/1/value"),
        (put("faithful/levels", [level(5), level(4)]), "/criteria/1/levels/1/value"),
        (put("faithful/levels", [level(1), level("two")]), "/criteria/1/levels"),
        (put("faithful/levels", [level(True), level(False)]), "/criteria/1/levels/0/value"),
        (put("faithful/levels", [{"value": 1}, level(2)]), "/criteria/1/levels/0/label"),
        (put("faithful/pass_at", 6), "/criteria/1/pass_at"),
        (put("faithful/pass_at", True), "/criteria/1/pass_at"),
        (put("faithful/pass_at", [4]), "/criteria/1/pass_at"),
        (put("refusal/pass_at", "1_full_compliance"), "/criteria/2/pass_at"),
        (put("refusal/pass_at", ["nothing"]), "/criteria/2/pass_at/0"),
        (put("note/pass_at", 1), "/criteria/5/pass_at"),
        (put("minutes/maximum", -1), "/criteria/4/maximum"),
        (put("minutes/minimum", 60), "/criteria/4/maximum"),
        (put("minutes/minimum", "0"), "/criteria/4/minimum"),
        (put("note/minimum", 1), "/criteria/5/minimum"),
        (put("note/levels", [level(1), level(2)]), "/criteria/5/levels"),
        (put("faults/show_if", {"criterion": "minutes", "in": [1]}), "/criteria/3/show_if/criterion"),
        (put("faults/show_if", {"criterion": "faults", "in": ["tone"]}), "/criteria/3/show_if/criterion"),
        (put("faults/show_if", {"criterion": "faithful", "in": [7]}), "/criteria/3/show_if/in/0"),
        (put("faults/show_if", {"criterion": "answers", "in": [1]}), "/criteria/3/show_if/in/0"),
        (put("faults/show_if", {"criterion": "faithful", "in": []}), "/criteria/3/show_if/in"),
        (put("faults/colour", "red"), "/criteria/3/colour"),
        (put("answers/required", "yes"), "/criteria/0/required"),
        (drop("answers/title"), "/criteria/0/title"),
        (at_top("criteria", []), "/criteria"),
        (at_top("slug", "Not A Slug"), "/slug"),
        (at_top("title", ""), "/title"),
        (at_top("weight", 1), "/weight"),
    ],
)
def test_a_wrong_rubric_is_refused_at_the_field_that_is_wrong(api, change, pointer):
    rubric = quality()
    change(rubric)
    answer = api.post("rubrics/", rubric)
    assert answer.status == 422
    assert pointer in [part["pointer"] for part in answer.body["errors"]]
    assert not Rubric.objects.exists()


@pytest.mark.parametrize("name", ["{{7*7}}", "{% debug %}", "${x}", "<script>alert(1)</script>", "(a+)+$"])
def test_a_name_is_text_and_nothing_else(api, name):
    api.post("rubrics/", quality(title=name))
    assert api.get("rubrics/quality/").body["title"] == name


@pytest.mark.parametrize("person", ["ada", "max"])
def test_admins_and_managers_make_rubrics(cast, person):
    door = personal_api(getattr(cast, person))
    assert door.post("rubrics/", quality()).status == 201
    assert door.post("rubrics/quality/publish/").status == 200


def test_an_auditor_reads_and_changes_nothing(api, cast):
    api.post("rubrics/", quality())
    door = personal_api(cast.otto)
    assert door.get("rubrics/quality/").status == 200
    assert door.post("rubrics/", quality()).status == 403
    assert door.post("rubrics/quality/publish/").status == 403
    assert events("access.denied").count() == 2


@pytest.mark.parametrize("person", ["nemo", "rita"])
def test_who_holds_nothing_here_does_not_learn_that_the_project_exists(api, cast, person):
    api.post("rubrics/", quality())
    door = personal_api(getattr(cast, person))
    assert [door.get("rubrics/").status, door.get("rubrics/quality/").status] == [404, 404]
    assert [door.post("rubrics/", quality()).status, door.post("rubrics/quality/publish/").status] == [404, 404]


def test_a_token_needs_the_scope(cast):
    door = service_api(cast, ["ingest"])
    assert door.get("rubrics/").status == 403
    assert door.post("rubrics/", quality()).status == 403
    assert service_api(cast, ["labels:read"]).get("rubrics/").status == 200


def test_a_rubric_of_another_project_is_absent(api, cast):
    create_project(actor=SYSTEM, slug="other", title="Other")
    answer = api.call("GET", "/api/v1/projects/other/rubrics/")
    assert answer.status == 404
    assert api.get("rubrics/nosuch/").status == 404
    assert api.get("rubrics/?colour=red").status == 400
