"""The API of this room."""

from reviewapp.exports.api.datasets import dataset, datasets, version, versions
from reviewapp.exports.api.download import download

__all__ = ["dataset", "datasets", "download", "version", "versions"]
