"""Writes of compliance: who read the log, verification, export."""

from reviewapp.compliance.services.viewing import record_view

__all__ = ["record_view"]
