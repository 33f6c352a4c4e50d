#!/usr/bin/env python3
"""Checks a bundle of the audit log on any machine with Python 3.10 or newer. No network, no other package.

    python3 verify.py [--known FILE]... [--key VKEY]... [--witness VKEY]... [FOLDER]

FOLDER: the unpacked bundle, else the folder of this script. FILE: signed heads that you kept earlier. VKEY: the public
key of the log as you got it from elsewhere, or of a witness.
Exit code 0: everything fits. 1: something was changed, and where. 2: it could not be checked, and why.

The rules: SHA-256 Merkle tree (RFC 6962, RFC 9162), Ed25519 (RFC 8032), signed notes (C2SP).
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import json
import re
import sys
from array import array
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple


class Changed(Exception): ...  # the bundle is not what was signed


class Unreadable(Exception): ...  # the bundle cannot be checked


# --- Ed25519, RFC 8032 section 5.1: points are (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z ---
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]


def add(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(number: int, point: Point) -> Point:
    result: Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            result = add(result, point)
        point = add(point, point)
        number >>= 1
    return result


def point_of(text: bytes) -> Point | None:
    """The point that 32 bytes stand for, None when there is none."""
    y, sign = int.from_bytes(text, "little") & (2**255 - 1), text[31] >> 7
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = point_of((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def ed25519_verifies(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the 64 bytes are the signature of the message by the 32-byte public key."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, r, s = point_of(public), point_of(signature[:32]), int.from_bytes(signature[32:], "little")
    if key is None or r is None or BASE is None or s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    left, right = multiply(s, BASE), add(r, multiply(k, key))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 == (left[1] * right[2] - right[1] * left[2]) % P


# --- The tree: leaf = SHA-256(0 and the event's text), node = SHA-256(1 and its two children) ---
def leaf_hash(text: bytes) -> bytes:
    return hashlib.sha256(b"\0" + text).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """The head of the leaves so far, from the roots of the perfect subtrees that cover them."""

    def __init__(self) -> None:
        self.size = 0
        self.roots: list[tuple[int, bytes]] = []

    def append(self, value: bytes) -> None:
        height = 0
        while self.roots and self.roots[-1][0] == height:
            value, height = node_hash(self.roots.pop()[1], value), height + 1
        self.roots.append((height, value))
        self.size += 1

    def root(self) -> bytes:
        values = [value for _, value in self.roots]
        while len(values) > 1:
            values[-2:] = [node_hash(*values[-2:])]
        return values[0]


def follow(path: list[bytes], place: int, last: int, value: bytes) -> tuple[bytes, bytes, int]:
    """(older root, newer root, height left, 0 when it fits) where a proof leads from one node. Source: RFC 9162."""
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


def is_prefix(old: Head, new: Head, path: list[bytes]) -> bool:
    steps = [old.root, *path] if old.size & (old.size - 1) == 0 else path
    place, last = old.size - 1, new.size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    return bool(steps) and follow(steps[1:], place, last, steps[0]) == (old.root, new.root, 0)


# --- Keys and signed heads ---
class Key(NamedTuple):
    """As text `name+key id+base64(algorithm and key)`; algorithm 1 signs a log's heads, 4 is a witness."""

    name: str
    algorithm: int
    public: bytes
    id: bytes
    line: str

    @classmethod
    def read(cls, line: str) -> Key:
        name, hex_id, encoded = line.strip().split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
        key_id = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
        if key_id.hex() != hex_id or len(raw) != 33:
            raise ValueError(f"not a verifier key: {line.strip()}")
        return cls(name, raw[0], raw[1:], key_id, line.strip())


Chain = list[tuple[int, Key]]
# Three lines that are signed, a blank line, signature lines that begin with a dash.
NOTE = re.compile("([^\n]+)\n([0-9]+)\n([^\n]+)\n\n((?:\u2014 [^\n]+ [^\n]+\n)+)\n*")


class Head:
    """A note: origin, number of events, root; then its signature lines."""

    def __init__(self, origin: str, size: str, root: str, lines: str, *, source: str) -> None:
        self.origin, self.size, self.source = origin, int(size), source
        self.root = base64.b64decode(root, validate=True)
        self.text = f"{origin}\n{size}\n{root}\n".encode()
        pairs = [line[2:].rsplit(" ", 1) for line in lines.splitlines()]
        self.signatures = [(name, base64.b64decode(encoded, validate=True)) for name, encoded in pairs]

    def signatures_of(self, key: Key) -> list[bytes]:
        return [raw[4:] for name, raw in self.signatures if name == key.name and raw[:4] == key.id]

    def is_signed_by(self, key: Key) -> bool:
        lines = self.signatures_of(key)
        return key.algorithm == 1 and any(ed25519_verifies(key.public, self.text, raw) for raw in lines)

    def is_vouched_by(self, key: Key) -> bool:
        """A witness signs the time too, in the first eight bytes."""
        said = [
            (b"cosignature/v1\ntime %d\n" % int.from_bytes(raw[:8], "big"), raw[8:]) for raw in self.signatures_of(key)
        ]
        return key.algorithm == 4 and any(ed25519_verifies(key.public, time + self.text, raw) for time, raw in said)


def read_heads(path: Path) -> list[Head]:
    """The notes of a file, or the one in the JSON answer of the checkpoint's address; the smallest first."""
    try:
        content = path.read_text("utf-8")
        if content.lstrip().startswith("{"):
            content = json.loads(content)["note"]
        heads = [Head(*match, source=path.name) for match in NOTE.findall(content)]
        if not heads or NOTE.sub("", content).strip():
            raise ValueError("a note is three lines, a blank line and signature lines")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"{path.name} does not hold signed heads: {error}.") from error
    return sorted(heads, key=lambda head: head.size)


def key_chain(heads: list[Head], rotations: list[tuple[int, Any]], trusted: list[Key]) -> Chain:
    """[(first size that a key signs, key)]: from one trusted key to the others, by events and heads that two signed."""
    chain: Chain = []
    for index, facts in rotations:
        # Not every such event was written by the log itself, which alone can make it count.
        with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError, StopIteration):
            old, new = Key.read(facts["old_key"]), Key.read(facts["new_key"])
            text = f"log key rotation\n{old.line}\n{new.line}\n".encode()
            head = next(head for head in heads if head.size > index)
            said = ((old, bytes.fromhex(facts["old_signature"])), (new, bytes.fromhex(facts["new_signature"])))
            both = all(head.is_signed_by(key) and ed25519_verifies(key.public, text, raw) for key, raw in said)
            if both and (not chain or chain[-1][1] == old):
                chain = [*(chain or [(0, old)]), (index + 1, new)]
    if not chain:
        chain = [(0, next((key for key in trusted if heads[-1].is_signed_by(key)), trusted[0]))]
    if not any(key in trusted for _, key in chain):
        raise Changed("No key that you trust is a key of this log: the heads were signed by somebody else.")
    return chain


# --- The bundle ---
def records(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON objects of a file, one per line."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                record: dict[str, Any] = {**json.loads(line)}
            except (ValueError, TypeError, RecursionError) as error:
                if not line.endswith(b"\n"):
                    raise Changed(f"{path.name} was cut off in the middle of line {number}.") from error
                raise Unreadable(f"Line {number} of {path.name} is not JSON: {error}.") from error
            yield record


class Check:
    """One pass over the events of a bundle."""

    def __init__(self, folder: Path, known: list[Head], trusted: list[Key]) -> None:
        self.folder, self.known = folder, known
        self.heads = read_heads(folder / "checkpoints.txt")
        self.newest = self.heads[-1]
        self.trusted = trusted or [Key.read(line) for line in (folder / "log.vkey").read_text("utf-8").splitlines()]
        self.chain: Chain = []
        self.is_part = (folder / "proofs.jsonl").exists()
        self.events = self.erased = self.good = 0
        self.first_at = self.last_at = ""
        self.rotations: list[tuple[int, Any]] = []
        self.seen = array("Q")

    def run(self) -> None:
        if not self.trusted:
            raise Unreadable("log.vkey holds no key.")
        (self.check_part if self.is_part else self.check_whole)()
        self.check_signatures()
        twice = next((a for a, b in pairwise(sorted(self.seen)) if a == b), None)
        if twice is not None:
            places = [number for number, value in enumerate(self.seen, 1) if value == twice]
            raise Changed(f"Line {places[1]} of events.jsonl repeats line {places[0]}.")

    def event(self, record: dict[str, Any]) -> tuple[int, bytes]:
        """Check one event by itself; (index, leaf hash)."""
        try:
            i, env, salt, data = record["i"], record["env"], record["salt"], record["data"]
            leaf = leaf_hash(env.encode())
            if leaf.hex() != record["leaf"]:
                raise Changed(f"Event {i} was changed.")
            said = json.loads(env)
            opened = hashlib.sha256(bytes.fromhex(salt or "") + (data or "").encode()).hexdigest()
            if (salt, data) != (None, None) and opened != said["data_commit"]:
                raise Changed(f"The payload of event {i} was changed.")
            self.first_at = min(said["at"], self.first_at or said["at"])
            self.last_at = max(said["at"], self.last_at)
            if said["event"] == "audit.key_rotated":
                self.rotations.append((i, said.get("facts")))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Unreadable(f"Line {self.events + 1} of events.jsonl is not an event: {error!r}.") from error
        self.erased += salt is None
        self.events += 1
        self.seen.frombytes(leaf[:8])
        return i, leaf

    def check_whole(self) -> None:
        """Every event from 0 on, against every head at its size."""
        tree = Tree()
        waiting = sorted(self.heads + self.known, key=lambda head: head.size)
        for record in records(self.folder / "events.jsonl"):
            i, leaf = self.event(record)
            if i != tree.size:
                raise Changed(f"Event {tree.size} is missing or out of its place.")
            tree.append(leaf)
            while waiting and waiting[0].size == tree.size:
                head = waiting.pop(0)
                if head.root != tree.root():
                    where = f"between event {self.good} and event {head.size - 1}"
                    raise Changed(f"The log was changed {where}: the head in {head.source} does not fit.")
                self.good = head.size
        if waiting:
            head = waiting[0]
            raise Changed(f"Event {tree.size} is missing: the head in {head.source} covers {head.size} events.")
        if tree.size > self.newest.size:
            raise Changed(f"Event {self.newest.size} stands under no signed head.")

    def check_part(self) -> None:
        """Some events, each with its path to the newest head; older heads with theirs."""
        proofs, before = records(self.folder / "proofs.jsonl"), -1
        for record in records(self.folder / "events.jsonl"):
            i, leaf = self.event(record)
            proof = next(proofs, {})
            if i <= before or proof.get("i") != i:
                raise Changed(f"Event {proof.get('i', i)} is missing, out of its place, or without its proof.")
            found = follow(path_of(proof), i, self.newest.size - 1, leaf)
            if i >= self.newest.size or found[1:] != (self.newest.root, 0):
                raise Changed(f"Event {i} is not in the log that was signed.")
            before = i
        for head in self.heads[:-1]:
            proof = next(proofs, {})
            if proof.get("size") != head.size or not is_prefix(head, self.newest, path_of(proof)):
                what = f"event {proof['i']} is missing" if "i" in proof else f"size {head.size}, no proof that fits"
                raise Changed(f"The newest head does not extend an older one: {what}.")
        if proof := next(proofs, {}):
            raise Changed(f"Event {proof.get('i')} is missing: its proof is here.")
        roots = {head.size: head.root for head in self.heads}
        for head in self.known:
            if head.size not in roots:
                raise Unreadable(f"A part of the log cannot be held against {head.source}; the whole log can.")
            if head.root != roots[head.size]:
                raise Changed(f"The head in {head.source} over {head.size} events is not the one in this bundle.")

    def check_signatures(self) -> None:
        self.chain = key_chain(self.heads, self.rotations, self.trusted)
        known_keys = [*self.trusted, *(key for _, key in self.chain)]
        signers = [(head, [[key for first, key in self.chain if first <= head.size][-1]]) for head in self.heads]
        for head, keys in [*signers, *((head, known_keys) for head in self.known)]:
            if not any(head.origin == key.name and head.is_signed_by(key) for key in keys):
                raise Changed(f"The head over {head.size} events in {head.source} is not signed by the log's key.")


def path_of(proof: dict[str, Any]) -> list[bytes]:
    try:
        return [bytes.fromhex(step) for step in proof["path"]]
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable(f"A proof in proofs.jsonl cannot be read: {error!r}.") from error


def report(check: Check, witnesses: list[Key], *, has_own_key: bool) -> Iterator[str]:
    """What was found, in sentences."""
    newest = check.newest
    yield f"OK. {check.events} events of {newest.origin}, {check.first_at} to {check.last_at} (UTC)."
    signer = check.chain[-1][1].line
    yield f"{'A part' if check.is_part else 'The whole'} of a log of {newest.size} events, signed by {signer}"
    yield f"Signed heads: {len(check.heads)}. Kept elsewhere: {len(check.known)}. Erased payloads: {check.erased}."
    for key in witnesses:
        if not newest.is_vouched_by(key):
            raise Changed(f"The witness {key.name} did not vouch for the newest head.")
        yield f"The witness {key.name} vouched for the newest head."
    yield "\nThis proves: none of these events, and no payload that is here, was changed since it was signed;"
    if check.is_part:
        yield "each stands in the signed log at its place. It does not prove that nothing was left out of this part:"
        yield "for that, ask for the bundle of the whole log."
    else:
        yield "none was removed, added in between or moved."
    yield "It does not prove that what an event says was true, or that everything was recorded at all."
    if not has_own_key:
        yield "The key came with the bundle. Compare it with one that you got from elsewhere, and pass that as --key."
    if not check.known:
        yield "Whoever holds the log's private key could have written the whole log anew. A head that you kept from an"
        yield "earlier day (--known) rules that out up to that head; a witness (--witness) up to the newest."


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check a bundle of the audit log.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--known", metavar="FILE", type=Path, action="append", default=[])
    parser.add_argument("--key", metavar="VKEY", action="append", default=[])
    parser.add_argument("--witness", metavar="VKEY", action="append", default=[])
    options = parser.parse_args(arguments)
    try:
        keys = [Key.read(line) for line in options.key]
        witnesses = [Key.read(line) for line in options.witness]
        check = Check(options.folder, [head for path in options.known for head in read_heads(path)], keys)
        check.run()
        print("\n".join(report(check, witnesses, has_own_key=bool(keys))))
    except Changed as error:
        print(f"TAMPERED. {error}", file=sys.stderr)
        return 1
    except (Unreadable, OSError, ValueError) as error:
        print(f"CANNOT BE CHECKED. {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
