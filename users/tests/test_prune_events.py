from datetime import timedelta
from io import StringIO
from unittest.mock import patch

from django.core.management import CommandError, call_command
from django.test import RequestFactory

from testing.cast import CastTestCase
from users.events import record
from users.models import Kind, SecurityEvent


class PruneEvents(CastTestCase):
    def write(self, days_old):
        record(RequestFactory().get("/"), Kind.LOGIN, user=self.alice)
        event = SecurityEvent.objects.latest("pk")
        event.time -= timedelta(days=days_old)
        event.save()
        return event

    def prune(self, *arguments):
        output = StringIO()
        call_command("prune_events", *arguments, stdout=output)
        return output.getvalue()

    def test_older_ones_go_in_batches_and_the_others_stay(self):
        for days in range(88, 95):
            self.write(days)
        # Two, two, one and none; then passkeys, apps, recovery codes and emails that were left.
        batches = self.assertNumQueries(4 + 4)
        with patch("users.management.commands.prune_events.BATCH", 2), batches:
            self.assertIn("Deleted 5 security events", self.prune("--days", "90"))
        self.assertEqual(SecurityEvent.objects.count(), 2)
        self.assertIn("Deleted 0 ", self.prune())

    def test_those_that_the_throttle_counts_stay(self):
        self.write(0)
        for days in ["0", "-1"]:
            with self.assertRaises(CommandError):
                self.prune("--days", days)
        self.assertEqual(SecurityEvent.objects.count(), 1)
