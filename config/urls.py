"""The root of the site map; the map itself is `reviewapp/urls.py`."""

from django.urls import include, path

urlpatterns = [path("", include("reviewapp.urls"))]
handler400 = "reviewapp.access.problems.bad_request"
handler403 = "reviewapp.access.problems.forbidden"
handler404 = "reviewapp.access.problems.not_found"
handler429 = "reviewapp.access.problems.too_many_requests"  # allauth's
handler500 = "reviewapp.access.problems.server_error"
