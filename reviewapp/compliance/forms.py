"""What people fill in to have somebody forgotten, or to see what is held."""

from __future__ import annotations

from django import forms

LONGEST = 2_000


class EndUserForm(forms.Form):
    """Whom it is about, as the application names them."""

    end_user_id = forms.CharField(
        label="End user id",
        max_length=LONGEST,
        strip=False,
        help_text="exactly as the application sends it in end_user_id",
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )


class RequestForm(EndUserForm):
    """The same with the reason, once it was shown what would go."""

    end_user_id = forms.CharField(max_length=LONGEST, strip=False, widget=forms.HiddenInput)
    reason = forms.CharField(
        label="Reason",
        max_length=LONGEST,
        help_text="for the person who decides; it goes with the data when the erasure is done",
        widget=forms.Textarea({"rows": 3}),
    )


class PersonForm(forms.Form):
    """Why an account is to be erased."""

    reason = forms.CharField(
        label="Reason",
        max_length=LONGEST,
        help_text="for the person who decides; it goes with the data when the erasure is done",
        widget=forms.Textarea({"rows": 3}),
    )


class DecisionForm(forms.Form):
    """Yes or no. A refusal says why."""

    decision = forms.ChoiceField(choices=[("approve", "approve"), ("refuse", "refuse")])
    note = forms.CharField(label="Note", max_length=LONGEST, required=False, widget=forms.Textarea({"rows": 2}))

    def clean(self) -> dict[str, object]:
        """A refusal needs a note."""
        data: dict[str, object] = super().clean() or self.cleaned_data
        if data.get("decision") == "refuse" and not str(data.get("note", "")).strip():
            self.add_error("note", "Say in a sentence why it is refused.")
        return data
