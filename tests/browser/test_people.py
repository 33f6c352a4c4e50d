"""Somebody new, from the invitation to the closed account, by keyboard alone; and security keys in a real browser."""

from __future__ import annotations

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Locator, Page, expect

from reviewapp.access.models import User
from reviewapp.audit.models import Event
from tests.browser.conftest import at_localhost, sign_in
from tests.conftest import PASSWORD

pytestmark = pytest.mark.browser
NEW = "a wholly new sentence"
KEY = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip
# What a page of somebody else would get to sign, if a browser let it.
FORGE = """() => {
  const real = window.webauthnJSON;
  const get = async (options) => {
    const answer = await real.get(options);
    const text = atob(answer.response.clientDataJSON.replace(/-/g, "+").replace(/_/g, "/"));
    const forged = JSON.stringify({ ...JSON.parse(text), origin: "https://evil.example" });
    answer.response.clientDataJSON = btoa(forged).replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=/g, "");
    return answer;
  };
  window.webauthnJSON = { get };
}"""


def reach(page: Page, target: Locator) -> None:
    """Tab until the control has the focus, as somebody without a mouse does."""
    target.wait_for()
    for _ in range(120):
        if target.evaluate("control => control === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{target} cannot be reached by Tab")


def write(page: Page, label: str, text: str) -> None:
    reach(page, page.get_by_label(label, exact=True))
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def press(page: Page, name: str, role: str = "button") -> None:
    reach(page, page.get_by_role(role, name=name, exact=True))
    page.keyboard.press("Enter")


def unfold(page: Page, text: str) -> None:
    reach(page, page.locator("summary", has_text=text))
    page.keyboard.press("Enter")


def code_of(secret: str, step: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + step))


def test_somebody_new_comes_in_sets_up_a_second_factor_and_is_shut_out_by_keyboard_alone(committed_cast, browsing):
    admin = browsing().new_page()
    sign_in(admin, "ada")
    admin.goto("/people/")
    unfold(admin, "Invite somebody")
    write(admin, "Username", "iris")
    write(admin, "Name that others see", "Iris Okafor")
    write(admin, "Reason", "joins the team")
    press(admin, "Make the one-time link")
    link = admin.locator(".secret code").inner_text()
    press(admin, "It is sent", "link")
    expect(admin.get_by_text("the link was not used yet")).to_be_visible()

    iris = browsing().new_page()
    iris.goto(link)
    write(iris, "Password", NEW)
    write(iris, "The same password again", NEW)
    press(iris, "Set the password")
    write(iris, "Username", "iris")
    write(iris, "Password", NEW)
    press(iris, "Sign in")
    iris.wait_for_url("/")
    iris.goto("/accounts/2fa/")
    press(iris, "Set up an app", "link")
    secret = iris.locator(".key-text").inner_text()
    write(iris, "Authenticator code", code_of(secret, -1))
    press(iris, "Set up the app")
    expect(iris.locator(".codes li")).to_have_count(10)
    reach(iris, iris.locator("details.who summary"))
    iris.keyboard.press("Enter")
    press(iris, "Sign out")
    iris.wait_for_url("/accounts/login/")

    write(iris, "Username", "iris")
    write(iris, "Password", NEW)
    press(iris, "Sign in")
    write(iris, "Code", code_of(secret))
    press(iris, "Sign in")
    iris.wait_for_url("/")

    admin.reload()
    expect(admin.get_by_text("Authenticator app")).to_be_visible()
    unfold(admin, "Close the account")
    reach(admin, admin.locator("#close"))
    admin.keyboard.type("did not stay")
    press(admin, "Close the account of Iris Okafor")
    expect(admin.get_by_text("The account of Iris Okafor is closed.")).to_be_visible()
    iris.get_by_role("link", name="reviewapp").click()
    iris.wait_for_url("**/accounts/login/?next=/")
    done = Event.objects.filter(object=str(User.objects.get(username="iris").pk)).values_list("event", flat=True)
    assert {"access.user_invited", "access.invitation_accepted", "access.second_factor_added"} <= set(done)
    assert {"access.user_deactivated", "access.session_ended"} <= set(done)


@pytest.fixture
def with_key(committed_cast, browsing, served):
    """Max's browser at localhost, signed in, with a virtual security key."""
    context = browsing(base_url=at_localhost(served))
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
    sign_in(page, "max")
    page.goto("/accounts/2fa/keys/add/")
    return page


def sign_out(page: Page) -> None:
    page.goto("/accounts/logout/")
    page.locator("main").get_by_role("button", name="Sign out").click()
    page.wait_for_url("/accounts/login/")


def test_a_passkey_signs_in_alone_and_another_origin_is_refused(with_key):
    page = with_key
    page.get_by_label("Name").fill("This laptop")
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add the key").click()
    expect(page.locator(".codes li")).to_have_count(10)
    sign_out(page)
    page.evaluate(FORGE)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("This passkey is not known here.")).to_be_visible()
    assert Event.objects.filter(event="access.sign_in_failed", object="passkey").count() == 1
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("/")
    assert Event.objects.filter(event="access.signed_in").latest("id").env.count('"mfa":"webauthn"') == 1
    page.goto("/accounts/2fa/")
    expect(page.get_by_role("rowheader", name="This laptop")).to_contain_text("signs in without a password")


def test_a_security_key_is_the_second_step_answers_is_it_you_and_can_be_renamed_and_removed(with_key):
    page = with_key
    page.get_by_role("button", name="Add the key").click()
    page.get_by_role("link", name="I kept them").click()
    sign_out(page)
    page.get_by_label("Username").fill("max")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Use a security key").click()
    page.wait_for_url("/")
    page.goto("/accounts/2fa/")
    page.get_by_role("link", name="Rename Key 1").click()
    page.get_by_label("Name").fill("Blue key")
    page.get_by_role("button", name="Rename").click()
    make_stale(page)
    page.get_by_role("link", name="Remove Blue key").click()
    page.get_by_role("link", name="Use a security key").click()
    page.get_by_role("button", name="Use the key").click()
    page.get_by_role("button", name="Remove the key").click()
    expect(page.get_by_text("No key yet.")).to_be_visible()
    assert Authenticator.objects.count() == 0


def test_what_goes_wrong_with_a_key_is_said_in_words(committed_cast, browsing):
    page = browsing().new_page()
    sign_in(page, "max")
    page.goto("/accounts/2fa/keys/add/")
    page.get_by_role("button", name="Add the key").click()
    expect(page.get_by_role("alert")).to_contain_text("The browser refuses keys at this address.")


def test_an_old_session_is_asked_and_goes_on_by_itself_with_what_was_typed(committed_cast, browsing):
    page = browsing().new_page()
    sign_in(page, "ada")
    make_stale(page)
    page.goto(f"/people/{committed_cast.nemo.person.pk}/")
    page.get_by_label("Role", exact=True).select_option("auditor")
    page.get_by_label("On", exact=True).select_option("halyard")
    page.get_by_label("Reason", exact=True).first.fill("quarterly audit")
    page.get_by_role("button", name="Give the role").click()
    expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Nemo is now auditor of Halyard support assistant.")).to_be_visible()
    expect(page.get_by_text("“quarterly audit”")).to_be_visible()


def make_stale(page: Page) -> None:
    """As if the sign-in were ten minutes ago."""
    from django.contrib.sessions.backends.db import SessionStore

    key = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "reviewapp_session")
    session = SessionStore(key)
    session["account_authentication_methods"] = [
        {**proof, "at": proof["at"] - 600} for proof in session["account_authentication_methods"]
    ]
    session.save()
