"""Writes of compliance: who read the log or took it away, and its verification."""

from reviewapp.compliance.services.exporting import Export, export_events
from reviewapp.compliance.services.viewing import record_opened, record_view

__all__ = ["Export", "export_events", "record_opened", "record_view"]
