"""A log that is signed, for the auditor's pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings

from reviewapp.audit.sequencer import Sequencer
from tests.conftest import owner_connection


@pytest.fixture
def sign(committed_db: str, settings: Any, tmp_path: Any) -> Callable[[], None]:
    """`sign()` gives every waiting event its place and signs a head, with keys of its own."""
    with owner_connection(committed_db) as owner:
        app = django_settings.DATABASE_APP_USER
        owner.execute(f'GRANT INSERT ON audit.leaf, audit.checkpoint TO "{app}"')
        owner.execute(f'GRANT DELETE ON audit.pending TO "{app}"')
    settings.KEYS_DIR = settings.VERIFIER_DIR = tmp_path / "keys"
    made = Sequencer(origin=settings.LOG_ORIGIN, keys_dir=tmp_path / "keys")
    made.load()

    def sign() -> None:
        while made.step():
            pass

    return sign
