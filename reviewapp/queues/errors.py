"""Refusals of this room."""

from reviewapp.lib.errors import Conflict


class LeaseOver(Conflict):
    """The lease ended or ran out; the item may be with somebody else. The draft stays."""

    code, title = "lease-expired", "This lease is over"


class NothingPublished(Conflict):
    """The queue's rubric has no published version, so there is nothing to ask."""

    code, title = "rubric-not-published", "The rubric is not published"


class QueueClosed(Conflict):
    """The queue takes no more work."""

    code, title = "queue-closed", "The queue is closed"
