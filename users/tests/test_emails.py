import re
from io import StringIO
from unittest.mock import Mock, call, patch

from django.conf import settings
from django.contrib.messages import get_messages
from django.contrib.messages.storage.fallback import FallbackStorage
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.test import RequestFactory, TestCase, TransactionTestCase
from django.utils import timezone

from blog_project.site import site
from testing.cast import MailTestCase
from users.emails import MAIL_NOT_SENT, TerminalBackend, compose, send_email
from users.models import SecurityEvent, User


def request():
    request = RequestFactory().get("/")
    request.session = {}
    request._messages = FallbackStorage(request)
    return request


class SendEmail(TransactionTestCase):
    def test_is_sent_after_the_commit(self):
        with transaction.atomic():
            send_email(request(), "account_deleted", "dave@example.com")
            self.assertEqual(mail.outbox, [])
        self.assertEqual(mail.outbox[0].to, ["dave@example.com"])

    def test_holds_no_connection_of_the_databases_pool_meanwhile(self):
        with (
            patch("blog_project.database.connection", in_atomic_block=False) as connection,
            patch("django.core.mail.EmailMessage.send") as send,
        ):
            order = Mock()
            order.attach_mock(connection.close, "close")
            order.attach_mock(send, "send")
            send_email(request(), "account_deleted", "dave@example.com")
        self.assertEqual(order.mock_calls, [call.close(), call.send()])

    def test_is_not_sent_when_the_change_is_undone(self):
        with self.assertRaises(ZeroDivisionError), transaction.atomic():
            send_email(request(), "account_deleted", "dave@example.com")
            1 / 0  # noqa: B018
        self.assertEqual(mail.outbox, [])


class Links(MailTestCase):
    """Whoever asks for a mail also writes the Host of the request: it is in no mail."""

    def setUp(self):
        super().setUp()
        self.enterContext(
            self.settings(ALLOWED_HOSTS=[".blog.example"], SITE_URL="https://www.blog.example")
        )

    def assertLinks(self, recipient):
        """Assert that one mail went to `recipient`, with links to SITE_URL alone; forget it."""
        self.assertEqual([message.to for message in mail.outbox], [[recipient]])
        hosts = set(re.findall(r"\S+://[^/\s]+", mail.outbox[0].body))
        self.assertEqual(hosts, {"https://www.blog.example"})
        self.assertRegex(mail.outbox[0].body, r"https://www\.blog\.example/\S+/")
        mail.outbox.clear()

    def test_lead_to_the_site_whatever_the_request_says(self):
        for host in ["evil.blog.example", "www.blog.example:8443"]:
            with self.subTest(host):
                forged = {"host": host, "x-forwarded-host": "evil.example"}
                for email in ["alice@example.com", "nobody@example.com"]:
                    self.client.post("/password-reset/", {"email": email}, headers=forged)
                    self.assertLinks(email)
                self.client.force_login(self.alice)
                self.client.post("/account/email/send/", headers=forged)
                self.assertLinks("alice@example.com")


class Text(TestCase):
    def send(self, name="account_deleted", **context):
        asked_by = request()
        with self.captureOnCommitCallbacks(execute=True):
            send_email(asked_by, name, "dave@example.com", sent="Sent.", **context)
        return [(message.level_tag, message.message) for message in get_messages(asked_by)]

    def test_has_the_subject_from_its_first_line_and_ends_with_the_site(self):
        self.assertEqual(self.send(user=User(username="O’Dave")), [("info", "Sent.")])
        message = mail.outbox[0]
        self.assertEqual(message.subject, "Your account has been deleted")
        self.assertTrue(message.body.startswith("Hello O’Dave,\n\nYour account"))
        self.assertNotIn("\n\n\n", message.body)
        self.assertTrue(message.body.endswith(f"{settings.SITE_URL}/\n"))

    def test_is_plain_and_the_html_beside_it_escapes_what_members_chose(self):
        user = User(username="O'Hara<b>", email="a&b@example.com")
        event = SecurityEvent(user=user, time=timezone.now())
        self.send("email_changed", user=user, old="o'hara@example.com", event=event)
        text, [html] = mail.outbox[0].body, mail.outbox[0].alternatives
        self.assertIn("Hello O'Hara<b>,", text)
        self.assertIn("is now a&b@example.com. It was o'hara@example.com.", text)
        self.assertEqual(html.mimetype, "text/html")
        self.assertIn("Hello O&#x27;Hara&lt;b&gt;,", html.content)
        self.assertIn("is now a&amp;b@example.com.", html.content)

    def test_link_is_a_line_of_its_own_and_a_button_in_html(self):
        link = f"{settings.SITE_URL}/account/email/confirm/{'x' * 99}/"
        self.send("email_confirm", user=User(username="Dave"), link=link)
        text, [html] = mail.outbox[0].body, mail.outbox[0].alternatives
        self.assertIn(f"\n\nConfirm this email:\n{link}\n\n", text)
        button = rf'<a class="button" style="[^"]+" href="{link}">Confirm this email</a>'
        self.assertRegex(html.content, button)

    def test_username_that_is_a_link_makes_no_button(self):
        self.send("email_confirm", user=User(username=f"{settings.SITE_URL}/"), link="")
        self.assertNotIn('class="button"', mail.outbox[0].alternatives[0].content)

    def test_every_error_of_a_backend_is_logged_and_told(self):
        for error in [OSError("refused"), TimeoutError(), ValueError("some backend")]:
            with (
                self.subTest(error),
                patch("django.core.mail.EmailMessage.send", side_effect=error),
                self.assertLogs("users.emails", "ERROR"),
            ):
                self.assertEqual(self.send(), [("error", MAIL_NOT_SENT)])


class EveryMail(TestCase):
    """Each template, with all that any of them is given."""

    LINK = f"{settings.SITE_URL}/account/recover/{'x' * 99}/"

    def mails(self, **context):
        """Return the mail of every template."""
        user = User(username="Alice", email="alice@example.com")
        event = SecurityEvent(user=user, time=timezone.now(), ip="192.0.2.1", user_agent="Lynx")
        given = {
            "user": user,
            "event": event,
            "old": "old@example.com",
            "new": "new@example.com",
            "changes": ["Passkey “Phone”: added", "Recovery codes: removed"],
            "refused": 10,
            "left": 9,
            "uid": "x",
            "token": "x",
        }
        folder = settings.BASE_DIR / "templates/users/emails"
        names = {path.stem for path in folder.glob("*.txt")} - {"base", "notice"}
        self.assertIn("password_reset", names)
        return [compose(name, {**site(), **given, **context}) for name in sorted(names)]

    def test_has_capital_letters_short_lines_and_one_link_at_most(self):
        for context in [{"link": ""}, {"link": self.LINK, "by_staff": True}]:
            for message in self.mails(**context):
                hello, *paragraphs = message.body.split("\n\n")
                self.assertEqual(hello, "Hello Alice,")
                for paragraph in [message.subject, *paragraphs]:
                    self.assertRegex(paragraph, r"\A[A-Z]")
                links = [line for line in message.body.splitlines() if line.startswith("http")]
                self.assertLessEqual(len(links), 1)
                html = message.alternatives[0].content
                self.assertEqual(html.count('class="button"'), len(links))
                words = [line for line in message.body.splitlines() if line not in links]
                self.assertLessEqual(max(map(len, words)), 76)
                self.assertNotIn("address", message.body)

    def test_says_whom_to_write_to(self):
        for email, who in [("", "the people who run this site"), ("hi@blog.example",) * 2]:
            for message in self.mails(CONTACT_EMAIL=email):
                self.assertIn(f"Questions? Write to {who}.\n\n{settings.SITE_NAME}, ", message.body)
                self.assertIn(f"<p>Questions? Write to {who}.</p>", message.alternatives[0].content)

    def test_has_nothing_that_is_loaded_from_elsewhere(self):
        for message in self.mails(link=self.LINK):
            self.assertNotRegex(
                message.alternatives[0].content, r"<(img|link|script)|url\(|@import"
            )


class Terminal(TestCase):
    def show(self, body):
        stream = StringIO()
        message = EmailMultiAlternatives("Welcome", body, to=["dave@example.com"])
        TerminalBackend(stream=stream).send_messages([message])
        return stream.getvalue()

    def test_shows_the_link_alone(self):
        self.assertEqual(
            self.show(
                "Hello,\n\nOpen it:\nhttp://localhost:8000/x/y/\n\nUs, http://localhost:8000/\n"
            ),
            "---- Mail to dave@example.com: Welcome\nhttp://localhost:8000/x/y/\n----\n",
        )

    def test_shows_the_text_of_a_mail_without_a_link(self):
        self.assertEqual(
            self.show("Hello,\n\nall is well.\n"),
            "---- Mail to dave@example.com: Welcome\nHello,\n\nall is well.\n----\n",
        )
