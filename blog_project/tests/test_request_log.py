import json
import logging
from io import BytesIO
from unittest.mock import patch

from django.test import Client, override_settings

from blog.views import HomeView
from testing.cast import PASSWORD, CastTestCase
from users.logs import HideTokens


class RequestLog(CastTestCase):
    def line(self, ask, *args, **kwargs):
        """Return what one request adds to the log, as it is read there, and its answer."""
        with self.assertLogs("blog_project.middleware", "INFO") as logs:
            response = ask(*args, **kwargs)
        [record] = logs.records
        return json.loads(HideTokens().format(record)), response

    def test_one_line_of_json_a_request(self):
        line, response = self.line(self.client.get, "/about/?secret=1")
        self.assertEqual(set(line), {"time", "method", "path", "status", "ms", "user", "request"})
        self.assertEqual((line["method"], line["path"], line["status"]), ("GET", "/about/", 200))
        self.assertIsInstance(line["ms"], int)
        self.assertIsNone(line["user"])
        self.assertEqual(line["request"], response["X-Request-ID"])
        again, _ = self.line(self.client.get, "/about/")
        self.assertNotEqual(again["request"], line["request"])

    def test_member_is_named_by_id_alone(self):
        line, _ = self.line(self.log_in)
        self.assertEqual(line["user"], str(self.alice.pk))
        line, _ = self.line(self.client.get, "/account/")
        self.assertEqual(line["user"], str(self.alice.pk))
        for secret in ["alice", PASSWORD, self.client.cookies["sessionid"].value]:
            self.assertNotIn(secret, json.dumps(line).lower())

    def test_no_session_is_read_to_log(self):
        self.client.force_login(self.alice)
        # A picture asks for no member. Of a page, middleware does.
        stored = patch("users.views.account.default_storage.open", return_value=BytesIO(b""))
        with stored, self.assertNumQueries(0):
            line, _ = self.line(self.client.get, f"/media/pictures/{'0' * 32}.jpg")
        self.assertIsNone(line["user"])

    def test_answers_that_no_view_gives(self):
        line, _ = self.line(self.client.get, "/no%0Asuch/")
        self.assertEqual((line["path"], line["status"]), ("/no\nsuch/", 404))
        with override_settings(SECURE_SSL_REDIRECT=True):
            line, _ = self.line(Client().get, "/")
        self.assertEqual(line["status"], 301)

    def test_tokens_of_links_are_left_out(self):
        line, _ = self.line(self.client.get, "/account/email/confirm/abc:def/")
        self.assertEqual(line["path"], "/account/email/confirm/…/")

    def test_traceback_names_its_request(self):
        client = Client(raise_request_exception=False)
        with (
            patch.object(HomeView, "get", side_effect=ValueError("Oops")),
            self.assertLogs("django.request", logging.ERROR) as logs,
        ):
            response = client.get("/")
        text = HideTokens().format(logs.records[0])
        self.assertTrue(text.startswith(f"[{response['X-Request-ID']}] Internal Server Error: /"))
        self.assertIn("Oops", text)

    def test_what_strangers_bring_about_is_one_line_without_a_traceback(self):
        many = {str(number): "" for number in range(1001)}
        for kind, ask in {
            "DisallowedHost": lambda: self.client.get("/", headers={"host": "evil.example"}),
            "TooManyFieldsSent": lambda: Client(enforce_csrf_checks=True).post(
                "/login/", many, headers={"cookie": f"csrftoken={'x' * 32}"}
            ),
        }.items():
            with self.subTest(kind), self.assertLogs(f"django.security.{kind}") as logs:
                response = ask()
                self.assertEqual(response.status_code, 400)
                [record] = logs.records
                record.exc_text = None  # assertLogs keeps what it made of it
                text = HideTokens().format(record)
                self.assertTrue(text.startswith(f"[{response['X-Request-ID']}] "))
                self.assertEqual(text.count("\n"), 0, text)
