"""The Merkle tree of RFC 6962 section 2.1, as a compact range: memory grows with the logarithm of the number of
leaves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 || entry), 32 bytes."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right), 32 bytes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class CompactRange:
    """The roots of the perfect subtrees that cover the first `size` leaves, largest first."""

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[tuple[int, bytes]] = []

    @classmethod
    def of(cls, hashes: Iterable[bytes]) -> CompactRange:
        """A range over leaf hashes in order."""
        made = cls()
        for value in hashes:
            made.append(value)
        return made

    def append(self, value: bytes) -> None:
        """Add the hash of the next leaf."""
        height = 0
        while self._roots and self._roots[-1][0] == height:
            value = node_hash(self._roots.pop()[1], value)
            height += 1
        self._roots.append((height, value))
        self.size += 1

    def root(self) -> bytes:
        """The tree head; SHA-256 of nothing for the empty tree."""
        if not self._roots:
            return EMPTY_ROOT
        value = self._roots[-1][1]
        for _, left in reversed(self._roots[:-1]):
            value = node_hash(left, value)
        return value
