from unittest.mock import patch

from django.core import mail

from testing.cast import PASSWORD, MailTestCase
from users.emails import MAIL_NOT_SENT
from users.models import EMAIL_TAKEN, User

NEW = "new@example.com"
LINK = (NEW, "Confirm your new email address")
ASKED = ("alice@example.com", "Your email address is about to change")
CHANGED = "Your email address has changed"


class EmailChangeTestCase(MailTestCase):
    def setUp(self):
        super().setUp()
        self.client.force_login(self.alice)

    def ask(self, email=NEW, password=PASSWORD):
        return self.client.post("/account/email/", {"email": email, "password": password})

    def ask_for_link(self, email=NEW):
        """Ask for the change and return the path of the link, with the mailbox empty again."""
        self.ask(email)
        mail.outbox.pop()  # the notice to the old address
        url = self.link()
        mail.outbox.clear()
        return url

    def assertEmail(self, email):
        self.alice.refresh_from_db()
        self.assertEqual(self.alice.email, email)


class EmailChangePost(EmailChangeTestCase):
    def test_changes_nothing_yet_sends_the_link_and_tells_the_old_address(self):
        self.assertRedirects(self.ask("New@Example.com"), "/account/email/")
        self.assertIn("/account/email/confirm/", mail.outbox[0].body)
        self.assertNotIn("/account/email/confirm/", mail.outbox[1].body)
        self.assertIn(NEW, mail.outbox[1].body)
        self.assertMailed(LINK, ASKED)
        self.assertEmail("alice@example.com")

    def test_session_gets_a_new_key(self):
        before = self.client.session.session_key
        self.ask(password="wrong")
        self.assertEqual(self.client.session.session_key, before)
        self.ask()
        self.assertNotEqual(self.client.session.session_key, before)
        self.assertLoggedInAs(self.alice)

    def test_mail_server_that_is_down_is_told_once(self):
        with (
            patch("django.core.mail.EmailMessage.send", side_effect=OSError("refused")),
            self.assertLogs("users.emails", "ERROR"),
        ):
            self.ask()
        self.assertContains(self.client.get("/account/email/"), MAIL_NOT_SENT, count=1)

    def test_wrong_password_is_a_form_error(self):
        response = self.ask(password="wrong")
        self.assertEqual(list(response.context["form"].errors), ["password"])
        self.assertMailed()

    def test_taken_bad_or_same_address_is_a_form_error(self):
        for email, words in [
            ("BOB@example.com", EMAIL_TAKEN),
            ("ALICE@example.com", "That is your email address already."),
            ("new", "Enter a valid email address."),
            ("a@localhost", "Enter a valid email address."),
            ("a@x℀.org", "Enter a valid email address."),
            ("", "This field is required."),
        ]:
            with self.subTest(email):
                self.assertEqual(self.ask(email).context["form"].errors, {"email": [words]})
        self.assertMailed()


class EmailChangeConfirm(EmailChangeTestCase):
    def test_button_changes_it_and_tells_both_addresses(self):
        url = self.ask_for_link()
        self.assertEmail("alice@example.com")
        self.client.post(url)
        self.assertMailed(("alice@example.com", CHANGED), (NEW, CHANGED))
        self.assertEmail(NEW)
        self.assertTrue(self.alice.email_confirmed_at)
        self.client.post("/logout/")
        self.assertRedirects(self.log_in(NEW), "/")

    def test_second_click_changes_and_mails_nothing(self):
        url = self.ask_for_link()
        self.client.post(url)
        mail.outbox.clear()
        self.assertContains(self.client.post(url, follow=True), "is confirmed.")
        self.assertMailed()

    def test_works_in_a_browser_that_is_not_logged_in(self):
        url = self.ask_for_link()
        self.client.logout()
        self.assertRedirects(self.client.post(url), "/login/")
        self.assertEmail(NEW)

    def test_used_link_stays_dead_when_the_old_address_comes_back(self):
        url = self.ask_for_link()
        self.client.post(url)
        self.client.post(self.ask_for_link("alice@example.com"))
        self.assertEmail("alice@example.com")
        self.assertEqual(self.client.post(url).status_code, 410)
        self.assertEmail("alice@example.com")

    def test_new_password_kills_the_link(self):
        url = self.ask_for_link()
        self.alice.set_password("another unusual sentence")
        self.alice.save()
        self.assertEqual(self.client.post(url).status_code, 410)
        self.assertEmail("alice@example.com")

    def test_another_change_kills_the_link(self):
        url = self.ask_for_link()
        self.client.post(self.ask_for_link("third@example.com"))
        self.assertEqual(self.client.post(url).status_code, 410)
        self.assertEmail("third@example.com")

    def test_address_that_somebody_took_meanwhile_is_a_page_that_says_so(self):
        url = self.ask_for_link()
        User.objects.create_user("Dave", NEW)
        self.assertContains(self.client.post(url), EMAIL_TAKEN, status_code=409)
        self.assertEmail("alice@example.com")
        self.assertMailed()
