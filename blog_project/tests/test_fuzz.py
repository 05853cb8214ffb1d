"""
What nobody thought of: generated text in every form, and in the `next`, cookies and headers of
every address. No answer may be a server error, and none may lead off the site.

`FUZZ_EXAMPLES=5000 pytest blog_project/tests/test_fuzz.py` looks longer, and elsewhere each time.
"""

import os
import re
from urllib.parse import quote, urlencode

from django.contrib.auth.tokens import default_token_generator
from django.test import override_settings, tag
from django.urls import get_resolver, reverse
from django.utils.encoding import force_bytes
from django.utils.http import url_has_allowed_host_and_scheme, urlsafe_base64_encode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from testing.cast import PASSWORD, CastTestCase
from users.models import User

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", 200))
FORM_TYPE = "application/x-www-form-urlencoded"
ADMIN = [
    "/admin/",
    "/admin/login/",
    "/admin/users/user/",
    "/admin/users/user/{}/change/",
    "/admin/users/securityevent/",
    "/admin/blog/post/",
]
PEOPLE = st.sampled_from([None, "Alice", "Carol"])
PICTURES = [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", b"RIFF    WEBPVP8 ", b""]
ADMIN_FORMS = ["/admin/users/user/add/", "/admin/blog/post/add/"]

# What forms get right, and what breaks parsers; the rest is for hypothesis to find.
PIECES = ["alice@example.com", "Alice", PASSWORD, "\0", "\r\n", "\u202e", "ﷺ", "😀", "'", "<", "{{"]
TEXTS = st.text() | st.lists(st.sampled_from(PIECES), max_size=4).map("".join)
VALUES = TEXTS.map(str.encode) | st.binary(max_size=50)
URL_PIECES = [
    *["/", "//", "\\", ":", "@", "?", "#", "%2f", "%5c", "\t", "\n", "\0", " ", "..", ";"],
    *["http:", "https:", "javascript:", "evil.example", "testserver", "account/", "login/"],
]
URLS = st.text() | st.lists(st.sampled_from(URL_PIECES), max_size=6).map("".join)
# WSGI hands over each byte of a header as a character; no server lets a line end through.
HEADER_VALUES = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            *["User-Agent", "Referer", "Host", "Origin", "Accept", "Accept-Encoding"],
            *["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Range"],
            *["Accept-Language", "If-Modified-Since", "If-None-Match", "Authorization"],
        ]
    ),
    HEADER_VALUES,
    max_size=4,
)
COOKIES = st.dictionaries(
    st.sampled_from(["sessionid", "csrftoken", "messages", "x"]), HEADER_VALUES, max_size=3
)


def addresses():
    """Return every address of the site, with {} where a part of it varies."""
    routes = [
        route for app in get_resolver().url_patterns[:2] for route in map(str, app.url_patterns)
    ]
    found = [re.search(r"'([^']*)'", route)[1] for route in routes]
    varying = r"<\w+:?\w+>|\(\?P<name>.*?\)"
    return ["/" + re.sub(varying, "{}", route).strip("^$").replace("\\", "") for route in found]


@tag("slow")
@override_settings(
    LOGIN_FAILURES_PER_EMAIL_AND_IP_PER_15_MINUTES=10**6,
    LOGINS_PER_EMAIL_AND_IP_PER_15_MINUTES=10**6,
    POSTS_PER_MEMBER_PER_DAY=10**6,
    TRUSTED_PROXY_COUNT=1,
)
class Fuzz(TestCase, CastTestCase):
    quick = settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=EXAMPLES == 200,  # the same ones for everybody who runs the tests
        suppress_health_check=list(HealthCheck),
    )

    def assertHarmless(self, response):
        self.assertLess(response.status_code, 500)
        location = response.get("Location", "/")
        self.assertTrue(url_has_allowed_host_and_scheme(location, {"testserver"}), location)

    @quick
    @given(st.data())
    def test_forms(self, data):
        person = self.log_in_as(data.draw(PEOPLE))
        forms = ["/register/", "/login/", "/password-reset/", self.open_reset_link()]
        if person:
            forms += [url for url in addresses() if url.startswith("/account/") and "{" not in url]
            forms += ["/post/new/", self.write_post(person)]
        if person == "Carol":
            forms += ADMIN_FORMS
        url = data.draw(st.sampled_from(forms))
        page = self.client.get(url).content.decode(errors="replace")
        names = set(re.findall(r'<(?:input|select|textarea)[^>]* name="(\w+)"', page))
        names -= {"author"}  # Django's own field, which raises on what is no number: staff only
        values = {name: data.draw(VALUES, name) for name in sorted(names)}
        self.assertHarmless(self.client.post(url, urlencode(values), content_type=FORM_TYPE))

    def log_in_as(self, name):
        if name:  # from the database, where the last example left no trace
            self.client.force_login(User.objects.get(username=name))
        return name

    def write_post(self, name):
        post = User.objects.get(username=name).posts.create(title="Title", content="Text")
        return f"/post/{post.pk}/update/"

    def open_reset_link(self):
        bob = User.objects.get(username="Bob")
        uid = urlsafe_base64_encode(force_bytes(bob.pk))
        token = default_token_generator.make_token(bob)
        link = reverse("password_reset_confirm", args=[uid, token])
        return self.client.get(link).headers["Location"]

    @quick
    @given(start=st.sampled_from(PICTURES), content=st.binary(), name=VALUES, kind=VALUES)
    def test_uploads(self, start, content, name, kind):
        self.log_in_as("Alice")
        head = b'--xx\r\nContent-Disposition: form-data; name="'
        body = head + b'username"\r\n\r\nAlice\r\n' + head + b'picture"; filename="' + name
        body += b'"\r\nContent-Type: ' + kind + b"\r\n\r\n" + start + content + b"\r\n--xx--\r\n"
        self.assertHarmless(
            self.client.generic("POST", "/account/", body, "multipart/form-data; boundary=xx")
        )

    @quick
    @given(st.data())
    def test_addresses(self, data):
        person = self.log_in_as(data.draw(PEOPLE))
        url = data.draw(st.sampled_from([*addresses(), *ADMIN, "/{}", "/static/{}"]))
        parts = [quote(data.draw(VALUES), safe="") for _ in range(url.count("{}"))]
        method = data.draw(st.sampled_from(["GET", "POST", "HEAD", "PUT", "OPTIONS"]))
        query = {
            "next": data.draw(URLS),
            "page": data.draw(TEXTS),
            "q": data.draw(TEXTS),
            data.draw(TEXTS): data.draw(TEXTS),
        }
        headers, cookies = data.draw(HEADERS), data.draw(COOKIES)
        if person:
            cookies.pop("sessionid", None)
            cookies = {
                **{name: each.value for name, each in self.client.cookies.items()},
                **cookies,
            }
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        response = self.client.generic(
            method,
            f"{url.format(*parts)}?{urlencode(query)}",
            urlencode({"next": data.draw(URLS)}),
            FORM_TYPE,
            headers=headers,
            HTTP_COOKIE=cookie,
        )
        self.assertHarmless(response)

    @quick
    @given(URLS)
    def test_next(self, url):
        credentials = {"username": "alice@example.com", "password": PASSWORD}
        for door in ["/login/", "/logout/"]:
            for in_address, in_form in [({"next": url}, {}), ({}, {"next": url})]:
                response = self.client.post(
                    door, {**credentials, **in_form}, query_params=in_address
                )
                self.assertEqual(response.status_code, 302)
                self.assertHarmless(response)
                self.client.logout()
        self.log_in_as("Carol")
        for door in ["/login/", "/admin/login/"]:
            response = self.client.get(door, {"next": url})
            self.assertHarmless(response)
            self.assertHarmless(self.client.get(response["Location"]))

    def test_every_address_is_tried(self):
        found = addresses()
        self.assertIn("/login/", found)
        self.assertIn("/password-reset/{}/{}/", found)
        self.assertIn("/media/pictures/{}.jpg", found)
        self.assertIn("/archive/{}/{}/", found)
        self.assertGreater(len(found), 20)
