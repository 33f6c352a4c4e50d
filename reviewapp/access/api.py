"""Projects, the schema and its page."""

from __future__ import annotations

from typing import Annotated, Any

from csp.decorators import csp_replace
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from pydantic import Field
from rest_framework.decorators import api_view
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.access.authentication import api_actor
from reviewapp.access.idempotency import idempotent
from reviewapp.access.models import Project
from reviewapp.access.selectors import visible_projects
from reviewapp.access.services import create_project
from reviewapp.lib.api import Page, Strict, paginated, query, read_model

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,79}$")]


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # registers itself when it is read
    """How the document describes a bearer token."""

    target_class = "reviewapp.access.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """OpenAPI's words for it."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "rva_…"}


class ProjectIn(Strict):
    """A project to make."""

    slug: Slug
    title: Annotated[str, Field(min_length=1, max_length=200)]


def shown(project: Project) -> dict[str, Any]:
    """API.md's Project."""
    return {"slug": project.slug, "title": project.title}


@extend_schema(request=ProjectIn, responses={200: ProjectIn, 201: ProjectIn})
@api_view(["GET", "POST"])
@idempotent
def projects(request: Request) -> Response:
    """The caller's projects; make one (installation admin)."""
    actor = api_actor(request)
    if request.method == "POST":
        query(request)
        body = read_model(request, ProjectIn)
        return Response(shown(create_project(actor=actor, slug=body.slug, title=body.title)), status=201)
    page = Page.of(query(request, "limit", "cursor"))
    return paginated(request, visible_projects(actor), page=page, show=shown)


class Schema(SpectacularAPIView):
    """The OpenAPI document, in JSON, which is YAML too: any reader of it takes this."""

    permission_classes = [AllowAny]
    authentication_classes = []
    renderer_classes = [OpenApiJsonRenderer]

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The whole document; it takes no parameters."""
        query(request)
        answer: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call] # drf-spectacular has no types
        return answer


schema = Schema.as_view()
# Swagger's own page needs inline styles; the exception is this page's alone, and it shows nobody's data.
docs = csp_replace({"style-src": ["'self'", "'unsafe-inline'"]})(
    SpectacularSwaggerSplitView.as_view(
        permission_classes=[AllowAny], authentication_classes=[], url_name="access-api:schema"
    )
)
