"""Where sessions are kept, and what is remembered of each for its owner to see."""

from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.utils import timezone

from users.clients import client
from users.models import Session

VISIT_KEY = "visit"
LAST_SEEN_SECONDS = 60


current = ContextVar("current", default=None)  # the session that was begun last: the request's


class MemberSession:
    """Mixin for Django's stores that keep sessions in the database: rows know member and device."""

    def __init__(self, session_key=None):
        super().__init__(session_key)
        self._row = None
        current.set(self)

    def _get_session_from_db(self):
        self._row = super()._get_session_from_db()
        return self._row

    @property
    def row(self):
        """The row that was read, or None if there is none or the key is another since."""
        return self._row if self._row and self._row.session_key == self.session_key else None

    @classmethod
    def get_model_class(cls):
        return Session

    def create_model_instance(self, data):
        session = super().create_model_instance(data)
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

    def _validate_session_key(self, key):
        # A cookie may spell a NUL byte ("\000"), on which PostgreSQL raises: a forged cookie
        # would be a 500. Keys that Django makes are lower-case letters and digits.
        return super()._validate_session_key(key) and key.isascii() and key.isalnum()


class SessionStore(MemberSession, db.SessionStore):
    """Django's database store, with members."""


def from_timestamp(seconds):
    """Return the UTC datetime of `seconds` since the epoch, or None for None."""
    return seconds if seconds is None else datetime.fromtimestamp(seconds, UTC)


def knows_member(session):
    """Return whether a page looked at `session` and found a member in it."""
    # A page that did not look must not start to depend on the cookie. And one that looked in vain,
    # while the database is away, must not look again: that takes seconds, and fails again.
    return SESSION_KEY in getattr(session, "_session_cache", {})


def keep_private(get_response):
    """Let nobody keep a copy of a page that knows who looks at it (ASVS 14.3.2)."""

    def middleware(request):
        response = get_response(request)
        if knows_member(request.session):
            response["Cache-Control"] = "private, no-store"
        return response

    return middleware


def remember_visit(get_response):
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
