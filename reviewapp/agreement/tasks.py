"""Work of agreement that happens by itself."""

from __future__ import annotations

from celery import shared_task

from reviewapp.access.actors import system_actor
from reviewapp.agreement.services import refresh_due_reports as refresh


@shared_task
def refresh_due_reports() -> int:
    """Store a report for every queue whose reviews moved; a second delivery finds nothing to do."""
    return refresh(actor=system_actor("agreement"))
