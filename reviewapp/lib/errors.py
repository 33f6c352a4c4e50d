"""What a room says when it refuses. One handler for pages and one for the API turn these into answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """One thing wrong at one place. `pointer` is a JSON pointer (RFC 6901) into the body, "" for the whole of it."""

    pointer: str
    detail: str


class DomainError(Exception):
    """A refusal with a sentence for the person who asked.

    `detail` says what to change; never a stack, never another's data.
    """

    code = "refused"
    title = "The request was refused"
    status = 400

    def __init__(self, detail: str, *, errors: tuple[FieldError, ...] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors


class Malformed(DomainError):
    """The body or a parameter cannot be read at all."""

    code, title, status = "malformed", "The request could not be read", 400


class AccessDenied(DomainError):
    """The object is known to the caller, the act is not allowed."""

    code, title, status = "access-denied", "Not allowed", 403


class NotFound(DomainError):
    """Absent, or secret: the two are answered alike."""

    code, title, status = "not-found", "Not found", 404


class Conflict(DomainError):
    """The state of the object forbids the act now."""

    code, title, status = "conflict", "The state does not allow this", 409


class TooLarge(DomainError):
    """A size, depth or expansion limit was passed."""

    code, title, status = "too-large", "Too large", 413


class UnsupportedType(DomainError):
    """A content type or encoding that this door does not read."""

    code, title, status = "unsupported-type", "This content type is not read here", 415


class Unprocessable(DomainError):
    """Well-formed but wrong. `errors` names each field."""

    code, title, status = "invalid", "Some values are wrong", 422
