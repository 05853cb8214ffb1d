"""Whose session it is."""

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.backends import ModelBackend

from users.sessions import opened


class SessionBackend(ModelBackend):
    """Django's backend, which takes the member from the query that finds the session."""

    def get_user(self, user_id):
        session = opened.get()
        if session is None or session.get(SESSION_KEY) != str(user_id):
            return super().get_user(user_id)  # that session is another's
        user = session.member()
        return user if user and self.user_can_authenticate(user) else None
