"""The house plan holds: rooms look down, files have their names and sizes, every listed event is emitted, every door
asks who.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver

from reviewapp.audit.events import Event

ROOT = Path(__file__).resolve().parent.parent
HOUSE = ROOT / "reviewapp"
LAYERS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]["layers"]
LEVEL = {room.strip(): level for level, line in enumerate(reversed(LAYERS)) for room in line.split("|")}
ROOM_FILES = {
    "__init__", "models", "services", "selectors", "forms", "views", "api", "urls", "tasks", "errors", "erasure",
}  # fmt: skip
# A file that is none of the usual has the name of its subject; the room's card or the file's docstring says why.
OWN_NAMES = {
    "lib": None,
    "stats": None,
    "audit": {
        "bundle", "chain", "events", "grants", "keys", "merkle", "notes", "offline", "sequencer", "verify",
    },
    "access": {
        "account_urls", "account_views", "actors", "adapter", "authentication", "context", "doors", "factor_views",
        "factors", "groups", "idempotency", "invitations", "limits", "matrix", "middleware", "oidc", "people",
        "problems", "reauthentication", "roles", "sessions", "tokens", "words",
    },
    "ingest": {"filters", "records"},
    "rubrics": {"answers", "records"},
    "judge": {
        "answering", "asking", "calibration", "checks", "confidence", "definitions", "drafts", "imports", "readings",
        "texts", "work",
    },
    "compliance": {"differences", "formats", "register", "sentences", "vocabulary"},
    "demo": {"content"},
}  # fmt: skip


def room_of(path: Path) -> str:
    """The room of a file of the house."""
    return path.relative_to(HOUSE).parts[0].removesuffix(".py")


def house_files() -> list[Path]:
    """Every Python file of the house but the migrations."""
    return [path for path in HOUSE.rglob("*.py") if "migrations" not in path.parts]


def test_rooms_look_down_only():
    run = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports"))], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout


def test_foreign_keys_look_down_too():
    """A key written as text escapes the import linter."""
    upward = []
    for model in apps.get_app_config("reviewapp").get_models(include_auto_created=True):
        here = model.__module__.split(".")[1]
        for field in model._meta.get_fields():
            target = getattr(field, "related_model", None)
            if field.auto_created or target is None or not target.__module__.startswith("reviewapp."):
                continue
            there = target.__module__.split(".")[1]
            if here != there and LEVEL[there] >= LEVEL[here]:
                upward.append(f"{model.__name__}.{field.name}: {here} -> {there}")
    assert upward == []


def test_every_table_is_gathered_in_one_module():
    import reviewapp.models as gathered

    missing = [
        model.__name__
        for model in apps.get_app_config("reviewapp").get_models()
        if not hasattr(gathered, model.__name__)
    ]
    assert missing == []


def test_rooms_have_only_files_with_known_names():
    strange = []
    for path in house_files():
        parts = path.relative_to(HOUSE).parts
        if len(parts) < 2 or parts[0] in ("management", "templatetags"):
            continue
        name = parts[1].removesuffix(".py")
        own = OWN_NAMES.get(parts[0], set())
        if own is not None and name not in ROOM_FILES | own:
            strange.append(str(path.relative_to(ROOT)))
    assert strange == []


@pytest.mark.parametrize("path", house_files(), ids=lambda path: str(path.relative_to(HOUSE)))
def test_files_and_functions_keep_their_size(path):
    """A file has 400 lines at the most (else it becomes a folder), a function 50."""
    source = path.read_text()
    assert source.count("\n") <= 400
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and node.end_lineno and node.end_lineno - node.lineno + 1 > 50
    ]
    assert long == []


def test_every_room_has_its_card():
    for room in LEVEL:
        folder = HOUSE / room
        if folder.is_dir() and room not in ("management", "templatetags"):
            card = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
            assert card.startswith(f"{room}: "), room
            assert len(card) > 150, f"{room}: the card says too little"


def test_every_listed_event_is_recorded_somewhere():
    text = "\n".join(path.read_text() for path in house_files() if path.name != "events.py")
    silent = [event.name for event in Event if f"Event.{event.name}" not in text]
    assert silent == []


def test_no_save_override_no_signal_no_push():
    """Saving saves; nothing happens behind a writer's back."""
    found = []
    for path in house_files():
        text = path.read_text()
        if re.search(r"def save\(self|@receiver|post_save|pre_save", text) and "devstack" not in path.parts:
            found.append(str(path.relative_to(ROOT)))
    assert found == []


def routes(resolver: URLResolver | None = None, prefix: str = "") -> list[str]:
    """Every address of the site with example values."""
    found = []
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            found += routes(entry, path)
        elif isinstance(entry, URLPattern):
            filled = re.sub(r"<uuid:\w+>", "0197a000-0000-7000-8000-000000000000", path)
            filled = re.sub(r"<int:\w+>", "1", filled)
            found.append("/" + re.sub(r"<(?:\w+:)?\w+>", "x", filled))
    return found


PUBLIC = {
    "/livez", "/readyz", "/api/v1/schema/", "/api/v1/docs/", "/api/v1/audit/checkpoint", "/accounts/login/",
    "/api/v1/audit/witness/add-checkpoint",
    "/accounts/signup/",
}  # fmt: skip


def test_every_door_asks_who_is_there(client, db):
    """An anonymous caller gets nothing but the sign-in page, whatever the address and the method."""
    let_in = []
    for address in routes():
        for method in ("get", "post"):
            answer = getattr(client, method)(address)
            if answer.status_code not in (301, 302, 401, 403, 404, 405) and address not in PUBLIC:
                let_in.append(f"{method} {address}: {answer.status_code}")
            if answer.status_code == 302 and not answer["Location"].startswith("/accounts/login/"):
                let_in.append(f"{method} {address} -> {answer['Location']}")
    assert let_in == []
