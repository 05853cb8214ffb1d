"""What must not be in a log."""

import logging
import re

from django.core.exceptions import SuspiciousOperation
from django.utils.log import ServerFormatter

TOKEN = re.compile(r"(/password-reset/[^/\s]+/|/account/(?:email/confirm|recover)/)[^/\s\"\\]+")


class HideTokensMixin:
    """Takes the tokens of links out of all that a record says, its traceback included."""

    def format(self, record):
        return TOKEN.sub(r"\1…", super().format(record))


class HideTokens(HideTokensMixin, logging.Formatter):
    """For every log. Of an error it says in which request it was."""

    def formatMessage(self, record):
        request = getattr(getattr(record, "request", None), "id", None)
        return f"[{request}] {record.message}" if request else record.message

    def formatException(self, exc_info):
        # Any stranger brings these about, with a foreign Host say: what it was is said already.
        if isinstance(exc_info[1], SuspiciousOperation):
            return ""
        return super().formatException(exc_info)


class HideTokensServer(HideTokensMixin, ServerFormatter):
    """For runserver's, which has colours."""
