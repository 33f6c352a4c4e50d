"""Forms of this room: `QueueIn` and `EnqueueIn` decide what is right, the forms carry words in and errors back."""

from __future__ import annotations

from typing import Any

from django import forms

from reviewapp.access.models import Project, User
from reviewapp.ingest.models import SamplingRule
from reviewapp.lib.api import check
from reviewapp.lib.errors import DomainError, Malformed
from reviewapp.lib.jsonread import read_json
from reviewapp.queues.services import EnqueueIn, QueueIn
from reviewapp.rubrics.models import Rubric

KINDS = [
    ("grade", "Grade: one answer at a time"),
    ("pairwise", "Compare: two answers to one question"),
    ("guardrail", "Guardrail: was the decision right?"),
]
ORDERS = [("priority", "Priority, then age"), ("oldest", "The oldest first"), ("random", "Drawn by hash")]
SETTLING = [
    ("never", "Never"),
    ("on_disagreement", "When the reviewers disagree"),
    ("always", "Always"),
]


class _Form(forms.Form):
    """Fields are loose on purpose: every refusal comes from one place, with a sentence for its field."""

    moved: dict[str, str] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)

    def tie(self) -> None:
        """Every control looks like the others."""
        for bound in self:
            widget = bound.field.widget
            if not isinstance(widget, forms.CheckboxSelectMultiple | forms.RadioSelect | forms.CheckboxInput):
                widget.attrs.setdefault("class", "input")

    def show(self, error: DomainError) -> None:
        """Put each part of a refusal beside its field."""
        if not error.errors:
            self.add_error("slug" if error.status == 409 and "slug" in self.fields else None, error.detail)
        for part in error.errors:
            name = part.pointer.split("/")[1] if part.pointer else ""
            field = self.moved.get(name, name)
            self.add_error(field if field in self.fields else None, f"{part.detail[:1].upper()}{part.detail[1:]}.")


class QueueForm(_Form):
    """A queue to make."""

    title = forms.CharField(max_length=200, help_text="What reviewers see. A neutral name: a title can unblind.")
    slug = forms.CharField(max_length=80, help_text="In addresses: a to z, digits, - and _.")
    kind = forms.ChoiceField(choices=KINDS, widget=forms.RadioSelect, initial="grade")
    rubric = forms.ChoiceField(help_text="What is asked. Comparing needs a rubric with the criterion “preference”.")
    rules = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Sampling rules",
        help_text="What they select comes here by itself, with its probability. Pairs are put in by hand.",
    )
    reviewers_per_item = forms.IntegerField(initial=1, min_value=1, max_value=100)
    overlap_percent = forms.FloatField(
        initial=100,
        min_value=0,
        max_value=100,
        label="Share of items that get all of them, %",
        help_text="Drawn by hash; the other items get one reviewer.",
    )
    max_extra_reviewers = forms.IntegerField(
        initial=0, min_value=0, max_value=100, help_text="Asked one by one while the reviews disagree."
    )
    adjudicate = forms.ChoiceField(choices=SETTLING, initial="never", label="An adjudicator settles")
    lease_minutes = forms.IntegerField(
        initial=30,
        min_value=1,
        max_value=10_080,
        label="Minutes for one item",
        help_text="Then the item goes to somebody else; the draft stays.",
    )
    order = forms.ChoiceField(choices=ORDERS, initial="priority")
    blind = forms.BooleanField(
        required=False,
        initial=True,
        label="Blind",
        help_text="Reviewers see no model, prompt, telemetry, nor why an item is here.",
    )
    instructions = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="Markdown; shown beside the rubric.",
    )
    moved = {"overlap_share": "overlap_percent", "lease_seconds": "lease_minutes"}

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rubrics = Rubric.objects.filter(project=project).order_by("title")
        self._choices("rubric", [(rubric.slug, rubric.title) for rubric in rubrics])
        rules = SamplingRule.objects.filter(project=project, ended_at=None).order_by("slug")
        self._choices("rules", [(rule.slug, f"{rule.slug} ({rule.rate * 100:g} %)") for rule in rules])
        self.tie()

    def record(self) -> QueueIn | None:
        """The checked record; None when a field is wrong, with the sentence beside that field."""
        if not self.is_valid():
            return None
        said = dict(self.cleaned_data)
        said["overlap_share"] = said.pop("overlap_percent") / 100
        said["lease_seconds"] = said.pop("lease_minutes") * 60
        try:
            return check(said, QueueIn)
        except DomainError as error:
            self.show(error)
        return None

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - narrows the type, both are declared above
        field.choices = choices


class EnqueueForm(_Form):
    """Items to put in by hand: names, one a line, or a filter."""

    external_ids = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "class": "input mono", "spellcheck": "false"}),
        label="External ids",
        help_text="One a line.",
    )
    where = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "class": "input mono", "spellcheck": "false"}),
        label="Or a filter",
        help_text='As in a sampling rule, in JSON: {"feature": "billing", "latency_ms_over": 2000}.',
    )
    limit = forms.IntegerField(initial=100, min_value=1, max_value=100_000, help_text="The newest that match.")
    priority = forms.IntegerField(initial=0, min_value=-1000, max_value=1000, help_text="Higher comes first.")
    guardrail = forms.CharField(required=False, max_length=200, help_text="Only decisions of this guardrail.")
    assigned_to = forms.ChoiceField(required=False, label="Only for")

    def __init__(self, *args: Any, kind: str, people: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if kind == "pairwise":
            del self.fields["where"], self.fields["limit"]
        if kind != "guardrail":
            del self.fields["guardrail"]
        assigned = self.fields["assigned_to"]
        assert isinstance(assigned, forms.ChoiceField)  # noqa: S101 - narrows the type, declared above
        assigned.choices = [("", "Everybody who reviews here"), *((each.username, each.shown_name) for each in people)]
        self.tie()

    def record(self) -> EnqueueIn | None:
        """The checked record; None when a field is wrong, with the sentence beside that field."""
        if not self.is_valid():
            return None
        said = self.cleaned_data
        names = [line.strip() for line in said["external_ids"].splitlines() if line.strip()]
        filtered = said.get("where", "").strip()
        if bool(names) == bool(filtered):
            self.add_error("external_ids", "Give external ids or a filter, one of the two.")
            return None
        body: dict[str, Any] = {"priority": said["priority"]}
        body.update({key: said[key] for key in ("guardrail", "assigned_to") if said.get(key)})
        try:
            body.update(
                {"external_ids": names} if names else {"where": read_json(filtered.encode()), "limit": said["limit"]}
            )
            return check(body, EnqueueIn)
        except Malformed as error:
            self.add_error("where", error.detail)
        except DomainError as error:
            self.show(error)
        return None
