"""Thin: an id to a service."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from celery import shared_task
from django.db import transaction

from reviewapp.exports import services
from reviewapp.exports.models import DatasetVersion


@shared_task
def build_version(version_id: str) -> None:
    """Build one version; one that is done or in other hands is left as it is."""
    services.build_version(version_id=UUID(version_id))


@shared_task
def sweep_versions() -> None:
    """Find what a lost message forgot."""
    for version_id in services.open_version_ids():
        build_version.delay(str(version_id))


def nudge(version: DatasetVersion) -> None:
    """Tell a worker after commit. The row is the promise: without a broker the sweep finds it."""
    transaction.on_commit(partial(build_version.delay, str(version.pk)), robust=True)
