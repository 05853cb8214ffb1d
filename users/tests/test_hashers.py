from unittest.mock import patch

import bcrypt
from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.auth.hashers import (
    BCryptSHA256PasswordHasher,
    check_password,
    make_password,
)
from django.test import SimpleTestCase

from testing.cast import CastTestCase
from users import hashers
from users.hashers import BCryptPasswordHasher
from users.models import User

SHARED_72_BYTES = "x" * 72


class NewHashes(CastTestCase):
    def test_one_password_hashed_twice_gives_two_hashes_that_both_check(self):
        first, second = make_password("testing"), make_password("testing")
        self.assertNotEqual(first, second)
        for encoded in [first, second]:
            self.assertTrue(encoded.startswith("bcrypt_sha256$"))
            self.assertTrue(check_password("testing", encoded))
            self.assertFalse(check_password("Testing", encoded))

    def test_passwords_that_share_72_bytes_are_two_passwords(self):
        encoded = make_password(SHARED_72_BYTES + "a")
        self.assertTrue(check_password(SHARED_72_BYTES + "a", encoded))
        self.assertFalse(check_password(SHARED_72_BYTES + "b", encoded))


class Cost(SimpleTestCase):
    def test_new_hashes_cost_12(self):
        self.assertEqual(
            settings.PASSWORD_HASHERS[0].rpartition(".")[2], "BCryptSHA256PasswordHasher"
        )
        self.assertIn("$2b$12$", make_password("testing"))


class HashesFromElsewhere(CastTestCase):
    """Alice's hash is plain bcrypt, as Flask-Bcrypt and many others store it."""

    PASSWORD = "from the old site"

    def setUp(self):
        self.store(self.PASSWORD)

    def store(self, password, prefix=b"2b"):
        hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4, prefix=b"2b"))
        self.alice.password = "bcrypt$" + hashed.replace(b"$2b$", b"$" + prefix + b"$", 1).decode()
        self.alice.save()

    def test_logs_in_and_is_upgraded_on_the_way(self):
        self.assertRedirects(self.log_in(password=self.PASSWORD), "/")
        self.alice.refresh_from_db()
        self.assertTrue(self.alice.password.startswith("bcrypt_sha256$"))
        self.client.post("/logout/")
        self.assertRedirects(self.log_in(password=self.PASSWORD), "/")

    def meanwhile(self, happens):
        """Let `happens` happen, once, while the new hash of a login is at work."""
        encode = hashers.BCryptSHA256PasswordHasher.encode
        left = [happens]

        def encode_slowly(hasher, *args):
            if left:
                left.pop()()
            return encode(hasher, *args)

        return patch.object(hashers.BCryptSHA256PasswordHasher, "encode", encode_slowly)

    def reset(self):
        alice = User.objects.get(pk=self.alice.pk)
        alice.set_password("another unusual sentence")
        alice.save()

    def test_upgrade_undoes_no_reset_and_the_old_password_logs_nobody_in(self):
        with self.meanwhile(self.reset):
            self.assertContains(self.log_in(password=self.PASSWORD), "Login Unsuccessful")
        self.assertLoggedOut()
        self.alice.refresh_from_db()
        self.assertTrue(self.alice.check_password("another unusual sentence"))

    def test_nor_does_it_on_a_form_that_asks_for_the_current_password(self):
        self.client.force_login(self.alice)
        with self.meanwhile(self.reset):
            self.client.post("/account/confirm/", {"password": self.PASSWORD})
        self.alice.refresh_from_db()
        self.assertTrue(self.alice.check_password("another unusual sentence"))

    def test_nor_does_it_asynchronously(self):
        with self.meanwhile(self.reset):
            self.assertFalse(async_to_sync(self.alice.acheck_password)(self.PASSWORD))
        self.alice.refresh_from_db()
        self.assertTrue(self.alice.check_password("another unusual sentence"))

    def test_two_logins_at_once_both_work(self):
        with self.meanwhile(lambda: self.log_in(password=self.PASSWORD)):
            self.assertRedirects(self.log_in(password=self.PASSWORD), "/")
        self.client.get("/")
        self.assertLoggedInAs(self.alice)

    def test_account_that_is_deleted_meanwhile_is_unsuccessful(self):
        with self.meanwhile(User.objects.get(pk=self.alice.pk).delete):
            self.assertContains(self.log_in(password=self.PASSWORD), "Login Unsuccessful")

    def test_every_prefix_logs_in(self):
        for prefix in [b"2a", b"2b", b"2y"]:
            with self.subTest(prefix):
                self.store(self.PASSWORD, prefix)
                self.assertRedirects(self.log_in(password=self.PASSWORD), "/")
                self.client.post("/logout/")

    def test_wrong_password_is_unsuccessful_and_upgrades_nothing(self):
        before = self.alice.password
        self.assertContains(self.log_in(password="wrong"), "Login Unsuccessful")
        self.alice.refresh_from_db()
        self.assertEqual(self.alice.password, before)

    def test_more_than_72_bytes_are_unsuccessful_even_if_the_first_72_match(self):
        self.store(SHARED_72_BYTES)
        for password in [SHARED_72_BYTES + "y", SHARED_72_BYTES[:-1] + "éé", "z" * 10_000]:
            with self.subTest(password[-3:]):
                self.assertContains(self.log_in(password=password), "Login Unsuccessful")
        self.assertRedirects(self.log_in(password=SHARED_72_BYTES), "/")

    def test_bytes_count_not_letters(self):
        self.store("é" * 36)
        self.assertContains(self.log_in(password="é" * 37), "Login Unsuccessful")
        self.assertRedirects(self.log_in(password="é" * 36), "/")

    def test_more_than_72_bytes_cost_a_hash_like_any_other(self):
        with patch("bcrypt.hashpw", wraps=bcrypt.hashpw) as hashing:
            BCryptPasswordHasher().verify(SHARED_72_BYTES + "y", self.alice.password)
        self.assertEqual(hashing.call_count, 1)


class OtherFamilies(CastTestCase):
    """Alice's hash is one of Werkzeug's own, written as Django writes it."""

    PASSWORD = "from the old site"
    WERKZEUG = [
        "scrypt$32768$HVrXEoI4yW0Ps5Rl$8$1$7ErPhR3OrJMF+QuR/oAZaAmp6V+9yfb+A54l81RAZNbVK5"
        "7MP+dd7vQbCGS4AJFx9GNZ/wrzZKTJWPrN6eJJqA==",
        "pbkdf2_sha256$10$nVphKCi3PEMvmME0$8rAOu/WlFs4GYYohxKa4SUBuBgqf68gMZ8vOc1hAR30=",
        "pbkdf2_sha1$10$yGgsQ3xOtTs639yn$i+ZXr2WARz78Zq8TuNQceKeVaL0=",
    ]

    def test_logs_in_and_is_upgraded_on_the_way(self):
        for old in self.WERKZEUG:
            with self.subTest(old):
                self.alice.password = old
                self.alice.save()
                self.assertContains(self.log_in(password="wrong"), "Login Unsuccessful")
                self.assertRedirects(self.log_in(password=self.PASSWORD), "/")
                self.alice.refresh_from_db()
                self.assertTrue(self.alice.password.startswith("bcrypt_sha256$"))
                self.client.post("/logout/")

    def rounds_after(self, seconds, encoded):
        """
        Return how many rounds of bcrypt follow a wrong password whose hash took `seconds`, on a
        machine on which 2**8 of them, a hash of ours, take 16 seconds.
        """
        self.enterContext(patch.object(BCryptSHA256PasswordHasher, "rounds", 8))
        clock = patch("users.hashers.thread_time", side_effect=[0, seconds, seconds, seconds + 1])
        with clock, patch("bcrypt.hashpw", wraps=bcrypt.hashpw) as hashpw:
            self.assertFalse(check_password("wrong", encoded))
        return sum(2 ** int(call.args[1].split(b"$")[2]) for call in hashpw.call_args_list)

    def test_wrong_password_costs_as_much_as_an_unknown_address(self):
        for encoded in self.WERKZEUG:
            for seconds, rounds in [(0, 256), (1, 240), (8, 128), (15, 16), (100, 16)]:
                with self.subTest(encoded, seconds=seconds):
                    self.assertEqual(self.rounds_after(seconds, encoded), rounds)

    def test_right_password_costs_nothing_in_vain(self):
        with patch("users.hashers.equalize_timing") as in_vain:
            self.assertTrue(check_password(self.PASSWORD, self.WERKZEUG[1]))
        in_vain.assert_not_called()

    def test_all_of_it_waits_in_line_once(self):
        executor = hashers.pool.executor
        for old in self.WERKZEUG:
            with patch.object(executor, "submit", wraps=executor.submit) as runs:
                check_password("wrong", old)
            self.assertEqual(runs.call_count, 1)
