"""Heads and proofs of RFC 6962, against the vectors that implementations share and against the definition itself."""

from __future__ import annotations

import hashlib
from random import Random

import pytest

from reviewapp.audit.merkle import EMPTY_ROOT, CompactRange, Tree, is_consistent, is_included, leaf_hash, node_hash

# The eight entries of certificate-transparency's tests, the root of every size, and paths and proofs as given there.
ENTRIES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
A, B = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7", ROOTS[0]
CD = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
EFGH = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
E = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
GH = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
EF = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
PATHS = (
    (0, 1, ()),
    (0, 8, (A, CD, EFGH)),
    (5, 8, (E, GH, ROOTS[3])),
    (2, 3, (ROOTS[1],)),
    (1, 5, (B, CD, E)),
)
PROOFS = (
    (1, 1, ()),
    (1, 8, (A, CD, EFGH)),
    (6, 8, (EF, GH, ROOTS[3])),
    (2, 5, (CD, E)),
)
LEAVES = [leaf_hash(bytes.fromhex(entry)) for entry in ENTRIES]
MANY = [hashlib.sha256(number.to_bytes(4, "big")).digest() for number in range(1_300)]


def tree_of(hashes, size):
    return Tree(size, lambda start, end: hashes[start:end])


def by_definition(hashes):
    """MTH of RFC 6962 2.1, as it is written there."""
    if not hashes:
        return EMPTY_ROOT
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return node_hash(by_definition(hashes[:split]), by_definition(hashes[split:]))


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_are_those_of_the_shared_vectors(size):
    assert tree_of(LEAVES, size).root().hex() == ROOTS[size - 1]
    assert CompactRange.of(LEAVES[:size]).root().hex() == ROOTS[size - 1]


@pytest.mark.parametrize(("index", "size", "path"), PATHS)
def test_the_paths_are_those_of_the_shared_vectors(index, size, path):
    given = [bytes.fromhex(step) for step in path]
    assert tree_of(LEAVES, size).inclusion(index) == given
    assert is_included(leaf=LEAVES[index], index=index, size=size, path=given, root=bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(("old", "size", "proof"), PROOFS)
def test_the_consistency_proofs_are_those_of_the_shared_vectors(old, size, proof):
    given = [bytes.fromhex(step) for step in proof]
    roots = [bytes.fromhex(ROOTS[at - 1]) for at in (old, size)]
    assert tree_of(LEAVES, size).consistency(old) == given
    assert is_consistent(old_size=old, old_root=roots[0], size=size, root=roots[1], proof=given)


def test_every_leaf_of_every_size_has_a_path_that_fits_only_there():
    for size in range(1, 131):
        tree, root = tree_of(MANY, size), by_definition(MANY[:size])
        assert tree.root() == root == CompactRange.of(MANY[:size]).root()
        for index in range(size):
            path = tree.inclusion(index)
            proof = {"index": index, "size": size, "path": path, "root": root}
            assert is_included(leaf=MANY[index], **proof)
            assert not is_included(leaf=MANY[-1], **proof)
            assert not is_included(leaf=MANY[index], **{**proof, "index": index + 1})
            assert not is_included(leaf=MANY[index], **{**proof, "path": [*path, EMPTY_ROOT]})
            if path:
                assert not is_included(leaf=MANY[index], **{**proof, "path": path[:-1]})
                assert not is_included(leaf=MANY[index], **{**proof, "path": [EMPTY_ROOT, *path[1:]]})


def test_every_size_extends_every_smaller_one_and_no_other_tree():
    roots = [by_definition(MANY[:size]) for size in range(131)]
    for size in range(1, 131):
        tree = tree_of(MANY, size)
        for old in range(size + 1):
            proof = tree.consistency(old)
            said = {"old_size": old, "old_root": roots[old], "size": size, "root": roots[size], "proof": proof}
            assert is_consistent(**said)
            assert not is_consistent(**{**said, "old_root": MANY[-1]})
            assert not is_consistent(**{**said, "root": MANY[-1]}) or old == 0
            assert not is_consistent(**{**said, "proof": [*proof, EMPTY_ROOT]})
            if proof:
                assert not is_consistent(**{**said, "proof": proof[:-1]})
                assert not is_consistent(**{**said, "proof": [*proof[:-1], EMPTY_ROOT]})


@pytest.mark.parametrize("size", [255, 256, 257, 511, 512, 513, 700, 1023, 1024, 1025, 1300])
def test_proofs_hold_across_the_runs_that_the_tree_keeps(size):
    tree, root = tree_of(MANY, size), by_definition(MANY[:size])
    draw = Random(size)
    for index in {0, size - 1, *draw.choices(range(size), k=20)}:
        assert is_included(leaf=MANY[index], index=index, size=size, path=tree.inclusion(index), root=root)
    for old in {1, size - 1, *draw.choices(range(1, size), k=20)}:
        proof = tree.consistency(old)
        old_root = by_definition(MANY[:old])
        assert tree.root(old) == old_root
        assert is_consistent(old_size=old, old_root=old_root, size=size, root=root, proof=proof)


def test_the_tree_reads_in_bounded_pieces():
    pieces = []

    def read(start, end):
        pieces.append(end - start)
        return [MANY[at % 1_300] for at in range(start, end)]

    Tree(40_000, read).inclusion(39_999)
    assert max(pieces) <= 16_384
