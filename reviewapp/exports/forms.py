"""The form that defines a dataset: `DatasetIn` decides what is right, the form carries words in and errors back."""

from __future__ import annotations

from typing import Any

from django import forms

from reviewapp.access.models import Project
from reviewapp.exports.services.definition import SPLITS, DatasetIn
from reviewapp.lib.api import check
from reviewapp.lib.errors import DomainError, Malformed
from reviewapp.lib.jsonread import read_json
from reviewapp.queues.models import Queue
from reviewapp.rubrics.models import Criterion

LABELS = [
    ("settled", "Settled: what the reviewers agreed on, or an adjudicator decided"),
    ("adjudicated", "Adjudicated: only what an adjudicator decided"),
    ("raw", "Raw: every reviewer's own answers, who and when"),
]
BY = [("input", "the input"), ("session", "the session"), ("end_user", "the end user")]


class DatasetForm(forms.Form):
    """Fields are loose on purpose: every refusal comes from one place, with a sentence for its field."""

    title = forms.CharField(max_length=200, help_text="What people will call it.")
    slug = forms.CharField(max_length=80, help_text="In addresses and file names: a to z, digits, - and _.")
    queues = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, help_text="Every reviewed item of these queues is looked at."
    )
    labels = forms.ChoiceField(choices=LABELS, widget=forms.RadioSelect, initial="settled")
    criteria = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, help_text="None chosen means all."
    )
    where = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "class": "input mono", "spellcheck": "false"}),
        label="Filter",
        help_text='As in a sampling rule, in JSON: {"feature": "billing", "latency_ms_over": 2000}. Empty takes all.',
    )
    train = forms.FloatField(required=False, min_value=0, max_value=100, label="Train, %")
    validation = forms.FloatField(required=False, min_value=0, max_value=100, label="Validation, %")
    test = forms.FloatField(required=False, min_value=0, max_value=100, label="Test, %")
    by = forms.ChoiceField(choices=BY, initial="input", required=False, label="Never on both sides")

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        queues = Queue.objects.filter(project=project).order_by("title")
        self._choices("queues", [(queue.slug, f"{queue.title} ({queue.kind})") for queue in queues])
        asked = Criterion.objects.filter(version__rubric__queues__project=project, version__published_at__isnull=False)
        keys = sorted(set(asked.values_list("key", flat=True)))
        self._choices("criteria", [(key, key) for key in keys])
        for bound in self:
            self._tie(bound)

    def definition(self) -> DatasetIn | None:
        """The checked record; None when a field is wrong, with the sentence beside that field."""
        if not self.is_valid():
            return None
        said = self.cleaned_data
        body: dict[str, Any] = {name: said[name] for name in ("title", "slug", "queues", "labels", "criteria")}
        try:
            if said["where"].strip():
                body["where"] = read_json(said["where"].encode())
            if self._split():
                body["split"] = self._split()
            return check(body, DatasetIn)
        except Malformed as error:
            self.add_error("where", error.detail)
        except DomainError as error:
            self.show(error)
        return None

    def show(self, error: DomainError) -> None:
        """Put each part of a refusal beside its field."""
        if not error.errors:
            self.add_error("slug" if error.status == 409 else None, error.detail)
        for part in error.errors:
            name = part.pointer.split("/")[1] if part.pointer else ""
            field = {"split": "train"}.get(name, name)
            self.add_error(field if field in self.fields else None, f"{part.detail[:1].upper()}{part.detail[1:]}.")

    def _split(self) -> dict[str, Any] | None:
        shares = {side: self.cleaned_data[side] for side in SPLITS if self.cleaned_data[side] is not None}
        if not shares:
            return None
        return {side: percent / 100 for side, percent in shares.items()} | {"by": self.cleaned_data["by"] or "input"}

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 - narrows the type, both are declared above
        field.choices = choices

    def _tie(self, bound: forms.BoundField) -> None:
        """Every control looks like the others."""
        attributes = bound.field.widget.attrs
        if not isinstance(bound.field.widget, forms.CheckboxSelectMultiple | forms.RadioSelect):
            attributes.setdefault("class", "input")
