"""What strangers send: a form error or a page of ours, never a 500, never a lost account."""

import html
import re
from hashlib import sha256
from urllib.parse import urlencode

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from testing.cast import PASSWORD, CastTestCase
from users.models import User
from users.sessions import SessionStore

FORMS = {
    "/register/": ["username", "email", "password1", "password2"],
    "/login/": ["username", "password", "remember"],
}
BAD_TEXTS = {
    "10,000 characters": "x" * 10_000,
    "10,000 wide characters": "ﷺ" * 10_000,
    "NUL": "a\x00b",
    "right-to-left": "\u202eabc",
    "zero-width": "a\u200bb\u200d",
    "emoji": "🐎🔋",
    "blanks": "     ",
    "new lines": "a\r\nb",
    "SQL": "' OR 1=1 --",
    "HTML": "<script>alert(1)</script>",
    "template": "{{ user.password }}{% debug %}",
    "two @": "a@b@example.com",
    "quoted local part": '"a b"@example.com',
    "no dot": "a@localhost",
}
FORM_TYPE = "application/x-www-form-urlencoded"


class BadInput(CastTestCase):
    def assertHarmless(self, response):
        self.assertIn(response.status_code, [200, 302, 400, 403, 405])
        self.assertLoggedOut()
        self.assertEqual(User.objects.count(), 3)

    def test_bad_text_in_one_field(self):
        valid = {"email": "dave@example.com", "password1": "short", "password2": "short"}
        for url, fields in FORMS.items():
            for field in fields:
                for reason, text in BAD_TEXTS.items():
                    with self.subTest(url=url, field=field, reason=reason):
                        self.assertHarmless(self.client.post(url, {**valid, field: text}))

    def test_bad_text_is_shown_escaped(self):
        response = self.client.post("/register/", {"username": "<script>alert(1)</script>"})
        self.assertNotContains(response, "<script>alert(1)")
        self.assertContains(response, "&lt;script&gt;alert(1)")

    def test_bytes_that_are_not_utf_8(self):
        for url, fields in FORMS.items():
            for value in ["%ff%fe", "%ed%a0%80", "%c0%80", "%"]:
                with self.subTest(url=url, value=value):
                    body = "&".join(f"{field}={value}" for field in fields)
                    self.assertHarmless(self.client.post(url, body, content_type=FORM_TYPE))

    def test_body_that_is_no_form(self):
        for content_type in [
            "application/json",
            "multipart/form-data",
            "multipart/form-data; boundary=\xff",
            f"{FORM_TYPE}; charset=no-such",
            f"{FORM_TYPE}; charset=utf-16",
            "",
        ]:
            for url in FORMS:
                with self.subTest(url=url, content_type=content_type):
                    response = self.client.generic("POST", url, b"\xff{", content_type)
                    self.assertHarmless(response)

    def test_form_larger_than_any_is_refused_before_it_is_read(self):
        for size, status in [(199_900, 200), (200_001, 400)]:
            for url, fields in FORMS.items():
                data = {fields[0]: "x" * (size - len(fields[0]) - 1)}
                body = urlencode(data)
                response = self.client.post(url, body, content_type=FORM_TYPE)
                self.assertEqual(response.status_code, status)

    def test_too_many_fields(self):
        response = self.client.post("/login/", {f"field{n}": "" for n in range(1_001)})
        self.assertContains(response, "Bad request", status_code=400)

    def test_unknown_methods(self):
        for url in ["/", "/about/", "/account/", "/logout/", *FORMS]:
            for method in ["PUT", "DELETE", "PATCH", "TRACE", "BREW"]:
                with self.subTest(url=url, method=method):
                    self.assertHarmless(self.client.generic(method, url))


class Csrf(CastTestCase):
    def setUp(self):
        self.client = Client(enforce_csrf_checks=True)

    def token(self):
        return self.client.get("/login/").context["csrf_token"]

    def test_missing_or_wrong_token_is_a_page_that_leads_on(self):
        self.token()
        for data in [{}, {"csrfmiddlewaretoken": "wrong"}, {"csrfmiddlewaretoken": "x" * 64}]:
            for url in ["/login/", "/register/", "/logout/"]:
                with self.subTest(url=url, data=data):
                    response = self.client.post(url, data)
                    self.assertContains(response, "Please try again", status_code=403)
                    self.assertContains(response, f'href="{url}"', status_code=403)

    def assertLeadsTo(self, url, response):
        """Assert that `response` says what happened, and that its way on ends at `url`."""
        self.assertContains(response, "Please try again", status_code=403)
        main = response.text.partition("<main")[2].partition("</main>")[0]
        link = html.unescape(re.search(r'href="([^"]+)"', main)[1])
        page = self.client.get(link, follow=True)
        self.assertEqual(page.status_code, 200)
        self.assertEqual(page.request["PATH_INFO"], url)

    def test_first_tab_after_a_login_in_the_second(self):
        credentials = {"username": "bob@example.com", "password": PASSWORD}
        first, second = self.token(), self.token()
        self.log_in(csrfmiddlewaretoken=second)
        for url, goal in [
            ("/login/", "/"),
            ("/login/?next=/account/email/%3Fx%3D1%26y", "/account/email/"),
            ("/login/?next=/login/", "/"),
            ("/login/?next=//evil.example/", "/"),
            ("/register/", "/"),
        ]:
            with self.subTest(url):
                response = self.client.post(url, {**credentials, "csrfmiddlewaretoken": first})
                self.assertContains(response, "logged in as Alice already", status_code=403)
                self.assertLeadsTo(goal, response)
        self.assertLoggedInAs(self.alice)

    def test_form_in_a_page_leads_back_to_the_page(self):
        self.client.force_login(self.alice)
        for url, page, goal in [
            ("/account/", "http://testserver/account/", "/account/"),
            (
                "/account/sessions/x/end/",
                "http://testserver/account/sessions/",
                "/account/sessions/",
            ),
            ("/logout/", "http://testserver/about/", "/about/"),
            ("/account/data/", "http://evil.example/account/", "/account/data/"),
            ("/account/data/", "", "/account/data/"),
        ]:
            with self.subTest(url):
                response = self.client.post(url, headers={"Referer": page})
                self.assertNotContains(response, "evil", status_code=403)
                self.assertLeadsTo(goal, response)

    def test_member_who_logged_out_in_another_tab_is_asked_to_log_in(self):
        response = self.client.post("/account/data/")
        self.assertLeadsTo("/login/", response)

    def test_nothing_changes_by_get(self):
        self.client.force_login(self.alice)
        for url in ["/logout/", "/register/?username=Dave", "/login/?username=x&password=y"]:
            self.client.get(url)
        self.assertLoggedInAs(self.alice)
        self.assertEqual(User.objects.count(), 3)


class ForgedSession(CastTestCase):
    def test_only_the_digest_of_a_key_reaches_the_database(self):
        for key in ["abcdefgh1", "abcdefgh\0", "x" * 5_000, "é" * 8]:
            session = SessionStore(key)
            with self.subTest(key[:9]), CaptureQueriesContext(connection) as queries:
                self.assertEqual(session.load(), {})
                self.assertIn(sha256(key.encode()).hexdigest(), queries[0]["sql"])
                self.assertNotIn(key, queries[0]["sql"])
                self.assertIsNone(session.session_key)

    def test_unknown_or_broken_session_cookie_is_a_stranger(self):
        for cookie in ["x" * 32, "", "short", "../../etc/passwd", '"\\000\\000\\000nul in here"']:
            with self.subTest(cookie):
                self.client.cookies.load({"sessionid": ""})
                self.client.cookies["sessionid"].set("sessionid", cookie, cookie)
                self.assertRedirects(self.client.get("/account/"), "/login/?next=/account/")

    def test_session_whose_data_was_changed_is_a_stranger(self):
        self.client.force_login(self.alice)
        session = self.client.session
        row = session.model.objects.get(pk=session.digest)
        row.session_data = row.session_data[:-3] + "abc"
        row.save()
        self.assertRedirects(self.client.get("/account/"), "/login/?next=/account/")
