"""Request bodies from outside: bounded in size and expansion, gzip allowed, streamed line by line where they may be
large.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from reviewapp.lib.errors import DomainError, Malformed, TooLarge, UnsupportedType
from reviewapp.lib.jsonread import read_json, read_json_records

MAX_JSON = 16 * 1024 * 1024
MAX_NDJSON = 1024 * 1024 * 1024
MAX_LINE = 4 * 1024 * 1024
MAX_RATIO = 100
_CHUNK = 256 * 1024


@dataclass(frozen=True)
class Line:
    """One record of a bulk body: its number from 1, and the value read or the refusal."""

    number: int
    value: Any = None
    refusal: DomainError | None = None


def is_ndjson(request: HttpRequest) -> bool:
    """Whether the sender says that the body is newline-delimited JSON."""
    return (request.content_type or "").lower() in ("application/x-ndjson", "application/ndjson", "application/jsonl")


def check_content_type(request: HttpRequest) -> None:
    """Raises UnsupportedType for a body that is neither JSON nor NDJSON in UTF-8."""
    kind = (request.content_type or "").lower()
    if kind and kind != "application/json" and not is_ndjson(request):
        raise UnsupportedType(f"Send application/json or application/x-ndjson, not {kind[:80]}.")
    charset = str((request.content_params or {}).get("charset", "utf-8")).lower()
    if charset not in ("utf-8", "utf8"):
        raise UnsupportedType("Send UTF-8.")


def read_body(request: HttpRequest, *, limit: int = MAX_JSON) -> bytes:
    """The whole body, unpacked. Raises TooLarge, UnsupportedType or Malformed."""
    parts: list[bytes] = []
    size = 0
    for chunk in _chunks(request, limit=limit):
        size += len(chunk)
        parts.append(chunk)
    return b"".join(parts)


def read_json_body(request: HttpRequest) -> Any:
    """The body as one JSON value."""
    return read_json(_json_bytes(request))


def json_lines(request: HttpRequest) -> Iterator[Line]:
    """Records of a JSON body, one object or an array of them, numbered from 1; one that passes a bound is a Line with a
    refusal.
    """
    for number, record in enumerate(read_json_records(_json_bytes(request)), start=1):
        if isinstance(record, DomainError):
            yield Line(number, refusal=record)
        else:
            yield Line(number, value=record)


def _json_bytes(request: HttpRequest) -> bytes:
    check_content_type(request)
    raw = read_body(request)
    if not raw.strip():
        raise Malformed("The body is empty; send a JSON object.")
    return raw


def ndjson_lines(request: HttpRequest) -> Iterator[Line]:
    """Records of an NDJSON body in constant memory.

    A bad line is a Line with a refusal; empty lines are passed over.
    """
    rest = b""
    number = 0
    for chunk in _chunks(request, limit=MAX_NDJSON):
        rest += chunk
        *whole, rest = rest.split(b"\n")
        for raw in whole:
            number += 1
            if raw.strip():
                yield _line(number, raw)
        if len(rest) > MAX_LINE:
            raise TooLarge(f"Line {number + 1} is longer than 4 MiB; nothing after it was read.")
    if rest.strip():
        yield _line(number + 1, rest)


def _line(number: int, raw: bytes) -> Line:
    if len(raw) > MAX_LINE:
        return Line(number, refusal=TooLarge("A line may have at most 4 MiB."))
    try:
        return Line(number, value=read_json(raw))
    except DomainError as error:
        return Line(number, refusal=error)


def _chunks(request: HttpRequest, *, limit: int) -> Iterator[bytes]:
    """Unpacked pieces of the body. The bound holds for what comes out, the ratio for what went in."""
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower() and not request.headers.get("Content-Length"):
        raise Malformed("Send Content-Length; bodies of unknown length are not read.")
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip"):
        raise UnsupportedType("Send the body plain or with Content-Encoding: gzip.")
    source = _packed(request)
    for size, chunk in _counted(_gunzip(source) if encoding == "gzip" else source):
        if size > limit:
            most = f"{limit // 2**20} MiB" if limit >= 2**20 else f"{limit // 2**10} KiB"
            raise TooLarge(f"The body is larger than {most}.")
        yield chunk


def _counted(chunks: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        yield size, chunk


def _packed(request: HttpRequest) -> Iterator[bytes]:
    while chunk := request.read(_CHUNK):
        yield chunk


def _gunzip(source: Iterator[bytes]) -> Iterator[bytes]:
    unpack = zlib.decompressobj(wbits=31)
    taken = given = 0
    for packed in source:
        taken += len(packed)
        waiting = packed
        while waiting:
            try:
                piece = unpack.decompress(waiting, _CHUNK)
            except zlib.error as error:
                raise Malformed(f"The gzip body is damaged: {error}.") from error
            given += len(piece)
            if given > MAX_RATIO * max(taken, 1024):
                raise TooLarge(f"The gzip body expands more than {MAX_RATIO} times.")
            yield piece
            if unpack.eof:
                waiting = unpack.unused_data
                unpack = zlib.decompressobj(wbits=31) if waiting else unpack
                continue
            waiting = unpack.unconsumed_tail
    if not unpack.eof and taken:
        raise Malformed("The gzip body ends too early.")
