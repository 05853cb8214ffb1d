"""Where "You have been logged out" and its like wait for the next page."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage


class HostCookieStorage(CookieStorage):
    """A signed cookie, so that a stranger's message needs no session in the database."""

    @property
    def cookie_name(self):
        # As with the other cookies, no subdomain and no page over plain HTTP can set it.
        return "__Host-messages" if settings.SESSION_COOKIE_SECURE else "messages"
