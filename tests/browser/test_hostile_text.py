"""Nothing that a program or a person can write comes alive on any page (SECURITY.md T5, T15, rows 1, 2, 31, 41)."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Error

from reviewapp.access.doors import DOORS, ask
from reviewapp.audit.models import Event
from reviewapp.lib.errors import DomainError
from reviewapp.templatetags.ui import render_text, visible_controls
from tests.access.inhabited import signed_in
from tests.access.test_doors import named_routes
from tests.browser.hostile import CORPUS, EVERYTHING, hostile_house

pytestmark = pytest.mark.browser
NO_PAGE = ("access:livez", "access:readyz", "account_logout")
ROLES = ("ada", "max", "otto", "rita", "ivy")
WATCH = """
window.hit = (n) => console.error(`script ${n}`);
for (const name of ["alert", "confirm", "prompt", "print", "open"])
  window[name] = () => console.error(`script ${name}`);
document.addEventListener("securitypolicyviolation",
  (e) => console.error(`policy: ${e.violatedDirective} refused ${e.blockedURI} ${e.sample}`));
"""
# What would exist only if a text had become markup: every payload that makes an element gives it this id, and the house
# has no such elements, handlers or links of its own.
MADE = """() => {
  const found = [];
  const attributes = /^(on|hx-on|data-hx-|srcdoc|ping|style$)/;
  for (const one of document.querySelectorAll("*")) {
    const names = one.getAttributeNames();
    if (one.id === "hostile"
        || ["IFRAME", "OBJECT", "EMBED", "BASE", "VIDEO", "MATH"].includes(one.tagName)
        || names.some((name) => attributes.test(name))
        || names.some((name) => /^(href|src|action|hx-\\w+)$/.test(name)
             && /^\\s*(javascript|data|vbscript):/i.test(one.getAttribute(name)) && one.tagName !== "IMG"))
      found.push(one.outerHTML.slice(0, 200));
  }
  return found;
}"""


@dataclass
class Seen:
    """What happened in the browser, by page."""

    pages: int = 0
    statuses: Counter = field(default_factory=Counter)
    scripts: list = field(default_factory=list)
    violations: list = field(default_factory=list)
    requests: list = field(default_factory=list)
    elements: list = field(default_factory=list)


def addresses(house, role):
    """Every page of the resolver that this person may open, with every row worth opening.

    Of events the newest of each kind, for the auditor; pages of one's own sign-in for one person, as they are alike.
    """
    actor = getattr(house.cast, role)
    newest = list(dict(Event.objects.order_by("id").values_list("event", "eid")).values())
    rows = {**house.rows, "eid": newest[-1:], "pk": [1]}
    for name, (path, _) in named_routes().items():
        need = DOORS[name].get("GET")
        is_alike = name.startswith(("account_", "mfa_", "oidc_")) and role != "rita"
        if need is None or is_alike or "-api:" in name or name in NO_PAGE:
            continue
        wanted = re.findall(r"<(?:\w+:)?(\w+)>", path)
        found = {**rows, "eid": newest} if name == "compliance:event" and role == "otto" else rows
        if set(wanted) <= set(found):
            for values in itertools.product(*(found[one] for one in wanted)):
                address = dict(zip(wanted, values, strict=True))
                if is_let_in(actor, need, address):
                    yield reverse(name, kwargs=address)


def is_let_in(actor, need, address):
    try:
        ask(actor, need, address)
    except DomainError:
        return False
    return True


def watched(chromium, served, seen):
    """A browser window that counts into `seen`."""
    context = chromium.new_context(base_url=served, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(20_000)
    context.add_init_script(WATCH)
    page = context.new_page()

    def heard(message):
        where = urlsplit(page.url).path
        if message.text.startswith("script"):
            seen.scripts.append((where, message.text))
        elif message.text.startswith("policy:") or "Content Security Policy" in message.text:
            seen.violations.append((where, message.text))

    def asked(request):
        address = urlsplit(request.url)
        is_page = request.is_navigation_request() and request.frame == page.main_frame
        is_own = request.url.startswith(served) and (is_page or address.path.startswith("/static/"))
        if not is_own or "/hostile/" in address.path:
            seen.requests.append((urlsplit(page.url).path, request.url[:200]))

    def dialog(shown):
        seen.scripts.append((page.url, f"dialog {shown.message}"))
        shown.dismiss()

    page.on("console", heard)
    page.on("dialog", dialog)
    page.on("request", asked)
    return page


def look(page, address, seen):
    try:
        answer = page.goto(address, wait_until="load")
    except Error as error:
        if "Download is starting" not in error.message:
            raise
        seen.statuses["saved, not shown"] += 1
        return
    assert answer is not None
    assert answer.status < 500, address
    assert answer.headers["x-content-type-options"] == "nosniff"
    seen.pages += 1
    seen.statuses[answer.status] += 1
    seen.elements += [(address, one) for one in page.evaluate(MADE)]


def as_person(page, served, actor):
    client = signed_in(actor)
    page.context.clear_cookies()
    page.context.add_cookies(
        [
            {
                "name": settings.SESSION_COOKIE_NAME,
                "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
                "url": served,
            }
        ]
    )


def test_no_text_comes_alive_on_any_page_of_any_role(committed_db, served, chromium, capsys):
    house, seen = hostile_house(), Seen()
    page = watched(chromium, served, seen)
    for role in ROLES:
        as_person(page, served, getattr(house.cast, role))
        for address in addresses(house, role):
            look(page, address, seen)
    as_person(page, served, house.cast.rita)
    look(page, "/p/thorn/review/answers/", seen)
    assert "{{7*7}} {% debug %} ${7*7}" in page.inner_text("main")
    # Texts that a page shows back from its own address.
    as_person(page, served, house.cast.max)
    for address in (
        "audit/",
        "guardrails/decisions/",
        "monitoring/",
        "preferences/",
        "queues/",
        "datasets/",
        "judges/",
    ):
        for names in (
            ("q", "search", "person", "event", "object"),
            ("queue", "guardrail", "feature", "cursor", "metric"),
        ):
            query = urlencode(dict.fromkeys(names, CORPUS["img onerror"] + CORPUS["attribute end"]))
            look(page, f"/p/thorn/{address}?{query}", seen)
    look(page, "/accounts/login/?" + urlencode({"next": "javascript:hit(80)//<script>hit(80)</script>"}), seen)
    look(page, "/p/" + "<script>hit(81)</script>/", seen)
    look(page, "/people/", seen)  # a refusal
    page.context.close()
    with capsys.disabled():
        print(
            f"\nhostile text: {len(CORPUS)} payloads, {seen.pages} pages {dict(seen.statuses)}: {len(seen.scripts)}"
            f" script runs, {len(seen.violations)} policy violations, {len(seen.requests)} requests of theirs,"
            f" {len(seen.elements)} elements made"
        )
    assert seen.statuses[200] > 100
    assert (seen.scripts, seen.violations, seen.requests, seen.elements) == ([], [], [], [])


def test_the_browser_would_see_it_come_alive(served, chromium):
    """The same watch over a page on which the texts are markup: every kind of harm is noticed."""
    seen = Seen()
    page = watched(chromium, served, seen)
    page.goto("/accounts/login/")
    markup = EVERYTHING.replace(CORPUS["refresh"], "")  # it would leave the page
    page.evaluate("html => { document.querySelector('main').innerHTML = html; htmx.process(document.body); }", markup)
    page.evaluate("htmx.ajax('GET', '/hostile/1')")
    page.wait_for_timeout(500)
    made = page.evaluate(MADE)
    page.context.close()
    assert len(made) > 20
    assert seen.violations
    assert any("/hostile/" in url for _, url in seen.requests)


@pytest.mark.parametrize("name", CORPUS)
def test_markdown_of_a_hostile_text_holds_allowed_tags_and_web_links_only(name):
    html = render_text(CORPUS[name])
    assert not re.search(
        r"<(?!/?(p|br|strong|em|code|pre|ul|ol|li|blockquote|h[1-6]|hr|table|thead|tbody|tr|th|td|a|del|span)\b)", html
    )
    for tag in re.findall(r"<\w[^>]*>", html):
        assert re.fullmatch(
            r'<\w+|<\w+>|<a href="(?:https?://|mailto:|/)[^"<>]*" rel="[a-z ]+">|<span class="ctl">', tag
        ), tag


def test_characters_that_hide_or_reorder_are_shown_as_their_numbers():
    for text in (
        "a\u202eb",
        "a\u2066b",
        "a\u200bb",
        "a\ufeffb",
        "a\u00adb",
        "a\u2028b",
        "a\u0085b",
        "a\x0bb",
        "a\U000e0041b",
    ):
        shown = f"U+{ord(text[1]):04X}"
        for filtered in (visible_controls(text), render_text(text)):
            assert shown in filtered
            assert text[1] not in filtered


def test_images_of_a_text_are_links_and_nothing_is_fetched():
    html = render_text(CORPUS["markdown image"])
    assert "<img" not in html
    assert '<a href="https://hostile.example/31.png" rel="noopener noreferrer nofollow">x</a>' in html


def test_what_the_api_answers_is_never_a_page(committed_db, tmp_path):
    """T6: JSON is JSON to every browser, files are saved and not shown, and nothing is guessed."""
    house = hostile_house()
    client: Client = signed_in(house.cast.max)
    rows = {**house.rows, "external_id": ["h-1"]}
    looked = 0
    for name, (path, _) in named_routes().items():
        wanted = re.findall(r"<(?:\w+:)?(\w+)>", path)
        if "-api:" not in name or "GET" not in DOORS[name] or not set(wanted) <= set(rows) or name.endswith(":docs"):
            continue
        answer = client.get(
            reverse(name, kwargs={one: rows[one][0] for one in wanted}), headers={"Accept": "text/html"}
        )
        kind = answer["Content-Type"].partition(";")[0]
        assert answer["X-Content-Type-Options"] == "nosniff", name
        assert kind in (
            "application/json", "application/problem+json", "application/x-ndjson", "text/csv", "text/plain",
            "application/vnd.oai.openapi+json", "application/zip", "application/octet-stream",
        ), (name, kind)  # fmt: skip
        if answer.streaming or name.endswith((":download", ":export")):
            assert answer.status_code >= 400 or answer["Content-Disposition"].startswith("attachment"), name
        if answer.streaming:
            b"".join(answer.streaming_content)
        answer.close()
        looked += 1
    assert looked > 20
