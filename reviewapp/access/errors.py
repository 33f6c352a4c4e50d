"""Refusals of this room. The handlers record each of them after the rollback."""

from reviewapp.lib.errors import AccessDenied, NotFound

__all__ = ["AccessDenied", "Hidden", "NotFound"]


class Hidden(NotFound):
    """The object exists, but its existence is no business of the caller: answered as absent, recorded as denied."""
