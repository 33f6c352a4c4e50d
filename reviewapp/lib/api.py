"""The plumbing of every API view: strict bodies, strict query parameters, cursor pages, bulk answers."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from pydantic import BaseModel, ConfigDict, ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.lib.bodies import Line, check_content_type, is_ndjson, json_lines, ndjson_lines, read_json_body
from reviewapp.lib.errors import DomainError, FieldError, Malformed, Unprocessable

MAX_PAGE = 1_000
DEFAULT_PAGE = 100
Body = TypeVar("Body", bound=BaseModel)
Row = TypeVar("Row", bound=Model)


class Strict(BaseModel):
    """Base of every request body: unknown fields refused, no silent conversion (`true` is not 1, "3" is not 3)."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RawParser(BaseParser):
    """Leaves the stream alone: `read_model` and `records` read it with their own bounds."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        return {}


class JsonAlways(BaseContentNegotiation):
    """JSON whatever `Accept` says: the API never answers in HTML."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


def read_model(request: Request, model: type[Body]) -> Body:
    """The JSON body as a checked record.

    Raises Malformed (400), TooLarge (413), UnsupportedType (415) or Unprocessable (422).
    """
    return check(read_json_body(plain(request)), model)


def check(value: Any, model: type[Body]) -> Body:
    """A value as a checked record. Raises Unprocessable with one pointer per wrong field."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems = field_errors(error)
        raise Unprocessable(_first(problems), errors=problems) from error


def plain(request: Request) -> HttpRequest:
    """Django's request under DRF's."""
    return request._request


def field_errors(error: ValidationError) -> tuple[FieldError, ...]:
    """pydantic's errors as JSON pointers with sentences that say what to change."""
    return tuple(FieldError(pointer_of(part["loc"]), _sentence(part)) for part in error.errors(include_url=False))


def pointer_of(location: Iterable[str | int]) -> str:
    """A JSON pointer (RFC 6901). Names of union members, which pydantic puts between, are left out."""
    steps = [
        str(step)
        for step in location
        if not (isinstance(step, str) and (step[:1].isupper() or "[" in step or step in _UNION))
    ]
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)


_UNION = frozenset({"str", "int", "float", "bool", "list", "dict", "none"})
_SENTENCES: dict[str, Callable[[dict[str, Any]], str]] = {
    "missing": lambda _: "is required",
    "extra_forbidden": lambda _: "is not a field of this record; check the spelling, free-form data goes in metadata",
    "greater_than_equal": lambda c: f"must be {c['ge']:g} or more",
    "greater_than": lambda c: f"must be more than {c['gt']:g}",
    "less_than_equal": lambda c: f"must be {c['le']:g} or less",
    "less_than": lambda c: f"must be less than {c['lt']:g}",
    "literal_error": lambda c: f"must be one of {c['expected']}",
    "enum": lambda c: f"must be one of {c['expected']}",
    "string_type": lambda _: "must be a text",
    "int_type": lambda _: "must be a whole number",
    "float_type": lambda _: "must be a number",
    "bool_type": lambda _: "must be true or false",
    "list_type": lambda _: "must be a list",
    "dict_type": lambda _: "must be an object",
    "model_type": lambda _: "must be an object",
    "finite_number": lambda _: "must be a finite number",
    "string_too_long": lambda c: f"must have at most {c['max_length']} characters",
    "string_too_short": lambda c: f"must have at least {c['min_length']} characters",
    "string_pattern_mismatch": lambda c: f"must match {c['pattern']}",
    "too_short": lambda c: f"must have at least {c['min_length']} entries",
    "too_long": lambda c: f"must have at most {c['max_length']} entries",
    "value_error": lambda c: str(c["error"]),
}


def _sentence(part: Any) -> str:
    make = _SENTENCES.get(part["type"])
    return make(part.get("ctx", {})) if make else str(part["msg"])


def _first(problems: tuple[FieldError, ...]) -> str:
    if not problems:
        return "The body does not have the form that this call takes."
    head = f"{problems[0].pointer or 'The body'} {problems[0].detail}."
    return head if len(problems) == 1 else f"{head} {len(problems) - 1} more in errors."


def records(request: Request) -> Iterator[Line]:
    """The records of a bulk body: one object, a JSON array, or NDJSON; numbered from 1."""
    django_request = plain(request)
    if is_ndjson(django_request):
        check_content_type(django_request)
        yield from ndjson_lines(django_request)
        return
    yield from json_lines(django_request)


@dataclass
class BulkAnswer:
    """What became of each record. At most 1,000 errors are listed, all are counted."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)

    def reject(self, line: int, detail: str, *, external_id: str | None = None, pointer: str = "") -> None:
        """Count one record as refused and say why."""
        self.rejected += 1
        if len(self.errors) < 1_000:
            self.errors.append({"line": line, "external_id": external_id, "pointer": pointer, "detail": detail})

    def reject_all(self, line: int, error: DomainError, *, external_id: str | None = None) -> None:
        """Count one record as refused with the first of its field errors as pointer."""
        first = error.errors[0] if error.errors else FieldError("", error.detail)
        self.reject(line, first.detail, external_id=external_id, pointer=first.pointer)

    def response(self) -> Response:
        """200 when at least one record landed or was known, else 422."""
        body = {
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "rejected": self.rejected,
            "errors": self.errors,
        }
        return Response(body, status=200 if self.accepted or self.duplicates or not self.rejected else 422)


def query(request: Request, *known: str, repeatable: tuple[str, ...] = ()) -> dict[str, str]:
    """The query parameters by name.

    Raises Malformed for an unknown or repeated one: a typo must not answer the wrong question.
    """
    found: dict[str, str] = {}
    for name, values in request.query_params.lists():
        if name not in known:
            allowed = ", ".join(known) or "none"
            raise Malformed(f"Unknown query parameter {name[:60]!r}; this call takes: {allowed}.")
        if len(values) > 1 and name not in repeatable:
            raise Malformed(f"The query parameter {name!r} stands twice.")
        if "\x00" in values[-1] or len(values[-1]) > 4_000:
            raise Malformed(f"The query parameter {name!r} has no usable value.")
        found[name] = values[-1]
    return found


def query_choice(found: Mapping[str, str], name: str, choices: tuple[str, ...], default: str) -> str:
    """One of a closed set. Raises Malformed."""
    value = found.get(name, default)
    if value not in choices:
        raise Malformed(f"{name} must be one of {', '.join(choices)}.")
    return value


def query_int(found: Mapping[str, str], name: str, *, default: int, low: int, high: int) -> int:
    """A whole number within bounds. Raises Malformed."""
    text = found.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not low <= int(text[:12]) <= high:
        raise Malformed(f"{name} must be a whole number from {low} to {high}.")
    return int(text)


@dataclass(frozen=True)
class Page:
    """How far and how much: taken from `?cursor=` and `?limit=`."""

    after: str | None
    backwards: bool
    limit: int

    @classmethod
    def of(cls, found: Mapping[str, str]) -> Page:
        """Raises Malformed for a cursor that this server did not write."""
        limit = query_int(found, "limit", default=DEFAULT_PAGE, low=1, high=MAX_PAGE)
        text = found.get("cursor")
        if text is None:
            return cls(None, False, limit)
        try:
            direction, _, after = base64.urlsafe_b64decode(text.encode() + b"==").decode().partition(":")
        except (binascii.Error, ValueError) as error:
            raise Malformed("cursor is not one that this list gave; leave it out to begin at the start.") from error
        # A key is a printable text: NUL, which base64 can hold, is refused by PostgreSQL with a fault.
        if direction not in ("n", "p") or not after or not after.isprintable():
            raise Malformed("cursor is not one that this list gave; leave it out to begin at the start.")
        return cls(after, direction == "p", limit)


def paginated(
    request: Request,
    rows: QuerySet[Row],
    *,
    page: Page,
    key: str = "pk",
    descending: bool = False,
    show: Callable[[Row], Any],
) -> Response:
    """One page of a list ordered by a unique key: `{"next", "previous", "results"}` with opaque cursors."""
    forwards = not page.backwards
    rising = forwards != descending
    if page.after is not None:
        try:
            # A value of the key's type: a cursor that was altered must not reach the database as it is.
            value = cast(Any, rows.model._meta.get_field(_name(rows, key))).to_python(page.after)
        except (ValueError, DjangoValidationError) as error:
            raise Malformed("cursor is not one that this list gave; leave it out to begin at the start.") from error
        rows = rows.filter(**{f"{key}__{'gt' if rising else 'lt'}": value})
    found = list(rows.order_by(key if rising else f"-{key}")[: page.limit + 1])
    more = len(found) > page.limit
    found = found[: page.limit]
    if page.backwards:
        found.reverse()
    has_next = more if forwards else page.after is not None
    has_previous = page.after is not None if forwards else more
    return Response(
        {
            "next": _link(request, "n", _value(found[-1], key)) if found and has_next else None,
            "previous": _link(request, "p", _value(found[0], key)) if found and has_previous else None,
            "results": [show(row) for row in found],
        }
    )


def _name(rows: QuerySet[Any], key: str) -> str:
    return rows.model._meta.pk.name if key == "pk" else key


def _value(row: Model, key: str) -> str:
    return str(getattr(row, key))


def _link(request: Request, direction: str, value: str) -> str:
    cursor = base64.urlsafe_b64encode(f"{direction}:{value}".encode()).decode().rstrip("=")
    parameters = request.query_params.copy()
    parameters["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{parameters.urlencode()}")
