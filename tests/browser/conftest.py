"""A real browser. Every test fails on a violated content policy, an error of the console, or a request elsewhere."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from tests.conftest import PASSWORD

# playwright's sync API runs an event loop in this thread, which makes Django refuse the ORM; nothing here is async.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
POLICY = """document.addEventListener("securitypolicyviolation",
  (e) => console.error(`policy: ${e.violatedDirective} refused ${e.blockedURI}`));"""
# The browser itself reports these answers as errors; here they are a form that needs a change, or a lease that is over.
EXPECTED = ("status of 422", "status of 409")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, started once."""
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        reason = f"no {' or '.join(NAMES)} on the PATH"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def production_hasher(settings: Any) -> None:
    """The served process knows production's hasher alone, so the cast's passwords are made with it."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]


def at_localhost(served: str) -> str:
    """The same server by name: keys answer names only."""
    return served.replace("127.0.0.1", "localhost")


OpenContext = Callable[..., BrowserContext]


@pytest.fixture
def browsing(chromium: Browser, served: str) -> Iterator[OpenContext]:
    """`browsing(**options)` opens a context on the served address and watches it until the end of the test.

    expects: parts of further errors of the console that the test provokes.
    """
    wrong: list[str] = []
    here = (served, at_localhost(served))
    opened: list[BrowserContext] = []
    expected = list(EXPECTED)

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(part in message.text for part in expected):
            wrong.append(message.text)

    def asked(request: Request) -> None:
        if urlsplit(request.url).scheme in ("http", "https") and not request.url.startswith(here):
            wrong.append(f"a request to {request.url}")

    def open_context(expects: Sequence[str] = (), **options: Any) -> BrowserContext:
        expected.extend(expects)
        context = chromium.new_context(**{"base_url": served, "viewport": {"width": 1440, "height": 900}, **options})
        context.set_default_timeout(60_000)
        if options.get("java_script_enabled", True):
            context.add_init_script(POLICY)
        context.on("console", heard)
        context.on("weberror", lambda error: wrong.append(str(error.error)))
        context.on("request", asked)
        opened.append(context)
        return context

    yield open_context
    for context in opened:
        context.close()
    assert wrong == []


def sign_in(page: Page, username: str) -> None:
    """By the real form."""
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("/")
