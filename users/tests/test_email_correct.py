from unittest.mock import patch

from django.contrib.auth.hashers import make_password
from django.core import mail
from django.test import override_settings
from django.utils import timezone

from testing.cast import PASSWORD, MailTestCase
from users.forms import CHANGED_CONCURRENTLY, SAME_EMAIL, EmailCorrectForm
from users.models import EMAIL_TAKEN, Kind, SecurityEvent, User
from users.tests.test_register import VALID_DATA

URL = "/account/email/correct/"
TYPO, RIGHT = "dvae@example.com", "dave@example.com"
DAVES_PASSWORD = VALID_DATA["password1"]


@override_settings(EMAIL_VERIFICATION_REQUIRED=True)
class EmailCorrectTestCase(MailTestCase):
    """Dave has mistyped his email on the register form."""

    def setUp(self):
        super().setUp()
        response = self.client.post("/register/", {**VALID_DATA, "email": TYPO}, follow=True)
        self.assertContains(response, f"A link to confirm your email is on its way to {TYPO}.")
        self.dave = User.objects.get(email=TYPO)
        self.typo_link = self.link()
        mail.outbox.clear()
        SecurityEvent.objects.all().delete()
        self.assertContains(self.log_in(TYPO, DAVES_PASSWORD), f'href="{URL}"')

    def correct(self, email=RIGHT):
        return self.client.post(URL, {"email": email})

    def assertEmail(self, email):
        self.dave.refresh_from_db()
        self.assertEqual(self.dave.email, email)


class RightAfterTheRightPassword(EmailCorrectTestCase):
    def test_page_says_which_email_the_account_has(self):
        response = self.client.get(URL)
        self.assertContains(response, TYPO)
        self.assertIn("no-store", response["Cache-Control"])

    def test_email_is_corrected_a_link_goes_there_and_the_old_one_learns_nothing_but_that(self):
        self.assertRedirects(self.correct("Dave@Example.com"), "/login/")
        self.assertNotIn(RIGHT, mail.outbox[0].body)
        url = self.link()
        self.assertMailed((TYPO, "Your email has changed"), (RIGHT, "Confirm your email"))
        self.assertEmail(RIGHT)
        self.assertIsNone(self.dave.email_confirmed_at)
        self.assertLoggedOut()
        self.assertEqual(self.client.get(self.typo_link).status_code, 410)
        self.client.post(url, {"password": DAVES_PASSWORD})
        self.assertRedirects(self.log_in(RIGHT, DAVES_PASSWORD), "/")

    def test_is_written_down_as_a_sign_up_and_a_change(self):
        self.correct()
        events = SecurityEvent.objects.order_by("pk").values_list("kind", "user", "email")
        self.assertEqual(
            [*events],
            [
                (Kind.PASSWORD_CONFIRMED, self.dave.pk, TYPO),
                (Kind.REGISTERED, self.dave.pk, RIGHT),
                (Kind.EMAIL_CHANGED, self.dave.pk, RIGHT),
            ],
        )

    def test_works_once(self):
        self.correct()
        self.assertRedirects(self.correct("third@example.com"), "/login/")
        self.assertEmail(RIGHT)

    def test_taken_bad_or_same_email_is_a_form_error(self):
        for email, words in [
            ("BOB@example.com", EMAIL_TAKEN),
            (TYPO, SAME_EMAIL),
            ("a@localhost", "Enter a valid email address."),
            ("", "This field is required."),
        ]:
            with self.subTest(email):
                self.assertEqual(self.correct(email).context["form"].errors, {"email": [words]})
        self.assertEmail(TYPO)

    def test_email_that_somebody_takes_meanwhile_is_a_form_error(self):
        save = EmailCorrectForm.save

        def save_late(form):
            User.objects.create_user("Quicker", RIGHT)
            return save(form)

        with patch.object(EmailCorrectForm, "save", save_late):
            self.assertEqual(self.correct().context["form"].errors, {"email": [EMAIL_TAKEN]})
        self.assertEmail(TYPO)

    def test_has_the_limits_of_sign_ups(self):
        with self.settings(SIGNUPS_PER_IP_PER_HOUR=3):
            for _ in range(3):
                self.assertContains(self.correct("bob@example.com"), EMAIL_TAKEN)
            for email in ["bob@example.com", RIGHT]:
                self.assertEqual(self.correct(email).status_code, 429)
        with self.settings(SIGNUPS_PER_IP_PER_HOUR=4):
            self.correct()
            self.log_in(RIGHT, DAVES_PASSWORD)
            self.assertEqual(self.correct("third@example.com").status_code, 429)
        self.assertEmail(RIGHT)


class NotOtherwise(EmailCorrectTestCase):
    def assertRefused(self):
        self.assertRedirects(self.client.get(URL), "/login/")
        self.assertRedirects(self.correct(), "/login/")
        self.assertEmail(TYPO)
        mail.outbox.clear()
        self.client.post("/account/email/send/")
        self.assertMailed()

    def test_without_the_password(self):
        self.client.logout()
        self.log_in(TYPO, "wrong")
        self.assertRefused()

    def test_ten_minutes_later(self):
        now = timezone.now().timestamp()
        with patch("users.views.login.time.time", return_value=now + 590):
            self.assertEqual(self.client.get(URL).status_code, 200)
        with patch("users.views.login.time.time", return_value=now + 601):
            self.assertRefused()

    def test_once_it_is_confirmed(self):
        User.objects.filter(pk=self.dave.pk).update(email_confirmed_at=timezone.now())
        self.assertRefused()

    def test_with_a_password_that_has_changed_since(self):
        User.objects.filter(pk=self.dave.pk).update(password=make_password("another one"))
        self.assertRefused()

    def test_by_a_member_who_is_deactivated(self):
        User.objects.filter(pk=self.dave.pk).update(is_active=False)
        self.assertRefused()

    def test_by_a_member_who_is_logged_in(self):
        self.client.force_login(self.carol)
        self.assertRedirects(self.correct(), "/login/", target_status_code=302)
        self.assertEmail(TYPO)

    def test_while_it_is_confirmed_or_the_password_changes(self):
        save = EmailCorrectForm.save
        for change in [{"email_confirmed_at": timezone.now()}, {"password": "!"}]:

            def save_late(form, change=change):
                User.objects.filter(pk=self.dave.pk).update(**change)
                return save(form)

            with self.subTest(change), patch.object(EmailCorrectForm, "save", save_late):
                before = User.objects.filter(pk=self.dave.pk).values(
                    "email_confirmed_at", "password"
                )
                before = before.get()
                self.assertContains(self.correct(), CHANGED_CONCURRENTLY)
                User.objects.filter(pk=self.dave.pk).update(**before)
        self.assertEmail(TYPO)

    def test_key_that_somebody_planted_is_not_the_one_it_is_noted_under(self):
        planted = self.client.session.session_key
        self.log_in(TYPO, DAVES_PASSWORD)
        self.assertNotEqual(self.client.session.session_key, planted)


class WhereNobodyHasToConfirm(MailTestCase):
    def test_there_is_no_such_page(self):
        self.log_in(password=PASSWORD)
        self.client.logout()
        self.assertRedirects(self.client.get(URL), "/login/")
