"""What compliance refuses."""

from __future__ import annotations

from reviewapp.lib.errors import Conflict, DomainError


class ExportRunning(DomainError):
    """One export at a time for each caller."""

    code, title, status = "export-running", "An export of yours is running", 429
    retry_after = 10  # seconds


class VerificationRunning(Conflict):
    """One verification at a time for the whole installation. `running` is its id."""

    code, title = "verification-running", "A verification is running"

    def __init__(self, detail: str, *, running: str) -> None:
        super().__init__(detail)
        self.running = running
