"""What rubrics refuse beyond the house's usual words."""

from reviewapp.lib.errors import DomainError


class DraftChanged(DomainError):
    """Somebody saved another draft since the caller read it."""

    code, title, status = "draft-changed", "The draft has changed since you read it", 412
