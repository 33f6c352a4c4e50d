"""The witness's door. Source: C2SP tlog-witness, `add-checkpoint`."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from reviewapp.compliance.services.witnessing import MAX_REQUEST, OtherSize, vouch
from reviewapp.compliance.services.witnessing import Request as VouchRequest
from reviewapp.lib.api import query
from reviewapp.lib.bodies import read_body


@extend_schema(
    request={"text/plain": bytes},
    responses={
        (200, "text/plain"): OpenApiResponse(str, "A cosignature/v1 line over the checkpoint."),
        (409, "text/x.tlog.size"): OpenApiResponse(str, "The size that was vouched for last."),
    },
    auth=[],
)
@api_view(["POST"])
@authentication_classes([])
@permission_classes([AllowAny])
def add_checkpoint(request: Request) -> HttpResponse:
    """Vouch for the checkpoint of a log that this installation is a witness of.

    The body is `old <size>`, the lines of a consistency proof, a blank line and the signed checkpoint. 400 for another
    form, 404 for a log that is not witnessed here, 403 for another key, 422 for a checkpoint that does not extend the
    newest one that was vouched for.
    """
    query(request)
    try:
        line = vouch(request=VouchRequest.parse(read_body(request, limit=MAX_REQUEST)))
    except OtherSize as other:
        return HttpResponse(f"{other.size}\n", status=409, content_type="text/x.tlog.size")
    return HttpResponse(line, content_type="text/plain; charset=utf-8")
