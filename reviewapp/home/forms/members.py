"""Forms that give roles."""

from __future__ import annotations

from typing import Any

from django import forms

from reviewapp.access.matrix import PROJECT_ROLES, QUEUE_ROLES, Role
from reviewapp.access.models import Project, User
from reviewapp.queues.models import Queue


class GrantForm(forms.Form):
    """A role for a person, on the project or on one queue."""

    username = forms.CharField(label="Username", max_length=150)
    role = forms.ChoiceField(label="Role", choices=[(role.value, role.value) for role in Role])
    queue = forms.ModelChoiceField(label="Queue", queryset=Queue.objects.none(), required=False, to_field_name="slug")
    reason = forms.CharField(label="Reason", max_length=300)

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.project = project
        field = self.fields["queue"]
        field.queryset = Queue.objects.filter(project=project).order_by("title")  # type: ignore[attr-defined] # a choice field
        field.help_text = "for reviewers and adjudicators"

    def clean_username(self) -> str:
        """The person must exist and be able to sign in."""
        name: str = self.cleaned_data["username"].strip()
        self.user = User.objects.filter(username=name, is_active=True).first()
        if self.user is None:
            raise forms.ValidationError(
                "Nobody here signs in with this name. An admin of the installation can add people."
            )
        return name

    def clean(self) -> dict[str, Any]:
        """Reviewers and adjudicators hold a queue, the others the project."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        role = data.get("role")
        if role in {one.value for one in QUEUE_ROLES} and not data.get("queue") and "queue" not in self.errors:
            self.add_error("queue", "Choose the queue: this role is held per queue.")
        if role in {one.value for one in PROJECT_ROLES} and data.get("queue"):
            self.add_error("queue", "Leave this empty: this role is held for the whole project.")
        return data
