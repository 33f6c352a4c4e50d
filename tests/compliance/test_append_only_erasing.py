"""Rows that never change are cleared by the owner's functions only: nothing that the app's login says does it."""

from __future__ import annotations

import re
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from reviewapp.access.actors import SYSTEM
from reviewapp.audit.events import Event
from reviewapp.audit.services import Subject, record
from reviewapp.exports.models import DatasetVersion
from reviewapp.grading.models import Grade, Review
from tests.conftest import Cast, owner_connection
from tests.exports.conftest import World, with_labels

FLAGS = "SELECT set_config('reviewapp.erasing', 'yes', true), set_config('audit.erasing', 'yes', true)"
FORBIDDEN = (
    "UPDATE reviewapp_review SET comment = 'other words'",
    "UPDATE reviewapp_review SET comment = ''",
    "UPDATE reviewapp_grade SET value = '\"x\"'",
    "UPDATE reviewapp_verdict SET rationale = ''",
    "UPDATE reviewapp_preference SET winner = 'b'",
    "UPDATE reviewapp_selection SET rate = 0.5",
    "DELETE FROM reviewapp_grade",
    "DELETE FROM audit.payload",
    "UPDATE audit.payload SET data = '{}'",
    "UPDATE audit.event SET env = '{}'",
)


@pytest.fixture
def world(committed_cast: Cast, settings: Any, tmp_path: Any) -> World:
    """Four outputs with imported reviews, and a frozen version."""
    settings.FILES_DIR = tmp_path / "files"
    made = with_labels(World(committed_cast))
    made.freeze()
    return made


def test_the_app_sets_every_flag_and_is_still_refused(world):
    """The flags are the functions' own; the triggers also ask who runs the statement."""
    refusals = {statement: _refusal(statement) for statement in FORBIDDEN}
    wrong = {
        statement: said
        for statement, said in refusals.items()
        if not re.search(r"append-only|ended, once|permission denied", said)
    }
    assert wrong == {}


def _refusal(statement: str) -> str:
    """What the database says to the app's login, "" when it did it."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(FLAGS)
            cursor.execute(statement)
    except DatabaseError as error:
        return str(error)
    return ""


def test_an_owner_without_the_flag_is_refused_by_the_triggers_alone(world, committed_db):
    """What protects an installation whose app is the owner."""
    with owner_connection(committed_db) as owner:
        for statement in FORBIDDEN:
            with pytest.raises(psycopg.Error, match=r"append-only|ended, once"):
                owner.execute(statement.encode())


def test_the_functions_clear_texts_and_leave_what_was_chosen(world, committed_db):
    item = Review.objects.order_by("pk").values_list("item", flat=True)[0]
    before = list(Grade.objects.order_by("pk").values_list("pk", "value"))
    for run in (_as_app, lambda items: _as_owner(committed_db, items)):
        run([item])
        assert list(Grade.objects.order_by("pk").values_list("pk", "value")) == before
        assert set(Review.objects.filter(item=item).values_list("comment", "body_sha256")) == {("", "0" * 64)}
    assert Review.objects.exclude(item=item).exclude(body_sha256="0" * 64).exists()


def _as_app(items: list[Any]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT reviewapp_erase_answers(%s::uuid[], NULL)", [items])
        record(actor=SYSTEM, event=Event.PAYLOAD_ERASED, subject=Subject("erasure", "test"))


def _as_owner(database: str, items: list[Any]) -> None:
    """An installation with one login, which owns the tables: the same call passes its own triggers."""
    with owner_connection(database) as owner:
        owner.execute("SELECT reviewapp_erase_answers(%s::uuid[], NULL)", [items])


def test_a_frozen_version_is_withdrawn_once_and_nothing_else_of_it_changes(world):
    version = DatasetVersion.objects.get()
    moment = "2026-11-21T00:00:00Z"
    for change in ({"rows": 1}, {"sha256": "0" * 64}, {"manifest": {}}, {"withdrawn_at": moment, "rows": 1}):
        with pytest.raises(DatabaseError, match="is frozen"), transaction.atomic():
            DatasetVersion.objects.filter(pk=version.pk).update(**change)
    with transaction.atomic():
        DatasetVersion.objects.filter(pk=version.pk).update(withdrawn_at="2026-11-21T00:00:00Z")
        record(actor=SYSTEM, event=Event.VERSION_WITHDRAWN, subject=Subject("dataset_version", str(version.pk)))
    for moment in (None, "2026-11-22T00:00:00Z"):
        with pytest.raises(DatabaseError, match="is frozen"), transaction.atomic():
            DatasetVersion.objects.filter(pk=version.pk).update(withdrawn_at=moment)


@pytest.fixture
def shadows(world: World) -> Any:
    """Run statements that make temporary objects; all are gone afterwards."""

    def make(*statements: str) -> None:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    yield make
    make("DISCARD TEMP")


def test_a_temporary_catalogue_does_not_make_the_app_the_owner(shadows):
    """PostgreSQL looks for tables among the temporary ones first, unless a function says otherwise."""
    shadows(
        "CREATE TEMP TABLE pg_class AS SELECT c.oid, r.oid AS relowner FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_roles r ON r.rolname = current_user WHERE c.relname LIKE 'reviewapp%'"
    )
    assert "append-only" in _refusal("UPDATE reviewapp_grade SET value = '\"x\"'")
    assert "ended, once" in _refusal("UPDATE reviewapp_review SET comment = 'other words'")


def test_a_temporary_type_runs_no_code_as_the_owner_of_the_log(shadows):
    """The same holds for types; a domain brings a function of the app's along."""
    shadows(
        "CREATE TEMP TABLE ran_as (who name)",
        "GRANT ALL ON ran_as TO PUBLIC",
        "CREATE FUNCTION pg_temp.look(value pg_catalog.text) RETURNS boolean LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO pg_temp.ran_as VALUES (current_user); RETURN true; END $$",
        "CREATE DOMAIN pg_temp.text AS pg_catalog.text CHECK (pg_temp.look(VALUE))",
    )
    with transaction.atomic():
        record(actor=SYSTEM, event=Event.HEARTBEAT, subject=Subject("log", "x"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT who FROM pg_temp.ran_as")
        assert [row[0] for row in cursor.fetchall() if row[0] != connection.settings_dict["USER"]] == []
