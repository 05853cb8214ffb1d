import re
from unittest.mock import Mock, call, patch

from django.conf import settings
from django.contrib.messages import get_messages
from django.contrib.messages.storage.fallback import FallbackStorage
from django.core import mail
from django.db import transaction
from django.test import RequestFactory, TestCase, TransactionTestCase
from django.utils import timezone

from testing.cast import MailTestCase
from users.emails import MAIL_NOT_SENT, send_email
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
    def send(self, **context):
        asked_by = request()
        with self.captureOnCommitCallbacks(execute=True):
            send_email(asked_by, "account_deleted", "dave@example.com", sent="Sent.", **context)
        return [(message.level_tag, message.message) for message in get_messages(asked_by)]

    def test_is_plain_with_the_subject_in_its_first_line(self):
        self.assertEqual(self.send(user=User(username="O’Dave")), [("info", "Sent.")])
        message = mail.outbox[0]
        self.assertEqual(message.subject, "Your account has been deleted")
        self.assertTrue(message.body.startswith("Hello O’Dave,\n\nyour account"))
        self.assertNotIn("\n\n\n", message.body)
        self.assertTrue(message.body.endswith(f"{settings.SITE_URL}/\n"))

    def test_is_no_html(self):
        user = User(username="O'Hara", email="a&b@example.com")
        event = SecurityEvent(user=user, time=timezone.now())
        changed = {"user": user, "old": "o'hara@example.com", "event": event}
        with self.captureOnCommitCallbacks(execute=True):
            send_email(request(), "email_changed", "dave@example.com", **changed)
        self.assertIn("is now a&b@example.com. It was o'hara@example.com.", mail.outbox[0].body)

    def test_every_error_of_a_backend_is_logged_and_told(self):
        for error in [OSError("refused"), TimeoutError(), ValueError("some backend")]:
            with (
                self.subTest(error),
                patch("django.core.mail.EmailMessage.send", side_effect=error),
                self.assertLogs("users.emails", "ERROR"),
            ):
                self.assertEqual(self.send(), [("error", MAIL_NOT_SENT)])
