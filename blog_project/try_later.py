"""What cannot be done now, but in a while."""

import math
import sys

from django.db import InterfaceError, OperationalError
from django.shortcuts import render
from django.views import defaults

from blog_project import connections


class TryLater(Exception):
    """
    Raised by whatever cannot be done now but can be in a while, given as a timedelta.

    `status` is the HTTP status of the answer, and names the page that tells.
    """

    status = 503

    def __init__(self, wait):
        super().__init__(f"Try again in {wait}.")
        self.wait = wait


class TryLaterPage:
    """Answers TryLater, whichever view raises it, with a page and the header Retry-After."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if not isinstance(exception, TryLater):
            return None
        seconds = max(1, math.ceil(exception.wait.total_seconds()))
        context = {"minutes": math.ceil(seconds / 60), "hours": round(seconds / 3600)}
        page = render(request, f"{exception.status}.html", context, status=exception.status)
        page["Retry-After"] = seconds
        return page


def server_error(request):
    """
    Answer an exception that no view expected: with 503 while the database is away, else 500.

    On SQLite it is 503 for a table that is missing, too: that is an OperationalError there.
    """
    if not isinstance(sys.exception(), OperationalError | InterfaceError):
        return defaults.server_error(request)
    connections.drop_broken()
    page = defaults.server_error(request, template_name="503_database.html")
    page.status_code = 503
    page["Retry-After"] = 10  # seconds
    return page
