"""How numbers, times and foreign text are shown; what hostile text can't do."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

import pytest
from django.http import HttpRequest
from django.urls import resolve, reverse

from reviewapp.access.context import ROOMS
from reviewapp.access.models import User
from reviewapp.access.problems import server_error
from reviewapp.templatetags.charts import line_chart
from reviewapp.templatetags.ui import figure, number, percent, percent_span, render_text, span, visible_controls, when
from tests.conftest import ROOT

DEFINED = {"value": 0.2849, "interval": [-0.19, 0.37], "n": 420, "undefined": None, "reason": None}
UNDEFINED = {"value": None, "interval": None, "n": 9, "undefined": "no_variation", "reason": "only one was used"}


def test_a_number_has_thousands_and_a_real_minus():
    assert (number(-1234.5), number(None)) == ("\u22121,234.50", "–")


def test_what_rounds_to_zero_has_no_sign():
    assert number(-0.001) == "0.00"


def test_a_share_has_a_space_before_its_percent_sign():
    assert percent(0.912) == "91.2\u00a0%"


def test_an_interval_is_written_with_a_word():
    assert span([-0.19, 0.37]) == "\u22120.19 to 0.37"
    assert percent_span([0.887, 0.933]) == "88.7 to 93.3\u00a0%"


def test_a_time_is_utc_and_its_year_is_said_when_it_is_another():
    shown = when(datetime(2019, 3, 4, 23, 5, tzinfo=UTC))
    assert "4 Mar 2019 23:05" in shown
    assert 'title="2019-03-04 23:05:00 UTC"' in shown
    assert when("2019-03-04T23:05:00.000000Z") == shown


def test_a_figure_never_stands_without_interval_and_n():
    assert "\u22120.19 to 0.37" in figure(DEFINED)
    assert "n&nbsp;=&nbsp;420" in figure(DEFINED)


def test_an_undefined_figure_gives_its_reason_and_no_number():
    shown = figure(UNDEFINED)
    assert "undefined" in shown
    assert "only one was used" in shown
    assert not re.search(r"\d", shown)


def test_a_missing_day_breaks_the_line_and_is_not_zero():
    drawn = line_chart([("1", 0.5), ("2", None), ("3", 1.0)], 0, 1, "Pass rate")
    assert drawn.count('class="dt"') == 2
    assert re.search(r'd="M[\d. ]+M[\d. ]+"', drawn)


def test_a_chart_carries_no_style_attribute():
    assert not re.search(r"style=|fill=|stroke=", line_chart([("<b>", 1)], 0, 0, '"><script>'))
    assert "<script>" not in line_chart([("<b>", 1)], 0, 0, '"><script>')


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[a](javascript:alert(1))",
        "[a](data:text/html,x)",
        "![a](javascript:alert(1))",
        "<a href='/x' hx-get='/x' style='x' class='y' id='z'>k</a>",
        "<svg/onload=alert(1)>",
        "<div hx-on:click='x'>",
        '[a](http://x/"onmouseover="alert(1))',
        "<http://x/><iframe src=//x></iframe>",
    ],
)
def test_hostile_markdown_is_inert(text):
    shown = render_text(text)
    tags = re.findall(r"<[^>]*>", shown)
    assert all(re.fullmatch(r"</?(p|code|br)>|</a>|<a href=\"https?://[^\"]*\" rel=\"[a-z ]+\">", tag) for tag in tags)


def test_an_image_becomes_a_link_because_it_would_be_fetched():
    shown = render_text("![the chart](http://example.org/a.png)")
    assert "<img" not in shown
    assert 'href="http://example.org/a.png"' in shown


def test_a_heading_of_an_answer_stands_below_the_headings_of_the_page():
    assert "<h3>Title</h3>" in render_text("# Title")


def test_a_single_line_break_of_an_answer_is_kept():
    assert "<br>" in render_text("one\ntwo")


@pytest.mark.parametrize("shown", [render_text, visible_controls])
def test_characters_that_hide_or_reorder_are_shown(shown):
    text = shown("pay\u202e100\u200b \u2066x")
    assert [f"U+{code}" in text for code in ("202E", "200B", "2066")] == [True, True, True]
    assert not re.search("[\u202e\u200b\u2066]", text)


@pytest.mark.parametrize("shown", [render_text, visible_controls])
def test_joiners_that_a_script_or_an_emoji_needs_are_left_alone(shown):
    assert "می\u200cخواهم" in shown("می\u200cخواهم")
    assert "U+200D" in shown("ad\u200dmin")


def test_markup_in_plain_text_is_escaped():
    assert visible_controls("<b>&") == "&lt;b&gt;&amp;"


def test_vendored_files_are_the_ones_that_the_list_names():
    vendor = ROOT / "static" / "vendor"
    rows = re.findall(r"^\| `([^`]+)` \|.*`([0-9a-f]{64})` \|$", (vendor / "README.md").read_text(), re.MULTILINE)
    listed = {name for name, _ in rows}
    for name, digest in rows:
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == digest
    kept = {str(path.relative_to(vendor)) for path in vendor.rglob("*") if path.is_file()}
    assert {name for name in kept if name.endswith((".js", ".css"))} == listed


def test_every_room_of_the_navigation_has_an_address():
    assert [reverse(name, args=["halyard"])[:11] for _, name, _ in ROOMS] == ["/p/halyard/"] * len(ROOMS)


def test_the_room_at_hand_is_marked_and_closed_rooms_are_not_offered(cast, page):
    rooms = page(cast.otto).get("/p/halyard/audit/").content.decode().partition("</nav>")[0]
    assert re.findall(r'href="/p/halyard/([a-z]+)/" aria-current="page"', rooms) == ["audit"]
    assert page(cast.max).get("/p/halyard/settings/").content.decode().count('aria-current="page"') == 1
    assert "/p/halyard/audit/" not in page(cast.ivy).get("/").content.decode()


def test_a_fault_page_asks_no_database():
    # No database is open to this test: whoever asks one fails it.
    request = HttpRequest()
    request.path = "/p/halyard/queues/"
    request.resolver_match = resolve(request.path)
    request.user = User(username="rita")
    answer = server_error(request)
    assert (answer.status_code, b"nothing you entered is lost" in answer.content) == (500, True)


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.html")), ids=lambda path: path.name)
def test_a_template_needs_no_inline_script_or_style(path):
    """The policy of every page forbids them; the browser would only drop them silently."""
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|hx-on|javascript:", path.read_text())
