"""One's own account."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from reviewapp.access.middleware import PageRequest
from reviewapp.home.forms.tokens import PersonalTokenForm
from reviewapp.home.selectors import personal_tokens


@login_required
@require_safe
def account(request: PageRequest) -> HttpResponse:
    """My own tokens."""
    return account_page(request)


def account_page(
    request: PageRequest, *, form: PersonalTokenForm | None = None, secret: str | None = None
) -> HttpResponse:
    """The page with whatever form was refused (422), or with the token just made."""
    context = {"tokens": personal_tokens(viewer=request.actor), "form": form or PersonalTokenForm(), "secret": secret}
    return render(request, "home/account.html", context, status=422 if form is not None and form.errors else 200)
