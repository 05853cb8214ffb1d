"""One line of JSON for each request: what was asked, by whom, and how it went."""

import json
import logging
import time
from uuid import uuid4

from django.contrib.auth import SESSION_KEY
from django.utils import timezone

from users.sessions import knows_member

logger = logging.getLogger(__name__)


def log_requests(get_response):
    """
    Log each request, but nothing that was typed, and neither cookies nor the address's query.

    The id is in the answer's X-Request-ID, and in front of the traceback if there is one.
    """

    def middleware(request):
        request.id = uuid4().hex
        start = time.monotonic()
        response = get_response(request)
        line = {
            "time": timezone.now().isoformat(),
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "ms": round((time.monotonic() - start) * 1000),
            "user": user_id(request),
            "request": request.id,
        }
        logger.info("%s", json.dumps(line))  # which escapes what could begin another line
        response["X-Request-ID"] = request.id
        return response

    return middleware


def user_id(request):
    """Return the id of the member whom the answer knew, or None: to log reads no session."""
    session = getattr(request, "session", None)  # not there if HTTPS was asked for first
    return session[SESSION_KEY] if session is not None and knows_member(session) else None
