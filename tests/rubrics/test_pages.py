"""The rubric pages: nothing typed is lost, errors stand beside their fields, roles open what they may."""

from __future__ import annotations

import re
from html import unescape

import pytest

from reviewapp.access.actors import SYSTEM
from reviewapp.audit.models import Event
from reviewapp.lib.api import check
from reviewapp.rubrics.forms import RubricFields, change, document_of, fields_of_document, fields_of_post
from reviewapp.rubrics.models import Rubric
from reviewapp.rubrics.records import RubricIn
from reviewapp.rubrics.selectors import draft_version, newest_version, published_version, rubric_document
from reviewapp.rubrics.services import publish, save_draft
from tests.rubrics.examples import level, quality

BASE = "/p/halyard/rubrics/"
NEW = "/p/halyard/new-rubric/"


def drafted(cast, **more):
    return save_draft(actor=SYSTEM, project=cast.project, rubric=check(quality(**more), RubricIn)).rubric


def text_of(answer):
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode())))


def typed(answer):
    """What a browser would send back from the builder's form as it stands."""
    html = answer.content.decode().partition('<div id="builder"')[2].partition("<aside")[0]
    sent = {}
    for tag in re.findall(r"<input[^>]*>", html):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and name[1] != "csrfmiddlewaretoken" and ('type="checkbox"' not in tag or " checked" in tag):
            sent[name[1]] = unescape(value[1]) if value else "on"
    for name, text in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>([^<]*)</textarea>', html):
        sent[name] = unescape(text)
    for name, options in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', html, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
        sent[name] = unescape(chosen[1])
    return sent


def test_a_rubric_is_written_from_nothing_by_plain_form_posts(cast, page):
    browser = page(cast.max)
    sent = typed(browser.get(NEW))
    sent |= {
        "title": "Tone of voice",
        "c0-title": "How does it sound?",
        "c0-kind": "ordinal",
        "c0-help": "Read *aloud*",
    }
    for _ in range(3):
        sent = typed(browser.post(NEW, sent | {"do": "level-0"}))
    sent |= {"c0-l0-label": "Cold", "c0-l1-label": "Flat", "c0-l2-label": "Right", "c0-pass_at": "3"}
    sent = typed(browser.post(NEW, sent | {"do": "add"}))
    sent |= {"c1-title": "Why?", "c1-kind": "text"}
    sent = typed(browser.post(NEW, sent | {"do": "refresh"}))
    assert not Rubric.objects.exists()
    done = browser.post(NEW, sent | {"do": "save"})
    assert (done.status_code, done.headers["Location"]) == (302, f"{BASE}tone-of-voice/")
    document = rubric_document(newest_version(Rubric.objects.get()))
    assert document["criteria"] == [
        {"key": "how_does_it_sound", "kind": "ordinal", "title": "How does it sound?", "help": "Read *aloud*",
         "required": True, "levels": [level(1, "Cold"), level(2, "Flat"), level(3, "Right")], "pass_at": 3},
        {"key": "why", "kind": "text", "title": "Why?", "required": True},
    ]  # fmt: skip
    assert Event.objects.filter(event="rubrics.drafted").count() == 1


def test_errors_stand_beside_their_fields_and_nothing_typed_is_lost(cast, page):
    browser = page(cast.max)
    sent = typed(browser.get(NEW)) | {
        "count": "2", "title": "Half done", "c0-key": "k", "c0-title": "Choose <b>one</b>", "c0-kind": "categorical",
        "c0-levels": "2", "c0-l0-value": "a", "c0-l0-label": "A", "c0-l0-description": "kept", "c0-l1-value": "a",
        "c0-l1-label": "B", "c0-pass_at": "c", "c1-key": "k", "c1-title": "How long", "c1-kind": "numeric",
        "c1-minimum": "ten", "c1-show_if": "k", "c1-show_in": "z",
    }  # fmt: skip
    answer = browser.post(NEW, sent | {"do": "save"})
    assert answer.status_code == 422
    assert "must be a number" in text_of(answer)
    html = answer.content.decode()
    assert 'id="c1-minimum-error"' in html
    assert 'aria-describedby="c1-minimum-error"' in html
    assert "Choose &lt;b&gt;one&lt;/b&gt;" in html
    assert "<b>one</b>" not in html
    again = typed(answer)
    kept = set(sent) & set(again) - {"tag", "slug"}
    assert {name: again[name] for name in kept} == {name: sent[name] for name in kept}
    assert len(kept) > 20
    second = browser.post(NEW, again | {"c1-minimum": "10", "do": "save"})
    assert second.status_code == 422
    for ident in ("c0-l1-value-error", "c0-pass_at-error", "c1-key-error", "c1-show_in-error"):
        assert f'id="{ident}"' in second.content.decode(), ident
    assert not Rubric.objects.exists()


def test_a_stored_rubric_comes_through_the_form_unchanged():
    tricky = [
        {"key": "n", "kind": "categorical", "title": "Numbers", "required": True,
         "levels": [level(0), level(1.5), level(-2)], "pass_at": [0, -2]},
        {"key": "t", "kind": "multiselect", "title": "Texts", "required": False, "pass_at": [],
         "levels": [level("1"), level("a, b"), level('say "so"'), level(" padded", "x"), level("[]"), level("yes")],
         "show_if": {"criterion": "n", "in": [1.5, 0]}},
        {"key": "m", "kind": "numeric", "title": "Bounds", "required": True, "minimum": 0.00001, "maximum": 250000,
         "pass_at": 0.25, "show_if": {"criterion": "t", "in": ["1", "a, b", 'say "so"', "yes"]}},
        {"key": "y", "kind": "text", "title": "Why", "help": "Short", "required": True,
         "show_if": {"criterion": "b", "in": [False]}},
    ]  # fmt: skip
    binary = {"key": "b", "kind": "binary", "title": "Yes?", "required": True}
    document = {"slug": "x", "title": "X", "criteria": [binary, *tricky]}
    found = check(document_of(fields_of_document(document, tag="t")), RubricIn)
    assert found == check(document, RubricIn)
    whole = check(document_of(fields_of_document(rubric_like(quality()), tag="t")), RubricIn)
    assert whole == check(quality(), RubricIn)


def rubric_like(rubric):
    return rubric | {"criteria": [{"required": True, **entry} for entry in rubric["criteria"]]}


def test_editing_a_published_rubric_makes_the_next_version(cast, page):
    rubric = drafted(cast)
    publish(actor=SYSTEM, rubric=rubric)
    browser = page(cast.ada)
    sent = typed(browser.get(f"{BASE}quality/edit/")) | {"c0-title": "Does it answer?"}
    assert browser.post(f"{BASE}quality/edit/", sent | {"do": "save"}).status_code == 302
    assert published_version(rubric).number == 1
    assert draft_version(rubric).number == 2
    shown = text_of(browser.get(f"{BASE}quality/"))
    assert "answers, title Answers the question Does it answer?" in shown
    assert "Changes since version 1" in shown
    assert "Answers the question" in text_of(browser.get(f"{BASE}quality/?version=1"))


def test_publishing_takes_a_reason_and_keeps_it_when_refused(cast, page):
    rubric = drafted(cast)
    browser = page(cast.max)
    refused = browser.post(f"{BASE}quality/publish/", {"reason": "x" * 2_001})
    assert refused.status_code == 422
    assert "x" * 2_001 in refused.content.decode()
    done = browser.post(f"{BASE}quality/publish/", {"reason": "Agreed on Friday"}, follow=True)
    assert "Agreed on Friday" in text_of(done)
    assert published_version(rubric).publish_reason == "Agreed on Friday"
    assert browser.post(f"{BASE}quality/publish/", {}).status_code == 409


def test_somebody_elses_save_is_not_overwritten(cast, page):
    drafted(cast)
    browser = page(cast.max)
    sent = typed(browser.get(f"{BASE}quality/edit/"))
    drafted(cast, title="Ada was here")
    answer = browser.post(f"{BASE}quality/edit/", sent | {"c0-title": "Mine", "do": "save"})
    assert answer.status_code == 409
    assert "nothing was overwritten" in text_of(answer)
    assert typed(answer)["c0-title"] == "Mine"
    assert Rubric.objects.get().title == "Ada was here"


def test_an_address_that_is_taken_is_refused_beside_the_field(cast, page):
    drafted(cast)
    browser = page(cast.max)
    sent = typed(browser.get(NEW)) | {"title": "Quality", "c0-title": "Fine?", "do": "save"}
    answer = browser.post(NEW, sent)
    assert answer.status_code == 422
    assert 'id="slug-error"' in answer.content.decode()
    assert len(rubric_document(newest_version(Rubric.objects.get()))["criteria"]) == 8


def test_a_builder_button_answers_htmx_with_the_fragment(cast, page):
    browser = page(cast.max)
    answer = browser.post(NEW, typed(browser.get(NEW)) | {"do": "add"}, headers={"HX-Request": "true"})
    html = answer.content.decode()
    assert '<div id="builder"' in html
    assert "<html" not in html
    assert 'name="count" value="2"' in html


def test_criteria_and_levels_move_and_go():
    fields = RubricFields()
    change(fields, "add")
    fields.criteria[0].title, fields.criteria[1].title = "one", "two"
    change(fields, "down-0")
    assert [criterion.title for criterion in fields.criteria] == ["two", "one"]
    change(fields, "level-1")
    change(fields, "level-1")
    fields.criteria[1].levels[1].label = "kept"
    change(fields, "unlevel-1-0")
    assert [entry.label for entry in fields.criteria[1].levels] == ["kept"]
    change(fields, "remove-0")
    assert [criterion.title for criterion in fields.criteria] == ["one"]


@pytest.mark.parametrize(
    "do", ["remove-9", "up-0", "down-0", "level", "unlevel-0-9", "remove--1", "remove-²", "x" * 99]
)
def test_a_button_that_is_not_there_changes_nothing(do):
    fields = RubricFields()
    change(fields, do)
    assert fields == RubricFields()


def test_counts_from_outside_are_bounded():
    assert len(fields_of_post({"count": "99999", "c0-levels": "99999"}).criteria) == 100
    assert fields_of_post({"count": "²"}).criteria == []


def test_nul_in_a_form_is_no_fault_of_ours(cast, page):
    browser = page(cast.max)
    sent = typed(browser.get(NEW)) | {"title": "a\x00b", "c0-title": "Fine?", "do": "save"}
    assert browser.post(NEW, sent).status_code == 400


def test_names_are_shown_as_text(cast, page):
    drafted(cast, title="{{7*7}} <img src=x onerror=alert(1)>")
    for path in (BASE, f"{BASE}quality/", f"{BASE}quality/edit/"):
        html = page(cast.max).get(path).content.decode()
        assert "{{7*7}}" in html
        assert "<img src=x" not in html


@pytest.mark.parametrize(
    ("person", "reads", "writes"), [("ada", 200, 200), ("max", 200, 200), ("otto", 200, 403), ("nemo", 404, 404)]
)
def test_roles_open_what_they_may(cast, page, person, reads, writes):
    drafted(cast)
    browser = page(getattr(cast, person))
    for path in (BASE, f"{BASE}quality/"):
        assert browser.get(path).status_code == reads
    for path in (NEW, f"{BASE}quality/edit/"):
        assert browser.get(path).status_code == writes
        assert browser.post(path, {"do": "refresh"}).status_code == writes
    assert browser.post(f"{BASE}quality/publish/").status_code == (302 if writes == 200 else writes)
    offers = "/edit/" in browser.get(f"{BASE}quality/").content.decode()
    assert offers == (writes == 200)


def test_nobody_is_shown_a_page_without_signing_in(cast, client):
    assert client.get(BASE).status_code == 302
    assert client.post(NEW).status_code == 302


def test_an_absent_rubric_or_version_is_404(cast, page):
    drafted(cast)
    browser = page(cast.max)
    assert browser.get(f"{BASE}nosuch/").status_code == 404
    assert browser.get(f"{BASE}quality/?version=7").status_code == 404
    assert browser.get(f"{BASE}quality/?version=x").status_code == 400
