"""What cannot be done now, and what went wrong: how the site answers."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.template.loader import render_to_string

from blog_project.database import check_pool
from blog_project.site import site


class RetryLater(Exception):
    """
    Raised by whatever cannot be done now but can be done after `wait`, a timedelta.

    `status` is the HTTP status of the answer, and names its template. ErrorPages in
    blog_project/middleware.py answers it.
    """

    status = 503

    def __init__(self, wait):
        super().__init__(f"Try again in {wait}.")
        self.wait = wait


def handler500(request):
    """
    Answer an exception that no view expected: with 503 while the database is away, else 500.

    On SQLite it is 503 for a table that is missing, too: that is an OperationalError there.
    """
    # Not rendered for the request, which would look up who asks: it gives back what was sent.
    context = {**site(), "request": request}
    if not isinstance(sys.exception(), OperationalError | InterfaceError):
        return HttpResponse(render_to_string("500.html", context), status=500)
    check_pool()
    page = render_to_string("503_database.html", context)
    return HttpResponse(page, status=503, headers={"Retry-After": 10})  # seconds
