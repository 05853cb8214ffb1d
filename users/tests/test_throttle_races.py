from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from unittest.mock import patch

from django.contrib.auth.hashers import BCryptSHA256PasswordHasher
from django.db import connection
from django.test import Client, TransactionTestCase, override_settings, tag

from users.models import Kind, SecurityEvent
from users.tests.test_throttle import HOME


@tag("slow")
class AtTheSameTime(TransactionTestCase):
    """Fifty browsers, each with a connection to the database of its own."""

    def try_passwords(self, attempts):
        """Try a wrong password for each (address, ip), and return how many were hashed."""
        all_ready, encode = Barrier(50, timeout=30), BCryptSHA256PasswordHasher.encode
        hashed = []

        def count(hasher, *args):
            hashed.append(args)
            return encode(hasher, *args)

        def try_password(attempt):
            email, ip = attempt
            all_ready.wait()
            data = {"username": email, "password": "wrong"}
            try:
                return Client().post("/login/", data, REMOTE_ADDR=ip).status_code
            finally:
                connection.close()

        with (
            patch.object(BCryptSHA256PasswordHasher, "encode", count),
            patch.object(BCryptSHA256PasswordHasher, "rounds", 4),
            ThreadPoolExecutor(50) as browsers,
        ):
            statuses = list(browsers.map(try_password, attempts))
        self.assertEqual(statuses.count(200), len(hashed))
        self.assertEqual(statuses.count(429), 50 - len(hashed))
        failed = SecurityEvent.objects.filter(kind=Kind.LOGIN_FAILED)
        self.assertEqual(failed.count(), len(hashed))
        return len(hashed)

    def test_of_fifty_attempts_ten_are_tested(self):
        self.assertEqual(self.try_passwords([("dave@example.com", HOME)] * 50), 10)

    @override_settings(LOGIN_FAILURES_PER_IP_PER_15_MINUTES=10)
    def test_from_one_place_whatever_the_address(self):
        attempts = [(f"user{number}@example.com", HOME) for number in range(50)]
        self.assertEqual(self.try_passwords(attempts), 10)

    @override_settings(LOGIN_FAILURES_PER_EMAIL_PER_DAY=10)
    def test_at_one_address_whatever_the_place(self):
        attempts = [("dave@example.com", f"192.0.2.{number}") for number in range(50)]
        self.assertEqual(self.try_passwords(attempts), 10)
