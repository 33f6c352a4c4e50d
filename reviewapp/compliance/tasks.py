"""Thin: an id to a service."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from celery import shared_task
from django.db import transaction

from reviewapp.compliance.models import Erasure, Verification
from reviewapp.compliance.services import erasing, publishing, retention, verifying


@shared_task
def work_on_erasure(erasure_id: str) -> None:
    """Carry out one approved erasure; one that is done or in other hands is left as it is."""
    erasing.work_on_erasure(erasure_id=UUID(erasure_id))


@shared_task
def sweep_erasures() -> None:
    """Find what a lost message or a dead worker forgot."""
    for erasure_id in erasing.open_erasure_ids():
        work_on_erasure.delay(str(erasure_id))


# Reading ten million events takes a quarter of an hour; the claim keeps a second delivery away meanwhile.
@shared_task(soft_time_limit=7200, time_limit=7260)
def run_verification(verification_id: str) -> None:
    """Finish one verification; one that is done or in other hands is left as it is."""
    verifying.run_verification(verification_id=UUID(verification_id))


@shared_task
def sweep_verifications() -> None:
    """Find what a lost message or a dead worker forgot."""
    for verification_id in verifying.open_verification_ids():
        run_verification.delay(str(verification_id))


def nudge_verification(verification: Verification) -> None:
    """Tell a worker after commit. The row is the promise: without a broker the sweep finds it."""
    transaction.on_commit(partial(run_verification.delay, str(verification.pk)), robust=True)


@shared_task
def publish_checkpoints() -> None:
    """Bring the newest signed head to every place outside that is due; safe to repeat and to run twice at once."""
    publishing.publish_checkpoints()


@shared_task
def drop_expired() -> None:
    """Drop what is older than its retention; safe to repeat and to run twice at once."""
    retention.drop_expired()


def nudge(erasure: Erasure) -> None:
    """Tell a worker after commit. The row is the promise: without a broker the sweep finds it."""
    transaction.on_commit(partial(work_on_erasure.delay, str(erasure.pk)), robust=True)
