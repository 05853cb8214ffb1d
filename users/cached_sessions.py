"""Sessions in the database, looked up in Redis first."""

from django.contrib.sessions.backends import cached_db

from users.sessions import MemberSession


class SessionStore(MemberSession, cached_db.SessionStore):
    """Django's cached store, in which Redis knows what a session holds, not whether it is over."""
