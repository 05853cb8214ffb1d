"""Middleware of the whole site, in the order of MIDDLEWARE."""

import json
import logging
import math
import time
from uuid import uuid4

from csp.utils import build_policy
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpResponseNotAllowed
from django.shortcuts import render
from django.utils import timezone

from blog_project.errors import RetryLater
from blog_project.links import cached_reverse

logger = logging.getLogger(__name__)


def knows_member(session):
    """Return whether a page looked at `session` and found a member in it."""
    # A page that did not look must not start to depend on the cookie. And one that looked in vain,
    # while the database is away, must not look again: that takes seconds, and fails again.
    return SESSION_KEY in getattr(session, "_session_cache", {})


def log_requests(get_response):
    """
    Log each request as a line of JSON: no form data, no cookies, no query string.

    The id is in the answer's X-Request-ID, and in front of the traceback if there is one.
    """

    def middleware(request):
        request.id = uuid4().hex
        start = time.monotonic()
        response = get_response(request)
        session = getattr(request, "session", None)  # none if the answer came before it is read
        line = {
            "time": timezone.now().isoformat(),
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "ms": round((time.monotonic() - start) * 1000),
            "user": session[SESSION_KEY] if knows_member(session) else None,
            "request": request.id,
        }
        logger.info("%s", json.dumps(line))  # which escapes what could begin another line
        response["X-Request-ID"] = request.id
        return response

    return middleware


def set_headers(get_response):
    """
    Forbid every page, and whatever it might embed, the visitor's devices and sensors.

    Let no other site embed what this one serves (ASVS 3.5.8), and let nobody keep a copy of a page
    that knows who looks at it (ASVS 14.3.2).
    """

    def middleware(request):
        response = get_response(request)
        response["Permissions-Policy"] = (
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        )
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        if knows_member(getattr(request, "session", None)):
            response["Cache-Control"] = "private, no-store"
        return response

    return middleware


def set_policy(get_response):
    """
    Set the Content-Security-Policy, unless a view has one of its own.

    The admin, and it alone, gets the one that its own script needs.
    """
    # Built once. django-csp's own middleware does it for each response.
    policy = build_policy()
    of_admin = build_policy(replace=settings.ADMIN_CONTENT_SECURITY_POLICY)

    def middleware(request):
        response = get_response(request)
        in_admin = request.path.startswith(cached_reverse("admin:index"))
        # The developer's yellow pages have style and script within.
        if not (settings.DEBUG and response.status_code in {404, 500}):
            response.headers.setdefault("Content-Security-Policy", of_admin if in_admin else policy)
        return response

    return middleware


class ErrorPages:
    """Renders the pages for which Django has no handler: 405, and what RetryLater asks for."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed):
            page = render(request, "405.html", status=405)
            page["Allow"] = response["Allow"]
            return page
        return response

    def process_exception(self, request, exception):
        if not isinstance(exception, RetryLater):
            return None
        seconds = max(1, math.ceil(exception.wait.total_seconds()))
        context = {"minutes": math.ceil(seconds / 60), "hours": round(seconds / 3600)}
        page = render(request, f"{exception.status}.html", context, status=exception.status)
        page["Retry-After"] = seconds
        return page
