from datetime import timedelta
from unittest.mock import patch

from django.contrib.auth.hashers import BCryptSHA256PasswordHasher
from django.db import connection
from django.test import RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from testing.cast import PASSWORD, MailTestCase
from users.events import record
from users.forms import LOGIN_UNSUCCESSFUL
from users.models import Kind, SecurityEvent, User

HOME, ELSEWHERE = "192.0.2.1", "203.0.113.9"
NEW_PASSWORD = "another unusual sentence"


class ThrottleTestCase(MailTestCase):
    def post(self, url, ip=HOME, **data):
        return self.client.post(url, data, REMOTE_ADDR=ip)

    def try_password(self, email="alice@example.com", password="wrong", ip=HOME):
        response = self.post("/login/", ip, username=email, password=password)
        if response.status_code == 302:
            self.client.post("/logout/")
        return response

    def fail(self, times, email="alice@example.com", ip=HOME):
        for number in range(times):
            response = self.try_password(email, ip=ip)
            self.assertContains(response, LOGIN_UNSUCCESSFUL, msg_prefix=f"{number}")

    def fail_all_over_the_world(self, times, email="alice@example.com"):
        for number in range(times):
            self.fail(1, email, ip=f"198.51.{number // 100}.{number % 100}")

    def age(self, **age):
        """Let all that was written be older by `age`."""
        for event in SecurityEvent.objects.all():
            event.time -= timedelta(**age)
            event.save()

    def assertThrottled(self, response, minutes):
        self.assertContains(response, "Too many attempts", status_code=429)
        words = f"Please try again in {minutes} minute{'s' if minutes > 1 else ''}"
        self.assertContains(response, words, status_code=429)
        self.assertAlmostEqual(int(response["Retry-After"]), minutes * 60, delta=59)

    def assertLetIn(self, response):
        self.assertEqual(response.status_code, 302)


class PerAddressAndPlace(ThrottleTestCase):
    def test_ten_wrong_passwords_and_the_right_one_is_not_tested(self):
        self.fail(10)
        self.assertThrottled(self.try_password(password=PASSWORD), 15)
        self.age(minutes=14)
        self.assertThrottled(self.try_password(password=PASSWORD), 1)
        self.age(minutes=1)
        self.assertLetIn(self.try_password(password=PASSWORD))

    def test_members_are_told_the_way_around(self):
        self.fail(10)
        self.assertContains(self.try_password(), "set a new password", status_code=429)

    def test_no_password_is_hashed_that_is_not_tested(self):
        self.fail(10)
        with patch.object(BCryptSHA256PasswordHasher, "encode") as encode:
            self.try_password(password=PASSWORD)
        encode.assert_not_called()

    def test_the_first_to_grow_old_gives_its_place_back(self):
        self.fail(3)
        self.age(minutes=10)
        self.fail(7)
        self.assertThrottled(self.try_password(), 5)
        self.age(minutes=5)
        self.fail(3)
        self.assertThrottled(self.try_password(), 10)

    def test_unknown_addresses_look_alike(self):
        pages = []
        for email in ["alice@example.com", "nobody@example.com"]:
            self.fail(10, email)
            response = self.try_password(email)
            self.assertThrottled(response, 15)
            pages.append(response.content)
        self.assertEqual(*pages)

    def test_the_address_counts_however_it_is_spelt(self):
        for email in ["Alice@example.com", " alice@EXAMPLE.com ", "ＡＬＩＣＥ@example.com"]:
            self.fail(2, email)
        for at in "＠﹫":  # Unicode has two more, which the login form takes for the one
            self.fail(2, f"alice{at}example.com")
        self.assertThrottled(self.try_password(), 15)
        events = SecurityEvent.objects.filter(user=self.alice, email="alice@example.com")
        self.assertEqual(events.count(), 11)

    def test_success_clears_the_count(self):
        self.fail(9)
        self.assertLetIn(self.try_password(password=PASSWORD))
        self.fail(9)
        self.assertLetIn(self.try_password(password=PASSWORD))

    def test_throttled_attempts_are_no_failures(self):
        self.fail(10)
        self.age(minutes=14)
        for _ in range(20):
            self.try_password()
        self.age(minutes=1)
        self.assertLetIn(self.try_password(password=PASSWORD))

    def test_other_members_at_the_same_place_are_not_held_up(self):
        self.fail(10)
        self.assertLetIn(self.try_password("bob@example.com", PASSWORD))

    def test_ipv6_counts_by_64(self):
        for number in range(10):
            self.fail(1, ip=f"2001:db8:1:2::{number}")
        self.assertThrottled(self.try_password(ip="2001:db8:1:2:ffff::"), 15)
        self.fail(1, ip="2001:db8:1:3::")

    def test_forged_header_changes_nothing(self):
        for number in range(10):
            self.client.defaults["HTTP_X_FORWARDED_FOR"] = f"198.51.100.{number}"
            self.fail(1)
        self.assertThrottled(self.try_password(), 15)

    def test_time_is_that_of_the_place_not_of_the_wait_for_it(self):
        with patch("users.throttle.lock", side_effect=lambda event: locked.append(timezone.now())):
            locked = []
            self.fail(1)
        self.assertGreaterEqual(SecurityEvent.objects.get().time, locked[0])

    @override_settings(LOGIN_FAILURES_PER_EMAIL_AND_IP_PER_15_MINUTES=1)
    def test_limit_is_a_setting(self):
        self.fail(1)
        self.assertThrottled(self.try_password(), 15)

    def test_error_while_the_password_is_tested_counts_as_a_failure(self):
        with patch.object(BCryptSHA256PasswordHasher, "encode", side_effect=ValueError("oh")):
            for _ in range(10):
                with self.assertRaises(ValueError):
                    self.try_password()
        self.assertThrottled(self.try_password(), 15)

    def test_database_that_cannot_count_lets_nobody_in(self):
        with (
            patch.object(SecurityEvent, "save", side_effect=OSError("disk full")),
            self.assertRaises(OSError),
        ):
            self.try_password(password=PASSWORD)
        self.assertLoggedOut()


class RightPasswords(ThrottleTestCase):
    """They cost as much to hash as wrong ones."""

    def test_thirty_attempts_of_any_outcome_and_no_more_is_hashed(self):
        for _ in range(7):
            self.assertLetIn(self.try_password(password=PASSWORD))
            self.fail(3)
        self.assertLetIn(self.try_password(password=PASSWORD))
        self.client.force_login(self.alice)
        self.assertEqual(self.post("/account/password/", old_password=PASSWORD).status_code, 200)
        self.client.logout()
        with patch.object(BCryptSHA256PasswordHasher, "encode") as encode:
            self.assertThrottled(self.try_password(password=PASSWORD), 15)
        encode.assert_not_called()
        self.age(minutes=15)
        self.assertLetIn(self.try_password(password=PASSWORD))

    @override_settings(LOGINS_PER_EMAIL_AND_IP_PER_15_MINUTES=4)
    def test_forms_of_members_are_under_the_same_limit(self):
        self.assertLetIn(self.try_password(password=PASSWORD))
        self.client.force_login(self.alice)
        new = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
        self.assertLetIn(self.post("/account/password/", old_password=PASSWORD, **new))
        for _ in range(2):
            self.assertLetIn(self.post("/account/confirm/", password=NEW_PASSWORD))
        for url in ["/account/confirm/", "/account/password/"]:
            self.assertThrottled(self.post(url, password=NEW_PASSWORD), 15)

    @override_settings(LOGINS_PER_EMAIL_AND_IP_PER_15_MINUTES=2)
    def test_elsewhere_and_other_members_at_the_same_place_are_not_held_up(self):
        for _ in range(2):
            self.assertLetIn(self.try_password(password=PASSWORD))
        self.assertThrottled(self.try_password(password=PASSWORD), 15)
        self.assertLetIn(self.try_password(password=PASSWORD, ip=ELSEWHERE))
        self.assertLetIn(self.try_password("bob@example.com", PASSWORD))

    def test_a_whole_office_logs_in_from_one_place(self):
        hashed = self.alice.password
        User.objects.bulk_create(
            User(username=f"user{number}", email=f"user{number}@example.com", password=hashed)
            for number in range(110)  # more than any limit of wrong ones
        )
        for number in range(110):
            self.assertLetIn(self.try_password(f"user{number}@example.com", PASSWORD))

    @override_settings(LOGINS_PER_EMAIL_AND_IP_PER_15_MINUTES=1)
    def test_unknown_addresses_look_alike(self):
        pages = []
        for email in ["alice@example.com", "nobody@example.com"]:
            self.fail(1, email)
            pages.append(self.try_password(email).content)
        self.assertEqual(*pages)


class RightPasswordOfAnUnconfirmedAddress(ThrottleTestCase):
    @override_settings(EMAIL_VERIFICATION_REQUIRED=True)
    def test_is_no_failure(self):
        for _ in range(12):
            self.assertEqual(self.try_password(password=PASSWORD).status_code, 200)
        self.fail(10)
        self.assertThrottled(self.try_password(password=PASSWORD), 15)


class PerAddress(ThrottleTestCase):
    def test_a_hundred_a_day_from_everywhere(self):
        self.fail_all_over_the_world(100)
        self.assertThrottled(self.try_password(ip=ELSEWHERE, password=PASSWORD), 24 * 60)
        self.age(hours=23, minutes=59)
        self.assertThrottled(self.try_password(ip=ELSEWHERE, password=PASSWORD), 1)
        self.age(minutes=1)
        self.assertLetIn(self.try_password(ip=ELSEWHERE, password=PASSWORD))


@override_settings(LOGIN_FAILURES_PER_EMAIL_PER_DAY=12)
class PerAddressFromWhere(ThrottleTestCase):
    def test_unknown_addresses_look_alike(self):
        self.fail_all_over_the_world(12, "nobody@example.com")
        response = self.try_password("nobody@example.com", ip=ELSEWHERE)
        self.assertThrottled(response, 24 * 60)

    def test_member_is_let_in_where_they_usually_are(self):
        self.assertLetIn(self.try_password(password=PASSWORD))
        self.age(days=80)
        self.fail_all_over_the_world(12)
        self.assertThrottled(self.try_password(ip=ELSEWHERE, password=PASSWORD), 24 * 60)
        self.assertLetIn(self.try_password(password=PASSWORD))

    def test_login_there_gives_the_others_no_new_hundred(self):
        self.assertLetIn(self.try_password(password=PASSWORD))
        self.fail_all_over_the_world(12)
        self.assertLetIn(self.try_password(password=PASSWORD))
        self.assertThrottled(self.try_password(ip=ELSEWHERE), 24 * 60)

    @override_settings(LOGIN_FAILURES_PER_EMAIL_PER_DAY=15)
    def test_usual_place_has_a_count_of_its_own(self):
        self.assertLetIn(self.try_password(password=PASSWORD))
        self.fail(10)
        self.age(minutes=15)
        self.fail(5)
        self.assertThrottled(self.try_password(password=PASSWORD), 24 * 60 - 15)

    def test_usual_place_of_one_member_is_not_that_of_another(self):
        self.assertLetIn(self.try_password("bob@example.com", PASSWORD))
        self.fail_all_over_the_world(12)
        self.assertThrottled(self.try_password(password=PASSWORD), 24 * 60)

    def reset(self, ip):
        self.post("/password-reset/", ip, email="alice@example.com")
        page = self.client.get(self.link(), follow=True, REMOTE_ADDR=ip).request["PATH_INFO"]
        self.post(page, ip, new_password1=NEW_PASSWORD, new_password2=NEW_PASSWORD)

    def test_reset_by_mail_makes_a_place_usual(self):
        self.fail_all_over_the_world(12)
        self.reset(HOME)
        self.assertLetIn(self.try_password(password=NEW_PASSWORD))

    def test_places_of_whoever_had_the_password_before_are_usual_no_more(self):
        self.assertLetIn(self.try_password(password=PASSWORD, ip=ELSEWHERE))
        self.reset(HOME)
        self.fail_all_over_the_world(12)
        self.assertThrottled(self.try_password(ip=ELSEWHERE), 24 * 60)
        self.assertLetIn(self.try_password(password=NEW_PASSWORD))

    def test_change_of_the_password_keeps_its_own_place_alone(self):
        for ip in [HOME, ELSEWHERE]:
            self.assertLetIn(self.try_password(password=PASSWORD, ip=ip))
        self.client.force_login(self.alice)
        new = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
        self.assertLetIn(self.post("/account/password/", old_password=PASSWORD, **new))
        self.client.logout()
        self.fail_all_over_the_world(12)
        self.assertThrottled(self.try_password(ip=ELSEWHERE), 24 * 60)
        self.assertLetIn(self.try_password(password=NEW_PASSWORD))

    def test_places_of_whoever_had_the_address_before_are_usual_no_more(self):
        for kind in [Kind.REGISTERED, Kind.EMAIL_CHANGED]:
            with self.subTest(kind):
                self.assertLetIn(self.try_password(password=PASSWORD))
                self.fail_all_over_the_world(12)
                record(RequestFactory().get("/", REMOTE_ADDR=ELSEWHERE), kind, user=self.alice)
                self.assertThrottled(self.try_password(password=PASSWORD), 24 * 60)
                SecurityEvent.objects.all().delete()

    def test_neither_are_those_of_a_deleted_account_however_the_new_one_came_about(self):
        def sign_up(name):
            passwords = {"password1": PASSWORD, "password2": PASSWORD}
            self.post(
                "/register/", ELSEWHERE, username=name, email="alice@example.com", **passwords
            )

        def add_in_the_admin(name):
            self.client.force_login(self.carol)
            self.post("/admin/users/user/add/", username=name, email="alice@example.com")
            self.client.logout()
            user = User.objects.get(email="alice@example.com")
            user.set_password(PASSWORD)  # as with the link that staff send
            user.save()

        def create(name):
            User.objects.create_user(name, "alice@example.com", PASSWORD)

        def create_superuser(name):
            User.objects.create_superuser(name, "alice@example.com", PASSWORD)

        def import_in_bulk(name):
            user = User(username=name, email="alice@example.com", password=self.bob.password)
            User.objects.bulk_create([user])

        for again in [sign_up, add_in_the_admin, create, create_superuser, import_in_bulk]:
            with self.subTest(again.__name__):
                self.assertLetIn(self.try_password(password=PASSWORD))
                self.fail_all_over_the_world(12)
                self.assertLetIn(self.try_password(password=PASSWORD))
                User.objects.get(email="alice@example.com").delete()
                again("Alicia")
                self.assertTrue(User.objects.filter(email="alice@example.com").exists())
                self.assertThrottled(self.try_password(password=PASSWORD), 24 * 60)
                SecurityEvent.objects.all().delete()

    def test_deleted_account_has_no_usual_places(self):
        self.assertLetIn(self.try_password(password=PASSWORD))
        self.fail_all_over_the_world(12)
        self.alice.delete()
        self.assertThrottled(self.try_password(), 24 * 60)


class PerPlace(ThrottleTestCase):
    def test_a_hundred_in_a_quarter_of_an_hour_whatever_the_address(self):
        for number in range(20):
            self.fail(5, f"user{number}@example.com")
        self.assertThrottled(self.try_password("bob@example.com", PASSWORD), 15)
        self.assertLetIn(self.try_password("bob@example.com", PASSWORD, ip=ELSEWHERE))

    @override_settings(LOGIN_FAILURES_PER_IP_PER_15_MINUTES=5)
    def test_login_of_ones_own_does_not_clear_it(self):
        for number in range(5):
            self.fail(1, f"user{number}@example.com")
            self.age(seconds=1)
            if number < 4:
                self.assertLetIn(self.try_password("bob@example.com", PASSWORD))
        self.assertThrottled(self.try_password("bob@example.com", PASSWORD), 15)


class CurrentPassword(ThrottleTestCase):
    """A session that was left open or stolen is no way to guess the password."""

    def test_counts_like_a_login_on_every_form_that_asks_for_it(self):
        new = {"new_password1": "another sentence", "new_password2": "another sentence"}
        forms = [
            ("/account/confirm/", {"password": "wrong"}),
            ("/account/password/", {"old_password": "wrong", **new}),
        ]
        self.client.force_login(self.alice)
        for number in range(10):
            url, data = forms[number % 2]
            self.assertEqual(self.post(url, **data).status_code, 200)
        for url, data in forms:
            right = {name: PASSWORD if value == "wrong" else value for name, value in data.items()}
            self.assertThrottled(self.post(url, **right), 15)
        self.client.logout()
        self.assertThrottled(self.try_password(password=PASSWORD), 15)

    def test_right_one_clears_the_count(self):
        self.client.force_login(self.alice)
        for _ in range(9):
            self.post("/account/confirm/", password="wrong")
        self.assertLetIn(self.post("/account/confirm/", password=PASSWORD))
        for _ in range(9):
            self.assertEqual(self.post("/account/confirm/", password="wrong").status_code, 200)


class BeyondTheLimit(ThrottleTestCase):
    def test_known_and_unknown_emails_cost_the_same_queries(self):
        seen = []
        for email in ["alice@example.com", "nobody@example.com"]:
            self.fail(10, email)
            self.try_password(email)
            with CaptureQueriesContext(connection) as queries:
                self.assertThrottled(self.try_password(email), 15)
            seen.append(len(queries))
        self.assertEqual(*seen)


class WhatIsWritten(ThrottleTestCase):
    def throttled(self):
        return list(SecurityEvent.objects.filter(kind=Kind.THROTTLED))

    def test_one_event_a_quarter_of_an_hour_however_often_they_try(self):
        self.fail(10)
        for _ in range(30):
            self.try_password()
        event = self.throttled()[0]
        self.assertEqual(
            (event.user, event.email, event.ip), (self.alice, "alice@example.com", HOME)
        )
        self.assertEqual(len(self.throttled()), 1)
        self.age(minutes=14, seconds=50)
        self.try_password()
        self.assertEqual(len(self.throttled()), 1)
        self.age(seconds=10)
        self.fail(10)
        with self.assertLogs("django.security.auth") as logs:
            self.try_password()
        self.assertEqual(len(self.throttled()), 2)
        self.assertIn('"throttled"', logs.output[0])

    @override_settings(LOGIN_FAILURES_PER_IP_PER_15_MINUTES=3)
    def test_one_place_fills_no_disk_with_ever_new_addresses(self):
        self.fail(3)
        for number in range(30):
            self.try_password(f"user{number}@example.com")
        self.assertEqual(len(self.throttled()), 1)
