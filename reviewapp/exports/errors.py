"""Refusals of this room."""

from reviewapp.lib.errors import DomainError


class FileLost(DomainError):
    """The frozen row is there and its file is not, or has another length: restored without files, or tampered with."""

    code, title, status = "file-lost", "The file is not as it was frozen", 500


class RangeNotSatisfiable(DomainError):
    """The range begins behind the end of the file."""

    code, title, status = "range-not-satisfiable", "There is nothing in this range", 416


class Withdrawn(DomainError):
    """An erasure took the files of this version."""

    code, title, status = "withdrawn", "This version was withdrawn", 410
