from datetime import timedelta
from unittest.mock import patch

from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import RequestFactory, override_settings
from django.utils import timezone

from blog_project.tests.test_checks import HOST, ours
from testing.cast import CastTestCase, give_app
from users.events import record
from users.models import Kind, SecurityEvent, Session, User


@override_settings(**HOST)
class ChecksTestCase(CastTestCase):
    def setUp(self):
        give_app(self.carol)

    def said(self):
        return ours(databases=["default"])

    def assertSays(self, id, words):
        """Assert that `id` alone is said, with `words`, and what to do."""
        said = self.said()
        self.assertEqual(list(said), [id])
        self.assertIn(words, said[id].msg)
        self.assertTrue(said[id].hint)


class SecondFactor(ChecksTestCase):
    def test_must_be_asked_of_staff(self):
        with override_settings(SECOND_FACTOR_REQUIRED="nobody"):
            self.assertSays("users.W001", "SECOND_FACTOR_REQUIRED")
        for required in ["staff", "everybody"]:
            with override_settings(SECOND_FACTOR_REQUIRED=required):
                self.assertEqual(self.said(), {})

    def test_staff_have_one(self):
        self.make_staff(self.bob)
        self.assertSays("users.W002", "Staff without a second factor: Bob.")
        give_app(self.bob)
        self.assertEqual(self.said(), {})

    def test_a_removed_one_does_not_count(self):
        self.carol.authenticatorapps.update(removed=timezone.now())
        self.assertSays("users.W002", "Carol")

    def test_who_cannot_log_in_needs_none(self):
        User.objects.filter(pk=self.carol.pk).update(is_active=False)
        self.carol.authenticatorapps.all().delete()
        self.assertEqual(self.said(), {})

    def test_the_database_is_asked_only_with_database(self):
        self.make_staff(self.bob)
        self.assertEqual(ours(), {})


class DailyJobs(ChecksTestCase):
    def test_sessions_that_were_over_two_days_ago(self):
        self.client.force_login(self.alice)
        for hours, ids in [(-1, []), (47, []), (49, ["users.W003"])]:
            Session.objects.update(expire_date=timezone.now() - timedelta(hours=hours))
            self.assertEqual(list(self.said()), ids)
        self.assertSays("users.W003", "clearsessions does not run")
        call_command("clearsessions")
        self.assertEqual(self.said(), {})

    def test_events_that_should_have_gone_two_days_ago(self):
        record(RequestFactory().get("/"), Kind.LOGIN, user=self.alice)
        for days, ids in [(89, []), (91, []), (93, ["users.W004"])]:
            SecurityEvent.objects.update(time=timezone.now() - timedelta(days=days))
            self.assertEqual(list(self.said()), ids)
        self.assertSays("users.W004", "prune_events does not run")
        call_command("prune_events", verbosity=0)
        self.assertEqual(self.said(), {})


class Visitors(ChecksTestCase):
    def write(self, *ips):
        for user, ip in zip([self.alice, self.bob, self.carol], ips, strict=False):
            record(RequestFactory().get("/", REMOTE_ADDR=ip), Kind.LOGIN, user=user)

    def test_all_come_from_the_proxy(self):
        self.write("127.0.0.1", "127.0.0.1")
        self.assertEqual(self.said(), {})  # of two emails: it may be whoever tries the site
        SecurityEvent.objects.all().delete()
        self.write("127.0.0.1", "127.0.0.1", "127.0.0.1")
        self.assertSays("users.W005", "of 3 emails, and all from 127.0.0.1")

    def test_they_come_from_everywhere(self):
        self.write("127.0.0.1", "127.0.0.1", "10.0.0.1")
        self.assertEqual(self.said(), {})

    def test_many_share_one_ip_of_the_internet(self):
        self.write(*["8.8.8.8"] * 3)
        self.assertEqual(self.said(), {})


class NoTables(ChecksTestCase):
    def test_are_told_as_migrations_to_apply_and_not_twice(self):
        with patch.object(connection, "cursor", side_effect=OperationalError("no such table")):
            self.assertEqual(list(self.said()), ["blog_project.E001"])
