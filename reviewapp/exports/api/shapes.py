"""What this room answers, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from reviewapp.exports.services.definition import SplitIn
from reviewapp.lib.api import Strict


class DatasetOut(Strict):
    """A definition as it was saved."""

    slug: str
    title: str
    queues: list[str]
    criteria: list[str]
    labels: Literal["settled", "raw", "adjudicated"]
    where: dict[str, Any]
    split: SplitIn | None


class RubricVersionUsed(Strict):
    """A version of a rubric under which some of the reviews were made."""

    rubric: str
    version: int


class DatasetVersionOut(Strict):
    """A version; `rows`, `sha256` and what follows from the files are null or empty until it is done."""

    dataset: str
    number: int
    state: Literal["waiting", "running", "done", "failed"]
    done: int
    total: int | None
    error: str | None
    rows: int | None
    sha256: str | None
    manifest_sha256: str | None
    created_at: datetime
    frozen_at: datetime | None
    withdrawn_at: datetime | None
    label_policy: str
    rubric_versions: list[RubricVersionUsed]
    left_out: dict[str, int]
    splits: dict[str, int]
    formats: list[str]


class DatasetVersionWithManifest(DatasetVersionOut):
    """A version with its manifest."""

    manifest: dict[str, Any] | None
