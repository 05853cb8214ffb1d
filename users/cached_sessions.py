"""Sessions in the database, and in Redis what they hold."""

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import cached_db

from users.sessions import MemberSession


class SessionStore(MemberSession, cached_db.SessionStore):
    """Django's cached store, in which the database says whose a session is, and whether over."""

    def load(self):
        row = self._get_session_from_db()
        if row is None:
            return {}
        data = super().load()
        member = row.user_id and str(row.user_id)
        if isinstance(data, dict) and data.get(SESSION_KEY) == member:
            return data
        # Redis missed a write, or somebody wrote there who is not this site: unlike it, the row is
        # signed.
        return self.decode(row.session_data)
