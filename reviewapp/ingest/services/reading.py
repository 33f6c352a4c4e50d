"""Reading production text, which leaves an event in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db import transaction

from reviewapp.access.actors import Actor
from reviewapp.access.models import Project
from reviewapp.access.roles import require
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record

Result = TypeVar("Result")


@transaction.atomic
def view_outputs(
    *, actor: Actor, project: Project, read: Callable[[], Result], ids_of: Callable[[Result], Sequence[Any]]
) -> Result:
    """What `read` finds, recorded with the external ids that `ids_of` names in it. Raises AccessDenied."""
    require(actor, "outputs.view", project)
    found = read()
    seen = ids_of(found)
    record(
        actor=actor,
        event=Event.OUTPUTS_VIEWED,
        subject=Subject("project", str(project.pk), project=project.slug),
        change=Change(more={"n": len(seen), "external_ids": list(seen)}),
    )
    return found
