"""The grading screens: `actions` are the doors, `cards` their answers; `subject` and `disputes` arrange the sight."""

from reviewapp.grading.views.actions import draft, next_item, release, review, skip, submit, undo

__all__ = ["draft", "next_item", "release", "review", "skip", "submit", "undo"]
