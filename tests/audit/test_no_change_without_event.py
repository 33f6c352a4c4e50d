"""A transaction that changes rows and records nothing cannot commit: the database sees to it, for every table."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from reviewapp.access.actors import SYSTEM
from reviewapp.access.models import ApiToken, Project, ProjectUserGrant
from reviewapp.access.tokens import create_service_token
from reviewapp.audit.events import Event
from reviewapp.audit.services import Subject, record
from reviewapp.lib.clock import utc_now
from reviewapp.migrations._event_required import BOOKKEEPING, UNGUARDED
from tests.conftest import owner_connection


def tables():
    """Every table that a migration of the house made."""
    models = apps.get_app_config("reviewapp").get_models(include_auto_created=True)
    return {model._meta.db_table: model for model in models if model._meta.managed}


def test_every_table_is_guarded_or_says_why_not(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'needs_event' AND tgenabled = 'O'"
        )
        guarded = {row[0] for row in cursor.fetchall()}
    bare = set(tables()) - guarded - set(UNGUARDED)
    assert not bare, f"end their migration with guarded({', '.join(repr(name) for name in sorted(bare))})"
    assert guarded & set(UNGUARDED) == set()


def test_bookkeeping_names_columns_that_exist():
    known = {name: {field.column for field in model._meta.local_fields} for name, model in tables().items()}
    assert {
        name: set(columns) - known[name] for name, columns in BOOKKEEPING.items() if set(columns) - known[name]
    } == {}


CHANGES = {
    "insert": lambda: Project.objects.create(slug="silent", title="Silent"),
    "update": lambda: Project.objects.update(title="Silent"),
    "delete": lambda: ProjectUserGrant.objects.all().delete(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_without_an_event_is_not_kept(committed_cast, change):
    before = list(Project.objects.values_list("slug", "title")), ProjectUserGrant.objects.count()
    with pytest.raises(IntegrityError, match="without an event"):
        CHANGES[change]()
    assert (list(Project.objects.values_list("slug", "title")), ProjectUserGrant.objects.count()) == before


def test_with_its_event_it_is_kept_whichever_comes_first(committed_cast):
    with transaction.atomic():
        Project.objects.update(title="Renamed")
        record(actor=SYSTEM, event=Event.HEARTBEAT, subject=Subject("project", "halyard"))
    assert Project.objects.get().title == "Renamed"


@transaction.atomic
def change_and_take_the_event_back():
    Project.objects.update(title="Silent")
    inner = transaction.savepoint()
    record(actor=SYSTEM, event=Event.HEARTBEAT, subject=Subject("project", "halyard"))
    transaction.savepoint_rollback(inner)


def test_an_event_of_a_savepoint_that_was_rolled_back_does_not_count(committed_cast):
    with pytest.raises(IntegrityError, match="without an event"):
        change_and_take_the_event_back()


def test_the_event_of_an_earlier_transaction_does_not_count(committed_cast):
    with transaction.atomic():
        record(actor=SYSTEM, event=Event.HEARTBEAT, subject=Subject("project", "halyard"))
    with pytest.raises(IntegrityError, match="without an event"):
        Project.objects.update(title="Silent")


def test_bookkeeping_needs_no_event_but_only_bookkeeping(committed_cast):
    token = create_service_token(
        actor=committed_cast.max, project=committed_cast.project, name="ci", scopes=["ingest"]
    ).token
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=utc_now())
    with pytest.raises(IntegrityError, match="without an event"):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=utc_now(), scopes=["manage"])


def test_the_owner_who_migrates_is_not_asked(committed_cast, committed_db):
    with owner_connection(committed_db) as owner:
        owner.execute("UPDATE reviewapp_project SET title = 'migrated'")
    assert Project.objects.get().title == "migrated"
