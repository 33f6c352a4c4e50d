"""Every route has its row in the table of doors, and a route without one is closed."""

from __future__ import annotations

import re

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from reviewapp.access.authentication import MayEnter
from reviewapp.access.doors import DOORS, PUBLIC, Where
from reviewapp.access.matrix import ACTS
from reviewapp.access.middleware import DoorMiddleware
from tests.queues.arrange import make_queue


def named_routes(
    resolver: URLResolver | None = None, space: str = "", prefix: str = ""
) -> dict[str, tuple[str, object]]:
    """view name -> (address pattern, view), as the resolver has them."""
    found: dict[str, tuple[str, object]] = {}
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            found |= named_routes(entry, inner, path)
        elif isinstance(entry, URLPattern):
            found[f"{space}{entry.name}"] = (f"/{path}", entry.callback)
    return found


def line_to_add(name: str, path: str) -> str:
    """What somebody with a new route writes into doors.py."""
    where = "at_queue" if "<slug:queue>" in path else "at_project" if "<slug:project>" in path else ""
    need = f'{where}("<act of matrix.py>")' if where else "SIGNED_IN"
    return f'    "{name}": door(GET={need}),  # {path}; or POST=…, PUBLIC, INSTALLATION_ADMIN, INSTALLATION_READ'


def test_every_route_has_its_row():
    missing = [line_to_add(name, path) for name, (path, _) in named_routes().items() if name not in DOORS]
    assert not missing, "add to DOORS in reviewapp/access/doors.py:\n" + "\n".join(missing)


def test_every_row_has_its_route():
    assert sorted(set(DOORS) - set(named_routes())) == []


def test_every_need_can_be_asked():
    """An act of the matrix, on something that the address names."""
    for name, (path, _) in named_routes().items():
        for need in DOORS[name].values():
            assert set(need.acts) <= set(ACTS), name
            if need.where in (Where.PROJECT, Where.SOMEWHERE):
                assert need.acts, name
                assert "<slug:project>" in path, name
            if need.where is Where.QUEUE:
                assert need.acts, name
                assert "<slug:project>" in path, name
                assert "<slug:queue>" in path, name


def test_api_rows_name_the_methods_that_their_views_take():
    wrong = []
    for name, (_, view) in named_routes().items():
        if hasattr(view, "cls"):
            taken = {
                method.upper() for method in ("get", "post", "put", "patch", "delete") if hasattr(view.cls, method)
            }
            if taken != set(DOORS[name]):
                wrong.append(f"{name}: the view takes {sorted(taken)}, the row says {sorted(DOORS[name])}")
            assert MayEnter in view.cls.permission_classes or set(DOORS[name].values()) == {PUBLIC}, name
    assert wrong == []


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_route_without_a_row_is_closed_and_says_so_loudly(cast, client, monkeypatch, caplog, method):
    client.force_login(cast.ada.person, backend="allauth.account.auth_backends.AuthenticationBackend")
    row = DOORS.pop("home:account")
    try:
        assert getattr(client, method)("/account/").status_code == 404
    finally:
        DOORS["home:account"] = row
    assert "the route home:account has no row" in caplog.text


def test_an_api_view_that_lost_its_permission_is_closed(db, caplog):
    request = RequestFactory().get("/api/v1/projects/")
    request.resolver_match = resolve("/api/v1/projects/")
    view = type("View", (), {"cls": type("Cls", (), {"permission_classes": []})})
    answer = DoorMiddleware(lambda _: HttpResponse()).process_view(request, view, (), {})
    assert answer is not None
    assert answer.status_code == 404
    assert "access-api:projects" in caplog.text


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "OPTIONS", "TRACE", "TRACK", "BREW"])
def test_a_method_without_a_row_is_405_whoever_asks(cast, client, method):
    for _ in range(2):
        page, api = client.generic(method, "/account/"), client.generic(method, "/api/v1/projects/")
        assert (page.status_code, page["Allow"]) == (405, "GET")
        assert (api.status_code, api["Allow"]) == (405, "GET, POST")
        assert api["Content-Type"] == "application/problem+json"
        client.force_login(cast.ada.person, backend="allauth.account.auth_backends.AuthenticationBackend")


@pytest.mark.parametrize(
    ("hidden", "absent"),
    [
        ("/p/halyard/audit/", "/p/no-such/audit/"),
        ("/api/v1/projects/halyard/outputs/", "/api/v1/projects/no-such/outputs/"),
        ("/api/v1/projects/halyard/queues/answers/agreement/", "/api/v1/projects/halyard/queues/no-such/agreement/"),
    ],
)
def test_what_is_hidden_is_answered_in_the_words_of_what_is_not_there(cast, client, hidden, absent):
    make_queue(cast, slug="answers")
    client.force_login(cast.nemo.person, backend="allauth.account.auth_backends.AuthenticationBackend")
    answers = [client.get(address) for address in (hidden, absent)]
    own = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b\w{64}\b"  # the reference and the form's token
    pages = [re.sub(own, "", one.content.decode()) for one in answers]
    assert [one.status_code for one in answers] == [404, 404]
    assert pages[0] == pages[1]
