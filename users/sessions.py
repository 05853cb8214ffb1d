"""Where sessions are kept, and what is remembered of each for its owner to see."""

import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends import db
from django.dispatch import receiver
from django.utils import timezone

from blog_project.clients import client
from blog_project.middleware import knows_member
from users.models import Session, User

PROOF_KEY = "proof"
VISIT_KEY = "visit"
LAST_SEEN_SECONDS = 60


def digest(session_key):
    """Return the SHA-256 of the key in a cookie, in hexadecimal: what the row is named by."""
    return sha256(session_key.encode()).hexdigest()


class SessionStore(db.SessionStore):
    """
    Django's database store, whose rows are named by a digest and know member and device.

    The key is in the cookie alone: nobody can use what the table, a backup or a page shows.
    """

    @classmethod
    def get_model_class(cls):
        return Session

    @property
    def digest(self):
        return digest(self.session_key) if self.session_key else None

    def _get_session_from_db(self):
        live = Session.objects.filter(expire_date__gt=timezone.now())
        session = live.filter(pk=self.digest).first()
        if session is None:
            self._session_key = None  # as Django does: nobody chooses the key of a session
        return session

    def exists(self, session_key):
        return super().exists(digest(session_key))

    def delete(self, session_key=None):
        if key := session_key or self.session_key:
            super().delete(digest(key))

    def save(self, must_create=False):
        super().save(must_create)
        visit = self.get(VISIT_KEY)
        if visit and visit["since"] == visit["last_seen"]:  # the member has just logged in
            # After the commit: of many logins at once, the last one sees all.
            User(pk=self[SESSION_KEY]).end_oldest_sessions()

    def create_model_instance(self, data):
        session = super().create_model_instance(data)
        session.session_key = digest(session.session_key)
        session.user_id = data.get(SESSION_KEY)
        visit = data.get(VISIT_KEY, {})
        session.ip = visit.get("ip")
        session.user_agent = visit.get("user_agent", "")
        session.since = from_timestamp(visit.get("since"))
        session.last_seen = from_timestamp(visit.get("last_seen"))
        if session.since:
            # However often the member comes back (ASVS 7.3.2).
            lifetime = timedelta(days=settings.SESSION_LIFETIME_DAYS)
            session.expire_date = min(session.expire_date, session.since + lifetime)
        return session

    # Django has each of them once more, with queries of its own that know no digest.
    _aget_session_from_db = sync_to_async(_get_session_from_db)
    aexists = sync_to_async(exists)
    adelete = sync_to_async(delete)
    acreate_model_instance = sync_to_async(create_model_instance)


@receiver(user_logged_in)
def prove(request, **kwargs):
    """Note in the session that its member has just given the password or a second factor."""
    request.session[PROOF_KEY] = int(time.time())


def is_proved(request, seconds):
    """Return whether the member has given the password or a factor in the last `seconds`."""
    return time.time() - request.session.get(PROOF_KEY, 0) < seconds


def from_timestamp(seconds):
    """Return the UTC datetime of `seconds` since the epoch, or None for None."""
    return seconds if seconds is None else datetime.fromtimestamp(seconds, UTC)


def track_activity(get_response):
    """
    Note in a member's session where and when it was last seen, at most once a minute.

    It is kept in the session's data, which every page of a member loads anyway: no query more.
    """

    def middleware(request):
        response = get_response(request)
        session = request.session
        if knows_member(session):
            visit = session.get(VISIT_KEY, {})
            now = int(timezone.now().timestamp())
            if now - visit.get("last_seen", 0) >= LAST_SEEN_SECONDS:
                session[VISIT_KEY] = {
                    "since": visit.get("since", now),
                    "last_seen": now,
                    **client(request),
                }
        return response

    return middleware
