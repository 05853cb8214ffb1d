from io import BytesIO
from unittest.mock import patch

from django.test import override_settings

from blog_project.tests.test_settings import KEY, settings_with
from testing.cast import PASSWORD, CastTestCase
from users.views.register import ACCOUNT_CREATED


class Headers(CastTestCase):
    def pages(self):
        """Yield the answers of pages of all kinds: read, guarded, missing, refused, the admin's."""
        self.client.force_login(self.carol)
        for url in ["/", "/account/", "/nope/", "/logout/", "/admin/", "/admin/users/user/add/"]:
            yield url, self.client.get(url)
        yield "POST /", self.client.post("/")
        yield "host", self.client.get("/", headers={"host": "evil.example"})

    def test_pages_load_nothing_from_elsewhere_and_nothing_inline(self):
        for url, response in self.pages():
            with self.subTest(url):
                policy = response["Content-Security-Policy"]
                for directive in [
                    "default-src 'none'",
                    "script-src 'self'",
                    "style-src 'self'",
                    "connect-src 'self'",
                    "object-src 'none'",
                    "base-uri 'none'",
                    "form-action 'self'",
                    "frame-ancestors 'none'",
                ]:
                    self.assertIn(directive, policy)
                self.assertNotIn("unsafe", policy)

    def test_script_makes_no_html_outside_of_the_admin(self):
        for url, response in self.pages():
            with self.subTest(url):
                policy = response["Content-Security-Policy"]
                in_admin = url.startswith("/admin/")
                for directive in ["require-trusted-types-for 'script'", "trusted-types 'none'"]:
                    self.assertIs(directive in policy, not in_admin)

    def test_what_the_developer_sees_of_errors_keeps_its_style(self):
        with self.settings(DEBUG=True):
            page = self.client.get("/nope/")
            self.assertContains(page, "<style", status_code=404)
            self.assertNotIn("Content-Security-Policy", page)
            self.assertIn("Content-Security-Policy", self.client.get("/"))

    def test_a_picture_keeps_its_own_policy(self):
        with patch("users.views.account.default_storage.open", return_value=BytesIO(b"x")):
            policy = self.client.get(f"/media/pictures/{'0' * 32}.jpg")["Content-Security-Policy"]
        self.assertEqual(policy, "default-src 'none'; sandbox")

    def test_browsers_guess_leak_and_share_nothing(self):
        for url, response in self.pages():
            with self.subTest(url):
                self.assertEqual(response["X-Content-Type-Options"], "nosniff")
                self.assertEqual(response["Referrer-Policy"], "same-origin")
                self.assertEqual(response["Cross-Origin-Opener-Policy"], "same-origin")
                self.assertEqual(response["Cross-Origin-Resource-Policy"], "same-origin")
                self.assertIn("camera=()", response["Permissions-Policy"])

    def test_script_reads_no_cookie_and_other_sites_send_none(self):
        self.client.get("/login/")
        self.log_in()
        for name in ["sessionid", "csrftoken"]:
            with self.subTest(name):
                self.assertTrue(self.client.cookies[name]["httponly"])
                self.assertEqual(self.client.cookies[name]["samesite"], "Lax")


@override_settings(
    SECURE_SSL_REDIRECT=True,
    SECURE_HSTS_SECONDS=settings_with(SECRET_KEY=KEY)["SECURE_HSTS_SECONDS"],
)
class OverHttps(CastTestCase):
    def sign_up(self):
        names = {"username": "Dave", "email": "dave@example.com"}
        passwords = {"password1": PASSWORD, "password2": PASSWORD}
        return self.client.post(
            "/register/", names | passwords, secure=True, headers={"referer": "https://testserver/"}
        )

    @override_settings(SESSION_COOKIE_SECURE=True)
    def test_messages_are_in_a_cookie_of_this_host_alone(self):
        kept = self.sign_up().cookies
        self.assertNotIn("messages", kept)
        response = self.client.get("/login/", secure=True)
        self.assertContains(response, ACCOUNT_CREATED)
        for cookie in [kept["__Host-messages"], response.cookies["__Host-messages"]]:
            self.assertTrue(cookie["secure"])
            self.assertEqual((cookie["path"], cookie["domain"]), ("/", ""))
        self.assertTrue(kept["__Host-messages"]["httponly"])
        self.assertEqual(response.cookies["__Host-messages"]["max-age"], 0)
        self.assertNotIn("_messages", self.client.session)

    @override_settings(SESSION_COOKIE_SECURE=True)
    def test_no_subdomain_puts_a_message_on_a_page(self):
        self.sign_up()
        self.client.cookies["messages"] = self.client.cookies.pop("__Host-messages").value
        response = self.client.get("/login/", secure=True)
        self.assertNotContains(response, ACCOUNT_CREATED)

    def test_browsers_come_back_over_https_for_a_year(self):
        response = self.client.get("/", secure=True)
        self.assertEqual(response["Strict-Transport-Security"], "max-age=31536000")

    def test_plain_http_leads_there(self):
        response = self.client.get("/login/?next=/account/")
        self.assertEqual(response["Location"], "https://testserver/login/?next=/account/")
