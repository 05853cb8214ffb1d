"""What the site says of itself: its name, whom to write to, and what it keeps."""

import re
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from django.core import mail
from django.test import Client, override_settings

import blog_project.urls  # noqa: F401 - it names the admin once, before a test changes the name
from blog.views import HomeView
from testing.cast import MailTestCase

HOSTILE = "Tom & Jerry's <b>"


class Name(MailTestCase):
    @override_settings(SITE_NAME="Gazette")
    def test_stands_in_pages_feed_and_mails(self):
        pages = {url: self.client.get(url).text for url in ["/", "/login/", "/nope/", "/feed/"]}
        with patch.object(HomeView, "get", side_effect=ValueError), self.assertLogs():
            pages["500"] = Client(raise_request_exception=False).get("/").text
        self.client.post("/password-reset/", {"email": "alice@example.com"})
        pages["mail"] = mail.outbox[0].body
        for name, text in pages.items():
            with self.subTest(name):
                self.assertIn("Gazette", text)
                self.assertNotIn("Django Blog", text)

    @override_settings(SITE_NAME=HOSTILE)
    def test_is_escaped_wherever_it_stands(self):
        for url in ["/", "/login/", "/register/", "/privacy/", "/feed/"]:
            self.assertNotIn("Jerry's <b>", self.client.get(url).text, url)


class Contact(MailTestCase):
    def test_nobody_is_named_where_nobody_is_set(self):
        self.assertContains(self.client.get("/privacy/"), "Ask the people who run this site.")
        self.assertEqual(self.client.get("/.well-known/security.txt").status_code, 404)

    @override_settings(CONTACT_EMAIL="hello@blog.example", SITE_URL="https://blog.example")
    def test_stands_on_the_privacy_page_and_in_security_txt(self):
        ask = 'Write to <a href="mailto:hello@blog.example">hello@blog.example</a>.'
        self.assertContains(self.client.get("/privacy/"), ask)
        response = self.client.get("/.well-known/security.txt")
        self.assertEqual(response["Content-Type"], "text/plain")
        self.assertContains(response, "Contact: mailto:hello@blog.example\n")
        self.assertContains(response, "Canonical: https://blog.example/.well-known/security.txt\n")
        [expires] = re.findall(r"Expires: (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)\n", response.text)
        left = datetime.fromisoformat(expires) - datetime.now(UTC)
        self.assertTrue(timedelta(days=90) < left < timedelta(days=365), left)  # RFC 9116, 2.5.5
