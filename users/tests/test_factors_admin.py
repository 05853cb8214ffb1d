"""What staff, the export and the daily job do with second factors."""

import re
from datetime import timedelta
from io import StringIO
from unittest.mock import patch

from django.contrib.admin.models import LogEntry
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from blog_project.clients import device_name
from testing.cast import FactorTestCase
from users.models import FormerEmail, Kind, Passkey, RecoveryCode, SecurityEvent, User

USERS = "/admin/users/user/"


class Staff(FactorTestCase):
    def setUp(self):
        super().setUp()
        self.give_passkey(self.alice)
        self.give_app(self.alice)
        self.give_codes(self.alice)
        self.client.force_login(self.carol)

    def remove(self, *users):
        data = {"action": "remove_factors", "_selected_action": [user.pk for user in users]}
        return self.client.post(USERS, data, follow=True)

    def test_page_of_a_member_shows_them(self):
        page = self.client.get(f"{USERS}{self.alice.pk}/change/")
        for words in ["Passkey “Laptop”, since", "Authenticator app, since", "Recovery codes: 10"]:
            self.assertContains(page, words)

    def test_removed_recorded_and_told_and_all_are_out(self):
        elsewhere = self.log_in_elsewhere(self.alice)
        self.assertContains(self.remove(self.alice, self.bob), "factors of 2 user(s)")
        self.assertFalse(User.objects.get(pk=self.alice.pk).has_second_factor)
        self.assertFalse(RecoveryCode.objects.live(user=self.alice).exists())
        self.assertEqual(elsewhere.get("/account/").status_code, 302)
        event = SecurityEvent.objects.get(kind=Kind.FACTORS_REMOVED)
        self.assertEqual((event.user, event.ip), (self.alice, None))
        self.assertEqual(LogEntry.objects.get().get_change_message(), "Removed the second factors.")
        self.assertMailed(("alice@example.com", "Your second factor has changed"))
        self.client.logout()
        self.log_in()
        self.assertLoggedInAs(self.alice)

    def test_links_in_the_old_mailbox_of_a_thief_are_made_void(self):
        data = {"username": "Alice", "email": "safe@example.com", "is_active": "on"}
        self.client.post(f"{USERS}{self.alice.pk}/change/", data)
        link = re.search(r"/account/recover/\S+", mail.outbox[0].body)[0]
        self.assertEqual(self.client.get(link).status_code, 200)
        data = {"action": "void_links", "_selected_action": [self.alice.pk]}
        self.assertContains(self.client.post(USERS, data, follow=True), "links of 1 user(s) void")
        self.assertEqual(self.client.post(link).status_code, 410)
        self.alice.refresh_from_db()
        self.assertEqual(self.alice.email, "safe@example.com")
        self.assertFalse(self.alice.never_confirmed)  # the factors survive the first confirmation

    def test_mail_server_that_is_down_is_no_error_page(self):
        with (
            patch("django.core.mail.EmailMessage.send", side_effect=OSError),
            self.assertLogs("users.emails", "ERROR"),
        ):
            self.assertContains(self.remove(self.alice), "factors of 1 user(s)")

    def test_only_superusers_remove_those_of_staff(self):
        self.make_staff(self.bob, "view_user", "change_user")
        self.client.force_login(self.bob)
        self.make_staff(self.alice)
        self.assertContains(self.remove(self.alice), "Only superusers change staff accounts")
        self.assertTrue(User.objects.get(pk=self.alice.pk).has_second_factor)

    def test_who_may_only_look_removes_none(self):
        self.make_staff(self.bob, "view_user")
        self.client.force_login(self.bob)
        self.remove(self.alice)
        self.assertTrue(User.objects.get(pk=self.alice.pk).has_second_factor)


class Export(FactorTestCase):
    def test_holds_names_and_dates_and_no_secret(self):
        passkey, app = self.give_passkey(self.alice), self.give_app(self.alice)
        self.give_passkey(self.alice, type(self.passkey)(), name="Lost")
        Passkey.objects.filter(name="Lost").update(removed=timezone.now())
        codes = self.give_codes(self.alice)
        self.alice.leave_email("old@example.com")
        self.client.force_login(self.alice)
        response = self.client.get("/account/data/download/")
        data = response.json()
        self.assertEqual([set(each) for each in data["passkeys"]], [{"name", "added", "last_used"}])
        self.assertEqual(data["passkeys"][0]["name"], "Laptop")
        self.assertEqual(
            [set(each) for each in data["authenticator_apps"]], [{"added", "last_used"}]
        )
        self.assertEqual(data["recovery_codes"], 10)
        self.assertEqual(data["former_emails"][0]["email"], "old@example.com")
        secret = self.alice.authenticatorapps.get().secret
        for hidden in [secret, codes[0], app.generate(0).decode(), bytes(passkey.credential).hex()]:
            self.assertNotContains(response, hidden)


class Pruning(FactorTestCase):
    def test_what_no_link_brings_back_any_more_goes(self):
        for days in [2, 4]:
            passkey = self.give_passkey(self.alice, type(self.passkey)(), name=f"{days}")
            passkey.removed = timezone.now() - timedelta(days=days)
            passkey.save()
            self.alice.leave_email(f"{days}@example.com")
            left = timezone.now() - timedelta(days=days)
            FormerEmail.objects.filter(email=f"{days}@example.com").update(left=left)
        self.give_passkey(self.alice)
        call_command("prune_events", stdout=StringIO())
        self.assertEqual({each.name for each in Passkey.objects.all()}, {"2", "Laptop"})
        self.assertEqual([each.email for each in FormerEmail.objects.all()], ["2@example.com"])

    def test_of_an_account_that_staff_moved_the_former_email_stays(self):
        self.alice.leave_email("old@example.com")
        FormerEmail.objects.update(left=timezone.now() - timedelta(days=9))
        User.objects.filter(pk=self.alice.pk).update(email_confirmed_at=None)
        call_command("prune_events", stdout=StringIO())
        self.assertTrue(FormerEmail.objects.exists())


class NewBrowser(FactorTestCase):
    TOLD = ("alice@example.com", "A login with a new browser")
    FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:{}.0) Gecko/20100101 Firefox/{}.0"
    SAFARI = (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
        " Version/17.4 Safari/605.1.15"
    )

    def log_in_with(self, agent):
        data = {"username": "alice@example.com", "password": "correct horse battery"}
        self.client.post("/login/", data, headers={"user-agent": agent})
        self.assertLoggedInAs(self.alice)
        self.client.logout()

    def test_is_told_with_a_link_and_neither_the_first_one_nor_a_newer_version_is(self):
        self.log_in_with(self.FIREFOX.format(140, 140))
        self.log_in_with(self.FIREFOX.format(140, 140))
        self.log_in_with(self.FIREFOX.format(145, 145))
        self.assertMailed()
        self.log_in_with(self.SAFARI)
        self.assertRegex(mail.outbox[0].body, r"with Safari on Mac OS X at\s+127\.0\.0\.1")
        self.assertIn("/account/recover/", mail.outbox[0].body)
        self.assertMailed(self.TOLD)
        self.log_in_with(self.SAFARI)
        self.assertMailed()

    def test_one_not_seen_for_90_days_is_new_again(self):
        self.log_in_with(self.FIREFOX.format(140, 140))
        SecurityEvent.objects.update(time=timezone.now() - timedelta(days=91))
        self.log_in_with(self.FIREFOX.format(140, 140))
        self.assertMailed(self.TOLD)

    def test_passkey_in_a_new_browser_is_told_too(self):
        self.log_in_with(self.FIREFOX.format(140, 140))
        self.give_passkey(self.alice)
        self.log_in_with_passkey()
        self.assertMailed(self.TOLD)

    def test_of_many_browsers_the_last_ones_are_read(self):
        for number in range(3):
            self.log_in_with(f"Browser{number}/1.0")
        mail.outbox.clear()
        SecurityEvent.objects.exclude(kind=Kind.LOGIN).delete()
        with (
            patch("users.views.login.BROWSERS_KNOWN", 2),
            patch("users.views.login.device_name", wraps=device_name) as read,
        ):
            self.log_in_with(self.SAFARI)
        self.assertEqual(read.call_count, 2)
        self.assertMailed(self.TOLD)

    def test_once_a_day_whatever_the_browser_calls_itself(self):
        for agent in [self.FIREFOX.format(1, 1), self.SAFARI, "curl/8.0", "Wget/1.2"]:
            self.log_in_with(agent)
        self.assertMailed(self.TOLD)

    def test_nobody_whose_email_is_not_confirmed_is_told(self):
        User.objects.update(email_confirmed_at=None)
        for agent in [self.SAFARI, self.FIREFOX.format(1, 1)]:
            self.log_in_with(agent)
        self.assertMailed()


class Statements(FactorTestCase):
    """How many statements a login takes: a second factor that nobody has costs none."""

    LOCKS = 2 if connection.vendor == "postgresql" else 0

    def test_without_a_factor(self):
        self.client.get("/login/")
        for _ in range(2):  # the second one has a browser that is known
            with self.assertNumQueries(22 + self.LOCKS):
                self.log_in()
            self.client.post("/logout/")
