"""What every page has, whoever looks at it."""

import re
from datetime import UTC, datetime

from django.conf import settings
from django.contrib.staticfiles.finders import find
from django.test import override_settings
from PIL import Image

from blog.models import Post
from testing.cast import CastTestCase

TITLES = {
    "/": "Django Blog",
    "/about/": "Django Blog - About",
    "/register/": "Django Blog - Register",
    "/login/": "Django Blog - Login",
    "/account/": "Django Blog - Account",
    "/logout/": "Django Blog - Logout",
    "/post/new/": "Django Blog - New Post",
    "/announcements/": "Django Blog - Announcements",
    "/archive/2026/1/": "Django Blog - January 2026",
    "/nope/": "Django Blog - Page not found",
}
FOR_STRANGERS = {"/register/", "/login/"}
FOR_MEMBERS = {"/account/", "/logout/", "/post/new/"}


@override_settings(SITE_NAME="Django Blog")
class Pages(CastTestCase):
    def pages(self):
        """Yield (address, text) of each page, as somebody sees it who may."""
        for url in TITLES.keys() - FOR_MEMBERS:
            yield url, self.client.get(url).text
        self.client.force_login(self.alice)
        for url in TITLES.keys() - FOR_STRANGERS:
            yield url, self.client.get(url).text

    def test_language_title_and_one_heading(self):
        for url, text in self.pages():
            with self.subTest(url):
                self.assertIn('<html lang="en">', text)
                self.assertIn(f"<title>{TITLES[url]}</title>", text)
                self.assertEqual(text.count("<h1"), 1)

    def test_skip_link_leads_to_the_one_main(self):
        for url, text in self.pages():
            with self.subTest(url):
                self.assertIn('href="#main"', text)
                self.assertEqual(text.count('id="main"'), 1)

    def test_broken_form_for_no_page_is_not_found(self):
        for content_type, body in [("multipart/form-data", b"x"), ("text/plain", b"x")]:
            response = self.client.post("/nope/", body, content_type=content_type)
            self.assertEqual(response.status_code, 404)

    def test_nothing_comes_from_elsewhere_and_nothing_is_inline(self):
        for url, text in self.pages():
            with self.subTest(url):
                linked = re.sub('<link rel="canonical"[^>]*>', "", text)
                self.assertNotRegex(linked, r'(src|href|action)="(https?:)?//')
                self.assertNotRegex(text, r"<style|style=|<script(?! src=)|\son\w+=")

    def test_search_engines_list_what_everybody_may_read_and_nothing_else(self):
        Post.objects.create(
            author=self.alice,
            title="Old",
            content="T",
            date_posted=datetime(2026, 1, 2, tzinfo=UTC),
        )
        listed = set()
        for url, text in self.pages():
            canonical = f'<link rel="canonical" href="{settings.SITE_URL}{url}">'
            self.assertNotEqual(canonical in text, '<meta name="robots" content="noindex">' in text)
            self.assertEqual(canonical in text, '<meta name="description"' in text)
            listed |= {url} if canonical in text else set()
        self.assertEqual(listed, TITLES.keys() - FOR_MEMBERS - {"/nope/"})

    def test_every_form_has_its_csrf_token(self):
        for url, text in self.pages():
            with self.subTest(url):
                self.assertEqual(text.count('method="post"'), text.count("csrfmiddlewaretoken"))

    def test_every_field_has_its_label(self):
        for url, text in self.pages():
            with self.subTest(url):
                for field in re.findall(r"<(?:input|textarea)(?! type=\"hidden\")[^>]*>", text):
                    name = re.search(r'id="(\w+)"', field)[1]
                    self.assertRegex(text, rf'<label\s[^>]*for="{name}"')

    def test_errors_are_tied_to_their_fields(self):
        text = self.client.post("/register/").text
        for name in ["username", "email", "password1", "password2"]:
            field = re.search(rf'<input[^>]*id="id_{name}"[^>]*>', text)[0]
            self.assertIn('aria-invalid="true"', field)
            self.assertIn(f"id_{name}_error", re.search(r'aria-describedby="([^"]*)"', field)[1])
            self.assertEqual(text.count(f'id="id_{name}_error"'), 1)

    def test_dates_are_valid_to_machines_too(self):
        moment = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
        Post.objects.create(author=self.alice, title="Old", content="Text.", date_posted=moment)
        pages = dict(self.pages())
        self.assertIn(
            '<time datetime="2026-01-02T03:04:05+0000">January 2, 2026</time>', pages["/"]
        )
        # HTML's: no more than three digits of a second.
        for url, text in pages.items():
            for time in re.findall("<time[^>]*>", text):
                self.assertRegex(time, r'datetime="[\d-]{10}T[\d:]{8}\+0000"', url)
        self.assertIn("<time ", pages["/account/"])


class Icons(CastTestCase):
    def test_are_named_by_every_page_and_answer(self):
        text = self.client.get("/").text
        for icon in re.findall(
            r'<link rel="(?:icon|apple-touch-icon)" href="/static/([^"]+)"', text
        ):
            self.assertIsNotNone(find(icon), icon)
        self.assertRegex(text, '<meta name="theme-color" content="#[0-9a-f]{6}">')

    def test_browser_that_asks_unbidden_is_sent_to_it(self):
        response = self.client.get("/favicon.ico")
        self.assertRedirects(response, "/static/blog/favicon.ico", fetch_redirect_response=False)
        with Image.open(find("blog/favicon.ico")) as icon:
            self.assertEqual(icon.info["sizes"], {(16, 16), (32, 32), (48, 48)})
        with Image.open(find("blog/apple-touch-icon.png")) as icon:
            self.assertEqual(icon.size, (180, 180))


class Admin(CastTestCase):
    def test_wears_the_look_and_the_name_of_the_site(self):
        self.client.force_login(self.carol)
        for url in ["/admin/", "/admin/users/user/", "/admin/users/user/add/"]:
            text = self.client.get(url).text
            self.assertIn('href="/static/blog/admin.css"', text)
            self.assertIn(f"{settings.SITE_NAME} administration", text)
            self.assertNotRegex(text, r"<style|\sstyle=")
