from datetime import timedelta
from threading import Event, Lock
from unittest.mock import Mock, patch

from django.db import InterfaceError, OperationalError
from django.test import Client, SimpleTestCase

from blog.views import HomeView
from blog_project.errors import RetryLater
from testing.cast import CastTestCase
from users.throttle import Throttled


class ClientErrors(CastTestCase):
    def assertOwnPage(self, response, status, heading):
        self.assertContains(response, f"<h1>{heading}</h1>", status_code=status, html=True)
        self.assertContains(response, "Our Sidebar", status_code=status)

    def test_page_not_found(self):
        for url in ["/nope", "/static/nope.css", "/%ff%00", "/account/nope/", "/" + "x" * 10_000]:
            with self.subTest(url[:20]):
                self.assertOwnPage(self.client.get(url), 404, "Page not found")

    def test_page_not_found_knows_the_member(self):
        self.client.force_login(self.alice)
        self.assertContains(self.client.get("/nope/"), "Logout", status_code=404)

    def test_host_that_is_not_ours(self):
        response = self.client.get("/", headers={"host": "evil.example"})
        self.assertOwnPage(response, 400, "Bad request")

    def test_method_that_a_page_does_not_know(self):
        for method, url, allowed in [
            ("POST", "/", "GET, HEAD, OPTIONS"),
            ("DELETE", "/about/", "GET, HEAD, OPTIONS"),
            ("BREW", "/logout/", "POST, OPTIONS, GET, HEAD"),
        ]:
            with self.subTest(method):
                response = self.client.generic(method, url)
                self.assertOwnPage(response, 405, "Not possible here")
                self.assertEqual(response["Allow"], allowed)

    def test_not_allowed(self):
        self.carol.is_superuser = False
        self.carol.save()
        self.client.force_login(self.carol)
        self.assertOwnPage(self.client.get("/admin/users/user/"), 403, "Not allowed")

    def test_csrf_failure(self):
        response = Client(enforce_csrf_checks=True).post("/login/")
        self.assertOwnPage(response, 403, "Please try again")


class ServerError(SimpleTestCase):
    """A SimpleTestCase may not query: the pages need no database."""

    def home_that_raises(self, error):
        with patch.object(HomeView, "get", side_effect=error), self.assertLogs("django.request"):
            return Client(raise_request_exception=False).get("/")

    def test_page_of_our_own(self):
        response = self.home_that_raises(ValueError("gone away"))
        self.assertContains(response, "Something went wrong", status_code=500)
        self.assertContains(response, "Our Sidebar", status_code=500)
        self.assertNotContains(response, "gone away", status_code=500)
        self.assertNotIn("Retry-After", response)

    def test_a_database_that_is_away_is_worth_another_try(self):
        for error in [OperationalError("gone away"), InterfaceError("gone away")]:
            response = self.home_that_raises(error)
            self.assertContains(response, "Out of order", status_code=503)
            self.assertContains(response, "Our Sidebar", status_code=503)
            self.assertNotContains(response, "gone away", status_code=503)
            self.assertEqual(response["Retry-After"], "10")

    def test_connections_that_a_restart_of_the_database_broke_are_not_handed_out(self):
        checked = Event()
        pool = Mock(closed=False, check=checked.set)
        with (
            patch("blog_project.database.connection", pool=pool),
            patch("blog_project.database.checking", Lock()),  # another test may hold the real one
        ):
            self.home_that_raises(ValueError("gone away"))
            self.assertFalse(checked.is_set())
            self.home_that_raises(OperationalError("gone away"))
            self.assertTrue(checked.wait(60))


class RetryLaterPage(CastTestCase):
    def answer(self, error):
        with patch.object(HomeView, "get", side_effect=error):
            return self.client.get("/")

    def test_says_how_many_minutes_are_left_and_never_none(self):
        for seconds, header, words in [
            (0.2, "1", "in 1 minute,"),
            (60, "60", "in 1 minute,"),
            (60.5, "61", "in 2 minutes,"),
            (24 * 3600, "86400", "in 1440 minutes (24 hours),"),
            (-1, "1", "in 1 minute,"),
        ]:
            with self.subTest(seconds):
                response = self.answer(Throttled(timedelta(seconds=seconds), []))
                self.assertContains(response, words, status_code=429)
                self.assertEqual(response["Retry-After"], header)

    def test_what_is_busy_is_a_503(self):
        response = self.answer(RetryLater(timedelta(seconds=10)))
        self.assertContains(response, "Very busy", status_code=503)
        self.assertEqual(response["Retry-After"], "10")

    def test_other_errors_stay_what_they_are(self):
        with self.assertRaisesMessage(ValueError, "oh"):
            self.answer(ValueError("oh"))
