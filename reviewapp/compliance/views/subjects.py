"""What do we hold about X: the form of a manager, one's own report, and an admin's about an account."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_safe

from reviewapp.access.middleware import PageRequest
from reviewapp.access.models import User
from reviewapp.access.roles import require_installation_admin
from reviewapp.access.selectors import project_for
from reviewapp.compliance.forms import EndUserForm
from reviewapp.compliance.services.reporting import Report, report_end_user, report_person
from reviewapp.lib.errors import NotFound


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def subject_report(request: PageRequest, project: str) -> HttpResponse:
    """The form; sent, it answers the report as a file. A POST: an address must not name the subject."""
    found = project_for(viewer=request.actor, slug=project, act="subjects.report")
    form = EndUserForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            report = report_end_user(actor=request.actor, project=found, **form.cleaned_data)
        except NotFound as error:
            form.add_error("end_user_id", error.detail)
        else:
            return attachment(report)
    context = {"project": found, "form": form}
    return render(request, "compliance/subject_report.html", context, status=422 if form.errors else 200)


@login_required
@require_safe
def own_report(request: PageRequest) -> HttpResponse:
    """Everything that is held about me."""
    return attachment(report_person(actor=request.actor, user=request.actor.person))


@login_required
@require_safe
def person_report(request: PageRequest, user: UUID) -> HttpResponse:
    """The same about somebody else, for an admin: without texts."""
    require_installation_admin(request.actor)
    return attachment(report_person(actor=request.actor, user=get_object_or_404(User, pk=user)))


def attachment(report: Report) -> HttpResponse:
    """The report as a file with a name that says nothing about the subject."""
    response = JsonResponse(report, encoder=DjangoJSONEncoder, json_dumps_params={"ensure_ascii": False, "indent": 1})
    response["Content-Disposition"] = 'attachment; filename="subject-report.json"'
    return response
