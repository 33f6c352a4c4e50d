"""Why a sign-in through the provider is refused. The view records each one and shows a plain page."""

from __future__ import annotations

from reviewapp.lib.errors import DomainError


class SignInRefused(DomainError):
    """No session, no link, no account came of it.

    why: a short code for the log, which also says what the page does not. `detail` says what to do.
    """

    code, title, status = "sign-in-refused", "This sign-in was refused", 403

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(
            detail or "The sign-in could not be trusted. Begin again; if it happens twice, tell your admin."
        )
        self.why = why


class ProviderUnavailable(SignInRefused):
    """The provider did not answer, or not with what the protocol asks."""

    code, title, status = "provider-unavailable", "The sign-in service does not answer", 503

    def __init__(self, why: str) -> None:
        super().__init__(why, "The sign-in service could not be asked. Try again in a minute, or use your password.")
