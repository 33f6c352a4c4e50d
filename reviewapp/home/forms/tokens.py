"""Forms that make tokens."""

from __future__ import annotations

from typing import Any

from django import forms

from reviewapp.access.matrix import Scope

SCOPE_WORDS = {
    Scope.INGEST: "send outputs and signals",
    Scope.REVIEW: "grade as me",
    Scope.LABELS_READ: "read labels and figures",
    Scope.MANAGE: "manage rubrics, queues, judges, datasets",
    Scope.AUDIT_READ: "read the audit log",
}


class TokenForm(forms.Form):
    """A new token."""

    name = forms.CharField(label="What is it for", max_length=200)
    scopes = forms.MultipleChoiceField(
        label="It may",
        choices=[(scope.value, SCOPE_WORDS[scope]) for scope in Scope if scope is not Scope.REVIEW],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.IntegerField(label="Days until it expires", min_value=1, max_value=365, initial=90)


class PersonalTokenForm(TokenForm):
    """A personal token may also grade, as its owner."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(scope.value, SCOPE_WORDS[scope]) for scope in Scope]
        self.fields["scopes"].choices = choices  # type: ignore[attr-defined] # a choice field
