"""Middleware of the whole site."""

from django.http import HttpResponseNotAllowed
from django.shortcuts import render


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
