"""The log is read for the whole installation or for one project; the pages are the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from reviewapp.access.actors import Actor
from reviewapp.access.models import Project
from reviewapp.access.roles import require_installation_reader
from reviewapp.access.selectors import project_for


@dataclass(frozen=True)
class Level:
    """Where the reader stands; `project` is None for the installation."""

    project: Project | None

    @property
    def slug(self) -> str | None:
        """The project's, None for the installation."""
        return self.project.slug if self.project else None

    def url(self, name: str, **parts: Any) -> str:
        """The address of a page of the log at this level."""
        if self.project is None:
            return reverse(f"compliance:log_{name}", kwargs=parts)
        return reverse(f"compliance:{name}", kwargs={"project": self.project.slug, **parts})

    @property
    def urls(self) -> dict[str, str]:
        """The addresses without parts, for templates."""
        return {name: self.url(name) for name in ("events", "people", "export", "verify")}


def level_for(*, viewer: Actor, project: str | None) -> Level:
    """The level of an address, when the viewer may read the log there. Raises Hidden or AccessDenied."""
    if project is not None:
        return Level(project_for(viewer=viewer, slug=project, act="audit.view"))
    require_installation_reader(viewer)
    return Level(None)
