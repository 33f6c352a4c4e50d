"""The log as a viewer may see it."""

from reviewapp.compliance.selectors.events import (
    COUNTED_TO,
    NO_PROJECT,
    YEARS,
    Filters,
    counted,
    event_for,
    own_events,
    place_of,
    readable_projects,
    readable_slugs,
    require_audit_scope,
    sees_everything,
    shown_event,
    shown_events,
    shown_payload,
    visible_events,
)
from reviewapp.compliance.selectors.names import address_parts, people_called, titles, word_for
from reviewapp.compliance.selectors.state import LogState, log_state

__all__ = [
    "COUNTED_TO",
    "NO_PROJECT",
    "YEARS",
    "Filters",
    "LogState",
    "address_parts",
    "counted",
    "event_for",
    "log_state",
    "own_events",
    "people_called",
    "place_of",
    "readable_projects",
    "readable_slugs",
    "require_audit_scope",
    "sees_everything",
    "shown_event",
    "shown_events",
    "shown_payload",
    "titles",
    "visible_events",
    "word_for",
]
