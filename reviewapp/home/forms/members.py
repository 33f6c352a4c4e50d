"""Forms that give roles in a project, also to somebody new."""

from __future__ import annotations

from typing import Any

from django import forms

from reviewapp.access.invitations import FirstRole
from reviewapp.access.matrix import PROJECT_ROLES, QUEUE_ROLES, Role
from reviewapp.access.models import Project, User
from reviewapp.queues.models import Queue


class GrantForm(forms.Form):
    """A role for a person, on the project or on one queue. roles: those that the viewer may give."""

    username = forms.CharField(label="Username", max_length=150)
    role = forms.ChoiceField(label="Role", choices=[(role.value, role.value) for role in Role])
    queue = forms.ModelChoiceField(label="Queue", queryset=Queue.objects.none(), required=False, to_field_name="slug")
    reason = forms.CharField(label="Reason", max_length=300)

    def __init__(self, *args: Any, project: Project, roles: tuple[Role, ...] = tuple(Role), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.project = project
        self.fields["role"].choices = [(role.value, role.value) for role in roles]  # type: ignore[attr-defined] # a choice field
        field = self.fields["queue"]
        field.queryset = Queue.objects.filter(project=project).order_by("title")  # type: ignore[attr-defined] # a choice field
        field.help_text = "for reviewers and adjudicators"

    def clean_username(self) -> str:
        """The person must exist and be able to sign in."""
        name: str = self.cleaned_data["username"].strip()
        self.user = User.objects.filter(username=name, is_active=True).first()
        if self.user is None:
            raise forms.ValidationError("Nobody here signs in with this name. An admin can invite somebody new.")
        return name

    def clean(self) -> dict[str, Any]:
        """Reviewers and adjudicators hold a queue, the others the project."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        check_role_and_queue(self)
        return data


class MemberInviteForm(forms.Form):
    """Somebody new in one project: by its admin, always with a first role there."""

    username = forms.CharField(label="Username", max_length=150, help_text="the name to sign in with; no colon")
    display_name = forms.CharField(label="Name that others see", max_length=200, required=False)
    email = forms.EmailField(label="Mail address", max_length=254, required=False)
    role = forms.ChoiceField(label="First role", choices=[(role.value, role.value) for role in Role])
    queue = forms.ModelChoiceField(
        label="Queue", queryset=Queue.objects.none(), required=False, to_field_name="slug",
        help_text="for reviewers and adjudicators",
    )  # fmt: skip
    reason = forms.CharField(label="Reason", max_length=300)

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.project = project
        self.fields["queue"].queryset = Queue.objects.filter(project=project).order_by("title")  # type: ignore[attr-defined] # a choice field

    def clean(self) -> dict[str, Any]:
        """The role must fit what it is held on."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        check_role_and_queue(self)
        return data

    def first_role(self) -> FirstRole:
        """What they hold at once."""
        return FirstRole(Role(self.cleaned_data["role"]), self.cleaned_data["queue"] or self.project)


def check_role_and_queue(form: forms.Form) -> None:
    """Reviewers and adjudicators hold a queue, the others the project: says so at the field that is wrong."""
    role, queue = form.cleaned_data.get("role"), form.cleaned_data.get("queue")
    if role in QUEUE_ROLES and not queue and "queue" not in form.errors:
        form.add_error("queue", "Choose the queue: this role is held per queue.")
    if role in PROJECT_ROLES and queue:
        form.add_error("queue", "Leave this empty: this role is held for the whole project.")
