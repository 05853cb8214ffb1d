from unittest.mock import patch

from django.contrib.auth.hashers import make_password
from django.core import mail

from testing.cast import PASSWORD, MailTestCase
from users.emails import MAIL_NOT_SENT
from users.forms import CHANGED_CONCURRENTLY, LOGIN_UNSUCCESSFUL, EmailChangeForm
from users.models import EMAIL_TAKEN, User

NEW = "new@example.com"
NEW_PASSWORD = "another unusual sentence"
LINK = (NEW, "Confirm your new email")
ASKED = ("alice@example.com", "Your email is about to change")
CHANGED = "Your email has changed"


class EmailChangeTestCase(MailTestCase):
    def setUp(self):
        super().setUp()
        self.client.force_login(self.alice)

    def ask(self, email=NEW):
        return self.client.post("/account/email/", {"email": email})

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

    def test_mail_server_that_is_down_is_told_once(self):
        with (
            patch("django.core.mail.EmailMessage.send", side_effect=OSError("refused")),
            self.assertLogs("users.emails", "ERROR"),
        ):
            self.ask()
        self.assertContains(self.client.get("/account/email/"), MAIL_NOT_SENT, count=1)

    def test_taken_bad_or_same_address_is_a_form_error(self):
        for email, words in [
            ("BOB@example.com", EMAIL_TAKEN),
            ("ALICE@example.com", "That is your email already."),
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

    def test_works_in_a_browser_that_is_not_logged_in_with_the_password(self):
        url = self.ask_for_link()
        self.client.logout()
        self.assertEqual(self.client.post(url).status_code, 200)
        self.assertEmail("alice@example.com")
        self.assertRedirects(self.client.post(url, {"password": PASSWORD}), "/login/")
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


class Pending(EmailChangeTestCase):
    """What Alice asked for last, until she opens the link, cancels it or sets a new password."""

    def assertPending(self, email):
        self.alice.refresh_from_db()
        self.assertEqual(self.alice.pending_email, email)

    def test_superseded_link_is_dead_and_the_newer_one_works(self):
        first, second = self.ask_for_link("typo@example.com"), self.ask_for_link()
        self.assertEqual(self.client.get(first).status_code, 410)
        self.assertEqual(self.client.post(first, {"password": PASSWORD}).status_code, 410)
        self.assertEmail("alice@example.com")
        self.client.post(second)
        self.assertEmail(NEW)
        self.assertPending(None)

    def test_page_shows_it_until_it_is_there(self):
        self.assertNotContains(self.client.get("/account/email/"), "Cancel the change")
        url = self.ask_for_link()
        response = self.client.get("/account/email/")
        self.assertContains(response, f"about to change to <strong>{NEW}</strong>")
        self.client.post(url)
        self.assertNotContains(self.client.get("/account/email/"), "Cancel the change")

    def test_is_sent_again_and_both_links_work(self):
        first = self.ask_for_link()
        response = self.client.post("/account/email/change/send/", follow=True)
        self.assertContains(response, "A link to confirm your email is on its way")
        second = self.link()
        self.assertMailed(LINK)
        self.assertEqual(self.client.get(first).status_code, 200)
        self.client.post(second)
        self.assertEmail(NEW)

    def test_is_cancelled_with_its_link(self):
        url = self.ask_for_link()
        response = self.client.post("/account/email/change/cancel/", follow=True)
        self.assertContains(response, "Your email stays alice@example.com.")
        self.assertEqual(self.client.post(url).status_code, 410)
        self.assertEmail("alice@example.com")

    def test_without_one_nothing_is_sent_or_cancelled(self):
        self.client.post("/account/email/change/send/")
        response = self.client.post("/account/email/change/cancel/", follow=True)
        self.assertNotContains(response, "Your email stays")
        self.assertMailed()

    def test_keeps_nobody_from_the_email(self):
        self.ask()
        other = self.log_in_elsewhere(self.bob)
        other.post("/account/email/", {"email": NEW})
        self.bob.refresh_from_db()
        self.assertEqual(self.bob.pending_email, NEW)
        User.objects.create_user("Dave", NEW)

    def test_serves_neither_login_nor_reset(self):
        self.ask()
        mail.outbox.clear()
        self.client.logout()
        self.assertContains(self.log_in(NEW), LOGIN_UNSUCCESSFUL)
        self.client.post("/password-reset/", {"email": NEW})
        self.assertMailed((NEW, "No account with this email"))

    def test_every_new_password_clears_it(self):
        def change():
            new = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
            self.client.post("/account/password/", {"old_password": PASSWORD, **new})

        def reset():
            self.client.post("/password-reset/", {"email": "alice@example.com"})
            page = self.client.get(self.link(), follow=True).request["PATH_INFO"]
            self.client.post(page, {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD})

        def in_a_shell():
            alice = User.objects.get(pk=self.alice.pk)
            alice.set_password(NEW_PASSWORD)
            alice.save(update_fields=["password"])

        def disable():
            alice = User.objects.get(pk=self.alice.pk)
            alice.set_unusable_password()
            alice.save()

        for set_password in [change, reset, in_a_shell, disable]:
            with self.subTest(set_password.__name__):
                self.alice.set_password(PASSWORD)
                self.alice.save()
                self.client.force_login(self.alice)
                url = self.ask_for_link()
                self.assertPending(NEW)
                set_password()
                self.assertPending(None)
                self.assertEqual(self.client.post(url).status_code, 410)

    def test_upgrade_of_the_hash_does_not(self):
        old = make_password(PASSWORD, hasher="pbkdf2_sha256")
        url = self.ask_for_link()
        User.objects.filter(pk=self.alice.pk).update(password=old)
        self.client.post(url, {"password": PASSWORD})
        self.assertEmail(NEW)

    def test_is_not_written_after_a_new_password_that_came_meanwhile(self):
        def reset(form):
            alice = User.objects.get(pk=self.alice.pk)
            alice.set_password(NEW_PASSWORD)
            alice.save()

        self.client.get("/")
        with patch.object(EmailChangeForm, "clean", reset):
            self.assertContains(self.ask(), CHANGED_CONCURRENTLY)
        self.assertPending(None)
        self.assertMailed()

    def test_change_by_staff_clears_it(self):
        url = self.ask_for_link()
        self.client.force_login(self.carol)
        data = {"username": "Alice", "email": "third@example.com", "is_active": "on"}
        self.client.post(f"/admin/users/user/{self.alice.pk}/change/", data)
        self.assertEmail("third@example.com")
        self.assertPending(None)
        self.assertEqual(self.client.post(url, {"password": PASSWORD}).status_code, 410)

    def test_first_confirmation_of_the_present_email_clears_it(self):
        url = self.ask_for_link()  # by whoever registered the email, who may be somebody else
        self.client.post("/account/email/send/")
        self.client.post(self.link())
        self.assertPending(None)
        self.assertEmail("alice@example.com")
        self.assertEqual(self.client.post(url).status_code, 410)

    def test_confirmation_of_the_email_that_staff_gave_the_member_leaves_it(self):
        self.alice.former_emails.create(email="before@example.com")
        self.ask()
        self.client.post("/account/email/send/")
        self.client.post(self.link())
        self.assertPending(NEW)
        self.assertEmail("alice@example.com")

    def test_is_part_of_the_download(self):
        self.ask()
        profile = self.client.get("/account/data/download/").json()["profile"]
        self.assertEqual(profile["pending_email"], NEW)
