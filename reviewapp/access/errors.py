"""Refusals of this room. The handlers record each of them after the rollback."""

from reviewapp.lib.errors import AccessDenied, DomainError, NotFound

__all__ = ["AccessDenied", "Hidden", "LimitReached", "NotFound", "SignInClosed"]


class Hidden(NotFound):
    """The object exists, but its existence is no business of the caller: answered as absent, recorded as denied."""


class LimitReached(DomainError):
    """Too much in a while; `retry_after` is in seconds and goes into the header of that name."""

    code, title, status = "limit-reached", "Too many requests", 429

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class SignInClosed(DomainError):
    """The counters of failed attempts cannot be reached, and nobody guesses passwords uncounted."""

    code, title, status = "sign-in-closed", "Sign-in is closed for the moment", 503
    retry_after = 30  # seconds
