"""Every account address, as a stranger, as another member and as staff without permission."""

from unittest.mock import patch

from django.db import DatabaseError
from django.urls import get_resolver

from testing.cast import CastTestCase

PAGES = [
    "/account/",
    "/account/email/",
    "/account/password/",
    "/account/sessions/",
    "/account/data/",
    "/account/data/download/",
]
ACTIONS = [
    *["/account/email/change/send/", "/account/email/change/cancel/"],
    *["/account/sessions/end-others/", "/account/sessions/x/end/"],
]
FOR_ANYBODY_WITH_THE_LINK_OR_THE_PASSWORD = [
    "/account/email/confirm/x/",
    "/account/email/correct/",
    "/account/email/send/",
]


class Access(CastTestCase):
    def test_list_above_is_whole(self):
        routes = get_resolver().url_patterns[1].url_patterns
        account = [route for route in map(str, routes) if "account/" in route]
        tested = PAGES + ACTIONS + FOR_ANYBODY_WITH_THE_LINK_OR_THE_PASSWORD
        self.assertEqual(len(account), len(tested))
        for url in tested:
            self.assertTrue(any(route.resolve(url[1:]) for route in routes), url)

    def test_strangers_are_sent_to_the_login_page(self):
        for url in PAGES + ACTIONS:
            for method in [self.client.get, self.client.post]:
                with self.subTest(url):
                    self.assertRedirects(method(url), f"/login/?next={url}")

    def test_members_and_staff_see_themselves_alone(self):
        self.carol.is_superuser = False
        self.carol.save()
        for member in [self.bob, self.carol]:
            self.client.force_login(member)
            for url in PAGES:
                with self.subTest(url=url, member=member):
                    response = self.client.get(url)
                    self.assertEqual(response.status_code, 200)
                    self.assertNotContains(response, "alice")
                    self.assertNotContains(response, "Alice")

    def test_nobody_keeps_a_copy(self):
        self.client.force_login(self.alice)
        for url in PAGES:
            with self.subTest(url):
                self.assertIn("no-store", self.client.get(url)["Cache-Control"])

    def test_error_reports_hide_what_forms_say(self):
        response = self.client.post("/register/")
        hidden = response.wsgi_request.sensitive_post_parameters
        self.assertEqual(set(hidden), {"password1", "password2"})
        for member in [None, self.alice]:  # also before somebody looks who asks
            if member:
                self.client.force_login(member)
            for url in PAGES:
                with self.subTest(url, member=member):
                    request = self.client.post(url).wsgi_request
                    self.assertEqual(request.sensitive_post_parameters, "__ALL__")

    def test_menu_marks_the_page(self):
        self.client.force_login(self.alice)
        for url in PAGES[:-1]:
            with self.subTest(url):
                response = self.client.get(url)
                self.assertContains(response, f'aria-current="page" href="{url}"', count=1)

    def test_errors_of_the_database_are_not_mistaken_for_a_deleted_account(self):
        self.client.force_login(self.alice)
        with (
            patch("users.views.data.export", side_effect=DatabaseError("full")),
            self.assertRaisesMessage(DatabaseError, "full"),
        ):
            self.client.get("/account/data/download/")

    def test_queries_a_page(self):
        self.client.force_login(self.alice)
        self.client.get("/")
        for url, number in [("/account/", 3), ("/account/sessions/", 3), ("/", 3)]:
            with self.subTest(url), self.assertNumQueries(number):
                self.client.get(url)
