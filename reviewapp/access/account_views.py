"""Pages of signing in that allauth does not have."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from reviewapp.access.middleware import PageRequest
from reviewapp.access.reauthentication import is_recent, suspended_post


@login_required
@require_safe
def go_on(request: PageRequest) -> HttpResponse:
    """What was interrupted by "Is it you?", ready to be sent again."""
    waiting = suspended_post(request)
    if waiting is None:
        return redirect("home:home")
    if not is_recent(request):
        return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': request.path})}")
    return render(request, "account/go_on.html", {"waiting": waiting})
