"""The register: every column of the house that can hold a text, once, and what of a person it may hold.

A test reads the tables of the running application and fails for a column that is not here, for a line here whose column
is gone, and for a subject's column that no room's `erase_subject` clears. So a new table cannot forget erasure: its
author has to say here what its texts are.

SUBJECT: data about a person or an end user, cleared by an erasure. CONFIGURATION: what people wrote to set the work up,
about applications and not about anybody; a name typed there is to be changed by hand. NEITHER: written by the house
itself, in words, ids or hashes of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.apps import apps
from django.db import models

# What can hold no text: numbers, moments, yes and no, random ids, and references to rows that are listed themselves.
_TEXTLESS = (
    models.AutoField,
    models.IntegerField,
    models.FloatField,
    models.DecimalField,
    models.DateField,
    models.BooleanField,
    models.UUIDField,
    models.ForeignKey,
)


class Holds(StrEnum):
    """What a column may hold."""

    SUBJECT = "subject"
    CONFIGURATION = "configuration"
    NEITHER = "neither"


@dataclass(frozen=True)
class Table:
    """The columns of one table. subject: column -> what an erasure makes of it."""

    subject: dict[str, str]
    configuration: tuple[str, ...] = ()
    neither: tuple[str, ...] = ()


def _subject(**columns: str) -> dict[str, str]:
    return columns


GONE = "the row is deleted"
RANDOM = "replaced by a random hash"
ZEROS = "replaced by zeros"
NONE: dict[str, str] = {}

TABLES: dict[str, Table] = {
    # access: found by the account; the account of an erased person stays as a pseudonym
    "reviewapp.User": Table(
        _subject(
            username="replaced by a pseudonym",
            imported_name="replaced by the pseudonym",
            display_name="emptied",
            first_name="emptied",
            last_name="emptied",
            email="emptied",
            password="made unusable",  # noqa: S106 (a sentence about the column)
        )
    ),
    "reviewapp.ApiToken": Table(
        _subject(name="replaced", last_ip="emptied"), neither=("prefix", "secret_sha256", "scopes")
    ),
    "reviewapp.Invitation": Table(NONE, neither=("purpose", "secret_sha256")),
    "reviewapp.InstallationRole": Table(NONE, neither=("role",)),
    "reviewapp.IdempotencyRecord": Table(_subject(answer=GONE), neither=("caller", "key", "request_sha256")),
    "reviewapp.Project": Table(NONE, ("slug", "title"), ("sampling_seed",)),
    "sessions.Session": Table(_subject(session_key=GONE, session_data=GONE)),
    "usersessions.UserSession": Table(_subject(ip=GONE, user_agent=GONE, session_key=GONE, data=GONE)),
    "account.EmailAddress": Table(_subject(email=GONE)),
    "account.EmailConfirmation": Table(_subject(key=GONE)),
    "mfa.Authenticator": Table(_subject(data=GONE), neither=("type",)),
    "socialaccount.SocialAccount": Table(_subject(uid=GONE, extra_data=GONE), neither=("provider",)),
    "socialaccount.SocialToken": Table(_subject(token=GONE, token_secret=GONE)),
    "socialaccount.SocialApp": Table(
        NONE, ("provider", "provider_id", "name", "client_id", "secret", "key", "settings")
    ),
    "auth.Permission": Table(NONE, neither=("name", "codename")),
    "auth.Group": Table(NONE, ("name",)),
    "contenttypes.ContentType": Table(NONE, neither=("app_label", "model")),
    "guardian.UserObjectPermission": Table(NONE, neither=("object_pk",)),
    "guardian.GroupObjectPermission": Table(NONE, neither=("object_pk",)),
    # audit: the envelope holds random ids and words of the house; who and what stands in the payload
    "reviewapp.Event": Table(
        NONE, neither=("env", "event", "actor_kind", "actor", "object_kind", "object", "project", "outcome")
    ),
    "reviewapp.Payload": Table(_subject(data=GONE), neither=("salt",)),
    "reviewapp.Leaf": Table(NONE, neither=("hash",)),
    "reviewapp.Checkpoint": Table(NONE, neither=("root", "note")),
    "reviewapp.Cosignature": Table(NONE, neither=("witness", "line")),
    # ingest: found by end_user_id, and through pairs
    "reviewapp.Output": Table(
        _subject(
            external_id="replaced where it names the subject",
            content_sha256=RANDOM,
            input_sha256=RANDOM,
            input="emptied",
            output="emptied",
            context="emptied",
            steps="emptied",
            metadata="emptied",
            error="replaced by a word",
            session_id="emptied",
            end_user_id="emptied",
        ),
        ("feature",),
    ),
    "reviewapp.Configuration": Table(NONE, ("document", "prompt_name", "prompt_version", "model"), ("fingerprint",)),
    "reviewapp.Pair": Table(_subject(external_id="replaced where it names the subject")),
    "reviewapp.GuardrailHit": Table(_subject(spans="emptied"), ("name", "version", "category"), ("stage", "action")),
    "reviewapp.Signal": Table(_subject(value="emptied"), neither=("kind",)),
    "reviewapp.Fact": Table(NONE, ("name",)),
    "reviewapp.SamplingRule": Table(NONE, ("slug", "where")),
    # rubrics
    "reviewapp.Rubric": Table(NONE, ("slug", "title")),
    "reviewapp.RubricVersion": Table(NONE, ("publish_reason",)),
    "reviewapp.Criterion": Table(NONE, ("key", "title", "help", "levels", "pass_at", "show_if"), ("kind",)),
    # queues: found by the items of the outputs, or by the reviewer
    "reviewapp.Queue": Table(NONE, ("slug", "title", "instructions"), ("kind", "order", "adjudicate")),
    "reviewapp.QueueItem": Table(NONE, neither=("source", "reason")),
    "reviewapp.Seat": Table(NONE, neither=("kind",)),
    "reviewapp.Lease": Table(_subject(skip_reason="replaced by a word"), neither=("outcome", "reason")),
    "reviewapp.GoldAnswer": Table(_subject(value="emptied where it is a text or spans"), ("key",)),
    # grading
    "reviewapp.Review": Table(_subject(comment="emptied", correction="emptied", body_sha256=ZEROS)),
    "reviewapp.Grade": Table(_subject(value="emptied where it is a text or spans")),
    "reviewapp.Preference": Table(NONE, neither=("winner",)),
    "reviewapp.Draft": Table(_subject(answer=GONE)),
    "reviewapp.Adjudication": Table(_subject(reason="replaced by a word")),
    # agreement: a report names reviewers pair by pair
    "reviewapp.AgreementReport": Table(_subject(document="names replaced by the pseudonym")),
    # judge
    "reviewapp.Judge": Table(NONE, ("slug", "title"), ("kind",)),
    "reviewapp.JudgeVersion": Table(
        NONE, ("criteria", "base_url", "model", "key_name", "prompt", "parameters", "checks")
    ),
    "reviewapp.JudgeRun": Table(NONE, ("where",), ("state", "error")),
    "reviewapp.Verdict": Table(
        _subject(rationale="emptied", raw="emptied", content_sha256=ZEROS),
        # A judge answers criteria with levels and numbers, never in free words.
        neither=("value", "order", "preference", "error"),
    ),
    # exports: texts lie in files, which are deleted
    "reviewapp.Dataset": Table(NONE, ("slug", "title", "criteria", "labels", "where", "split")),
    "reviewapp.DatasetVersion": Table(NONE, ("manifest",), ("state", "sha256", "error")),
    "reviewapp.DatasetFile": Table(NONE, neither=("format", "path", "sha256")),
    # compliance
    "reviewapp.Erasure": Table(
        _subject(end_user_id="emptied", reason="emptied", decision_note="emptied"),
        neither=("kind", "state", "subject_digest", "counts", "error"),
    ),
    "reviewapp.Verification": Table(NONE, neither=("state", "problem")),
    "reviewapp.Publication": Table(NONE, ("target",), ("rung", "error")),
    "reviewapp.WitnessedLog": Table(NONE, ("origin", "verifier_key"), ("root", "note")),
}


def listed() -> dict[tuple[str, str], Holds]:
    """(table, column) -> what it holds."""
    found = {}
    for label, table in TABLES.items():
        for kind, columns in (
            (Holds.SUBJECT, table.subject),
            (Holds.CONFIGURATION, table.configuration),
            (Holds.NEITHER, table.neither),
        ):
            for column in columns:
                if (label, column) in found:
                    raise ValueError(f"{label}.{column} is listed twice")
                found[label, column] = kind
    return found


def columns() -> set[tuple[str, str]]:
    """(table, column) of everything in the running application that can hold a text."""
    return {
        (model._meta.label, field.name)
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.concrete_fields
        if not isinstance(field, _TEXTLESS)
    }
