"""Reads of agreement."""

from reviewapp.agreement.selectors.disputes import DisputedItem, disputed_items
from reviewapp.agreement.selectors.reports import compute_report, current_report, is_fresh, newest_report
from reviewapp.agreement.selectors.settled import POLICIES, SettledLabel, labels_of, settled_labels
from reviewapp.agreement.selectors.visible import reported_queues

__all__ = [
    "POLICIES",
    "DisputedItem",
    "SettledLabel",
    "compute_report",
    "current_report",
    "disputed_items",
    "is_fresh",
    "labels_of",
    "newest_report",
    "reported_queues",
    "settled_labels",
]
