"""What people see whose form came too late."""

from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from .login import LoginView


def csrf_failure(request, reason=""):
    """
    Say that a form was not accepted, and lead on: CSRF_FAILURE_VIEW.

    It may be forged, but most of the time the visitor has logged in or out in another tab, and
    the token of this one is of before.
    """
    page = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(page, {request.get_host()}, request.is_secure()):
        page = request.get_full_path()
    context = {"page": page}
    for_strangers = [reverse("login"), reverse("register")]
    if request.user.is_authenticated and request.path in for_strangers:
        # There is no form any more to load again; on to where it would have led.
        context["goal"] = LoginView(request=request).get_success_url()
    return render(request, "403_csrf.html", context, status=403)
