"""What every event of the closed list is to an auditor, and what it becomes in the Open Cybersecurity Schema Framework.

One row per event; a test fails for an event without one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from reviewapp.audit.events import Event


class Sort(StrEnum):
    """What kind of fact an event is. The value stands in addresses of the pages."""

    CHANGE = "changes"
    READ = "reads"
    SIGN_IN = "sign-ins"
    REFUSAL = "refusals"
    LOG = "log"


SORTS: dict[Sort, str] = {
    Sort.CHANGE: "Changes",
    Sort.READ: "Reads of production text and reviews",
    Sort.SIGN_IN: "Sign-ins",
    Sort.REFUSAL: "Refusals",
    Sort.LOG: "The log itself, and who read it",
}
# Not a sort: everything that is not the log's own noise.
WITHOUT_LOG = "without-log"


class Ocsf(StrEnum):
    """Classes of OCSF that we use, by name."""

    ACCOUNT_CHANGE = "Account Change"
    AUTHENTICATION = "Authentication"
    ENTITY_MANAGEMENT = "Entity Management"
    API_ACTIVITY = "API Activity"


@dataclass(frozen=True)
class Entry:
    """One event's row. activity: OCSF's number within the class."""

    sort: Sort
    ocsf: Ocsf
    activity: int


CREATE, READ, UPDATE, DELETE, OTHER = 1, 2, 3, 4, 99
LOGON, LOGOFF = 1, 2
ACCOUNT_CREATE, ACCOUNT_ENABLE, PASSWORD_CHANGE, PASSWORD_RESET, ACCOUNT_DISABLE = 1, 2, 3, 4, 5
ATTACH_POLICY, DETACH_POLICY, FACTOR_ENABLE, FACTOR_DISABLE = 7, 8, 10, 11


def _login(activity: int) -> Entry:
    return Entry(Sort.SIGN_IN, Ocsf.AUTHENTICATION, activity)


def _account(activity: int) -> Entry:
    return Entry(Sort.CHANGE, Ocsf.ACCOUNT_CHANGE, activity)


def _entity(activity: int) -> Entry:
    return Entry(Sort.READ if activity == READ else Sort.CHANGE, Ocsf.ENTITY_MANAGEMENT, activity)


def _call(activity: int, sort: Sort = Sort.CHANGE) -> Entry:
    return Entry(sort, Ocsf.API_ACTIVITY, activity)


ENTRIES: dict[Event, Entry] = {
    Event.LOG_STARTED: _call(OTHER, Sort.LOG),
    Event.HEARTBEAT: _call(OTHER, Sort.LOG),
    Event.AUDIT_VIEWED: _call(READ, Sort.LOG),
    Event.AUDIT_EXPORTED: _call(READ, Sort.LOG),
    Event.KEY_ROTATED: _call(OTHER, Sort.LOG),
    Event.CHECKPOINT_PUBLISHED: _call(OTHER, Sort.LOG),
    Event.CHECKPOINT_WITHHELD: _call(OTHER, Sort.LOG),
    Event.WITNESS_BEGAN: _call(OTHER, Sort.LOG),
    Event.WITNESS_REFUSED: _call(OTHER, Sort.REFUSAL),
    Event.VERIFICATION_REQUESTED: _call(OTHER, Sort.LOG),
    Event.AUDIT_VERIFIED: _call(OTHER, Sort.LOG),
    Event.SIGNED_IN: _login(LOGON),
    Event.SIGN_IN_FAILED: _login(LOGON),
    Event.SIGNED_OUT: _login(LOGOFF),
    Event.ACCESS_DENIED: _call(OTHER, Sort.REFUSAL),
    Event.USER_CREATED: _account(ACCOUNT_CREATE),
    Event.USER_DEACTIVATED: _account(ACCOUNT_DISABLE),
    Event.USER_INVITED: _account(ACCOUNT_CREATE),
    Event.INVITATION_ACCEPTED: _account(ACCOUNT_ENABLE),
    Event.INVITATION_WITHDRAWN: _account(ACCOUNT_DISABLE),
    Event.PASSWORD_LINK_ISSUED: _account(PASSWORD_RESET),
    Event.PASSWORD_CHANGED: _account(PASSWORD_CHANGE),
    Event.USER_REACTIVATED: _account(ACCOUNT_ENABLE),
    Event.SESSION_ENDED: _login(LOGOFF),
    Event.IDENTITY_CONFIRMED: _login(LOGON),
    Event.SECOND_FACTOR_ADDED: _account(FACTOR_ENABLE),
    Event.SECOND_FACTOR_RENAMED: _account(OTHER),
    Event.RECOVERY_CODES_MADE: _account(FACTOR_ENABLE),
    Event.SECOND_FACTOR_REMOVED: _account(FACTOR_DISABLE),
    Event.PROJECT_CREATED: _entity(CREATE),
    Event.ROLE_GRANTED: _account(ATTACH_POLICY),
    Event.ROLE_REVOKED: _account(DETACH_POLICY),
    Event.GROUP_ROLE_GRANTED: _call(UPDATE),
    Event.GROUP_ROLE_REVOKED: _call(UPDATE),
    Event.GROUPS_CHANGED: _account(ATTACH_POLICY),
    Event.IDENTITY_LINKED: _account(ATTACH_POLICY),
    Event.IDENTITY_UNLINKED: _account(DETACH_POLICY),
    Event.ACCESS_TIDIED: _call(UPDATE),
    Event.TOKEN_CREATED: _entity(CREATE),
    Event.TOKEN_REVOKED: _entity(DELETE),
    Event.OUTPUTS_INGESTED: _call(CREATE),
    Event.SIGNALS_INGESTED: _call(CREATE),
    Event.PAIRS_INGESTED: _call(CREATE),
    Event.OUTPUTS_SELECTED: _call(UPDATE),
    Event.OUTPUTS_VIEWED: _call(READ, Sort.READ),
    Event.RULE_CREATED: _entity(CREATE),
    Event.RULE_TRIED: _call(READ, Sort.READ),
    Event.RULE_BACKFILLED: _call(UPDATE),
    Event.TEXTS_DROPPED: _call(DELETE),
    Event.RUBRIC_DRAFTED: _entity(UPDATE),
    Event.RUBRIC_PUBLISHED: _entity(UPDATE),
    Event.QUEUE_CREATED: _entity(CREATE),
    Event.ITEMS_ENQUEUED: _call(CREATE),
    Event.ITEM_LEASED: _entity(READ),
    Event.ITEM_VIEWED: _entity(READ),
    Event.ITEM_SKIPPED: _entity(UPDATE),
    Event.LEASE_RELEASED: _entity(UPDATE),
    Event.SEATS_CLOSED: _call(UPDATE),
    Event.DRAFT_SAVED: _entity(UPDATE),
    Event.REVIEW_SUBMITTED: _entity(CREATE),
    Event.REVIEW_UNDONE: _entity(UPDATE),
    Event.REVIEWS_IMPORTED: _call(CREATE),
    Event.REVIEW_IMPORTED: _entity(CREATE),
    Event.EXTRA_SEAT_ADDED: _entity(UPDATE),
    Event.ITEM_ADJUDICATED: _entity(UPDATE),
    Event.REVIEWS_VIEWED: _entity(READ),
    Event.REPORT_REFRESHED: _call(UPDATE),
    Event.JUDGE_CREATED: _entity(CREATE),
    Event.RUN_CREATED: _entity(CREATE),
    Event.RUN_FINISHED: _entity(UPDATE),
    Event.RUN_CANCELLED: _entity(UPDATE),
    Event.VERDICTS_RECORDED: _call(CREATE),
    Event.VERDICTS_IMPORTED: _call(CREATE),
    Event.DATASET_CREATED: _entity(CREATE),
    Event.VERSION_REQUESTED: _entity(CREATE),
    Event.VERSION_FROZEN: _entity(UPDATE),
    Event.VERSION_FAILED: _entity(UPDATE),
    Event.VERSION_DOWNLOADED: _entity(READ),
    Event.VERSION_WITHDRAWN: _entity(DELETE),
    Event.ERASURE_REQUESTED: _entity(CREATE),
    Event.ERASURE_APPROVED: _entity(UPDATE),
    Event.ERASURE_REFUSED: _entity(UPDATE),
    Event.ERASURE_FINISHED: _entity(UPDATE),
    Event.ERASURE_STOPPED: _entity(UPDATE),
    Event.ERASURE_REAPPLIED: _entity(DELETE),
    Event.PAYLOAD_ERASED: _entity(DELETE),
    Event.SUBJECT_REPORTED: _entity(READ),
    Event.SAMPLE_LOADED: _call(CREATE),
}
ROOM_TITLES = {
    "audit": "The log",
    "access": "People and access",
    "ingest": "Traffic and sampling",
    "rubrics": "Rubrics",
    "queues": "Queues",
    "grading": "Reviews",
    "agreement": "Agreement",
    "judge": "Judges",
    "exports": "Datasets",
    "compliance": "Compliance",
    "demo": "The sample",
}


# An event that was recorded by another version of the house than this one.
_UNKNOWN = Entry(Sort.CHANGE, Ocsf.API_ACTIVITY, OTHER)


_BY_NAME = {event.value: event for event in Event}


def entry_of(name: str) -> Entry:
    """The row of an event by its name in the log."""
    event = _BY_NAME.get(name)
    return _UNKNOWN if event is None else ENTRIES.get(event, _UNKNOWN)


def meaning_of(name: str) -> str:
    """The sentence of an event by its name in the log."""
    event = _BY_NAME.get(name)
    return event.meaning if event else "An event that this version of the house does not list."


def events_of_sort(name: str) -> tuple[str, ...] | None:
    """The events of a sort, or of everything WITHOUT_LOG; None for an unknown name."""
    if name == WITHOUT_LOG:
        return tuple(event.value for event in Event if entry_of(event).sort != Sort.LOG)
    if name not in {sort.value for sort in Sort}:
        return None
    return tuple(event.value for event in Event if entry_of(event).sort == name)


def by_room() -> Iterator[tuple[str, list[Event]]]:
    """(title of a room, its events), in the order of the list."""
    rooms: dict[str, list[Event]] = {}
    for event in Event:
        rooms.setdefault(event.value.partition(".")[0], []).append(event)
    for room, events in rooms.items():
        yield ROOM_TITLES.get(room, room.capitalize()), events
