"""The rubric builder's form: any number of criteria and levels, kept as typed until the whole is right.

Every button posts the whole form and names what to do in `do`; the answer is the same form, changed. Values are written
as people write them: 3 is a number, "3" (in quotes) the text, yes and no are the answers of a yes/no criterion.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.text import slugify

from reviewapp.lib.errors import FieldError
from reviewapp.rubrics.records import MAX_LEVELS, WITH_LEVELS

KINDS = (
    ("binary", "Yes or no"),
    ("ordinal", "Levels, lowest first"),
    ("categorical", "One of several"),
    ("multiselect", "Any of several"),
    ("numeric", "Number"),
    ("text", "Text"),
    ("highlight", "Highlighted passages"),
    ("preference", "Which of two is better"),
)
MAX_CRITERIA = 100
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,20})?([eE][+-]?\d{1,2})?", re.ASCII)
_ENTRY = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")\s*|([^,]*))(?:,|$)')
_MAX_LIST = 4_000  # characters of a list of values


@dataclass
class LevelFields:
    """One level as typed."""

    value: str = ""
    label: str = ""
    description: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@dataclass
class CriterionFields:
    """One criterion as typed. `errors` by field; `levels` there is about the list as a whole."""

    key: str = ""
    kind: str = "binary"
    title: str = ""
    help: str = ""
    required: bool = True
    levels: list[LevelFields] = field(default_factory=list)
    minimum: str = ""
    maximum: str = ""
    pass_at: str = ""
    show_if: str = ""
    show_in: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def has_levels(self) -> bool:
        """Whether this kind asks with levels."""
        return self.kind in WITH_LEVELS or self.kind == "highlight"

    @property
    def has_bar(self) -> bool:
        """Whether somebody decides what passes: yes passes by itself, text and highlights never."""
        return self.kind not in ("binary", "text", "highlight")


_TEXT_FIELDS = ("key", "kind", "title", "help", "minimum", "maximum", "pass_at", "show_if", "show_in")


@dataclass
class RubricFields:
    """The whole form as typed. `tag` names the version that the person opened."""

    slug: str = ""
    title: str = ""
    tag: str = ""
    criteria: list[CriterionFields] = field(default_factory=lambda: [CriterionFields()])
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def n_errors(self) -> int:
        """How many fields are wrong."""
        levels = sum(len(level.errors) for criterion in self.criteria for level in criterion.levels)
        return len(self.errors) + levels + sum(len(criterion.errors) for criterion in self.criteria)


def fields_of_post(post: Mapping[str, str]) -> RubricFields:
    """The form as it was sent."""
    return RubricFields(
        slug=post.get("slug", ""),
        title=post.get("title", ""),
        tag=post.get("tag", ""),
        criteria=[_criterion_of_post(post, f"c{n}") for n in range(_count(post.get("count"), MAX_CRITERIA))],
    )


def _criterion_of_post(post: Mapping[str, str], prefix: str) -> CriterionFields:
    texts: dict[str, Any] = {name: post.get(f"{prefix}-{name}", "") for name in _TEXT_FIELDS}
    levels = [
        LevelFields(
            value=post.get(f"{prefix}-l{m}-value", ""),
            label=post.get(f"{prefix}-l{m}-label", ""),
            description=post.get(f"{prefix}-l{m}-description", ""),
        )
        for m in range(_count(post.get(f"{prefix}-levels"), MAX_LEVELS))
    ]
    return CriterionFields(**texts, required=f"{prefix}-required" in post, levels=levels)


def _count(text: str | None, most: int) -> int:
    return min(int(text), most) if text and text.isascii() and text.isdigit() and len(text) < 6 else 0


def fields_of_document(document: Mapping[str, Any], *, tag: str) -> RubricFields:
    """A stored version as the form shows it."""
    criteria = [_criterion_of_document(entry) for entry in document["criteria"]]
    return RubricFields(slug=document["slug"], title=document["title"], tag=tag, criteria=criteria)


def _criterion_of_document(entry: Mapping[str, Any]) -> CriterionFields:
    condition = entry.get("show_if") or {"criterion": "", "in": []}
    bar = entry.get("pass_at")
    return CriterionFields(
        key=entry["key"],
        kind=entry["kind"],
        title=entry["title"],
        help=entry.get("help", ""),
        required=entry["required"],
        levels=[
            LevelFields(_written(level["value"]), level["label"], level.get("description", ""))
            for level in entry.get("levels", [])
        ],
        minimum=_written(entry.get("minimum")),
        maximum=_written(entry.get("maximum")),
        pass_at=_listed(bar) or "[]" if isinstance(bar, list) else _written(bar),
        show_if=condition["criterion"],
        show_in=_listed(condition["in"]),
    )


def change(fields: RubricFields, do: str) -> None:
    """What a button of the builder does: `add`, `remove-2`, `up-2`, `down-2`, `level-2`, `unlevel-2-0`. Anything else,
    and a number that is not there, changes nothing.
    """
    act, _, rest = do.partition("-")
    places = [int(part) for part in rest.split("-") if part.isascii() and part.isdigit() and len(part) < 6]
    criteria = fields.criteria
    if act == "add" and len(criteria) < MAX_CRITERIA:
        criteria.append(CriterionFields())
    if not places or places[0] >= len(criteria):
        return
    at = places[0]
    if act == "remove":
        del criteria[at]
    elif act in ("up", "down"):
        other = at - 1 if act == "up" else at + 1
        if 0 <= other < len(criteria):
            criteria[at], criteria[other] = criteria[other], criteria[at]
    elif act == "level" and len(criteria[at].levels) < MAX_LEVELS:
        criteria[at].levels.append(LevelFields())
    elif act == "unlevel" and len(places) == 2 and places[1] < len(criteria[at].levels):
        del criteria[at].levels[places[1]]


def complete(fields: RubricFields) -> None:
    """Names that the person left to us: the address from the title, keys from titles, values of levels from 1 or
    labels.
    """
    fields.slug = fields.slug.strip() or slugify(fields.title)[:80]
    for criterion in fields.criteria:
        criterion.key = criterion.key.strip() or slugify(criterion.title).replace("-", "_")[:100]
        for number, level in enumerate(criterion.levels, start=1):
            own = str(number) if criterion.kind == "ordinal" else slugify(level.label).replace("-", "_")
            level.value = level.value.strip() or own


def document_of(fields: RubricFields) -> dict[str, Any]:
    """API.md's Rubric of what was typed; what cannot be read stays a text, which the check refuses at its place."""
    kinds = {criterion.key: criterion.kind for criterion in fields.criteria}
    return {
        "slug": fields.slug.strip(),
        "title": fields.title.strip(),
        "criteria": [_criterion_document(criterion, kinds) for criterion in fields.criteria],
    }


def _criterion_document(criterion: CriterionFields, kinds: Mapping[str, str]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "key": criterion.key,
        "kind": criterion.kind,
        "title": criterion.title.strip(),
        "help": criterion.help.strip(),
        "required": criterion.required,
    }
    if criterion.has_levels:
        document["levels"] = [
            {"value": _read(level.value), "label": level.label.strip(), "description": level.description.strip()}
            for level in criterion.levels
        ]
    if criterion.kind == "numeric":
        bounds = {"minimum": criterion.minimum, "maximum": criterion.maximum}
        document.update({name: _read(text) for name, text in bounds.items() if text.strip()})
    if criterion.has_bar and criterion.pass_at.strip():
        is_number = criterion.kind in ("ordinal", "numeric")
        document["pass_at"] = _read(criterion.pass_at) if is_number else _read_list(criterion.pass_at)
    if criterion.show_if:
        values = _read_list(criterion.show_in)
        if kinds.get(criterion.show_if) == "binary":
            values = [{"yes": True, "no": False}.get(str(value).lower(), value) for value in values]
        document["show_if"] = {"criterion": criterion.show_if, "in": values}
    return document


def place_errors(fields: RubricFields, problems: Iterable[FieldError]) -> None:
    """Put each problem beside the field that it is about; the first one of a field stands."""
    for problem in problems:
        steps = problem.pointer.split("/")[1:]
        part: RubricFields | CriterionFields | LevelFields = fields
        if len(steps) > 2 and steps[0] == "criteria" and int(steps[1]) < len(fields.criteria):
            criterion = fields.criteria[int(steps[1])]
            part, steps = criterion, steps[2:]
            if len(steps) > 2 and steps[0] == "levels" and int(steps[1]) < len(criterion.levels):
                part, steps = criterion.levels[int(steps[1])], steps[2:]
        name = "show_in" if steps[:2] == ["show_if", "in"] else steps[0] if steps else "form"
        part.errors.setdefault(name, problem.detail)


def _read(text: str) -> str | float | int:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return text
    if not _NUMBER.fullmatch(text):
        return text
    return int(text) if text.lstrip("-").isdigit() else float(text)


def _read_list(text: str) -> list[Any]:
    if text.strip() == "[]":
        return []
    entries = (found[1] or found[2].strip() for found in _ENTRY.finditer(text[:_MAX_LIST]))
    return [_read(entry) for entry in entries if entry]


def _written(value: Any) -> str:
    """How the form shows a value, so that `_read` gives the same value back."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str):
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    is_plain = _read(value) == value and "," not in value and '"' not in value and value not in ("", "[]")
    return value if is_plain else json.dumps(value, ensure_ascii=False)


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(_written(value) for value in values)
