"""Whose session it is."""

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.backends import ModelBackend

from users.sessions import current


class SessionBackend(ModelBackend):
    """Django's backend, which takes the member from the query that finds the session."""

    def get_user(self, user_id):
        session = current.get()
        if not session or not session.row or session.get(SESSION_KEY) != str(user_id):
            return super().get_user(user_id)  # that session is another's, or new
        user = session.row.user
        # The row decides whose session it is, whatever a cache says that is in it.
        return user if user and user.pk == user_id and self.user_can_authenticate(user) else None
