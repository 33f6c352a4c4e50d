"""The forms of this room. They only read what was typed; the services decide."""

from __future__ import annotations

from typing import Any

from django import forms

from reviewapp.judge.definitions import JudgeIn
from reviewapp.judge.services import RunIn
from reviewapp.lib.api import check
from reviewapp.lib.bodies import MAX_JSON
from reviewapp.lib.errors import DomainError
from reviewapp.lib.jsonread import read_json

KINDS = [("program", "Programmatic checks"), ("llm", "A language model"), ("imported", "Verdicts from elsewhere")]


class JudgeForm(forms.Form):
    """A judge to make. Fields that a kind does not have are left empty."""

    title = forms.CharField(max_length=200)
    slug = forms.CharField(max_length=80, help_text="Stands in addresses and in the API: lower case, digits, - and _.")
    rubric = forms.ChoiceField()
    kind = forms.ChoiceField(choices=KINDS)
    base_url = forms.CharField(
        label="Base URL", required=False, help_text="For a language model, such as https://api.openai.com/v1."
    )
    model = forms.CharField(required=False, help_text="As the endpoint names it; a dated name does not change later.")
    key = forms.CharField(
        label="Name of the key",
        required=False,
        help_text="The environment variable of the worker that holds the key, such as OPENAI_API_KEY. Never the key.",
    )
    prompt = forms.CharField(
        required=False,
        widget=forms.Textarea({"rows": 8}),
        help_text="May hold $rubric, $input, $context and $output. Left empty, the usual question is asked.",
    )
    parameters = forms.CharField(
        required=False,
        widget=forms.Textarea({"rows": 3}),
        help_text='JSON, such as {"temperature": 0, "input_usd_per_million": 0.4, "output_usd_per_million": 1.6}.',
    )
    samples = forms.IntegerField(min_value=1, max_value=20, initial=1, help_text="How often each question is asked.")
    budget_usd = forms.FloatField(
        label="Most that a run may cost, in dollars", required=False, min_value=0.000001, help_text="Needs the prices."
    )
    checks = forms.CharField(
        required=False,
        widget=forms.Textarea({"rows": 8}),
        help_text="For programmatic checks: a JSON list of {criterion, check, options}.",
    )

    def __init__(self, *args: Any, rubrics: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rubric"] = forms.ChoiceField(choices=rubrics)

    def clean_parameters(self) -> Any:
        """An object, empty when nothing was typed."""
        return self._json("parameters", {})

    def clean_checks(self) -> Any:
        """A list, empty when nothing was typed."""
        return self._json("checks", [])

    def _json(self, name: str, empty: Any) -> Any:
        text = self.cleaned_data[name].strip()
        if not text:
            return empty
        try:
            return read_json(text.encode()[:MAX_JSON])
        except DomainError as error:
            raise forms.ValidationError(error.detail) from error

    def judge(self) -> JudgeIn:
        """Raises Unprocessable with pointers that are names of fields."""
        given = {name: value for name, value in self.cleaned_data.items() if value not in ("", None, [], {})}
        return check(given, JudgeIn)

    def add_errors(self, error: DomainError) -> None:
        """A refusal beside the field that it is about."""
        for part in error.errors:
            field = part.pointer.lstrip("/").partition("/")[0]
            where = part.pointer.removeprefix(f"/{field}").lstrip("/")
            known = field if field in self.fields else None
            self.add_error(known, f"{where} {part.detail}".strip() if known else f"{part.pointer} {part.detail}")
        if not error.errors:
            self.add_error(None, error.detail)


class StartForm(forms.Form):
    """A run over a queue. `confirm` is asked when it may cost money."""

    queue = forms.ChoiceField()
    limit = forms.IntegerField(required=False, min_value=1, max_value=100_000, help_text="Empty: all of its items.")
    confirm = forms.BooleanField(required=False)

    def __init__(self, *args: Any, queues: list[tuple[str, str]], costs: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["queue"] = forms.ChoiceField(choices=queues)
        if costs:
            self.fields["confirm"] = forms.BooleanField(
                error_messages={"required": "Confirm that this run may cost money."}
            )
        else:
            del self.fields["confirm"]

    def run(self) -> RunIn:
        """The run that was asked for."""
        return RunIn(queue=self.cleaned_data["queue"], limit=self.cleaned_data["limit"])
