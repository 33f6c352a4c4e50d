"""Agreement reports, kept so that a page can show how the figures moved.

The reviews are the truth; a report names its `as_of`.
"""

from __future__ import annotations

from django.db import models

from reviewapp.lib.ids import new_id
from reviewapp.queues.models import Queue


class AgreementReport(models.Model):
    """The figures of one queue as of one position of the log. `document` is API.md's answer."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    queue = models.ForeignKey(Queue, models.CASCADE, related_name="agreement_reports")
    leaf_index = models.BigIntegerField()
    n_reviews = models.PositiveIntegerField()
    document = models.JSONField()
    computed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["queue", "-computed_at"], name="report_age")]

    def __str__(self) -> str:
        return f"{self.queue_id} as of {self.leaf_index}"
