"""Forms about people: invitations, roles anywhere, and reasons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from reviewapp.access.errors import Hidden
from reviewapp.access.invitations import FirstRole
from reviewapp.access.matrix import PROJECT_ROLES, QUEUE_ROLES, Role
from reviewapp.access.models import Project
from reviewapp.access.people import State
from reviewapp.access.roles import Anchored
from reviewapp.queues.models import Queue

EVERYWHERE = "*"
INSTALLATION_ROLES = (Role.ADMIN, Role.AUDITOR)
Place = Project | Anchored | None


def places(projects: list[Project]) -> list[tuple[str, Any]]:
    """Choices of where a role can be held: each project, each of its open queues, and last the installation.

    Last, because what stands first is taken by whoever does not look.
    """
    queues: dict[Any, list[Queue]] = {}
    for queue in Queue.objects.filter(project__in=projects, closed_at=None).order_by("title"):
        queues.setdefault(queue.project_id, []).append(queue)
    found: list[tuple[str, Any]] = []
    for project in projects:
        own = [(project.slug, f"{project.title}, the whole project")]
        own += [(f"{project.slug}/{queue.slug}", f"{queue.title}, one queue") for queue in queues.get(project.pk, [])]
        found.append((project.title, own))
    return [*found, (EVERYWHERE, "The whole installation")]


def place_named(text: str) -> Place:
    """What a choice of `places` stands for; None is the installation. Raises Hidden when there is no such thing."""
    if text == EVERYWHERE:
        return None
    project, _, queue = text.partition("/")
    found: Place = (
        Queue.objects.filter(project__slug=project, slug=queue).first()
        if queue
        else Project.objects.filter(slug=project).first()
    )
    if found is None:
        raise Hidden("There is no such project or queue.")
    return found


def roles_at(place: Place) -> tuple[Role, ...]:
    """The roles that can be held there."""
    if place is None:
        return INSTALLATION_ROLES
    return PROJECT_ROLES if isinstance(place, Project) else QUEUE_ROLES


class ReasonForm(forms.Form):
    """Why; it stands in the log beside what was done."""

    reason = forms.CharField(label="Reason", max_length=300)


class PlaceForm(ReasonForm):
    """A role at a place, for one person."""

    role = forms.ChoiceField(label="Role", choices=[("", "choose"), *((role.value, role.value) for role in Role)])
    place = forms.ChoiceField(label="On")
    field_order: Sequence[str] = ("role", "place", "reason")

    def __init__(self, *args: Any, projects: list[Project], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = places(projects)  # type: ignore[attr-defined] # a choice field

    def clean(self) -> dict[str, Any]:
        """The role must fit the place; `held_at` is what the place stands for afterwards."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("place") and data.get("role"):
            self.held_at = place_named(data["place"])
            fitting = roles_at(self.held_at)
            if Role(data["role"]) not in fitting:
                self.add_error("role", f"Held there are only {' and '.join(fitting)}. Choose another role or place.")
        return data


class InviteForm(PlaceForm):
    """Somebody new, with a first role or none yet."""

    username = forms.CharField(label="Username", max_length=150, help_text="the name to sign in with; no colon")
    display_name = forms.CharField(label="Name that others see", max_length=200, required=False)
    email = forms.EmailField(label="Mail address", max_length=254, required=False)
    field_order = ("username", "display_name", "email", "role", "place", "reason")

    def __init__(self, *args: Any, projects: list[Project], **kwargs: Any) -> None:
        super().__init__(*args, projects=projects, **kwargs)
        role = self.fields["role"]
        role.label, role.required = "First role", False
        role.choices = [("", "none yet"), *((one.value, one.value) for one in Role)]  # type: ignore[attr-defined] # a choice field

    def first_role(self) -> FirstRole | None:
        """What they hold at once; None for no role, and for one of the installation, which is granted apart."""
        role = self.cleaned_data["role"]
        return FirstRole(Role(role), self.held_at) if role and self.held_at is not None else None

    def installation_role(self) -> Role | None:
        """A first role that is held for everything here."""
        role = self.cleaned_data["role"]
        return Role(role) if role and self.held_at is None else None


class SearchForm(forms.Form):
    """Whom to show."""

    q = forms.CharField(label="Name or mail address", max_length=100, required=False)
    state = forms.ChoiceField(
        label="Who",
        choices=[("", "everybody with an account"), *((one.value, one.value) for one in State)],
        required=False,
    )


class LinkForm(ReasonForm):
    """Another one-time link."""

    is_factor_lost = forms.BooleanField(
        label="Phone or key is lost: remove the second factors, and end their password and sessions now", required=False
    )
