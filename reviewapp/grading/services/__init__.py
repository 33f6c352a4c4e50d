"""Writes of this room: reviews, drafts, undo, adjudication, imports."""

from reviewapp.grading.services.answers import AnswerIn, DraftIn, PreferenceIn
from reviewapp.grading.services.drafts import save_draft
from reviewapp.grading.services.freezing import freeze_items
from reviewapp.grading.services.imports import ImportedReviewIn, import_reviews
from reviewapp.grading.services.submit import Submitted, adjudicate, submit_once, submit_review
from reviewapp.grading.services.undo import UNDO_SECONDS, undo_review
from reviewapp.grading.services.views import reviews_to_adjudicate

__all__ = [
    "UNDO_SECONDS",
    "AnswerIn",
    "DraftIn",
    "ImportedReviewIn",
    "PreferenceIn",
    "Submitted",
    "adjudicate",
    "freeze_items",
    "import_reviews",
    "reviews_to_adjudicate",
    "save_draft",
    "submit_once",
    "submit_review",
    "undo_review",
]
