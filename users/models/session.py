"""Where you are logged in."""

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models
from django.utils.crypto import salted_hmac

from .client import ClientModel


class SessionManager(BaseSessionManager):
    """Reads the member along, in the one query that every page of a member makes."""

    def get_queryset(self):
        return super().get_queryset().select_related("user")


class Session(AbstractBaseSession, ClientModel):
    """
    A session that knows its member and device: Django's documented extension of its own model.

    `users.sessions` fills the columns from the session's data, at no query of their own.
    """

    # Without a constraint: a login that is under way when the member is deleted must not fail on
    # its session, nor keep the member from being deleted. Such a row is a stranger's.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        db_constraint=False,
        null=True,
        related_name="sessions",
    )
    since = models.DateTimeField(null=True)
    last_seen = models.DateTimeField(null=True)

    objects = SessionManager()

    def __str__(self):
        return self.public_id  # not the key, as Django has it: the admin shows it to staff

    @classmethod
    def get_session_store_class(cls):
        from users.sessions import SessionStore

        return SessionStore

    @property
    def public_id(self):
        """What pages call this session: whoever knew the key could use the session."""
        return salted_hmac("users.session", self.session_key, algorithm="sha256").hexdigest()[:20]
