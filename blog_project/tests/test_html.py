"""
Every page of the site, in every state, before the W3C's checker: the Nu HTML checker, on Java.

`make test-all` fetches it. It is started once, for all pages: starting takes longer than reading.
"""

import json
import re
import shutil
import subprocess
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from time import time
from unittest.mock import patch
from urllib.parse import quote

from django.conf import settings
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client, override_settings, tag
from django.urls import Resolver404, URLResolver, get_resolver, resolve
from django.utils import timezone

from blog.models import Post
from blog.views import HomeView, PostCreateView
from blog_project.errors import RetryLater
from testing.cast import PASSWORD, MailTestCase
from users.models import AuthenticatorApp, Kind, Passkey, RecoveryCode, SecurityEvent, User
from users.second_factor import app_codes, digest
from users.tests.test_profile import picture
from users.tests.test_register import VALID_DATA
from users.throttle import Throttled

CHECKER = settings.BASE_DIR / ".venv/vnu/node_modules/vnu-jar/build/dist/vnu.jar"
HOW_TO = (
    "The HTML checker is not there. `make test-all` fetches it with npm, and it runs on Java"
    " (Debian: apt-get install npm default-jre-headless)."
)
JUNK = "\"'><b>&lt; </title>{{ x }} ﷺ"  # breaks out of a page that does not escape it
MARKDOWN = (
    f"""{JUNK}

# a {JUNK}

> 1. - *b **c*** `d` [e](//f.example "g") https://h.example <https://i.example>

| j | k | l |
|---|:-:|--:|
| m | n\t

```
<o>
```
***
"""
    * 3
)  # longer than an excerpt
# What the states say that are hard to reach: a step that leads nowhere would leave them out.
STATES = [
    "Nothing here yet",
    "Nothing yet.",
    "Log out all other devices",
    "Use the default picture",
    "Please confirm your email first",
    "Confirm your email",
    "Correct your email",
    "The mail could not be sent.",
    "Your password has been changed.",
    "That device is logged out.",
    "Your account has been deleted.",
    "That email is taken.",
    "It may be more than 3 days old",
    "It may be more than an hour old",
    "Go on to where you were going",
    "Load the page again",
    "(24 hours)",
    "set a new password</a>",
    "Rename or remove",
    "Remove the app",
    "10 recovery codes are left",
    "Not in use yet",
    "They are shown only now",
    "Later</a>",
    "That code is not right",
    "That was your last recovery code",
    "Your account needs a second factor",
    "please add another one first",
    "Is it still you?",
    "Nothing has been saved yet.",
    "Nothing has been changed.",
    "Take my account back",
    "Your account is yours again.",
    "Read more",
    "Page 2",
    "Nothing has been announced.",
    "Nobody posted in this month.",
    "This is how it will look.",
    "That is somebody else&#x27;s post.",
    "That is too much markup",
    "Your post has been created!",
    "Your post has been deleted!",
    "This post is offline",
    "Confirm your email first",
    "Your text was not saved.",
    "in a new tab",
]
NEW_PASSWORD = "another unusual sentence"


def routes(resolver, prefix=""):
    """Yield every route below `resolver`, but not those of Django's admin."""
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if not isinstance(pattern, URLResolver):
            yield route
        elif pattern.app_name != "admin":
            yield from routes(pattern, route)


def complaints(pages):
    """Return what the checker says about `pages`, a dict of names and texts, as a list of texts."""
    java = shutil.which("java")
    if not java or not CHECKER.is_file():
        raise AssertionError(HOW_TO)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**pages, "broken": "<!doctype html>"}.items():
            Path(folder, f"{name}.html").write_text(text)
        command = [java, "-jar", CHECKER, "--stdout", "--format", "json", folder]
        run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    try:
        messages = json.loads(run.stdout)["messages"]
    except ValueError:
        messages = []
    found = [
        f"{Path(message['url']).stem}, line {message.get('lastLine')}, {message['type']}: "
        f"{message['message']}\n    {message.get('extract')!r}"
        for message in messages
    ]
    rest = [each for each in found if not each.startswith("broken,")]
    if rest == found:  # it is silent, too, about what it does not find
        raise AssertionError(f"The HTML checker has not read the pages: {run.stdout}{run.stderr}")
    return rest


@tag("slow")
@override_settings(
    LOGIN_FAILURES_PER_EMAIL_AND_IP_PER_15_MINUTES=10**6,
    LOGINS_PER_EMAIL_AND_IP_PER_15_MINUTES=10**6,
    SIGNUPS_PER_IP_PER_HOUR=10**6,
    MAILS_PER_EMAIL_PER_HOUR=10**6,
    MAILS_PER_IP_PER_HOUR=10**6,
)
class EveryPage(MailTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.bob.email_confirmed_at = timezone.now()
        cls.bob.save()

    def setUp(self):
        super().setUp()
        media = self.enterContext(tempfile.TemporaryDirectory())
        self.enterContext(self.settings(MEDIA_ROOT=media))
        self.client = Client(raise_request_exception=False)
        self.person = "Nobody"
        self.pages, self.routes, self.templates = {}, set(), set()

    def test_is_valid(self):
        self.see_every_url("Nobody")
        self.see_posts()
        self.see_forms_of_strangers()
        for name in ["Alice", "Bob", "Carol"]:  # not confirmed, confirmed, staff
            self.see_every_url(name)
        self.get(f"/admin/users/user/{self.alice.pk}/password/")
        self.see_an_account()
        self.see_second_factors()
        self.see_what_asks_for_proof()
        self.see_recovery()
        self.see_links_that_were_mailed()
        self.see_what_went_wrong()
        self.see_mails()

        self.assertEqual(set(routes(get_resolver())) - self.routes, set(), "Not seen")
        html = {
            str(path.relative_to(folder))
            for folder in settings.TEMPLATES[0]["DIRS"]
            for path in folder.rglob("*.html")
        }
        self.assertEqual(html - self.templates, set(), "Not seen")
        text = "".join(self.pages.values())
        self.assertEqual([words for words in STATES if words not in text], [], "Not seen")
        # Warnings fail as well: there is none that we would rather keep.
        if found := complaints(self.pages):
            self.fail("\n".join(["", *found]))

    def log_in_as(self, name):
        self.client.logout()
        self.person = name
        if name != "Nobody":
            self.client.force_login(User.objects.get(username=name))

    def get(self, url, **options):
        return self.see("GET", url, self.client.get(url, follow=True, **options))

    def post(self, url, data=None, **options):
        return self.see("POST", url, self.client.post(url, data, follow=True, **options))

    def see(self, method, url, response):
        """Keep the page of `response`, and which routes and templates were seen on the way."""
        for seen in [url, *(to for to, _ in getattr(response, "redirect_chain", []))]:
            with suppress(Resolver404):
                self.routes.add(resolve(seen.partition("?")[0]).route)
        templates = {template.name for template in response.templates}
        self.templates |= templates
        # Of the admin only what is ours: pages that say no.
        if response["Content-Type"].startswith("text/html") and "admin/base.html" not in templates:
            text = re.sub(r'(csrfmiddlewaretoken" value=")\w+', r"\1x", response.text)
            if text not in self.pages.values():
                words = re.sub(r"\W+", "-", f"{self.person} {method} {url}"[:60]).strip("-")
                self.pages[f"{len(self.pages):03}-{words}-{response.status_code}"] = text
        return response

    def see_every_url(self, name):
        """As `name`, open each address in which nothing varies, and send what may be a form."""
        for route in routes(get_resolver()):
            url = f"/{route}"
            if re.search(r"[<(]", url):
                continue
            self.log_in_as(name)
            page = self.get(url)
            if page.streaming:
                continue  # an icon
            fields = set(re.findall(r'<(?:input|select|textarea)[^>]* name="(\w+)"', page.text))
            fields -= {"csrfmiddlewaretoken", "sure"}  # which would delete the account
            for data in [{}, dict.fromkeys(fields, JUNK)]:
                self.log_in_as(name)
                self.post(url, data)

    def see_posts(self):
        self.log_in_as("Nobody")
        Post.objects.create(author=self.alice, title=JUNK, content=f"{JUNK}\n\n\n\n{JUNK}\n{JUNK}")
        self.get("/")
        for number in range(80):
            Post.objects.create(author=self.bob, title=f"{number}", content="Text.\n\nMore.")
        for page in [1, 2, 5, 9, 99]:
            self.get(f"/?page={page}")
        post = Post.objects.create(author=self.alice, title=JUNK, content=MARKDOWN)
        written = {"title": JUNK, "content": MARKDOWN}
        for url in ["update/", "delete/", ""]:
            for name in ["Nobody", "Alice", "Bob", "Carol"]:
                self.log_in_as(name)
                self.get(f"/post/{post.pk}/{url}")
                for data in [
                    {**written, "preview": ""},
                    written,
                    {**written, "content": "[" * 9999},
                ]:
                    self.post(f"/post/{post.pk}/{url}", data if url == "update/" else {})
        self.log_in_as("Alice")
        self.post("/post/new/", written)
        with self.settings(CONFIRMED_EMAIL_TO_POST=True):
            self.post("/post/new/", written)
        with self.settings(POSTS_PER_MEMBER_PER_DAY=1):
            self.post("/post/new/", written)
        self.alice.about = JUNK
        self.alice.save()
        for kind in ["is_announcement", "is_markdown"]:
            Post.objects.filter(author=self.alice).update(**{kind: True})
            self.get("/announcements/")
        for url in [
            "/",
            "/user/Alice/",
            "/user/Bob/?page=2",
            "/archive/2026/1/",
            "/archive/2026/13/",
        ]:
            self.get(url)
        self.get("/sitemap-posts.xml")
        post = Post.objects.filter(author=self.alice).first()
        Post.objects.filter(pk=post.pk).update(is_online=False)
        self.get(post.get_absolute_url())

    def see_forms_of_strangers(self):
        self.log_in_as("Nobody")
        self.get("/login/?next=/account/")
        for name, value in [
            ("username", "Bob"),
            ("email", "bob@example.com"),
            ("password1", "dave"),
            ("password2", "other"),
        ]:
            self.post("/register/", {**VALID_DATA, name: value})
        self.post("/register/", VALID_DATA)
        login = {"username": "alice@example.com", "password": PASSWORD}
        self.post("/login/", {**login, "password": "wrong", "remember": "on"})
        with self.settings(EMAIL_VERIFICATION_REQUIRED=True):
            self.post("/register/", {**VALID_DATA, "username": "Eve", "email": "eve@example.com"})
            self.post("/login/", login)
            self.get("/account/email/correct/")
            self.post("/account/email/correct/", {"email": "bob@example.com"})
            self.post("/account/email/send/")
        with patch("django.core.mail.EmailMessage.send", side_effect=OSError), self.assertLogs():
            self.post("/register/", {**VALID_DATA, "username": "Fay", "email": "fay@example.com"})
        self.post("/login/", login)

    def see_an_account(self):
        User.objects.create_user("Newcomer", "newcomer@example.com")
        self.log_in_as("Newcomer")  # to whom nothing has happened
        self.get("/account/security/")
        self.log_in_as("Alice")
        for kind in Kind:
            SecurityEvent.objects.create(user=self.alice, kind=kind, ip="::1", user_agent=JUNK)
        for _ in range(2):
            self.log_in_elsewhere(self.alice)
        for upload in [b"no picture", picture()]:
            upload = SimpleUploadedFile("me.png", upload)
            self.post("/account/", {"username": "Alice", "picture": upload})
        for url in ["/account/", "/account/security/", "/account/sessions/", "/"]:
            self.get(url)
        self.post("/account/", {"username": "Bob", "default_picture": "on"})
        self.get(User.objects.get(username="Alice").picture_url)
        self.get(f"/media/pictures/{'0' * 32}.jpg")
        other = self.alice.sessions.exclude(pk=self.client.session.digest).first()
        self.post(f"/account/sessions/{other.pk}/end/")
        self.get("/account/sessions/x/end/")
        for email in ["bob@example.com", "new@example.com"]:
            self.post("/account/email/", {"email": email})
        password = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
        self.post("/account/password/", {"old_password": PASSWORD, **password})
        self.post("/logout/")
        self.log_in_as("Bob")
        self.post("/account/data/", {"sure": "on"})

    def see_second_factors(self):
        self.log_in_as("Alice")
        User.objects.filter(username="Alice").update(email_confirmed_at=timezone.now())
        passkey = self.alice.passkeys.create(name=JUNK, credential_id=b"x" * 16, credential=b"")
        self.get(f"/account/security/passkeys/{passkey.pk}/")
        self.post(f"/account/security/passkeys/{passkey.pk}/", {"name": ""})
        self.get("/account/security/passkeys/add/")
        page = self.get("/account/security/app/")
        secret = page.context["form"].initial["secret"]
        self.post("/account/security/app/", {"secret": secret, "code": JUNK})
        code = app_codes(secret).generate(int(time())).decode()
        self.post("/account/security/app/", {"secret": secret, "code": code})
        self.get("/account/security/")  # with nothing in use yet
        self.get("/account/security/codes/")
        page = self.post("/account/security/codes/", {})
        codes = page.context["form"].initial["codes"]
        for code in [JUNK, codes.split()[0]]:
            self.post("/account/security/codes/", {"codes": codes, "code": code})
        for model in [Passkey, AuthenticatorApp]:
            model.objects.live(user=self.alice).update(last_used=timezone.now())
        self.get("/account/security/")
        self.get("/account/security/codes/?next=/account/")  # and "Later"
        self.get(f"/admin/users/user/{self.alice.pk}/change/")
        self.get("/account/confirm/?next=/account/data/")
        self.post("/account/confirm/", {"code": JUNK})

        self.log_in_as("Nobody")
        login = {"username": "alice@example.com", "password": NEW_PASSWORD}
        self.post("/login/?next=/account/", login)
        self.post("/login/verify/?next=/account/", {"code": JUNK})
        self.post("/login/verify/?next=/account/", {"code": codes.split()[1]})
        RecoveryCode.objects.filter(user=self.alice).exclude(
            digest=digest(codes.split()[2].replace("-", ""))
        ).delete()
        self.post("/logout/")
        self.post("/login/", login)
        self.post("/login/verify/", {"code": codes.split()[2]})  # the last one
        self.get("/account/")
        with self.settings(SECOND_FACTOR_REQUIRED="everybody"):
            self.log_in_as("Newcomer")
            self.get("/account/")
            self.log_in_as("Alice")
            self.post("/account/security/app/remove/")
            self.post(f"/account/security/passkeys/{passkey.pk}/remove/")  # refused
        self.post(f"/account/security/passkeys/{passkey.pk}/remove/")

    def see_what_asks_for_proof(self):
        self.log_in_as("Carol")
        with self.settings(PROOF_SECONDS=0, ADMIN_PROOF_SECONDS=0):
            for url in ["/account/data/", "/admin/"]:
                self.get(url)
            for password in ["", "wrong"]:
                self.post("/account/confirm/", {"password": password})
            self.post("/account/data/", {"sure": "on"})
            self.post("/admin/users/user/add/", {"username": JUNK, "email": ["a\nb", JUNK]})

    def see_recovery(self):
        """Open the link "This wasn't me" of a notice: of one who moved the account, and more."""
        link = [message for message in mail.outbox if "/account/recover/" in message.body][-1]
        [url] = re.findall(r"/account/recover/\S+", link.body)
        for name in ["Nobody", "Alice", "Carol"]:
            self.log_in_as(name)
            self.get(url)
        self.get(f"{url}x")
        self.get("/account/recover/x/")
        taker = User.objects.create_user("Taker", "dora@example.com")
        self.post(url)
        taker.delete()
        self.post(url)
        for method in [self.get, self.post]:
            method(url)

    def see_links_that_were_mailed(self):
        self.log_in_as("Alice")
        self.post("/account/email/", {"email": "new@example.com"})
        [*_, url] = re.findall(r"/account/email/confirm/\S+", "".join(m.body for m in mail.outbox))
        self.log_in_as("Nobody")
        for password in ["", "wrong"]:
            self.post(url, {"password": password})
        self.log_in_as("Alice")
        self.get(url)
        taker = User.objects.create_user("Taker", "new@example.com")
        self.post(url)
        taker.delete()
        for name in ["Alice", "Nobody"]:
            self.log_in_as(name)
            for _ in range(2):
                self.post(url)
            self.get(f"{url}x")
            self.get("/account/email/confirm/x/")
        self.post("/password-reset/", {"email": "carol@example.com"})
        url = self.link()
        where, _ = self.get(url).redirect_chain[-1]
        for new in ["", "short"]:
            self.post(where, {"new_password1": new, "new_password2": new + "x"})
        self.post(where, {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD})
        for dead in [url, "/password-reset/x/y/"]:
            self.get(dead)

    def see_mails(self):
        self.templates.add("users/emails/mail.html")
        for message in mail.outbox:
            self.pages[f"Mail {message.subject}"] = message.alternatives[0].content

    def see_what_went_wrong(self):
        for name in ["Nobody", "Alice", "Carol"]:
            self.log_in_as(name)
            self.get("/nope/")
            self.get(f"/{JUNK}")
            self.get("/", headers={"host": "evil.example"})
            self.see("DELETE", "/about/", self.client.delete("/about/"))
            for error in [
                Throttled(timedelta(seconds=1), []),
                Throttled(timedelta(days=1), []),
                RetryLater(timedelta(seconds=1)),
                ValueError(),
                OperationalError(),
            ]:
                with patch.object(HomeView, "get", side_effect=error):
                    self.get("/")
                with patch.object(PostCreateView, "dispatch", side_effect=error):
                    self.post("/post/new/", {"title": JUNK, "content": MARKDOWN})
            strict = Client(
                enforce_csrf_checks=True, headers={"referer": f"http://testserver/{JUNK}"}
            )
            strict.cookies = self.client.cookies
            for url in ["/logout/", f"/login/?next=/{quote(JUNK)}"]:
                self.see("POST", url, strict.post(url))
        self.log_in_as("Nobody")
        with self.settings(LOGIN_FAILURES_PER_EMAIL_AND_IP_PER_15_MINUTES=1):
            for _ in range(2):
                self.post("/login/", {"username": "x@example.com", "password": "wrong"})
        self.carol.is_superuser = False
        self.carol.save()
        for name in ["Alice", "Carol"]:
            self.log_in_as(name)
            self.get("/admin/users/user/")
