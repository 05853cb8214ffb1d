from unittest.mock import patch

from django.core import mail
from django.test import Client

from testing.cast import PASSWORD, MailTestCase
from users.forms import PasswordChangeForm
from users.models import Kind, SecurityEvent, User

NEW_PASSWORD = "another unusual sentence"
CHANGED = ("alice@example.com", "Your password has been changed")


class PasswordChangePost(MailTestCase):
    def setUp(self):
        super().setUp()
        self.client.force_login(self.alice)

    def change(self, **changes):
        data = {
            "old_password": PASSWORD,
            "new_password1": NEW_PASSWORD,
            "new_password2": NEW_PASSWORD,
        }
        return self.client.post("/account/password/", {**data, **changes}, follow=True)

    def test_new_password_works_and_a_mail_says_so(self):
        self.assertContains(self.change(), "Your password has been changed.")
        self.assertNotIn(NEW_PASSWORD, mail.outbox[0].body)
        self.assertMailed(CHANGED)
        self.client.post("/logout/")
        self.assertContains(self.log_in(), "Login Unsuccessful")
        self.assertRedirects(self.log_in(password=NEW_PASSWORD), "/")

    def test_this_session_lives_under_a_new_key_and_all_others_end(self):
        elsewhere = self.log_in_elsewhere(self.alice)
        key = self.client.session.session_key
        self.change()
        self.assertLoggedInAs(self.alice)
        self.assertNotEqual(self.client.session.session_key, key)
        self.assertEqual(self.alice.sessions.get().pk, self.client.session.digest)
        self.assertRedirects(elsewhere.get("/account/"), "/login/?next=/account/")

    def test_quicker_change_in_another_window_wins(self):
        def change_first(form):
            alice = User.objects.get(pk=self.alice.pk)
            alice.set_password("quicker than you")
            alice.save()

        self.client.get("/")
        with patch.object(PasswordChangeForm, "clean", change_first):
            self.assertContains(self.change(), "has been changed in another window")
        self.assertMailed()
        self.assertFalse(SecurityEvent.objects.filter(kind=Kind.PASSWORD_CHANGED).exists())
        self.alice.refresh_from_db()
        self.assertTrue(self.alice.check_password("quicker than you"))

    def test_account_that_is_deleted_meanwhile_stays_deleted(self):
        def delete_first(form):
            User.objects.get(pk=self.alice.pk).delete()

        self.client.get("/")
        with patch.object(PasswordChangeForm, "clean", delete_first):
            self.change()
        self.assertFalse(User.objects.filter(pk=self.alice.pk).exists())
        self.assertMailed()

    def test_what_else_changes_meanwhile_is_not_changed_back(self):
        def change_email(form):
            User.objects.filter(pk=self.alice.pk).update(email="new@example.com")

        with patch.object(PasswordChangeForm, "clean", change_email):
            self.change()
        self.alice.refresh_from_db()
        self.assertEqual(self.alice.email, "new@example.com")
        self.assertTrue(self.alice.check_password(NEW_PASSWORD))

    def test_sessions_of_others_are_not_touched(self):
        bobs = self.log_in_elsewhere(self.bob)
        self.change()
        self.assertEqual(bobs.get("/account/").status_code, 200)

    def test_wrong_current_or_bad_new_password_is_a_form_error(self):
        for changes, field in [
            ({"old_password": "wrong"}, "old_password"),
            ({"old_password": ""}, "old_password"),
            ({"new_password1": "short", "new_password2": "short"}, "new_password2"),
            ({"new_password2": "different"}, "new_password2"),
            ({"new_password1": PASSWORD, "new_password2": PASSWORD}, "new_password1"),
        ]:
            with self.subTest(changes):
                response = self.change(**changes)
                self.assertEqual(list(response.context["form"].errors), [field])
        self.alice.refresh_from_db()
        self.assertTrue(self.alice.check_password(PASSWORD))
        self.assertMailed()


class WellKnown(MailTestCase):
    def test_password_managers_find_the_page(self):
        response = Client().get("/.well-known/change-password")
        self.assertRedirects(response, "/account/password/", fetch_redirect_response=False)
