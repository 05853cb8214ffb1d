"""What must not be in a log."""

import logging
import re

TOKEN = re.compile(r"(/password-reset/[^/\s]+/|/account/email/confirm/)[^/\s]+")


class HideTokens(logging.Filter):
    """Takes the tokens of links out of the addresses that a record names."""

    def filter(self, record):
        record.msg, record.args = TOKEN.sub(r"\1…", record.getMessage()), ()
        return True
