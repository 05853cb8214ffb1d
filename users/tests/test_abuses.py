"""
What thieves try, one class for each: with the mailbox, the session, the password, or your address.

`self.client` is the owner's browser, `self.thief` the thief's. docs/security.md says the same in
words.
"""

import time
from datetime import timedelta
from unittest.mock import patch

from django.core import mail
from django.test import Client, override_settings
from django.utils import timezone

from testing.authenticator import Authenticator
from testing.cast import PASSWORD
from users import second_factor
from users.models import AuthenticatorApp, FormerEmail, Kind, Passkey, RecoveryCode, User
from users.tests.test_recover import ALICE, NEW, NEW_PASSWORD, NEWER, RecoverTestCase
from users.views.verify import START_AGAIN

# One page of each kind that only a member sees.
PAGES = ["/account/", "/account/security/", "/account/data/", "/account/data/download/"]


class AbuseTestCase(RecoverTestCase):
    def password_of(self, email=ALICE, password=PASSWORD, client=None):
        """Give the right password, and be asked for the second factor."""
        response = (client or self.thief).post("/login/", {"username": email, "password": password})
        self.assertRedirects(response, "/login/verify/?next=/")

    def guess(self, code="000000", client=None, **extra):
        return (client or self.thief).post("/login/verify/", {"code": code}, **extra)

    def assertOut(self, client=None):
        """Assert that the thief's browser sees no page of a member."""
        client = client or self.thief
        self.assertNotIn("_auth_user_id", client.session)
        for page in PAGES:
            self.assertRedirects(client.get(page), f"/login/?next={page}")


class ThiefOfTheMailbox(AbuseTestCase):
    """Reads Alice's mail, and has neither session nor factor."""

    def setUp(self):
        super().setUp()
        self.thief = Client()
        self.give_passkey(self.alice)
        self.app = self.give_app(self.alice)
        self.codes = self.give_codes(self.alice)

    def ask_and_reset(self, password=NEW_PASSWORD):
        self.thief.post("/password-reset/", {"email": ALICE})
        self.reset(password=password, client=self.thief)
        self.assertOut()

    def assertMeetsTheFactor(self, password=NEW_PASSWORD):
        self.password_of(password=password)
        for code in ["000000", "A" * 24, ""]:
            self.guess(code)
        self.assertOut()
        self.assertFactors("Passkey “Laptop”", "Authenticator app")
        self.assertEqual(RecoveryCode.objects.live(user=self.alice).count(), 10)

    def test_reset_does_not_get_past_the_second_factor(self):
        self.ask_and_reset()
        self.assertMeetsTheFactor()

    def test_nor_does_the_link_of_the_reset_and_the_reset_after_it(self):
        self.ask_and_reset()
        self.take_back(self.links()[ALICE], self.thief)
        self.reset(password="a third unusual sentence", client=self.thief)
        self.assertMeetsTheFactor("a third unusual sentence")

    def test_nor_do_many_of_them(self):
        passwords = [f"unusual sentence number {number}" for number in range(3)]
        for password in passwords:
            self.ask_and_reset(password)
            self.take_back(self.links()[ALICE], self.thief)
        self.reset(password=passwords[0], client=self.thief)
        self.assertMeetsTheFactor(passwords[0])

    def test_owner_gets_in_again_with_the_mailbox_and_the_factor(self):
        self.ask_and_reset()
        self.client.post("/password-reset/", {"email": ALICE})
        self.reset(password="a third unusual sentence")
        self.password_of(password="a third unusual sentence", client=self.client)
        self.guess(self.code(self.app), self.client)
        self.assertLoggedInAs(self.alice)

    def test_owner_with_a_passkey_needs_no_password(self):
        self.ask_and_reset()
        self.log_in_with_passkey()
        self.assertLoggedInAs(self.alice)


class ThiefOfASession(AbuseTestCase):
    """Has Alice's cookie, moments after she gave her password."""

    def test_without_a_proof_nothing_changes(self):
        later = time.time() + 15 * 60
        with patch("time.time", lambda: later):
            for page in ["passkeys/add/", "passkeys/add/options/", "app/", "codes/"]:
                response = self.thief.post(f"/account/security/{page}")
                self.assertIn("/account/confirm/?next=/account/security/", response.url)
            for page in ["/account/email/", "/account/data/", "/account/sessions/end-others/"]:
                self.assertIn("/account/confirm/?next=/account/", self.thief.post(page).url)
        self.assertFactors()
        self.assertMailed()

    def test_thief_adds_a_factor_and_moves_the_account_and_the_first_link_takes_it_back(self):
        stolen = Authenticator()
        self.add_passkey(passkey=stolen)
        codes = self.make_codes()
        first = self.links()[ALICE]
        moved = self.move()[ALICE]
        self.move(NEWER)
        # The owner is locked out, and the thief gets in with factor or code.
        self.take_back(first)
        self.assertEqual(self.alice.email, ALICE)
        self.assertOut()
        self.assertFactors()
        self.assertDead(moved)
        self.reset()
        self.log_in_with_passkey(stolen, self.thief)
        self.assertOut()
        for email in [NEW, NEWER]:
            self.thief.post("/login/", {"username": email, "password": PASSWORD})
            self.assertOut()
        self.assertRedirects(self.log_in(password=NEW_PASSWORD), "/")  # no factor is asked for
        with self.assertRaises(second_factor.Refused):
            second_factor.use_code(self.alice, codes[1])

    def test_link_of_the_move_alone_leaves_the_factor_that_was_added_before_it_and_shows_it(self):
        self.add_passkey()
        self.make_codes()
        moved = self.move()[ALICE]
        self.assertContains(self.client.get(moved), "These stay, since they are older: Passkey")

    def test_thief_takes_the_factors_away_and_they_are_back(self):
        passkey, app = self.give_passkey(self.alice), self.give_app(self.alice)
        self.thief.post("/account/security/app/remove/")
        first = self.links()[ALICE]
        self.thief.post(f"/account/security/passkeys/{passkey.pk}/remove/")
        self.move()
        self.take_back(first)
        self.reset()
        self.password_of(password=NEW_PASSWORD, client=self.client)
        self.guess(self.code(app), self.client)
        self.assertLoggedInAs(self.alice)

    def test_thief_gets_no_link_that_would_void_the_owners(self):
        link = self.move()[ALICE]
        self.assertEqual(self.change_password(), {NEW: None})
        self.thief.post("/password-reset/", {"email": NEW})
        self.reset(NEW, "a third unusual sentence", Client())
        self.assertEqual(self.links(), {NEW: None})
        self.take_back(link)

    def test_thief_who_moves_back_and_forth_gets_none_either(self):
        link = self.move()[ALICE]
        self.move(ALICE)
        links = self.move(NEWER)
        self.assertIsNone(links[NEWER])
        self.take_back(link)
        self.assertEqual(self.alice.email, ALICE)

    def test_reset_link_that_the_thief_has_is_dead_afterwards(self):
        link = self.move()[ALICE]
        self.thief.post("/password-reset/", {"email": NEW})
        reset = self.link()
        self.take_back(link)
        response = self.thief.get(reset, follow=True)
        self.assertContains(response, "This link does not work")

    def test_half_login_of_the_thief_is_over(self):
        self.give_app(self.alice)
        link = self.change_password()[ALICE]
        half = Client()
        self.password_of(password=NEW_PASSWORD, client=half)
        self.take_back(link)
        app = AuthenticatorApp.objects.live(user=self.alice).get()
        code = self.code(second_factor.app_codes(app.secret))
        self.assertRedirects(self.guess(code, half), "/login/?next=/")
        self.assertOut(half)


class RegisteredBefore(AbuseTestCase):
    """Somebody registers your email before you do, and adds what would outlive your reset."""

    def setUp(self):
        super().setUp()
        self.thief = Client()
        passwords = {"password1": PASSWORD, "password2": PASSWORD}
        data = {"username": "Victim", "email": "you@example.com", **passwords}
        self.assertRedirects(self.thief.post("/register/", data), "/login/")
        self.confirm = self.link()
        self.you = User.objects.get(email="you@example.com")
        self.thief.post("/login/", {"username": "you@example.com", "password": PASSWORD})
        self.assertEqual(self.thief.get("/account/").status_code, 200)
        mail.outbox.clear()

    def plant(self):
        """Give the account one factor of each kind, however that may have come about."""
        self.give_passkey(self.you)
        self.give_app(self.you)
        self.give_codes(self.you)
        Passkey.objects.create(
            user=self.you, name="Waits", credential_id=b"waits", credential=b"waits"
        )

    def planted(self):
        kinds = [self.you.passkeys, self.you.authenticatorapps, self.you.recoverycodes]
        return [factors.count() for factors in kinds]

    def reset_you(self):
        self.client.post("/password-reset/", {"email": "you@example.com"})
        self.reset("you@example.com")

    def test_no_factor_can_be_added(self):
        for page in ["passkeys/add/", "passkeys/add/options/", "app/", "codes/"]:
            for data in [{}, {"name": "x", "credential": "{}", "secret": "x", "code": "000000"}]:
                with self.subTest(page):
                    url = f"/account/security/{page}"
                    response = self.thief.post(url, data, follow=True)
                    self.assertRedirects(response, "/account/security/")
        self.assertContains(
            self.thief.get("/account/security/app/", follow=True), "Both need a confirmed email."
        )
        self.assertEqual(self.planted(), [0, 0, 0])

    def test_a_reset_leaves_nothing_that_was_there(self):
        self.plant()
        self.reset_you()
        self.assertEqual(self.planted(), [0, 0, 0])
        self.assertOut()
        self.assertRedirects(self.log_in("you@example.com", NEW_PASSWORD), "/")
        self.log_in_with_passkey(client=self.thief)
        self.assertOut()

    def test_nor_does_a_confirmation(self):
        self.plant()
        self.client.post(self.confirm, {"password": PASSWORD})
        self.assertEqual(self.planted(), [0, 0, 0])
        self.assertOut()
        self.assertRedirects(self.log_in("you@example.com"), "/")

    def test_nor_a_change_of_email_that_waits(self):
        self.thief.post("/account/email/", {"email": NEW})
        link = self.link()
        self.thief.post("/account/email/send/")  # the first link has died of it
        self.client.post(self.link(), {"password": PASSWORD})
        self.you.refresh_from_db()
        self.assertIsNone(self.you.pending_email)
        self.assertTrue(self.you.email_confirmed_at)
        self.assertEqual(self.thief.post(link, {"password": PASSWORD}).status_code, 410)

    def test_the_session_that_confirms_stays(self):
        elsewhere = self.log_in_elsewhere(self.you)
        self.client.force_login(self.you)
        self.client.post(self.confirm)
        self.assertLoggedInAs(self.you)
        self.assertEqual(elsewhere.get("/account/").status_code, 302)

    def test_only_the_first_time(self):
        User.objects.filter(pk=self.you.pk).update(email_confirmed_at=timezone.now())
        self.plant()
        self.reset_you()
        self.assertEqual(self.planted(), [1, 1, 10])  # one waited, and went with the password

    def test_of_an_account_that_staff_have_moved_they_stay(self):
        User.objects.filter(pk=self.you.pk).update(email_confirmed_at=timezone.now())
        self.plant()
        carol = self.log_in_elsewhere(self.carol)
        url = f"/admin/users/user/{self.you.pk}/change/"
        carol.post(url, {"username": "Victim", "email": NEW, "is_active": "on"})
        self.you.refresh_from_db()
        self.assertEqual((self.you.email, self.you.email_confirmed_at), (NEW, None))
        self.client.post("/password-reset/", {"email": NEW})
        self.reset(NEW)
        self.assertEqual(self.planted(), [1, 1, 10])  # one waited, and went with the password
        User.objects.filter(pk=self.you.pk).update(email_confirmed_at=None)
        FormerEmail.objects.update(left=timezone.now() - timedelta(days=9))
        self.you.refresh_from_db()
        self.client.force_login(self.you)
        self.client.post("/account/email/send/")
        self.client.post(self.link())
        self.you.refresh_from_db()
        self.assertTrue(self.you.email_confirmed_at)
        self.assertEqual(self.planted(), [1, 1, 10])  # one waited, and went with the password


class PasswordAndCodesInTurns(AbuseTestCase):
    """Knows the password, and hopes that giving it clears the count of the codes."""

    def setUp(self):
        super().setUp()
        self.thief = Client()
        self.app = self.give_app(self.alice)
        self.codes = self.give_codes(self.alice)

    def try_codes(self, how_many, **extra):
        """Guess in as many half-logins as it takes; return the statuses, in order."""
        statuses = []
        while len(statuses) < how_many:
            if "half login" not in self.thief.session:
                data = {"username": ALICE, "password": PASSWORD}
                self.thief.post("/login/", data, **extra)
            statuses.append(self.guess(**extra).status_code)
        return statuses

    def test_after_five_codes_the_password_is_asked_for_again(self):
        self.assertEqual(self.try_codes(5), [200, 200, 200, 200, 302])
        self.assertOut()
        self.assertRedirects(self.thief.get("/login/verify/"), "/login/?next=/")

    def test_after_ten_codes_none_is_tested_however_often_the_password_is_given(self):
        self.assertEqual(self.try_codes(13)[10:], [429, 429, 429])
        with patch("users.second_factor.use_code") as use_code:
            self.assertEqual(self.guess(self.code(self.app)).status_code, 429)
            self.assertEqual(self.guess(self.codes[0]).status_code, 429)
        use_code.assert_not_called()

    def test_codes_of_both_kinds_count_together(self):
        self.try_codes(8)
        self.password_of()
        for code, status in [("A" * 24, 200), ("B" * 24, 200), (self.codes[0], 429)]:
            self.assertEqual(self.guess(code).status_code, status)

    def test_right_password_clears_no_wrong_passwords_either(self):
        for _ in range(9):
            self.thief.post("/login/", {"username": ALICE, "password": "wrong"})
        self.password_of()
        statuses = [
            self.thief.post("/login/", {"username": ALICE, "password": "wrong"}).status_code
            for _ in range(2)
        ]
        self.assertEqual(statuses, [200, 429])

    def test_from_many_places_the_app_rests_after_a_hundred_in_a_row(self):
        for place in range(10):
            self.try_codes(10, REMOTE_ADDR=f"192.0.2.{place}")
        place = {"REMOTE_ADDR": "198.51.100.1"}
        self.thief.post("/login/", {"username": ALICE, "password": PASSWORD}, **place)
        self.assertContains(self.guess(self.code(self.app), **place), "your app no longer work")
        self.assertOut()
        # The owner has another factor, and with it the app counts again.
        self.password_of(client=self.client)
        self.guess(self.codes[0], self.client)
        self.assertLoggedInAs(self.alice)
        second_factor.use_code(self.alice, self.code(self.app))

    def test_the_owner_is_told_once_a_day(self):
        self.try_codes(7)
        self.assertMailed((ALICE, "A wrong code for your account"))

    def test_a_code_in_the_place_of_the_password_is_no_login(self):
        data = {"username": ALICE, "password": self.code(self.app)}
        self.assertEqual(self.thief.post("/login/", data).status_code, 200)
        self.assertOut()


class HalfLogin(AbuseTestCase):
    """Has given the right password, and waits for something to change."""

    def setUp(self):
        super().setUp()
        self.thief = Client()
        self.app = self.give_app(self.alice)
        self.give_passkey(self.alice)
        self.password_of()

    def assertOver(self):
        """Assert that neither the right code nor the right passkey gets in, nor is used up."""
        before = AuthenticatorApp.objects.values().get()
        response = self.thief.post("/login/verify/", {"code": self.code(self.app)}, follow=True)
        self.assertRedirects(response, "/login/?next=/")
        self.assertContains(response, START_AGAIN)
        self.assertEqual(AuthenticatorApp.objects.values().get(), before)
        self.thief.post("/login/passkey/", {"credential": self.answer})
        self.assertOut()

    def ask_passkey(self):
        self.answer = self.passkey.answer(self.ask(client=self.thief))

    def test_it_opens_no_page_and_is_no_login(self):
        self.assertOut()
        self.assertFalse(self.alice.events.filter(kind=Kind.LOGIN).exists())
        self.alice.refresh_from_db()
        self.assertIsNone(self.alice.last_login)
        self.assertFalse(self.alice.sessions.filter(pk=self.thief.session.digest).exists())
        self.assertRedirects(self.thief.post("/account/confirm/"), "/login/?next=/account/confirm/")

    def test_both_factors_finish_it(self):
        self.guess(self.code(self.app))
        self.assertEqual(self.thief.get("/account/").status_code, 200)
        other = Client()
        self.password_of(client=other)
        answer = self.passkey.answer(self.ask(client=other))
        other.post("/login/passkey/", {"credential": answer})
        self.assertEqual(other.get("/account/").status_code, 200)

    def test_it_is_over_after_a_new_password(self):
        self.ask_passkey()
        self.alice.set_password(NEW_PASSWORD)
        self.alice.save()
        self.assertOver()

    def test_it_is_over_after_a_deactivation(self):
        self.ask_passkey()
        self.alice.is_active = False
        self.alice.save()
        self.assertOver()

    def test_it_is_over_after_ten_minutes(self):
        self.ask_passkey()
        later = time.time() + 10 * 60 + 1
        with patch("time.time", lambda: later):
            self.assertOver()

    def test_it_is_over_after_staff_have_removed_the_factor(self):
        self.ask_passkey()
        second_factor.remove_all(None, self.alice)
        self.assertOver()
        self.assertRedirects(self.log_in(), "/")  # the password alone is asked for again

    def test_it_is_over_when_the_email_counts_as_unconfirmed(self):
        User.objects.filter(pk=self.alice.pk).update(email_confirmed_at=None)
        self.ask_passkey()
        with override_settings(EMAIL_VERIFICATION_REQUIRED=True):
            self.assertOver()

    def test_it_lets_nobody_correct_the_email(self):
        self.alice.leave_email("old@example.com")  # as staff do who move the account
        User.objects.filter(pk=self.alice.pk).update(email_confirmed_at=None)
        self.assertRedirects(self.thief.get("/account/email/correct/"), "/login/")
        self.thief.post("/account/email/correct/", {"email": NEW})
        self.alice.refresh_from_db()
        self.assertEqual(self.alice.email, ALICE)

    def test_somebody_elses_factor_does_not_finish_it(self):
        bobs = Authenticator()
        self.give_passkey(self.bob, bobs)
        app, codes = self.give_app(self.bob), self.give_codes(self.bob)
        for code in [self.code(app), codes[0]]:
            self.assertEqual(self.guess(code).status_code, 200)
        answer = bobs.answer(self.ask(client=self.thief))
        self.thief.post("/login/passkey/", {"credential": answer})
        self.assertOut()
