"""The Merkle tree of RFC 6962 section 2.1: heads, inclusion proofs and consistency proofs.

`CompactRange` computes heads in order, in memory that grows with the logarithm of the number of leaves. `Tree` proves:
it keeps the roots of runs of 256 leaves (a third of a byte per leaf) and reads single runs again when it needs them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()
RUN = 256
# Runs that are read at once while a tree is built.
_AT_ONCE = 64


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

    def copy(self) -> CompactRange:
        """A range of its own with the same leaves."""
        made = CompactRange()
        made.size, made._roots = self.size, list(self._roots)
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


class Tree:
    """The tree over the first `size` leaves, for proofs.

    read(start, end): the leaf hashes of that range, in order, at most 16,384 of them. Called once over everything when
    the tree is made, later for single runs.
    """

    def __init__(self, size: int, read: Callable[[int, int], Sequence[bytes]]) -> None:
        self.size = size
        self._read = read
        # _levels[h][k] is the root of the 2^h runs that begin at run k * 2^h.
        self._levels: list[list[bytes]] = [[]]
        self._run_start = -1
        self._run_levels: list[list[bytes]] = []
        whole = size - size % RUN
        for start in range(0, whole, RUN * _AT_ONCE):
            hashes = read(start, min(start + RUN * _AT_ONCE, whole))
            self._levels[0] += [_levels_of(hashes[at : at + RUN])[-1][0] for at in range(0, len(hashes), RUN)]
        self._levels = _levels_of(self._levels[0])
        # The few roots at the right edge that are not those of a perfect subtree.
        self._edge: dict[tuple[int, int], bytes] = {}

    def root(self, size: int | None = None) -> bytes:
        """The head over the first `size` leaves, for None of the whole tree."""
        wanted = self.size if size is None else size
        return self._range(0, wanted) if wanted else EMPTY_ROOT

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """The audit path of one leaf in the tree of the first `size` leaves (RFC 6962 2.1.1), lowest first."""
        start, end = 0, self.size if size is None else size
        path = []
        while end - start > 1:
            middle = start + _largest_power_below(end - start)
            if index < middle:
                path.append(self._range(middle, end))
                end = middle
            else:
                path.append(self._range(start, middle))
                start = middle
        return path[::-1]

    def consistency(self, old_size: int) -> list[bytes]:
        """The proof that the first `old_size` leaves are a prefix (RFC 6962 2.1.2); empty for 0 and for the whole."""
        if old_size in (0, self.size):
            return []
        start, end, proof, is_whole = 0, self.size, [], True
        while old_size - start != end - start:
            middle = start + _largest_power_below(end - start)
            if old_size <= middle:
                proof.append(self._range(middle, end))
                end = middle
            else:
                proof.append(self._range(start, middle))
                start, is_whole = middle, False
        if not is_whole:
            proof.append(self._range(start, end))
        return proof[::-1]

    def _range(self, start: int, end: int) -> bytes:
        """The root over leaves that the recursion of RFC 6962 comes to: `start` is aligned to what begins there."""
        length = end - start
        if length & (length - 1) == 0 and start % length == 0:
            return self._perfect(start, length)
        found = self._edge.get((start, end))
        if found is None:
            middle = start + _largest_power_below(length)
            found = node_hash(self._range(start, middle), self._range(middle, end))
            if end == self.size:
                self._edge[start, end] = found
        return found

    def _perfect(self, start: int, length: int) -> bytes:
        if length >= RUN:
            return self._levels[(length // RUN).bit_length() - 1][start // length]
        run = start - start % RUN
        if run != self._run_start:
            self._run_levels = _levels_of(self._read(run, min(run + RUN, self.size)))
            self._run_start = run
        return self._run_levels[length.bit_length() - 1][(start - run) // length]


def _levels_of(hashes: Sequence[bytes]) -> list[list[bytes]]:
    """The roots of the aligned perfect subtrees, per height; whatever is left over at the right has no parent."""
    levels = [list(hashes)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)])
    return levels


def _largest_power_below(length: int) -> int:
    """The largest power of two smaller than `length`, which is 2 or more."""
    return 1 << ((length - 1).bit_length() - 1)


def is_included(*, leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path leads from the leaf hash at `index` to the root over `size` leaves (RFC 9162 2.1.3.2)."""
    return 0 <= index < size and _followed(path, index, size - 1, leaf)[1:] == (root, 0)


def is_consistent(*, old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree of `old_size` leaves is a prefix of the tree of `size` leaves (RFC 9162 2.1.4.2)."""
    if old_size in (0, size):
        return not proof and old_root == (root if old_size == size else EMPTY_ROOT)
    if not 0 < old_size < size:
        return False
    # The proof leaves out the root that the verifier has already.
    steps = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    place, last = old_size - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    return bool(steps) and _followed(steps[1:], place, last, steps[0]) == (old_root, root, 0)


def _followed(path: Sequence[bytes], place: int, last: int, value: bytes) -> tuple[bytes, bytes, int]:
    """(older root, newer root, height that is left) where a proof leads from one node; a negative height is too far."""
    old = new = value
    for step in path:
        if last == 0:
            return old, new, -1
        if place & 1 or place == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, step)
        place, last = place >> 1, last >> 1
    return old, new, last
