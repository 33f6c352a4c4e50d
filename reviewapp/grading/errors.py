"""Refusals of this room."""

from reviewapp.lib.errors import Conflict


class AnotherAnswer(Conflict):
    """The lease bore a review already, with other content."""

    code, title = "already-submitted", "This lease bore another answer"


class AlreadyAdjudicated(Conflict):
    """The item is settled."""

    code, title = "already-adjudicated", "The item is settled"


class TooLate(Conflict):
    """The five minutes of undo are over, or the review was ended."""

    code, title = "too-late", "It is too late to undo this"


class Erased(Conflict):
    """What was judged was erased; nothing is taken back and nothing is added."""

    code, title = "erased", "The text was erased"


class InDatasetVersion(Conflict):
    """The item's reviews stand in a frozen dataset version."""

    code, title = "in-dataset-version", "The item is in a frozen dataset version"
