"""Writes of this room: define a dataset, ask for a version, build and freeze it, record its downloads."""

from reviewapp.exports.services.building import build_version, open_version_ids
from reviewapp.exports.services.definition import DatasetIn, SplitIn, create_dataset
from reviewapp.exports.services.versions import record_download, request_version, retry_version

__all__ = [
    "DatasetIn",
    "SplitIn",
    "build_version",
    "create_dataset",
    "open_version_ids",
    "record_download",
    "request_version",
    "retry_version",
]
