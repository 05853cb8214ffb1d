from unittest.mock import patch

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.cached_db import KEY_PREFIX
from django.core.cache import cache
from django.test import Client, override_settings

from blog_project.tests.cast import CastTestCase
from blog_project.tests.test_health import OWN, UNREACHABLE
from users.cached_sessions import SessionStore
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

    def test_whoever_writes_to_the_cache_becomes_nobody_else(self):
        bob = Client()
        bob.force_login(self.bob)
        for forged in [dict(bob.session.items()), {}, {SESSION_KEY: None}, ["x"], "x"]:
            with self.subTest(forged), patch("users.sessions.LAST_SEEN_SECONDS", 0):
                cache.set(f"{KEY_PREFIX}{self.client.session.session_key}", forged)
                for _ in range(2):
                    response = self.client.get("/account/")
                    self.assertContains(response, "<h1>Alice</h1>", html=True)

    def test_session_that_is_over_is_nobodys_whatever_else_was_begun(self):
        self.alice.end_sessions()
        session = SessionStore(self.client.session.session_key)
        SessionStore()
        self.assertEqual(dict(session.items()), {})

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
