from datetime import timedelta
from unittest.mock import patch

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from testing.cast import PASSWORD, MailTestCase
from users.emails import MAIL_NOT_SENT
from users.forms import SetPasswordForm
from users.models import User

NEW_PASSWORD = "another unusual sentence"
ASKED = ("alice@example.com", "Set a new password")
USED = ("alice@example.com", "Your password has been reset")


class PasswordResetPost(MailTestCase):
    def ask(self, email):
        return self.client.post("/password-reset/", {"email": email}, follow=True)

    def test_login_page_leads_here(self):
        self.assertContains(self.client.get("/login/"), 'href="/password-reset/"')

    def test_member_gets_a_link_in_any_case(self):
        self.ask("ALICE@example.com")
        self.assertIn("/password-reset/", mail.outbox[0].body)
        self.assertMailed(ASKED)

    def test_other_addresses_get_a_mail_that_says_so(self):
        self.bob.is_active = False
        self.bob.save()
        self.carol.set_unusable_password()
        self.carol.save()
        for email in ["nobody@example.com", "bob@example.com", "carol@example.com"]:
            with self.subTest(email):
                self.ask(email)
                self.assertIn("/register/", mail.outbox[0].body)
                self.assertNotIn("/password-reset/", mail.outbox[0].body)
                self.assertMailed((email, "No account with this email"))

    def test_mail_to_a_stranger_does_not_name_who_asked(self):
        self.client.force_login(self.alice)
        self.ask("nobody@example.com")
        self.assertTrue(mail.outbox[0].body.startswith("Hello,\n"))

    def test_known_and_unknown_addresses_look_and_cost_alike(self):
        answers = []
        for email in ["alice@example.com", "nobody@example.com"]:
            with CaptureQueriesContext(connection) as queries:
                page = self.ask(email).content
            answers.append((page, len(queries), len(mail.outbox)))
            mail.outbox.clear()
        self.assertEqual(*answers)

    def test_mail_server_that_is_down_looks_alike_too(self):
        pages = []
        for email in ["alice@example.com", "nobody@example.com"]:
            with (
                patch("django.core.mail.EmailMessage.send", side_effect=OSError("refused")),
                self.assertLogs("users.emails", "ERROR"),
            ):
                response = self.ask(email)
            self.assertContains(response, MAIL_NOT_SENT)
            pages.append(response.content)
        self.assertEqual(*pages)

    def test_bad_addresses_are_form_errors(self):
        for email in ["", "nobody", "a@b@c.org", "x" * 10_000 + "@example.com", "a\x00@b.org"]:
            with self.subTest(email[:20]):
                response = self.client.post("/password-reset/", {"email": email})
                self.assertEqual(list(response.context["form"].errors), ["email"])
        self.assertMailed()


class PasswordResetConfirm(MailTestCase):
    def setUp(self):
        super().setUp()
        self.client.post("/password-reset/", {"email": "alice@example.com"})
        self.url = self.link()
        mail.outbox.clear()

    def open_and_set(self, url=None, password=NEW_PASSWORD):
        """Open the link and send the form of the page that it leads to."""
        response = self.client.get(url or self.url, follow=True)
        data = {"new_password1": password, "new_password2": password}
        return self.client.post(response.request["PATH_INFO"], data, follow=True)

    def assertDead(self, url=None):
        self.assertContains(
            self.client.get(url or self.url, follow=True), "This link does not work"
        )
        self.assertContains(self.open_and_set(url), "/password-reset/")
        self.alice.refresh_from_db()
        self.assertTrue(self.alice.check_password(PASSWORD))

    def test_no_token_stays_in_the_address(self):
        response = self.client.get(self.url)
        self.assertRedirects(response, self.url.rsplit("/", 2)[0] + "/set-password/")

    def test_new_password_works_everybody_is_out_and_a_mail_says_so(self):
        elsewhere = self.log_in_elsewhere(self.alice)
        self.client.post("/password-reset/", {"email": "alice@example.com"})
        url = self.link()
        mail.outbox.clear()
        self.assertContains(self.open_and_set(url), "Password set")
        self.assertLoggedOut()
        self.assertFalse(self.alice.sessions.exists())
        self.assertRedirects(elsewhere.get("/account/"), "/login/?next=/account/")
        self.assertMailed(USED)
        self.assertContains(self.log_in(), "Login Unsuccessful")
        self.assertRedirects(self.log_in(password=NEW_PASSWORD), "/")

    def test_whoever_has_the_link_has_the_mailbox(self):
        self.assertIsNone(self.alice.email_confirmed_at)
        self.open_and_set()
        self.alice.refresh_from_db()
        confirmed = self.alice.email_confirmed_at
        self.assertTrue(confirmed)
        self.client.post("/password-reset/", {"email": "alice@example.com"})
        self.open_and_set(self.link(), "yet another sentence")
        self.alice.refresh_from_db()
        self.assertEqual(self.alice.email_confirmed_at, confirmed)

    def test_browser_that_is_logged_in_is_out_too(self):
        for member in [self.alice, self.bob]:
            with self.subTest(member):
                self.client.force_login(member)
                self.client.post("/password-reset/", {"email": "alice@example.com"})
                url = self.link()
                self.assertContains(self.open_and_set(url), "Password set")
                self.assertLoggedOut()
                mail.outbox.clear()

    def test_bad_password_is_a_form_error_and_the_link_lives(self):
        response = self.open_and_set(password="alice")
        self.assertTrue(response.context["form"].errors)
        self.assertMailed()
        self.assertContains(self.open_and_set(), "Password set")

    def test_link_works_once(self):
        self.open_and_set()
        self.alice.refresh_from_db()
        self.alice.set_password(PASSWORD)
        self.alice.save()
        self.assertDead()

    def test_of_two_clicks_at_once_the_first_counts(self):
        def set_first(form):
            alice = User.objects.get(pk=self.alice.pk)
            alice.set_password("quicker than you")
            alice.save()

        with patch.object(SetPasswordForm, "clean", set_first):
            self.assertContains(self.open_and_set(), "has been changed in another window")
        self.alice.refresh_from_db()
        self.assertTrue(self.alice.check_password("quicker than you"))
        self.assertMailed()

    def test_link_dies_after_an_hour(self):
        later = timezone.now() + timedelta(minutes=61)
        with patch.object(
            PasswordResetTokenGenerator, "_now", return_value=later.replace(tzinfo=None)
        ):
            self.assertDead()

    def test_link_dies_with_a_new_email(self):
        User.objects.filter(pk=self.alice.pk).update(email="new@example.com")
        self.assertDead()

    def test_link_lives_on_after_a_login_of_whoever_knows_the_old_password(self):
        thief = Client()
        thief.post("/login/", {"username": "alice@example.com", "password": PASSWORD})
        self.alice.refresh_from_db()
        self.assertTrue(self.alice.last_login)
        self.assertTrue(self.client.get(self.url, follow=True).context["validlink"])

    def test_email_that_changes_meanwhile_is_not_confirmed(self):
        def change_email(form):
            User.objects.filter(pk=self.alice.pk).update(email="ceo@example.com")
            return form.cleaned_data

        page = self.client.get(self.url, follow=True).request["PATH_INFO"]
        new = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
        with patch.object(SetPasswordForm, "clean", change_email):
            response = self.client.post(page, new)
        self.assertContains(response, "has been changed in another window")
        self.alice.refresh_from_db()
        self.assertIsNone(self.alice.email_confirmed_at)
        self.assertTrue(self.alice.check_password(PASSWORD))

    def test_key_that_somebody_planted_is_not_the_one_the_token_is_kept_under(self):
        thief = Client()
        thief.get("/password-reset/")
        session = thief.session
        session["planted"] = True
        session.save()
        planted = session.session_key
        self.client.cookies["sessionid"] = thief.cookies["sessionid"] = planted
        page = self.client.get(self.url, follow=True).request["PATH_INFO"]
        new = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
        self.assertContains(thief.post(page, new), "This link does not work")
        self.assertEqual(self.client.post(page, new).status_code, 302)

    def test_broken_links_are_a_page_that_leads_on(self):
        uid, token = self.url.split("/")[2:4]
        for url in [
            self.url[:-3] + "/",
            f"/password-reset/{uid}/x/",
            f"/password-reset/x/{token}/",
            f"/password-reset/%00/{token}/",
            f"/password-reset/OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5/{token}/",
            f"/password-reset/{uid}/set-password/",
        ]:
            with self.subTest(url):
                self.assertDead(url)

    def test_link_of_another_member_is_dead(self):
        self.client.post("/password-reset/", {"email": "bob@example.com"})
        self.assertDead(self.url.replace(self.url.split("/")[2], self.link().split("/")[2]))
