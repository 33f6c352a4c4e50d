"""Files that are hashed while they are written, and appear under their name only when they are whole."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from django.conf import settings

from reviewapp.exports.models import Dataset

BUFFER = 1024 * 1024
# format: (name of the file, content type)
FORMATS = {
    "jsonl": ("labels.jsonl", "application/x-ndjson"),
    "csv": ("labels.csv", "text/csv; charset=utf-8"),
    "jsonl-raw": ("raw.jsonl", "application/x-ndjson"),
    "pairs": ("pairs.jsonl", "application/x-ndjson"),
}


def files_root() -> Path:
    """The folder below which every path of a `DatasetFile` lies."""
    return Path(settings.FILES_DIR)


def folder_of(dataset: Dataset, number: int) -> Path:
    """Where a version's files lie, below `files_root()`. Slugs hold no separators and no dots."""
    return Path(dataset.project.slug) / dataset.slug / str(number)


@dataclass
class HashedFile:
    """One file being written. `rows` counts records, `left_out` what was looked at and not written, by reason."""

    format: str
    path: Path
    rows: int = 0
    size: int = 0
    sha256: str = ""
    left_out: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._hash = hashlib.sha256()
        self._out = self.path.open("xb", buffering=BUFFER)

    @property
    def name(self) -> str:
        """The name inside the version's folder."""
        return FORMATS[self.format][0]

    def write(self, text: str, *, rows: int = 1) -> None:
        """Append text as UTF-8."""
        raw = text.encode()
        self._out.write(raw)
        self._hash.update(raw)
        self.size += len(raw)
        self.rows += rows

    def close(self) -> None:
        """Bring it to the disk; a name is given only after this."""
        self._out.flush()
        os.fsync(self._out.fileno())
        self._out.close()
        self.sha256 = self._hash.hexdigest()

    def discard(self) -> None:
        """Close without keeping."""
        self._out.close()


class Workshop:
    """A temporary folder beside the version's own. What is not moved out of it is removed at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, HashedFile] = {}

    def __enter__(self) -> Self:
        self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.work = Path(tempfile.mkdtemp(prefix=f".{self.folder.name}-", dir=self.folder.parent))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self.files.values():
            file.discard()
        shutil.rmtree(self.work, ignore_errors=True)

    def open(self, format: str) -> HashedFile:
        """A new file of this format."""
        self.files[format] = HashedFile(format, self.work / FORMATS[format][0])
        return self.files[format]

    def close_files(self) -> None:
        """Bring every file to the disk."""
        for file in self.files.values():
            file.close()

    def add(self, name: str, raw: bytes) -> None:
        """A small whole file that is not offered for download: the manifest."""
        with (self.work / name).open("xb") as out:
            out.write(raw)
            out.flush()
            os.fsync(out.fileno())

    def publish(self) -> None:
        """Give every file its name, over what an unfinished run may have left there."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        for path in sorted(self.work.iterdir()):
            path.replace(self.folder / path.name)
        for folder in (self.folder, self.folder.parent):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
