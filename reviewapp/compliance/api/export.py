"""The log as a file."""

from __future__ import annotations

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request

from reviewapp.access.authentication import api_actor
from reviewapp.access.reauthentication import recent_sign_in
from reviewapp.compliance.api.events import PARAMETERS, filters_of
from reviewapp.compliance.formats import FORMATS
from reviewapp.compliance.services import Export, export_events
from reviewapp.lib.api import query, query_choice
from reviewapp.lib.errors import Malformed


@extend_schema(
    parameters=[
        OpenApiParameter("format", enum=list(FORMATS), default="jsonl"),
        OpenApiParameter("csv_raw", enum=["true", "false"], default="false"),
        *(OpenApiParameter(name, str) for name in PARAMETERS),
    ],
    responses={
        (200, "application/x-ndjson"): OpenApiTypes.BINARY,
        (200, "text/csv"): OpenApiTypes.BINARY,
        (200, "application/zip"): OpenApiTypes.BINARY,
    },
)
@api_view(["GET"])
@recent_sign_in
def export(request: Request) -> HttpResponseBase:
    """The events that the caller may take away, oldest first, as an attachment that streams.

    `X-Rows` says how many events the log recorded as taken; events that are not sequenced yet have no `leaf_index`.
    Auditors of the installation take everything, auditors and managers of a project (and its service tokens) that
    project, everybody else what they did themselves (no bundle). One export at a time: 429 with `Retry-After` until
    it ends.
    """
    found = query(request, "format", "csv_raw", *PARAMETERS)
    format = query_choice(found, "format", tuple(FORMATS), "jsonl")
    is_raw = query_choice(found, "csv_raw", ("true", "false"), "false") == "true"
    if is_raw and format != "csv":
        raise Malformed("csv_raw is for format=csv; the other forms are never changed for spreadsheets.")
    return streamed(export_events(actor=api_actor(request), filters=filters_of(found), format=format, is_raw=is_raw))


def streamed(made: Export) -> HttpResponseBase:
    """An export as an answer. Its name holds nothing that a header could mean something by."""
    response = StreamingHttpResponse(made.chunks, content_type=made.content_type)
    response["Content-Disposition"] = f'attachment; filename="{made.name}"'
    response["X-Rows"] = str(made.rows)
    return response
