from unittest.mock import patch

from django.contrib.auth.hashers import BCryptSHA256PasswordHasher, make_password
from django.core import signing
from django.test import override_settings
from django.utils import timezone

from testing.cast import PASSWORD, MailTestCase
from users.emails import read_token
from users.forms import NOT_YOURS, CurrentPasswordForm
from users.models import Kind, SecurityEvent, User
from users.tests.test_register import VALID_DATA

SENT = ("alice@example.com", "Confirm your email")
CONFIRM_FIRST = "Please confirm your email first"
DEAD = "This link does not work"


class EmailConfirmTestCase(MailTestCase):
    def ask(self):
        """Let Alice ask for a link, and return its path."""
        self.client.force_login(self.alice)
        self.client.post("/account/email/send/")
        self.client.logout()
        return self.link()

    def assertConfirmed(self, confirmed=True):
        self.alice.refresh_from_db()
        self.assertIs(bool(self.alice.email_confirmed_at), confirmed)


class Registration(MailTestCase):
    def test_sends_a_link_that_confirms(self):
        self.client.post("/register/", VALID_DATA)
        url = self.link()
        self.assertMailed(("dave@example.com", "Confirm your email"))
        self.client.post(url, {"password": VALID_DATA["password1"]})
        self.assertTrue(User.objects.get(email="dave@example.com").email_confirmed_at)
        self.assertMailed()

    def test_mail_server_that_is_down_loses_nothing(self):
        with (
            patch("django.core.mail.EmailMessage.send", side_effect=TimeoutError),
            self.assertLogs("users.emails", "ERROR") as logs,
        ):
            response = self.client.post("/register/", VALID_DATA, follow=True)
        self.assertContains(response, "Your account has been created!")
        self.assertContains(response, "The mail could not be sent.")
        self.assertContains(response, "alert-danger")
        self.assertNotIn("/account/email/confirm/", "".join(logs.output))
        self.assertTrue(User.objects.filter(email="dave@example.com").exists())


class EmailConfirmSend(EmailConfirmTestCase):
    def test_account_page_says_whether_and_offers_to_send_again(self):
        self.client.force_login(self.alice)
        self.assertContains(self.client.get("/account/"), "Send it again")
        response = self.client.post("/account/email/send/", follow=True)
        self.assertContains(response, "A link to confirm your email is on its way")
        self.assertMailed(SENT)
        User.objects.filter(pk=self.alice.pk).update(email_confirmed_at=timezone.now())
        response = self.client.get("/account/")
        self.assertNotContains(response, "Send it again")
        self.client.post("/account/confirm/", {"password": PASSWORD})
        self.assertContains(self.client.get("/account/email/"), "and it is confirmed")

    def test_nothing_is_sent_to_the_confirmed_or_to_strangers(self):
        self.assertRedirects(self.client.post("/account/email/send/"), "/login/")
        self.client.force_login(self.carol)  # createsuperuser vouched for her
        self.client.post("/account/email/send/")
        self.assertMailed()


class EmailConfirm(EmailConfirmTestCase):
    def test_opening_the_link_confirms_nothing(self):
        url = self.ask()
        for response in [self.client.get(url), self.client.head(url)]:
            self.assertEqual(response.status_code, 200)
            self.assertEqual(response["Referrer-Policy"], "strict-origin")
            self.assertIn("no-store", response["Cache-Control"])
        self.assertContains(self.client.get(url), "alice@example.com")
        self.assertConfirmed(False)

    def test_button_confirms_and_a_second_click_says_the_same(self):
        url = self.ask()
        for _ in range(2):
            response = self.client.post(url, {"password": PASSWORD}, follow=True)
            self.assertContains(response, "Your email is confirmed.")
            self.assertConfirmed()

    def test_of_two_clicks_at_once_the_second_changes_nothing(self):
        url, reads = self.ask(), []

        def read(token, users):
            if reads:  # the first click is through, and this one waited for its lock
                User.objects.filter(pk=self.alice.pk).update(email_confirmed_at=timezone.now())
            reads.append(token)
            return read_token(token, users)

        self.client.force_login(self.alice)
        with patch("users.views.email.read_token", read):
            response = self.client.post(url, follow=True)
        self.assertContains(response, "Your email is confirmed.")
        self.assertEqual(len(reads), 2)
        self.assertFalse(self.alice.events.filter(kind=Kind.EMAIL_CONFIRMED).exists())

    def test_every_link_sent_works_until_one_is_used(self):
        first, second = self.ask(), self.ask()
        self.assertEqual(self.client.get(first).status_code, 200)
        self.client.post(second, {"password": PASSWORD})
        self.alice.refresh_from_db()
        self.assertTrue(self.alice.email_confirmed_at)
        at = self.alice.email_confirmed_at
        self.client.post(first)
        self.alice.refresh_from_db()
        self.assertEqual(self.alice.email_confirmed_at, at)

    def test_link_dies_after_three_days(self):
        asked = signing.time.time()
        url = self.ask()
        with patch("django.core.signing.time.time", return_value=asked + 259_199):
            self.assertEqual(self.client.get(url).status_code, 200)
        with patch("django.core.signing.time.time", return_value=asked + 259_202):
            self.assertContains(self.client.post(url), DEAD, status_code=410)
        self.assertConfirmed(False)

    def test_new_password_leaves_the_link_alive(self):
        url = self.ask()
        self.alice.set_password("another unusual sentence")
        self.alice.save()
        self.client.post(url, {"password": PASSWORD})
        self.assertConfirmed(False)
        self.client.post(url, {"password": "another unusual sentence"})
        self.assertConfirmed()

    def test_link_dies_with_the_email_and_the_account(self):
        url = self.ask()
        User.objects.filter(pk=self.alice.pk).update(email="new@example.com")
        self.assertContains(self.client.post(url), DEAD, status_code=410)
        url = self.ask()
        User.objects.filter(pk=self.alice.pk).update(is_active=False)
        self.assertContains(self.client.post(url), DEAD, status_code=410)
        self.assertConfirmed(False)
        self.alice.delete()
        self.assertContains(self.client.post(url), DEAD, status_code=410)

    def test_broken_links_and_links_for_something_else_are_dead(self):
        url = self.ask()
        other = signing.dumps([self.alice.pk, "alice@example.com", "x"], salt="other purpose")
        self.client.post("/password-reset/", {"email": "alice@example.com"})
        reset_token = self.link().split("/")[3]
        for token in [url.split("/")[4][:-2], "x", "%00", "a" * 9_000, other, reset_token]:
            with self.subTest(token[:20]):
                for method in [self.client.get, self.client.post]:
                    response = method(f"/account/email/confirm/{token}/")
                    self.assertContains(response, DEAD, status_code=410)
                    self.assertContains(response, "/account/email/", status_code=410)
        self.assertConfirmed(False)

    def test_confirmation_token_resets_no_password(self):
        token = self.ask().split("/")[4]
        self.client.post("/password-reset/", {"email": "alice@example.com"})
        uid = self.link().split("/")[2]
        response = self.client.get(f"/password-reset/{uid}/{token}/", follow=True)
        self.assertContains(response, DEAD)


class WhoConfirms(EmailConfirmTestCase):
    """The member alone does, whoever presses the button."""

    def setUp(self):
        super().setUp()
        self.url = self.ask()

    def test_strangers_do_not(self):
        response = self.client.post(self.url)
        self.assertEqual(response.context["form"].errors, {"password": ["This field is required."]})
        response = self.client.post(self.url, {"password": "wrong"})
        self.assertEqual(response.context["form"].errors, {"password": [NOT_YOURS]})
        self.assertEqual(response["Referrer-Policy"], "strict-origin")
        self.assertConfirmed(False)

    def test_other_members_do_not_even_with_a_password_of_their_own(self):
        User.objects.filter(pk=self.bob.pk).update(password=make_password("bob has his own"))
        self.client.force_login(User.objects.get(pk=self.bob.pk))
        for data in [{}, {"password": "bob has his own"}]:
            self.assertEqual(self.client.post(self.url, data).status_code, 200)
            self.assertConfirmed(False)
        self.assertRedirects(self.client.post(self.url, {"password": PASSWORD}), "/account/")
        self.assertConfirmed()
        self.assertLoggedInAs(self.bob)

    def test_member_who_is_logged_in_is_not_asked(self):
        self.client.force_login(self.alice)
        self.assertNotContains(self.client.get(self.url), 'type="password"')
        self.assertRedirects(self.client.post(self.url), "/account/")
        self.assertConfirmed()

    def test_password_opens_no_session(self):
        self.assertContains(self.client.get(self.url), 'type="password"')
        self.assertRedirects(self.client.post(self.url, {"password": PASSWORD}), "/login/")
        self.assertLoggedOut()
        self.assertFalse(self.alice.sessions.exists())

    def test_wrong_password_counts_as_one_of_a_login(self):
        SecurityEvent.objects.all().delete()
        for number in range(10):
            password = "wrong" if number else ""  # nothing was tried
            self.client.post(self.url, {"password": password})
        self.log_in(password="wrong")
        kinds = set(SecurityEvent.objects.values_list("kind", "user", "email"))
        self.assertEqual(kinds, {(Kind.LOGIN_FAILED, self.alice.pk, "alice@example.com")})
        with patch.object(BCryptSHA256PasswordHasher, "encode") as encode:
            response = self.client.post(self.url, {"password": PASSWORD})
        self.assertEqual(response.status_code, 429)
        encode.assert_not_called()
        self.assertEqual(self.log_in().status_code, 429)

    def test_right_password_is_written_down(self):
        SecurityEvent.objects.all().delete()
        self.client.post(self.url, {"password": PASSWORD})
        kinds = SecurityEvent.objects.order_by("pk").values_list("kind", flat=True)
        self.assertEqual([*kinds], [Kind.PASSWORD_CONFIRMED, Kind.EMAIL_CONFIRMED])

    def test_password_of_a_dead_link_is_not_tested(self):
        User.objects.filter(pk=self.alice.pk).update(is_active=False)
        with patch.object(BCryptSHA256PasswordHasher, "encode") as encode:
            response = self.client.post(self.url, {"password": PASSWORD})
        self.assertContains(response, DEAD, status_code=410)
        encode.assert_not_called()

    def test_account_that_ends_while_the_password_is_hashed_is_a_dead_link(self):
        check_password = CurrentPasswordForm.clean_password

        def deactivate():
            User.objects.filter(pk=self.alice.pk).update(is_active=False)

        def delete():
            User.objects.get(pk=self.alice.pk).delete()

        for end in [deactivate, delete]:

            def clean(form, end=end):
                end()
                return check_password(form)

            User.objects.filter(pk=self.alice.pk).update(is_active=True)
            with (
                self.subTest(end.__name__),
                patch.object(CurrentPasswordForm, "clean_password", clean),
            ):
                response = self.client.post(self.url, {"password": PASSWORD})
                self.assertContains(response, DEAD, status_code=410)

    def test_account_without_a_password_is_confirmed_by_a_reset_alone(self):
        self.alice.set_unusable_password()
        self.alice.save()
        for password in ["", self.alice.password, PASSWORD]:
            self.assertEqual(self.client.post(self.url, {"password": password}).status_code, 200)
        self.assertConfirmed(False)


@override_settings(EMAIL_VERIFICATION_REQUIRED=True)
class VerificationRequired(EmailConfirmTestCase):
    def test_register_says_that_a_link_is_on_its_way(self):
        response = self.client.post("/register/", VALID_DATA, follow=True)
        self.assertContains(response, "A link to confirm your email is on its way")
        self.assertContains(response, "created! Please confirm your email before you log in.")
        self.assertNotContains(response, "now able to log in")

    def test_right_password_is_told_to_confirm_first_and_gets_a_new_link(self):
        response = self.log_in()
        self.assertContains(response, CONFIRM_FIRST)
        self.assertContains(response, "Send it again")
        self.assertLoggedOut()
        self.client.post("/account/email/send/")
        url = self.link()
        self.assertMailed(SENT)
        self.client.post(url, {"password": PASSWORD})
        self.assertLoggedOut()
        self.assertRedirects(self.log_in(), "/")

    def test_wrong_password_learns_nothing_and_gets_nothing(self):
        response = self.log_in(password="wrong")
        self.assertNotContains(response, CONFIRM_FIRST)
        self.assertNotContains(response, "Send it again")
        self.client.post("/account/email/send/")
        self.assertMailed()

    def test_one_right_password_sends_one_mail(self):
        self.log_in()
        self.client.post("/account/email/send/")
        self.client.post("/account/email/send/")
        self.assertMailed(SENT)

    def test_confirmed_member_logs_in(self):
        User.objects.filter(pk=self.alice.pk).update(email_confirmed_at=timezone.now())
        self.assertRedirects(self.log_in(), "/")

    def test_whoever_made_the_superuser_vouches_for_the_address(self):
        self.assertRedirects(self.log_in("carol@example.com"), "/")


class VerificationNotRequired(EmailConfirmTestCase):
    def test_login_does_not_wait(self):
        self.assertRedirects(self.log_in(), "/")
