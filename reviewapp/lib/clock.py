"""The clock of everything that is not decided by the database: display, ages, export stamps. Leases use the database's
`now()`.
"""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """This moment, with zone UTC."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """`2026-11-21T10:00:00.000000Z`: UTC, microseconds always written, so that equal moments are equal texts."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
