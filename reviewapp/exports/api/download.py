"""Files stream in constant memory and resume (RFC 9110, sections 13 and 14; RFC 9530 for the digests)."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request

from reviewapp.access.authentication import api_actor
from reviewapp.access.problems import PROBLEM, problem_body
from reviewapp.access.selectors import project_known
from reviewapp.exports import selectors, services
from reviewapp.exports.errors import RangeNotSatisfiable
from reviewapp.exports.models import DatasetFile
from reviewapp.exports.services.files import FORMATS
from reviewapp.lib.api import plain, query

CHUNK = 256 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@extend_schema(
    parameters=[OpenApiParameter("format", enum=list(FORMATS), default="jsonl")],
    responses={
        (200, "application/x-ndjson"): OpenApiTypes.BINARY,
        (206, "application/x-ndjson"): OpenApiTypes.BINARY,
        304: OpenApiResponse(description="The caller has it already (If-None-Match)."),
    },
)
@api_view(["GET", "HEAD"])
def download(request: Request, project: str, dataset: str, number: int) -> HttpResponseBase:
    """A frozen file. Its ETag is its SHA-256; one `Range` is answered, several are answered with the whole."""
    actor = api_actor(request)
    found = project_known(viewer=actor, slug=project)
    owner = selectors.dataset_for(viewer=actor, project=found, slug=dataset, act="datasets.download")
    version = selectors.version_for(viewer=actor, dataset=owner, number=number, act="datasets.download")
    file = selectors.file_for(viewer=actor, version=version, format=query(request, "format").get("format", "jsonl"))
    path = selectors.place_of(file)
    asked = plain(request)
    if _has_it(asked, file):
        return _with_headers(HttpResponse(status=304), file)
    try:
        part = _part(asked, file)
    except RangeNotSatisfiable as error:
        return _nothing_there(asked, error, file)
    if request.method == "HEAD":
        return _bounded(HttpResponse(status=part.status), file, part)
    services.record_download(actor=actor, file=file, first=part.first, last=part.last)
    return _bounded(StreamingHttpResponse(_bytes(path, part), status=part.status), file, part)


@dataclass(frozen=True)
class Part:
    """Bytes `first` to `last`, both included; an empty file has last = -1."""

    first: int
    last: int
    status: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.last - self.first + 1


def _has_it(request: HttpRequest, file: DatasetFile) -> bool:
    held = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in held or any(tag.removeprefix("W/") == f'"{file.sha256}"' for tag in held)


def _part(request: HttpRequest, file: DatasetFile) -> Part:
    """The asked range, or all of it. Raises RangeNotSatisfiable.

    A header that is not one byte range is no range (RFC 9110 14.2), neither is one whose If-Range names another file.
    """
    whole = Part(0, file.size - 1, 200)
    match = _RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if match is None or match[0] == "bytes=-":
        return whole
    if request.headers.get("If-Range", f'"{file.sha256}"') != f'"{file.sha256}"':
        return whole
    if not match[1]:
        suffix = int(match[2])
        first, last = max(0, file.size - suffix), file.size - 1
        is_empty = suffix == 0
    else:
        first, last = int(match[1]), min(int(match[2] or file.size), file.size - 1)
        if match[2] and int(match[2]) < first:
            return whole
        is_empty = False
    if is_empty or first >= file.size:
        raise RangeNotSatisfiable(f"The file has {file.size} bytes; ask from 0 to {max(file.size - 1, 0)}.")
    return Part(first, last, 206)


def _nothing_there(request: HttpRequest, error: RangeNotSatisfiable, file: DatasetFile) -> HttpResponse:
    # Not raised: the one handler knows no Content-Range, by which a client learns how long the file is.
    body = problem_body(
        request, status=error.status, code=error.code, title=error.title, detail=error.detail, errors=[]
    )
    response = JsonResponse(body, status=error.status, content_type=PROBLEM)
    response["Content-Range"] = f"bytes */{file.size}"
    return response


def _bounded(response: HttpResponseBase, file: DatasetFile, part: Part) -> HttpResponseBase:
    response["Content-Length"] = str(part.length)
    if part.status == 206:
        response["Content-Range"] = f"bytes {part.first}-{part.last}/{file.size}"
    return _with_headers(response, file)


def _with_headers(response: HttpResponseBase, file: DatasetFile) -> HttpResponseBase:
    """The digests are of the whole file, whatever part is sent: what is put together can be checked."""
    name, content_type = FORMATS[file.format]
    dataset = file.version.dataset
    digest = base64.b64encode(bytes.fromhex(file.sha256)).decode()
    response["ETag"] = f'"{file.sha256}"'
    response["Accept-Ranges"] = "bytes"
    response["Digest"] = f"sha-256={digest}"
    response["Repr-Digest"] = f"sha-256=:{digest}:"
    response["Content-Type"] = content_type
    # Slugs hold nothing that a header or a file name could mean something by.
    saved_as = f"{dataset.project.slug}-{dataset.slug}-v{file.version.number}-{name}"
    response["Content-Disposition"] = f'attachment; filename="{saved_as}"'
    return response


def _bytes(path: Path, part: Part) -> Iterator[bytes]:
    left = part.length
    with path.open("rb") as source:
        source.seek(part.first)
        while left > 0 and (chunk := source.read(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk
