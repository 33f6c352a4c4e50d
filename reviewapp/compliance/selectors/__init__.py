"""The log as a viewer may see it."""

from reviewapp.compliance.selectors.events import (
    Filters,
    LogState,
    event_for,
    log_state,
    shown_event,
    shown_payload,
    visible_events,
)

__all__ = ["Filters", "LogState", "event_for", "log_state", "shown_event", "shown_payload", "visible_events"]
