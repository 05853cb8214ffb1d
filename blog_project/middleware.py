"""Middleware of the whole site."""

import math

from django.http import HttpResponseNotAllowed
from django.shortcuts import render


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
        context = {"minutes": math.ceil(seconds / 60)}
        page = render(request, f"{exception.status}.html", context, status=exception.status)
        page["Retry-After"] = seconds
        return page


def method_not_allowed_page(get_response):
    """
    Give a 405 answer, which Django leaves empty, a page in the site's look.

    Django has handlers for 400, 403, 404 and 500, but none for 405.
    """

    def middleware(request):
        response = get_response(request)
        if isinstance(response, HttpResponseNotAllowed):
            page = render(request, "405.html", status=405)
            page["Allow"] = response["Allow"]
            return page
        return response

    return middleware


def permissions_policy(get_response):
    """Forbid every page, and whatever it might embed, the visitor's devices and sensors."""

    def middleware(request):
        response = get_response(request)
        response["Permissions-Policy"] = (
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        )
        return response

    return middleware
