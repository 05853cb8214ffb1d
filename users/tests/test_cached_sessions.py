from unittest.mock import patch

from django.core.cache import cache
from django.test import Client, override_settings

from blog_project.tests.cast import CastTestCase
from blog_project.tests.test_health import OWN, UNREACHABLE
from users.models import Session


@override_settings(SESSION_ENGINE="users.cached_sessions", CACHES={"default": OWN})
class CachedSessions(CastTestCase):
    """With a cache of the tests' own in place of Redis, which every process would share."""

    def setUp(self):
        cache.clear()
        self.addCleanup(cache.clear)
        self.log_in()
        self.client.get("/")

    def assertOut(self, client):
        self.assertRedirects(client.get("/account/"), "/login/?next=/account/")

    def test_rows_know_their_member_as_without_a_cache(self):
        self.assertEqual(self.alice.sessions.get().ip, "127.0.0.1")

    def test_one_query_finds_member_and_whether_the_session_is_over(self):
        with (
            patch("users.cached_sessions.SessionStore.decode") as decode,
            self.assertNumQueries(2),  # the other one is for the posts
        ):
            self.client.get("/")
        decode.assert_not_called()

    def test_session_that_was_ended_elsewhere_is_over_whatever_the_cache_says(self):
        kept = dict(cache._cache)
        self.alice.end_sessions()
        self.assertEqual(cache._cache.keys(), kept.keys())
        self.assertOut(self.client)
        self.assertFalse(Session.objects.exists())

    def test_logout_while_the_cache_was_away_holds_when_it_is_back(self):
        browser = Client()
        browser.cookies = self.client.cookies.copy()
        with override_settings(CACHES={"default": UNREACHABLE}):
            self.client.post("/logout/")
        self.assertOut(browser)
        self.assertFalse(Session.objects.exists())

    def test_expired_session_is_over(self):
        Session.objects.update(expire_date="2000-01-01T00:00Z")
        self.assertOut(self.client)

    def test_without_the_cache_everything_goes_on(self):
        with override_settings(CACHES={"default": UNREACHABLE}):
            self.assertContains(self.client.get("/"), "Logout")
            other = Client()
            other.post("/login/", {"username": "bob@example.com", "password": "wrong"})
            self.client.post("/logout/")
            self.assertOut(self.client)
            self.log_in()
            self.assertContains(self.client.get("/"), "Logout")
        self.assertContains(self.client.get("/"), "Logout")
