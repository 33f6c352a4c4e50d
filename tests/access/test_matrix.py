"""Every route and method, called by everybody: what answers is what the role matrix and the table of doors say.

The expectation is computed here from the two tables and from what the callers were given, never by asking `can`.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse

from reviewapp.access.doors import DOORS, Need, Where
from reviewapp.access.matrix import ACTS, Role
from tests.access.inhabited import OWN_TOKEN_ROUTES, Caller, House, inhabited_house
from tests.access.test_doors import named_routes

SIGN_IN, IN = "sign-in", "let in"
# Reading these in a project is open to whoever holds a role on one of its queues (DESIGN.md section 4, access).
OPEN_TO_QUEUE_ROLES = {"project.view", "rubrics.view", "queues.view", "judges.view", "guardrails.view"}
# Rows that are one person's: for everybody else they do not exist, whatever their role.
HOLDER = "reviewer who holds the lease"
PERSONAL = {
    **dict.fromkeys(("grading:submit", "grading:draft", "grading:skip", "grading:release", "grading:undo"), HOLDER),
    "grading-api:lease-detail": HOLDER,
    **{f"grading-api:{name}": HOLDER for name in ("submit", "draft", "skip", "release", "undo")},
    **dict.fromkeys(OWN_TOKEN_ROUTES, "reviewer"),
    **dict.fromkeys(("mfa_remove_webauthn", "mfa_edit_webauthn"), "somebody who does not call"),
}
# Of one's own, and nobody here has it: a second factor, recovery codes, an identity at a provider.
MAY_BE_NOTHING = {
    "mfa_deactivate_totp", "mfa_view_recovery_codes", "oidc_linked", "oidc_link", "oidc_unlink", "oidc_confirm",
}  # fmt: skip
# What a form needs so that what it names exists; anything else of it may be wrong.
FORMS: dict[str, dict[str, str]] = {
    "home:revoke": {"username": "rita", "role": "reviewer", "queue": "answers", "reason": "x"},
}


def expected(caller: Caller, name: str, need: Need) -> str | int:
    """SIGN_IN, IN, or the status of the refusal."""
    is_api = "-api:" in name
    if need.where is Where.PUBLIC:
        return IN
    if not caller.is_known or (caller.scopes is not None and not is_api):
        return 401 if is_api else SIGN_IN
    if need.where is Where.IDENTITY:
        if need.acts and not any(_scope(caller, act) for act in need.acts):
            return 403
        return _unless_personal(caller, name)
    if need.where in (Where.INSTALLATION_ADMIN, Where.INSTALLATION_READER):
        return IN if _installed(caller, need) else 403
    return _expected_in_project(caller, name, need)


def _expected_in_project(caller: Caller, name: str, need: Need) -> str | int:
    if caller.project not in (None, "halyard"):
        return 404
    own = caller.on_project | caller.on_installation
    everywhere = own | caller.on_queue | caller.elsewhere
    on_target = own | caller.on_queue if need.where is Where.QUEUE else everywhere
    if not on_target:
        return 404
    for act in need.acts:
        held = own if need.where is Where.PROJECT and act not in OPEN_TO_QUEUE_ROLES else on_target
        if ACTS[act].roles & held and _scope(caller, act):
            return _unless_personal(caller, name)
    return 403


def _unless_personal(caller: Caller, name: str) -> str | int:
    return IN if PERSONAL.get(name, caller.name) == caller.name else 404


def _scope(caller: Caller, act: str) -> bool:
    return caller.scopes is None or bool(ACTS[act].scopes & caller.scopes)


def _installed(caller: Caller, need: Need) -> bool:
    roles = {Role.ADMIN} if need.where is Where.INSTALLATION_ADMIN else {Role.ADMIN, Role.AUDITOR}
    return bool(caller.on_installation & roles) and (caller.scopes is None or "manage" in caller.scopes)


def address(house: House, name: str, path: str) -> str:
    """The address of a route with real rows. A new kind of argument needs its row in `inhabited.py`."""
    wanted = re.findall(r"<(?:\w+:)?(\w+)>", path)
    missing = [one for one in wanted if one not in house.rows]
    assert not missing, f"{name} takes {missing}: add a row for it to tests/access/inhabited.py"
    rows = {**house.rows, **house.rows_of_route.get(name, {})}
    return reverse(name, kwargs={one: rows[one] for one in wanted})


def answered(caller: Caller, method: str, url: str, form: dict[str, str] | None) -> str | int:
    """SIGN_IN, IN, the status of a refusal, or "fault 500". Whatever was done is taken back."""
    cookies = caller.client.cookies.copy()
    with transaction.atomic():
        if url.startswith("/api/"):
            response = caller.client.generic(method, url, b"{}", "application/json", headers=caller.headers)
        elif method == "GET":
            response = caller.client.get(url, headers=caller.headers)
        else:
            response = caller.client.post(url, form or {}, headers=caller.headers)
        if response.streaming:
            response.getvalue()  # a file that is never read to its end keeps its connection open
        transaction.set_rollback(True)
    caller.client.cookies = cookies
    return _kind_of(response)


def _kind_of(response: Any) -> str | int:
    if response.status_code == 302 and response["Location"].startswith("/accounts/login/?next="):
        return SIGN_IN
    if response.status_code >= 500:
        return f"fault {response.status_code}"
    return response.status_code if response.status_code in (401, 403, 404, 405) else IN


def is_due(got: str | int, due: str | int, name: str, need: Need) -> bool:
    """Whether the answer is right. A public door may have nothing to show yet, one of one's own may lead to nothing."""
    return got == due or (got == 404 and (need.where is Where.PUBLIC or name in MAY_BE_NOTHING))


@pytest.mark.parametrize("face", ["pages", "programs"])
def test_every_door_answers_everybody_as_the_matrix_says(db, capsys, caplog, face):
    caplog.set_level(logging.CRITICAL)  # thousands of refusals
    house = inhabited_house()
    wrong, calls, let_in = [], 0, 0
    routes = {name: path for name, (path, _) in named_routes().items() if ("-api:" in name) == (face == "programs")}
    # To a page every token is nobody; one of them shows it.
    tokens = [caller for caller in house.callers if caller.scopes is not None]
    callers = [caller for caller in house.callers if face == "programs" or caller not in tokens[1:]]
    for name, path in routes.items():
        url = address(house, name, path)
        for method, need in DOORS[name].items():
            for caller in callers:
                due, got = expected(caller, name, need), answered(caller, method, url, FORMS.get(name))
                calls, let_in = calls + 1, let_in + (got == IN)
                if not is_due(got, due, name, need):
                    wrong.append(f"{method} {name} as {caller.name}: {got}, not {due}")
    with capsys.disabled():
        print(f"\nmatrix, {face}: {len(routes)} routes x {len(callers)} callers = {calls} calls, {let_in} let in")
    assert wrong == [], "\n".join(wrong)
