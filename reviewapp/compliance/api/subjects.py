"""What do we hold about X, for programs of a signed-in manager: no token's scope opens this."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BaseModel
from rest_framework.decorators import api_view
from rest_framework.request import Request

from reviewapp.access.authentication import api_actor
from reviewapp.access.selectors import project_known
from reviewapp.compliance.services.reporting import report_end_user
from reviewapp.compliance.views.subjects import attachment
from reviewapp.lib.api import query
from reviewapp.lib.errors import Malformed


class SubjectReportOut(BaseModel):
    """Every row found, by kind. `tables` holds the rows, `counts` how many."""

    subject: dict[str, str]
    at: str
    counts: dict[str, int]
    tables: dict[str, list[dict[str, Any]]]


@extend_schema(parameters=[OpenApiParameter("end_user_id", str, required=True)], responses=SubjectReportOut)
@api_view(["GET"])
def report(request: Request, project: str) -> HttpResponse:
    """Everything held about one end user, as a file; 404 when there is nothing. The asking is recorded."""
    actor = api_actor(request)
    found = project_known(viewer=actor, slug=project)
    name = query(request, "end_user_id").get("end_user_id")
    if not name:
        raise Malformed("Name the end user: ?end_user_id=…")
    return attachment(report_end_user(actor=actor, project=found, end_user_id=name))
