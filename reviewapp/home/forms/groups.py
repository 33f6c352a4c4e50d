"""The form that gives a group of the identity provider a role."""

from __future__ import annotations

from typing import Any

from django import forms

from reviewapp.access.groups import LONGEST
from reviewapp.access.matrix import PROJECT_ROLES, QUEUE_ROLES, Role
from reviewapp.access.models import Project
from reviewapp.queues.models import Queue


class GroupGrantForm(forms.Form):
    """A role for a group, on the project or on one queue."""

    group = forms.CharField(label="Group", max_length=LONGEST)
    role = forms.ChoiceField(label="Role", choices=[(role.value, role.value) for role in Role])
    queue = forms.ModelChoiceField(label="Queue", queryset=Queue.objects.none(), required=False, to_field_name="slug")
    reason = forms.CharField(label="Reason", max_length=300)

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["queue"]
        field.queryset = Queue.objects.filter(project=project).order_by("title")  # type: ignore[attr-defined] # a choice field
        field.help_text = "for reviewers and adjudicators"

    def clean(self) -> dict[str, Any]:
        """Reviewers and adjudicators hold a queue, the others the project."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        role = data.get("role")
        if role in {one.value for one in QUEUE_ROLES} and not data.get("queue") and "queue" not in self.errors:
            self.add_error("queue", "Choose the queue: this role is held per queue.")
        if role in {one.value for one in PROJECT_ROLES} and data.get("queue"):
            self.add_error("queue", "Leave this empty: this role is held for the whole project.")
        return data
