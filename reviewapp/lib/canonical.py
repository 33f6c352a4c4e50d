"""Canonical JSON (RFC 8785) and hashes over it. What is hashed here is compared or proved elsewhere, byte for byte."""

import hashlib
from typing import Any

import rfc8785

from reviewapp.lib.errors import DomainError


class NotCanonical(DomainError):
    """The value cannot be written as canonical JSON: a number beyond 2^53, NaN, a lone surrogate."""

    code = "not-canonical"
    status = 422


def canonical_bytes(value: Any) -> bytes:
    """The RFC 8785 form of a JSON value. Raises NotCanonical."""
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise NotCanonical(f"This value has no canonical JSON form: {error}") from error


def canonical_sha256(value: Any) -> str:
    """SHA-256 of the canonical form, 64 hex digits."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()
