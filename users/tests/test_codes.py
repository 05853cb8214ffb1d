"""The second step of a login: codes of an authenticator app, and recovery codes."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from unittest.mock import patch

from django.conf import settings
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.test import Client, TransactionTestCase, override_settings, tag
from django.utils import timezone

from testing.cast import (
    PASSWORD,
    CastTestCase,
    FactorTestCase,
    give_app,
    give_codes,
    show_code,
)
from users import second_factor
from users.forms import APP_RESTS, APP_UNREADABLE, CODE_REFUSED, NOT_THIS_APP
from users.models import AuthenticatorApp, Kind, RecoveryCode, SecurityEvent, User
from users.views.login import HALF_LOGIN_SECONDS

VERIFY = "/login/verify/?next=/"
CHANGED = ("alice@example.com", "Your second factor has changed")
WRONG_CODE = ("alice@example.com", "A wrong code for your account")


class CodesTestCase(FactorTestCase):
    def setUp(self):
        super().setUp()
        self.app = self.give_app(self.alice)

    def type_code(self, code, url=VERIFY, **options):
        return self.client.post(url, {"code": code}, **options)

    def assertRefused(self, response, words=CODE_REFUSED):
        self.assertContains(response, words)
        self.assertLoggedOut()


class SecondStep(CodesTestCase):
    def test_right_password_leads_there_and_opens_nothing(self):
        self.client.get("/login/")
        self.assertRedirects(self.log_in(), VERIFY)
        self.assertLoggedOut()
        self.assertEqual(self.client.session.get_expiry_age(), HALF_LOGIN_SECONDS)
        self.alice.refresh_from_db()
        self.assertIsNone(self.alice.last_login)
        for url in ["/account/", "/account/security/", "/account/data/download/"]:
            self.assertRedirects(self.client.get(url), f"/login/?next={url}", 302, 200)
        kinds = SecurityEvent.objects.values_list("kind", flat=True)
        self.assertEqual([*kinds], [Kind.PASSWORD_ACCEPTED])

    def test_session_is_new_with_each_step(self):
        self.log_in()
        half = self.client.session.session_key
        self.type_code(self.code(self.app))
        self.assertNotEqual(self.client.session.session_key, half)
        self.log_in_elsewhere(self.bob)
        self.client.post("/logout/")
        self.client.get("/login/")
        self.assertNotIn("half login", dict(self.client.session))

    def test_code_of_the_app_logs_in_and_next_and_remember_me_survive(self):
        self.assertRedirects(
            self.log_in(next_url="/account/", remember="on"), "/login/verify/?next=/account/"
        )
        response = self.type_code(self.code(self.app), "/login/verify/?next=/account/")
        self.assertRedirects(response, "/account/")
        self.assertLoggedInAs(self.alice)
        self.assertEqual(self.client.session.get_expiry_age(), settings.REMEMBER_ME_SECONDS)

    def test_next_never_leads_off_the_site(self):
        self.log_in()
        url = "/login/verify/?next=https://evil.example/"
        self.assertRedirects(self.type_code(self.code(self.app), url), "/")

    def test_blanks_dashes_and_wide_digits_count_for_nothing(self):
        code = self.code(self.app)
        wide = "".join(chr(ord(digit) - 48 + 0xFF10) for digit in code)
        for typed in [f" {code[:3]} {code[3:]} ", f"{code[:3]}-{code[3:]}", wide]:
            with self.subTest(typed):
                AuthenticatorApp.objects.update(last_step=0)
                self.log_in()
                self.assertRedirects(self.type_code(typed), "/")
                self.client.post("/logout/")

    def test_one_step_of_drift_counts_and_two_do_not(self):
        for drift, right in [(-2, False), (-1, True), (0, True), (1, True), (2, False)]:
            with self.subTest(drift):
                AuthenticatorApp.objects.update(last_step=0)
                self.client.logout()
                self.log_in()
                # In the middle of a step: the next one may begin any moment.
                now = time.time() // 30 * 30 + 15
                with patch("users.second_factor.time.time", return_value=now):
                    self.type_code(self.app.generate(now + 30 * drift).decode())
                self.assertEqual("_auth_user_id" in self.client.session, right)

    def test_code_counts_once_and_no_older_one_after_it(self):
        now = time.time() // 30 * 30 + 15
        with patch("users.second_factor.time.time", return_value=now):
            codes = [self.app.generate(now + drift).decode() for drift in (0, 0, -30, 30)]
            right = [True, False, False, True]
            for code, counts in zip(codes, right, strict=True):
                self.client.logout()
                self.log_in()
                self.type_code(code)
                self.assertEqual("_auth_user_id" in self.client.session, counts)

    def test_what_is_no_code_of_this_member(self):
        bobs_app, bobs_codes = self.give_app(self.bob), self.give_codes(self.bob)
        with override_settings(CODE_FAILURES_PER_EMAIL_AND_IP_PER_15_MINUTES=10**6):
            for code in [
                *["000000", "12345", "1234567", "x", "\x01", "’; --", "٠٠٠٠٠٠", "0" * 64, "-" * 60],
                *[self.code(bobs_app), bobs_codes[0]],
            ]:
                with self.subTest(code):
                    self.log_in()
                    self.assertRefused(self.type_code(code))
        self.assertFalse(SecurityEvent.objects.filter(kind=Kind.LOGIN).exists())

    def test_empty_or_endless_code_is_no_attempt(self):
        self.log_in()
        for code in ["", "1" * 65, "1" * 100_000, "\x00"]:
            self.assertEqual(list(self.type_code(code).context["form"].errors), ["code"])
        self.assertFalse(SecurityEvent.objects.filter(kind=Kind.CODE_REFUSED).exists())

    def test_nobody_comes_here_without_the_password(self):
        for half in ["nobody", "over", "changed", "deactivated"]:
            with self.subTest(half):
                self.client.logout()
                if half != "nobody":
                    self.log_in()
                code = self.code(self.app)
                later = time.time() + (HALF_LOGIN_SECONDS + 1 if half == "over" else 0)
                if half == "changed":
                    self.alice.set_password("another unusual sentence")
                    self.alice.save()
                if half == "deactivated":
                    User.objects.filter(pk=self.alice.pk).update(is_active=False)
                with patch("users.views.login.time.time", return_value=later):
                    self.assertRedirects(self.client.get(VERIFY), "/login/?next=/")
                    self.assertRedirects(self.type_code(code), "/login/?next=/")
                self.assertLoggedOut()
                self.alice.set_password(PASSWORD)
                self.alice.save()

    @override_settings(EMAIL_VERIFICATION_REQUIRED=True)
    def test_email_that_staff_have_moved_meanwhile_has_to_be_confirmed(self):
        self.log_in()
        self.alice.leave_email("old@example.com")
        User.objects.filter(pk=self.alice.pk).update(email_confirmed_at=None)
        self.assertRedirects(self.type_code(self.code(self.app)), "/login/?next=/")
        self.assertLoggedOut()
        # And the password alone moves it nowhere else.
        self.assertRedirects(self.client.get("/account/email/correct/"), "/login/")

    def test_five_refused_codes_and_the_password_is_asked_for_again(self):
        self.log_in()
        for _ in range(4):
            self.assertEqual(self.type_code("000000").status_code, 200)
        self.assertRedirects(self.type_code("000000"), "/login/?next=/")
        self.assertRedirects(self.type_code(self.code(self.app)), "/login/?next=/")
        self.assertLoggedOut()

    def test_ten_in_a_quarter_of_an_hour_whatever_password_comes_between(self):
        for number in range(10):
            if number % 5 == 0:
                self.log_in()
            self.type_code("000000")
        self.log_in()  # the right password clears nothing
        self.assertEqual(self.type_code(self.code(self.app)).status_code, 429)
        self.assertLoggedOut()
        # Elsewhere the member gets in.
        response = self.client.post(VERIFY, {"code": self.code(self.app)}, REMOTE_ADDR="192.0.2.9")
        self.assertRedirects(response, "/")

    def test_factor_clears_them(self):
        for _ in range(3):
            AuthenticatorApp.objects.update(last_step=0)
            self.client.logout()
            self.log_in()
            for _ in range(4):
                self.type_code("000000")
            self.assertRedirects(self.type_code(self.code(self.app)), "/")

    def test_right_password_is_no_success_for_the_throttle(self):
        with override_settings(LOGIN_FAILURES_PER_EMAIL_AND_IP_PER_15_MINUTES=3):
            for _ in range(2):
                self.log_in(password="wrong")
            self.log_in()
            self.log_in(password="wrong")
            self.assertEqual(self.log_in().status_code, 429)

    def test_refused_code_is_mailed_once_a_day(self):
        self.log_in()
        self.type_code("000000")
        self.assertIn("/account/recover/", mail.outbox[0].body)
        self.assertMailed(WRONG_CODE)
        self.type_code("000000")
        self.assertMailed()
        SecurityEvent.objects.update(time=timezone.now() - timezone.timedelta(days=2))
        self.type_code("000000")
        self.assertMailed(WRONG_CODE)


class InARow(CodesTestCase):
    def test_after_a_hundred_the_app_rests_until_another_factor(self):
        AuthenticatorApp.objects.update(refused=99)
        self.log_in()
        self.assertRefused(self.type_code("000000"))
        self.assertRefused(self.type_code(self.code(self.app)), APP_RESTS)
        self.assertEqual(SecurityEvent.objects.filter(kind=Kind.CODE_REFUSED).count(), 1)
        self.assertRedirects(
            self.type_code(self.give_codes(self.alice)[0]), "/account/security/codes/?next=/"
        )
        self.client.post("/logout/")
        self.log_in()
        self.assertRedirects(self.type_code(self.code(self.app)), "/")

    def test_right_code_begins_anew(self):
        AuthenticatorApp.objects.update(refused=98)
        self.log_in()
        self.type_code("000000")
        self.assertRedirects(self.type_code(self.code(self.app)), "/")
        self.assertEqual(AuthenticatorApp.objects.get().refused, 0)


class RecoveryCodes(CodesTestCase):
    def setUp(self):
        super().setUp()
        self.codes = self.give_codes(self.alice)

    def test_hold_120_bits_and_are_kept_as_digests(self):
        self.assertEqual(len({*self.codes}), 10)
        for code in self.codes:
            self.assertRegex(code, r"\A([A-Z2-7]{4}-){5}[A-Z2-7]{4}\Z")
            self.assertFalse(
                RecoveryCode.objects.filter(digest__icontains=code.replace("-", "")[:12]).exists()
            )

    def test_each_works_once_is_mailed_and_leads_to_new_ones(self):
        self.log_in(next_url="/about/")
        response = self.type_code(self.codes[0].lower(), "/login/verify/?next=/about/")
        self.assertRedirects(response, "/account/security/codes/?next=/about/")
        self.assertLoggedInAs(self.alice)
        self.assertContains(
            self.client.get(response.url),
            '<a class="btn btn-outline-steel" href="/about/">Later</a>',
        )
        self.assertIn("9 are left", mail.outbox[0].body)
        self.assertMailed(("alice@example.com", "A recovery code was used"))
        self.assertContains(self.client.get("/account/security/"), "9 recovery codes are left")
        self.client.post("/logout/")
        self.log_in()
        self.assertRefused(self.type_code(self.codes[0]))

    def test_after_the_last_one_nothing_else_opens(self):
        RecoveryCode.objects.exclude(
            digest=second_factor.digest(self.codes[0].replace("-", ""))
        ).delete()
        self.log_in()
        self.type_code(self.codes[0])
        for url in ["/", "/account/", "/about/"]:
            self.assertRedirects(self.client.get(url), "/account/security/codes/", 302, 200)
        self.assertNotContains(self.client.get("/account/security/codes/?next=/"), "Later")
        self.make_and_type_back()
        self.assertEqual(self.client.get("/account/").status_code, 200)

    def make_and_type_back(self, position=0):
        new = self.client.post("/account/security/codes/").context["codes"]
        data = {"codes": " ".join(new), "code": new[position].replace("-", " ").lower()}
        self.assertRedirects(
            self.client.post("/account/security/codes/", data), "/account/security/"
        )
        return new

    def test_new_ones_take_the_place_of_the_old_once_one_is_typed_back(self):
        self.client.force_login(self.alice)
        page = self.client.post("/account/security/codes/")
        new = page.context["codes"]
        self.assertNotContains(self.client.get("/account/security/codes/"), new[0])  # shown once
        wrong = self.client.post(
            "/account/security/codes/", {"codes": " ".join(new), "code": self.codes[0]}
        )
        self.assertContains(wrong, "That is not one of these codes.")
        self.assertContains(wrong, new[0])
        self.assertEqual(second_factor.use_code(self.alice, self.codes[0]), RecoveryCode)
        with self.assertRaises(second_factor.Refused):
            second_factor.use_code(self.alice, new[0])
        new = self.make_and_type_back(3)
        self.assertMailed(CHANGED)
        with self.assertRaises(second_factor.Refused):
            second_factor.use_code(self.alice, self.codes[1])
        second_factor.use_code(self.alice, new[3])  # typing it back has not used it up

    def test_without_a_factor_there_are_none(self):
        self.client.force_login(self.bob)
        self.assertRedirects(self.client.post("/account/security/codes/"), "/account/security/")
        self.assertFalse(RecoveryCode.objects.filter(user=self.bob).exists())

    def test_code_of_the_app_is_a_proof_and_uses_up_none_of_them(self):
        self.client.force_login(self.alice)
        response = self.type_code(self.code(self.app), "/account/confirm/?next=/account/data/")
        self.assertRedirects(response, "/account/data/")
        self.assertEqual(RecoveryCode.objects.live(user=self.alice).count(), 10)

    def test_wrong_code_of_the_app_where_there_is_none(self):
        self.app = None
        AuthenticatorApp.objects.all().delete()
        self.give_passkey(self.alice)
        self.log_in()
        self.assertRefused(self.type_code("000000"))

    def test_is_a_proof_too(self):
        self.client.force_login(self.alice)
        response = self.type_code(self.codes[0], "/account/confirm/?next=/account/data/")
        self.assertRedirects(response, "/account/data/")
        self.assertMailed(("alice@example.com", "A recovery code was used"))


class App(FactorTestCase):
    URL = "/account/security/app/"

    def setUp(self):
        super().setUp()
        self.client.force_login(self.alice)

    def add(self, secret=None, code=None):
        secret = secret or self.client.get(self.URL).context["form"]["secret"].value()
        code = code or self.code(second_factor.app_codes(secret))
        return self.client.post(self.URL, {"secret": secret, "code": code}, follow=True)

    def test_page_shows_the_secret_as_qr_code_and_text(self):
        page = self.client.get(self.URL)
        secret = page.context["form"]["secret"].value()
        key = second_factor.read_secret(secret)
        self.assertEqual(len(key) * 8, 160)
        self.assertContains(page, "<svg")
        self.assertContains(page, second_factor.key_as_text(secret))
        url = second_factor.app_url(self.alice, secret)
        self.assertIn("otpauth://totp/Django%20Blog:alice%40example.com?", url)
        self.assertNotEqual(self.client.get(self.URL).context["form"]["secret"].value(), secret)

    def test_waits_for_recovery_codes_and_its_first_code_counts_for_no_login(self):
        page = self.client.get(self.URL)
        codes = second_factor.app_codes(page.context["form"]["secret"].value())
        now = time.time() // 30 * 30 + 15
        with patch("users.second_factor.time.time", return_value=now):
            code = codes.generate(now).decode()
            response = self.add(page.context["form"]["secret"].value(), code)
            self.assertRedirects(response, "/account/security/codes/")
            AuthenticatorApp.objects.update(added=timezone.now())
            self.client.logout()
            self.log_in()
            self.assertContains(self.client.post(VERIFY, {"code": code}), CODE_REFUSED)

    def test_counts_at_once_beside_another_factor(self):
        self.give_passkey(self.alice)
        self.assertRedirects(self.add(), "/account/security/")
        self.assertTrue(AuthenticatorApp.objects.live(user=self.alice).exists())
        self.assertMailed(CHANGED)
        # And there is one.
        self.assertRedirects(self.client.get(self.URL), "/account/security/")
        self.assertContains(self.add(second_factor.new_secret()), NOT_THIS_APP)
        self.client.post("/account/security/app/remove/")
        self.assertFalse(AuthenticatorApp.objects.live(user=self.alice).exists())
        self.assertMailed(CHANGED)
        self.assertEqual(self.client.post("/account/security/app/remove/").status_code, 404)

    def test_one_that_waits_is_replaced(self):
        for _ in range(2):
            self.assertRedirects(self.add(), "/account/security/codes/")
        self.assertEqual(AuthenticatorApp.objects.count(), 1)

    def test_wrong_code_and_a_secret_that_the_site_has_not_made(self):
        self.assertContains(self.add(code="000000"), NOT_THIS_APP)
        for secret in ["x", "ä", "x" * 200, "x" * 300, "gAAAA"]:
            self.assertContains(self.add(secret, "000000"), NOT_THIS_APP)
        self.assertEqual(list(self.add(code=" ").context["form"].errors), ["code"])
        self.assertFalse(AuthenticatorApp.objects.exists())


OLD, NEW = (
    "an old key of fifty characters or more " * 2,
    "a new key of fifty characters or more " * 2,
)


class SecretKey(CodesTestCase):
    def test_secrets_are_not_in_clear_and_two_are_never_alike(self):
        secret = AuthenticatorApp.objects.get().secret
        key = second_factor.read_secret(secret)
        self.assertNotIn(second_factor.key_as_text(secret).replace(" ", ""), secret)
        self.assertNotEqual(secret, second_factor.secret_box().encrypt(key).decode())

    def test_replaced_key_reads_them_as_a_fallback_and_without_it_after_the_command(self):
        with override_settings(SECRET_KEY=OLD):
            app = self.give_app(self.bob)
        bobs = AuthenticatorApp.objects.get(user=self.bob)
        with override_settings(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=[OLD]):
            self.assertEqual(second_factor.app_codes(bobs.secret).generate(0), app.generate(0))
            with patch("sys.stdout") as output:
                call_command("reencrypt_factors", stdout=output)
            # Alice's secret has a key that is neither.
            output.write.assert_called_with("Encrypted 1 secrets anew; 1 cannot be read.\n")
        bobs.refresh_from_db()
        with override_settings(SECRET_KEY=NEW):
            self.assertEqual(second_factor.app_codes(bobs.secret).generate(0), app.generate(0))

    def test_unreadable_secret_is_told_and_a_recovery_code_helps(self):
        codes = self.give_codes(self.alice)
        AuthenticatorApp.objects.update(secret="x")
        self.log_in()
        self.assertRefused(self.type_code("000000"), APP_UNREADABLE)
        self.assertFalse(SecurityEvent.objects.filter(kind=Kind.CODE_REFUSED).exists())
        self.type_code(codes[0])
        self.assertLoggedInAs(self.alice)


@tag("slow")
class AtTheSameTime(TransactionTestCase):
    """Twelve browsers with the right password, which send one code at once."""

    def setUp(self):
        self.enterContext(patch.object(BCryptSHA256PasswordHasher, "rounds", 4))
        CastTestCase.setUpTestData.__func__(type(self))
        User.objects.update(email_confirmed_at=timezone.now())
        self.app = give_app(self.alice)

    def race(self, code):
        """Return how many of the twelve get in."""
        browsers = [Client() for _ in range(12)]
        for browser in browsers:
            data = {"username": "alice@example.com", "password": PASSWORD}
            self.assertEqual(browser.post("/login/", data).url, VERIFY)
        all_ready = Barrier(12, timeout=30)

        def send(numbered):
            number, browser = numbered
            all_ready.wait()
            try:
                # Of networks of their own: the throttle would let ten through.
                where = {"REMOTE_ADDR": f"192.0.2.{number}"}
                return browser.post(VERIFY, {"code": code}, **where).status_code
            finally:
                connection.close()

        with ThreadPoolExecutor(12) as pool:
            statuses = [*pool.map(send, enumerate(browsers))]
        self.assertLessEqual(set(statuses), {200, 302})
        return sum("_auth_user_id" in browser.session for browser in browsers)

    def test_of_one_code_of_the_app_one_gets_in(self):
        self.assertEqual(self.race(show_code(self.app)), 1)

    def test_of_one_recovery_code_one_gets_in(self):
        self.assertEqual(self.race(give_codes(self.alice)[0]), 1)

    def test_of_wrong_codes_no_more_are_tested_than_may_be_in_a_row(self):
        AuthenticatorApp.objects.update(refused=95)
        find = second_factor.find_step
        with patch("users.second_factor.find_step", side_effect=find) as tested:
            self.assertEqual(self.race("000000"), 0)
        self.assertEqual(tested.call_count, 5)
