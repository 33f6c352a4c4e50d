"""What do we hold about X: every row that the rooms find, as one JSON document."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from reviewapp.access.actors import Actor
from reviewapp.access.models import Project, User
from reviewapp.access.roles import require, require_installation_admin
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.compliance.services.erasing import database_time
from reviewapp.compliance.services.journal import digest_of
from reviewapp.compliance.services.subjects import find, subject_of_outputs, subject_of_person
from reviewapp.ingest.erasure import outputs_of_end_user, with_partners
from reviewapp.lib.clock import rfc3339
from reviewapp.lib.errors import NotFound
from reviewapp.lib.subjects import DataSubject, Held

Report = dict[str, Any]
WITHHELD = "withheld: text of production, or about it, which admins do not read"


@transaction.atomic
def report_end_user(*, actor: Actor, project: Project, end_user_id: str) -> Report:
    """Everything held about an end user, with its texts. Raises AccessDenied, or NotFound when there is nothing."""
    require(actor, "subjects.report", project)
    outputs = outputs_of_end_user(project=project, end_user_id=end_user_id)
    if not outputs:
        raise NotFound("Nothing is held under this end user id in this project.")
    digest = digest_of(kind="end_user", project=project.pk, subject=end_user_id)
    subject = subject_of_outputs(with_partners(outputs), end_user_id=end_user_id, at=database_time(), project=project)
    about = {"kind": "end_user", "project": project.slug, "end_user_id": end_user_id}
    return _report(actor, about, subject, Subject("data_subject", digest, project=project.slug))


@transaction.atomic
def report_person(*, actor: Actor, user: User) -> Report:
    """Everything held about an account: for its owner with what they wrote, for an admin without.

    Raises AccessDenied.
    """
    is_own = actor.user is not None and actor.user.pk == user.pk and actor.token is None
    if not is_own:
        require_installation_admin(actor)
    subject = subject_of_person(user, pseudonym="", at=database_time())
    about = {"kind": "person", "username": user.username, "id": str(user.pk)}
    return _report(actor, about, subject, Subject("user", str(user.pk)), withholds=not is_own)


def _report(
    actor: Actor, about: dict[str, str], subject: DataSubject, named: Subject, *, withholds: bool = False
) -> Report:
    held = [one for one in find(subject) if one.rows.exists()]
    tables = {one.kind: _rows(one, withholds=withholds) for one in held}
    counts = {kind: len(rows) for kind, rows in tables.items()}
    # The log says that it was asked, not about whom in clear: that would be one place more.
    record(actor=actor, event=Event.SUBJECT_REPORTED, subject=named, change=Change(more={"rows": counts}))
    return {"subject": about, "at": rfc3339(subject.at), "counts": counts, "tables": tables}


def _rows(held: Held, *, withholds: bool) -> list[Report]:
    rows = []
    for row in held.rows.values("pk", *held.columns):
        shown = {name.replace("__", "."): value for name, value in row.items()}
        if withholds:
            shown.update({name: WITHHELD for name in held.texts if shown.get(name)})
        rows.append(shown)
    return rows
