"""Is the site alive, and is it ready for visitors? For load balancers and monitoring."""

import logging
from functools import cache

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import JsonResponse

from blog_project.database import check_pool

logger = logging.getLogger(__name__)


class NotReady(Exception):
    """The site cannot serve pages; the message says why, in one line."""


def answer_probes(get_response):
    """
    Answer /healthz, for which this process has to be alive, and /readyz, for which it has to work.

    Before all else: a prober knows neither the site's name nor HTTPS, and is not worth a log line.
    """

    def middleware(request):
        if request.path == "/healthz":
            return status(200)
        if request.path == "/readyz":
            try:
                check_database()
            except NotReady as error:
                logger.warning("Not ready: %s", error)  # strangers ask as well, and are not told
                response = status(503)
                response._has_been_logged = True  # or Django adds a line, as for an error of ours
                return response
            return status(200)
        return get_response(request)

    return middleware


def status(code):
    text = "ok" if code == 200 else "unavailable"
    response = JsonResponse({"status": text}, status=code, headers={"Cache-Control": "no-store"})
    response["Content-Length"] = len(response.content)  # the middleware that does it comes later
    return response


def check_database():
    """Raise NotReady if the database does not answer, or lacks what a migration brings."""
    try:
        check_migrations()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        check_pool()
        first_line = str(error).partition("\n")[0]
        raise NotReady(f"The database does not answer: {first_line}") from error


@cache  # once applied, always applied; and nobody makes the site read all migrations by asking
def check_migrations():
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotReady("There are migrations to apply: python manage.py migrate")
