"""Where sessions are kept: Django's own database store, with one check more."""

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    def _validate_session_key(self, key):
        # A cookie may spell a NUL byte ("\000"), on which PostgreSQL raises: a forged cookie
        # would be a 500. Keys that Django makes are lower-case letters and digits.
        return super()._validate_session_key(key) and key.isascii() and key.isalnum()
