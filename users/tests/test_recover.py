"""The link "This wasn't me": who gets one, what it does, and what it never does."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier
from unittest.mock import patch

from django.core import mail
from django.db import connection
from django.test import Client, TransactionTestCase, tag
from django.utils import timezone

from testing.authenticator import Authenticator
from testing.cast import PASSWORD, FactorTestCase
from users import second_factor
from users.events import notify, record
from users.logs import HideTokens
from users.models import (
    EMAIL_TAKEN,
    AuthenticatorApp,
    FormerEmail,
    Kind,
    Passkey,
    RecoveryCode,
    SecurityEvent,
    Session,
    User,
)

ALICE, NEW, NEWER = "alice@example.com", "new@example.com", "newer@example.com"
NEW_PASSWORD = "another unusual sentence"
RESET = (ALICE, "Set a new password")
CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0"
    " Safari/537.36"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
DEAD = "This link does not work"


@contextmanager
def in_days(days):
    """Let the block run so many days from now; what it writes by itself is of now."""
    now, at = time.time() + days * 24 * 60 * 60, timezone.now() + timedelta(days=days)
    with patch("time.time", lambda: now), patch("django.utils.timezone.now", lambda: at):
        yield


def link_in(message):
    """Return the path of the link in `message` that takes the account back, or None."""
    found = re.search(r"/account/recover/\S+/", message.body)
    return found and found[0]


class RecoverTestCase(FactorTestCase):
    """`self.client` is Alice's browser, `self.thief` one in which her account is logged in, too."""

    def setUp(self):
        super().setUp()
        self.thief = self.log_in_elsewhere(self.alice)
        User.objects.update(last_login=None)  # or the next login is one with a new browser

    def links(self):
        """Return the path of the link by whom the mails went to, and forget the mails."""
        links = {message.to[0]: link_in(message) for message in mail.outbox}
        mail.outbox.clear()
        return links

    # What a thief of the session can do, with the password where the form asks for it

    def change_password(self, old=PASSWORD, new=NEW_PASSWORD):
        data = {"old_password": old, "new_password1": new, "new_password2": new}
        self.assertRedirects(self.thief.post("/account/password/", data), "/account/security/")
        return self.links()

    def move(self, email=NEW):
        """Move the account to `email`; return the links of the mails that say that it has moved."""
        self.thief.post("/account/email/", {"email": email})
        [url] = re.findall(r"/account/email/confirm/\S+/", mail.outbox[-2].body)
        mail.outbox.clear()
        self.assertRedirects(self.thief.post(url), "/account/")
        return self.links()

    def add_passkey(self, name="Thief's", passkey=None):
        """Add a passkey and return the response."""
        options = self.ask("/account/security/passkeys/add/options/", self.thief)
        answer = (passkey or Authenticator()).make(options)
        data = {"name": name, "credential": answer}
        return self.thief.post("/account/security/passkeys/add/", data)

    def make_codes(self):
        """Make recovery codes, type one back, and return them."""
        codes = self.thief.post("/account/security/codes/").context["codes"]
        data = {"codes": " ".join(codes), "code": codes[0]}
        self.assertRedirects(
            self.thief.post("/account/security/codes/", data), "/account/security/"
        )
        return codes

    # And what the owner does

    def take_back(self, link, client=None):
        """Press the button of the page behind `link`."""
        response = (client or self.client).post(link)
        self.assertRedirects(response, "/login/")
        self.alice.refresh_from_db()

    def reset(self, email=ALICE, password=NEW_PASSWORD, client=None):
        """Set `password` with the link in the newest mail, which is a reset to `email`."""
        client = client or self.client
        self.assertEqual(mail.outbox[-1].to, [email])
        self.assertEqual(mail.outbox[-1].subject, "Set a new password")
        page = client.get(self.link(), follow=True).request["PATH_INFO"]
        data = {"new_password1": password, "new_password2": password}
        self.assertRedirects(client.post(page, data), "/password-reset/complete/")

    def assertDead(self, link):
        for method in [self.client.get, self.client.post]:
            self.assertContains(method(link), DEAD, status_code=410)

    def assertFactors(self, *names):
        """Assert that exactly the factors of these names count, recovery codes aside."""
        live = [*Passkey.objects.live(), *AuthenticatorApp.objects.live()]
        self.assertEqual([str(factor) for factor in live], [*names])


class WhoGetsALink(RecoverTestCase):
    def assertLink(self, links, *emails):
        """Assert that of the mails in `links` exactly those to `emails` have one, which works."""
        self.assertEqual([email for email, link in links.items() if link], [*emails])
        for email in emails:
            self.assertEqual(self.client.get(links[email]).context["email"], email)

    def log_in_with(self, browser, **data):
        data = {"username": ALICE, "password": PASSWORD, **data}
        return Client(HTTP_USER_AGENT=browser).post("/login/", data)

    def test_whoever_had_the_password_changed(self):
        self.assertLink(self.change_password(), ALICE)

    def test_whoever_had_the_password_reset(self):
        self.client.post("/password-reset/", {"email": ALICE})
        self.reset()
        self.assertLink(self.links(), ALICE)

    def test_old_email_of_an_account_that_has_moved_and_not_the_new_one(self):
        links = self.move()
        self.assertEqual([*links], [ALICE, NEW])
        self.assertLink(links, ALICE)

    def test_email_of_an_account_that_is_about_to_move(self):
        self.thief.post("/account/email/", {"email": NEW})
        self.assertLink(self.links(), ALICE)

    def test_whoever_got_a_factor_or_lost_one(self):
        self.add_passkey()
        self.assertLink(self.links())  # it does not count yet
        self.make_codes()
        self.assertLink(self.links(), ALICE)
        self.add_passkey("Another")
        self.assertLink(self.links(), ALICE)
        for passkey in Passkey.objects.all():
            self.thief.post(f"/account/security/passkeys/{passkey.pk}/remove/")
            self.assertLink(self.links(), ALICE)

    def test_whoever_got_or_lost_an_app(self):
        self.give_passkey(self.alice)
        secret = self.thief.get("/account/security/app/").context["form"]["secret"].value()
        code = self.code(second_factor.app_codes(secret))
        self.thief.post("/account/security/app/", {"secret": secret, "code": code})
        self.assertLink(self.links(), ALICE)
        self.thief.post("/account/security/app/remove/")
        self.assertLink(self.links(), ALICE)

    def test_whoever_lost_the_factors_to_staff(self):
        self.give_passkey(self.alice)
        self.client.force_login(self.carol)
        data = {"action": "remove_factors", "_selected_action": self.alice.pk}
        self.client.post("/admin/users/user/", data)
        self.assertLink(self.links(), ALICE)

    def test_whoever_logged_in_with_a_new_browser(self):
        self.log_in_with(CHROME)
        self.assertMailed()  # with the first one, there is nothing to compare
        self.log_in_with(CHROME)
        self.assertMailed()
        self.log_in_with(FIREFOX)
        self.assertEqual(mail.outbox[0].subject, "A login with a new browser")
        self.assertLink(self.links(), ALICE)

    def test_whoever_used_a_recovery_code(self):
        self.give_passkey(self.alice)
        code, *_ = self.give_codes(self.alice)
        self.log_in()
        self.client.post("/login/verify/", {"code": code})
        self.assertEqual(mail.outbox[0].subject, "A recovery code was used")
        self.assertLink(self.links(), ALICE)

    def test_whose_password_somebody_has_who_has_no_code(self):
        self.give_app(self.alice)
        self.log_in()
        self.client.post("/login/verify/", {"code": "000000"})
        self.assertLink(self.links(), ALICE)

    def test_no_email_that_was_never_confirmed(self):
        User.objects.filter(pk=self.alice.pk).update(email_confirmed_at=None)
        links = self.change_password()
        self.assertEqual([*links], [ALICE])
        self.assertLink(links)
        self.assertLink(self.move())  # nor is it reserved
        self.assertFalse(FormerEmail.objects.exists())

    def test_no_email_that_the_account_has_just_moved_to(self):
        self.move()
        links = self.change_password()
        self.assertEqual([*links], [NEW])
        self.assertLink(links)
        links = self.move(NEWER)
        self.assertEqual([*links], [ALICE, NEW, NEWER])
        self.assertLink(links, ALICE)

    def test_email_that_the_account_moved_to_three_days_ago(self):
        self.move()
        FormerEmail.objects.update(left=timezone.now() - timedelta(days=3))
        self.assertLink(self.change_password(), NEW)

    def test_old_email_when_staff_move_the_account(self):
        self.client.force_login(self.carol)
        data = {"username": "Alice", "email": NEW, "is_active": "on"}
        self.client.post(f"/admin/users/user/{self.alice.pk}/change/", data)
        links = self.links()
        self.assertEqual([*links], [ALICE, NEW])
        self.assertLink(links, ALICE)
        self.take_back(links[ALICE])
        self.assertEqual(self.alice.email, ALICE)


class RecoverGet(RecoverTestCase):
    def state(self):
        """Return all that the link changes, as the database has it."""
        models = [User, Passkey, AuthenticatorApp, RecoveryCode, Session, FormerEmail]
        return [[*model.objects.order_by("pk").values()] for model in models]

    def test_shows_what_it_will_do(self):
        self.give_passkey(self.alice, name="Old")
        gone = self.give_passkey(self.alice, Authenticator(), name="Gone")
        link = self.move()[ALICE]
        self.thief.post(f"/account/security/passkeys/{gone.pk}/remove/")
        self.add_passkey("New")
        self.thief.post("/account/email/", {"email": NEWER})
        response = self.client.get(link)
        for words in [
            "the account Alice back",
            "Everybody is logged out",
            f"A link to set a new one is sent to {ALICE}",
            f"The email of the account is {ALICE} again",
            "The change to another email is cancelled",
            "These are removed: Passkey “New”.",
            "These are back: Passkey “Gone”.",
            "These stay, since they are older: Passkey “Old”.",
        ]:
            self.assertContains(response, words)

    def test_says_nothing_of_what_it_will_not_do(self):
        response = self.client.get(self.change_password()[ALICE])
        for words in ["again.", "cancelled", "These"]:
            self.assertNotContains(response, words)

    def test_changes_nothing(self):
        self.give_passkey(self.alice, name="Old")
        link = self.move()[ALICE]
        self.add_passkey("New")
        mail.outbox.clear()
        before = self.state()
        for method in [self.client.get, self.client.head, self.client.get]:  # a mail scanner
            self.assertEqual(method(link).status_code, 200)
        self.assertEqual(self.state(), before)
        self.assertMailed()

    def test_shows_the_same_to_whoever_is_logged_in_as_somebody_else(self):
        link = self.change_password()[ALICE]
        self.client.force_login(self.bob)
        self.assertContains(self.client.get(link), "the account Alice back")


class RecoverPost(RecoverTestCase):
    def test_ends_all_sessions_and_logs_nobody_in(self):
        link = self.change_password()[ALICE]
        self.client.force_login(self.alice)
        self.take_back(link)
        self.assertFalse(self.alice.sessions.exists())
        self.assertLoggedOut()
        self.assertRedirects(self.thief.get("/account/"), "/login/?next=/account/")

    def test_needs_nobody_who_is_logged_in_and_logs_somebody_else_out_here_alone(self):
        link = self.change_password()[ALICE]
        elsewhere = self.log_in_elsewhere(self.bob)
        self.client.force_login(self.bob)
        self.take_back(link)
        self.assertLoggedOut()
        self.assertEqual(elsewhere.get("/account/").status_code, 200)

    def test_says_where_the_reset_went(self):
        response = self.client.post(self.change_password()[ALICE], follow=True)
        self.assertContains(response, f"A link to set a new password is on its way to {ALICE}")

    def test_no_password_works_until_the_reset_that_it_mails(self):
        link = self.change_password()[ALICE]
        self.take_back(link)
        for password in [PASSWORD, NEW_PASSWORD]:
            self.assertFalse(self.alice.check_password(password))
        self.assertTrue(self.alice.has_usable_password())  # or nobody could ask for another reset
        self.reset(password="a third unusual sentence")
        self.assertRedirects(self.log_in(password="a third unusual sentence"), "/")

    def test_mails_one_reset_and_writes_it_down(self):
        link = self.change_password()[ALICE]
        self.take_back(link)
        self.assertMailed(RESET)
        self.assertEqual(self.alice.events.filter(kind=Kind.RECOVERED).count(), 1)

    def test_puts_the_email_back_and_mails_the_reset_there(self):
        link = self.move()[ALICE]
        mail.outbox.clear()
        self.take_back(link)
        self.assertEqual(self.alice.email, ALICE)
        self.assertTrue(self.alice.email_confirmed_at)
        told = [(message.to[0], message.subject) for message in mail.outbox]
        self.assertEqual(
            told, [(NEW, "Your account was taken back"), (ALICE, "Set a new password")]
        )
        self.assertNotIn("/account/recover/", mail.outbox[0].body)
        self.reset()
        self.assertRedirects(self.log_in(password=NEW_PASSWORD), "/")

    def test_puts_back_the_email_that_the_account_had_before_it_moved_twice(self):
        link = self.move()[ALICE]
        self.move(NEWER)
        self.move(NEW)
        self.take_back(link)
        self.assertEqual(self.alice.email, ALICE)

    def test_clears_a_change_of_email_that_waits(self):
        link = self.change_password()[ALICE]
        self.thief.post("/account/email/", {"email": NEW})
        [confirm] = re.findall(r"/account/email/confirm/\S+/", mail.outbox[-2].body)
        self.take_back(link)
        self.assertIsNone(self.alice.pending_email)
        self.client.force_login(self.alice)
        self.assertEqual(self.client.post(confirm).status_code, 410)

    def test_leaves_username_picture_and_the_rest(self):
        link = self.change_password()[ALICE]
        User.objects.filter(pk=self.alice.pk).update(picture="pictures/x.jpg", first_name="A")
        self.take_back(link)
        self.assertEqual((self.alice.picture.name, self.alice.first_name), ("pictures/x.jpg", "A"))
        self.bob.refresh_from_db()
        self.assertTrue(self.bob.check_password(PASSWORD))

    def test_takes_a_form_of_this_site_alone(self):
        link = self.change_password()[ALICE]
        browser = Client(enforce_csrf_checks=True)
        self.assertEqual(browser.post(link).status_code, 403)
        token = browser.get(link).context["csrf_token"]
        self.take_back(link, self.client)
        self.assertEqual(browser.post(link, {"csrfmiddlewaretoken": token}).status_code, 410)

    def test_no_other_method(self):
        link = self.change_password()[ALICE]
        for method in [self.client.put, self.client.delete, self.client.patch]:
            self.assertEqual(method(link).status_code, 405)
        self.assertEqual(self.client.get(link).status_code, 200)


class Factors(RecoverTestCase):
    def test_those_older_than_the_event_stay(self):
        self.give_passkey(self.alice, name="Old")
        self.give_app(self.alice)
        codes = self.give_codes(self.alice)
        self.take_back(self.change_password()[ALICE])
        self.assertFactors("Passkey “Old”", "Authenticator app")
        self.assertEqual(RecoveryCode.objects.live(user=self.alice).count(), len(codes))

    def test_those_added_since_go(self):
        self.give_passkey(self.alice, name="Old")
        link = self.change_password()[ALICE]
        stolen = Authenticator()
        self.add_passkey("New", stolen)
        secret = self.thief.get("/account/security/app/").context["form"]["secret"].value()
        code = self.code(second_factor.app_codes(secret))
        self.thief.post("/account/security/app/", {"secret": secret, "code": code})
        self.assertFactors("Passkey “Old”", "Passkey “New”", "Authenticator app")
        self.take_back(link)
        self.assertFactors("Passkey “Old”")
        self.log_in_with_passkey(stolen)
        self.assertLoggedOut()
        self.log_in_with_passkey()
        self.assertLoggedInAs(self.alice)

    def test_the_one_that_the_notice_is_about_goes(self):
        self.add_passkey()
        self.make_codes()
        self.take_back(self.links()[ALICE])
        self.assertFactors()
        self.assertFalse(RecoveryCode.objects.exists())

    def test_one_that_waits_for_its_recovery_codes_goes(self):
        link = self.change_password()[ALICE]
        self.add_passkey()
        self.assertTrue(Passkey.objects.exists())
        self.take_back(link)
        self.assertFalse(Passkey.objects.exists())

    def test_those_removed_since_come_back(self):
        passkey = self.give_passkey(self.alice, name="Old")
        app = self.give_app(self.alice)
        self.thief.post(f"/account/security/passkeys/{passkey.pk}/remove/")
        link = self.links()[ALICE]
        self.thief.post("/account/security/app/remove/")
        self.assertFactors()
        self.take_back(link)
        self.assertFactors("Passkey “Old”", "Authenticator app")
        self.reset()
        self.log_in(password=NEW_PASSWORD)
        self.client.post("/login/verify/", {"code": self.code(app)})
        self.assertLoggedInAs(self.alice)

    def test_app_that_another_one_has_replaced_since_comes_back(self):
        self.give_passkey(self.alice)
        app = self.give_app(self.alice)
        self.thief.post("/account/security/app/remove/")
        link = self.links()[ALICE]
        secret = self.thief.get("/account/security/app/").context["form"]["secret"].value()
        code = self.code(second_factor.app_codes(secret))
        self.thief.post("/account/security/app/", {"secret": secret, "code": code})
        self.take_back(link)
        back = AuthenticatorApp.objects.live().get()
        self.assertEqual(second_factor.app_codes(back.secret).generate(0), app.generate(0))

    def test_those_removed_before_do_not_come_back(self):
        self.give_passkey(self.alice, name="Stays")
        passkey = self.give_passkey(self.alice, Authenticator(), name="Lost")
        self.thief.post(f"/account/security/passkeys/{passkey.pk}/remove/")
        self.links()
        self.take_back(self.change_password()[ALICE])
        self.assertFactors("Passkey “Stays”")

    def test_recovery_codes_come_back_neither_used_nor_replaced(self):
        self.give_passkey(self.alice)
        used, left, *_ = self.give_codes(self.alice)
        link = self.change_password()[ALICE]
        self.log_in(password=NEW_PASSWORD)
        self.client.post("/login/verify/", {"code": used})
        self.assertLoggedInAs(self.alice)
        new, *_ = self.make_codes()
        self.take_back(link)
        # They may have been replaced because somebody had seen them.
        self.assertFalse(RecoveryCode.objects.live(user=self.alice).exists())
        for code in [used, new, left]:
            self.refused(self.alice, code)

    def refused(self, user, code):
        with self.assertRaises(second_factor.Refused):
            second_factor.use_code(user, code)


class DeadLinks(RecoverTestCase):
    def test_it_works_once(self):
        link = self.change_password()[ALICE]
        self.take_back(link)
        mail.outbox.clear()
        self.assertDead(link)
        self.assertMailed()
        self.assertEqual(self.alice.events.filter(kind=Kind.RECOVERED).count(), 1)

    def test_its_use_voids_all_others_older_and_newer(self):
        old = self.change_password()[ALICE]
        used = self.change_password(NEW_PASSWORD, PASSWORD)[ALICE]
        new = self.change_password()[ALICE]
        self.take_back(used)
        for link in [old, new]:
            self.assertDead(link)

    def test_that_of_an_event_after_its_use_works(self):
        self.take_back(self.change_password()[ALICE])
        self.reset()
        self.take_back(self.links()[ALICE])

    def test_that_of_somebody_else_lives_on(self):
        link = self.change_password()[ALICE]
        event = record(None, Kind.PASSWORD_CHANGED, user=self.bob)
        notify(None, "password_changed", event)
        self.take_back(self.links()["bob@example.com"])
        self.assertEqual(self.client.get(link).status_code, 200)

    def test_after_three_days(self):
        link = self.change_password()[ALICE]
        with in_days(2.99):
            self.assertEqual(self.client.get(link).status_code, 200)
        with in_days(3.01):
            self.assertDead(link)

    def test_forged_cut_or_meant_for_something_else(self):
        link = self.change_password()[ALICE]
        self.thief.post("/account/email/", {"email": NEW})
        [confirm] = re.findall(r"/account/email/confirm/(\S+)/", mail.outbox[-2].body)
        token = link.split("/")[-2]
        payload, stamp, signature = token.split(":")
        for broken in [
            *["x", ":", "::", "\0", "é", token[:-1], token[1:], token + "A", token * 2, "x" * 9999],
            *[f"{payload}:{stamp}", f"{payload}:{signature}:{stamp}", f"W10:{stamp}:{signature}"],
            confirm,
        ]:
            with self.subTest(broken[:50]):
                self.assertDead(f"/account/recover/{broken}/")
        self.assertEqual(self.client.post(f"/account/email/confirm/{token}/").status_code, 410)
        self.alice.refresh_from_db()
        self.assertTrue(self.alice.check_password(NEW_PASSWORD))

    def test_page_leads_on(self):
        response = self.client.get("/account/recover/x/")
        self.assertContains(response, 'href="/password-reset/"', status_code=410)

    def test_of_a_deactivated_account_which_stays_so(self):
        link = self.change_password()[ALICE]
        User.objects.filter(pk=self.alice.pk).update(is_active=False)
        self.assertDead(link)
        self.alice.refresh_from_db()
        self.assertFalse(self.alice.is_active)
        self.assertMailed()

    def test_of_an_account_that_is_deleted(self):
        link = self.change_password()[ALICE]
        self.alice.delete()
        self.assertDead(link)

    def test_account_that_is_deactivated_between_look_and_button(self):
        link = self.change_password()[ALICE]

        def deactivate(view, pk, users):
            user = users.get(pk=pk, is_active=True)
            User.objects.filter(pk=pk).update(is_active=False)
            return user

        with patch("users.views.recover.RecoverView.get_user", deactivate):
            self.client.get(link)
        self.assertDead(link)

    def test_no_page_of_it_hands_its_url_on(self):
        link = self.move()[ALICE]
        self.assertEqual(self.client.get(link)["Referrer-Policy"], "strict-origin")
        User.objects.filter(pk=self.bob.pk).update(email=ALICE)
        taken = self.client.post(link)
        self.assertContains(taken, EMAIL_TAKEN, status_code=409)
        self.assertEqual(taken["Referrer-Policy"], "strict-origin")
        User.objects.filter(pk=self.bob.pk).update(email="bob@example.com")
        for response in [self.client.post(link), self.client.post(link), self.client.get(link)]:
            self.assertEqual(response["Referrer-Policy"], "strict-origin")

    def test_no_browser_keeps_its_page(self):
        self.assertIn("no-store", self.client.get(self.change_password()[ALICE])["Cache-Control"])

    def test_no_log_has_its_token(self):
        link = self.change_password()[ALICE]
        with self.assertLogs() as logs:
            self.client.get(link)
            self.client.post(link)
            self.client.get(link)
        lines = [HideTokens().format(log) for log in logs.records]
        self.assertTrue(any("/account/recover/…/" in line for line in lines))
        self.assertNotIn(link.split("/")[-2], "".join(lines))


class Reserved(RecoverTestCase):
    """The email that an account has left stays its own while the link can bring it back."""

    def setUp(self):
        super().setUp()
        self.recover = self.move()[ALICE]

    def register(self):
        data = {"username": "Mallory", "email": ALICE}
        return Client().post("/register/", {**data, "password1": PASSWORD, "password2": PASSWORD})

    def test_nobody_registers_with_it(self):
        errors = self.register().context["form"].errors
        self.assertEqual(errors, {"email": [EMAIL_TAKEN]})

    def test_nobody_moves_to_it(self):
        self.client.force_login(self.bob)
        response = self.client.post("/account/email/", {"email": ALICE})
        self.assertEqual(response.context["form"].errors, {"email": [EMAIL_TAKEN]})

    def test_nobody_corrects_theirs_to_it(self):
        User.objects.filter(pk=self.bob.pk).update(email_confirmed_at=None)
        with self.settings(EMAIL_VERIFICATION_REQUIRED=True):
            self.log_in("bob@example.com")
            response = self.client.post("/account/email/correct/", {"email": ALICE})
        self.assertEqual(response.context["form"].errors, {"email": [EMAIL_TAKEN]})

    def test_nobody_who_asked_to_move_to_it_before_gets_there(self):
        User.objects.filter(pk=self.bob.pk).update(pending_email=ALICE)
        self.client.force_login(self.bob)
        self.client.post("/account/email/change/send/")
        response = self.client.post(self.link())
        self.assertContains(response, EMAIL_TAKEN, status_code=409)
        self.take_back(self.recover)
        self.assertEqual(self.alice.email, ALICE)

    def test_staff_give_it_to_nobody(self):
        self.client.force_login(self.carol)
        data = {"username": "Bob", "email": ALICE, "is_active": "on"}
        for url in ["/admin/users/user/add/", f"/admin/users/user/{self.bob.pk}/change/"]:
            errors = self.client.post(url, data).context["adminform"].form.errors
            self.assertEqual(errors["email"], [EMAIL_TAKEN])

    def test_member_goes_back_to_it(self):
        links = self.move(ALICE)
        self.alice.refresh_from_db()
        self.assertEqual(self.alice.email, ALICE)
        self.assertEqual(links, {NEW: None, ALICE: None})  # the first link still works

    def test_it_is_free_after_three_days(self):
        with in_days(2.99):
            self.assertTrue(self.register().context["form"].errors)
        with in_days(3.01):
            self.assertRedirects(self.register(), "/login/")

    def test_it_is_free_when_the_account_is_deleted(self):
        self.thief.post("/account/data/", {"sure": "on"})
        self.assertRedirects(self.register(), "/login/")

    def test_email_that_the_thief_had_is_free_once_the_account_is_back(self):
        self.take_back(self.recover)
        self.client.force_login(self.bob)
        self.assertRedirects(self.client.post("/account/email/", {"email": NEW}), "/account/email/")

    def test_reset_for_it_says_that_there_is_no_account(self):
        self.client.post("/password-reset/", {"email": ALICE})
        self.assertMailed((ALICE, "No account with this email"))

    def test_command_can_give_it_away_and_then_the_link_changes_nothing(self):
        User.objects.filter(pk=self.bob.pk).update(email=ALICE)
        before = User.objects.filter(pk=self.alice.pk).values().get()
        self.assertContains(self.client.post(self.recover), EMAIL_TAKEN, status_code=409)
        self.assertEqual(User.objects.filter(pk=self.alice.pk).values().get(), before)
        self.assertEqual(self.thief.get("/account/").status_code, 200)
        self.assertMailed()


@tag("slow")
class AtTheSameTime(TransactionTestCase):
    def test_of_ten_clicks_one_counts(self):
        alice = User.objects.create_user("Alice", ALICE, email_confirmed_at=timezone.now())
        notify(None, "password_changed", record(None, Kind.PASSWORD_CHANGED, user=alice))
        link = link_in(mail.outbox.pop())
        all_ready = Barrier(10, timeout=30)

        def click(_):
            all_ready.wait()
            try:
                return Client().post(link).status_code
            finally:
                connection.close()

        with ThreadPoolExecutor(10) as browsers:
            statuses = sorted(browsers.map(click, range(10)))
        self.assertEqual(statuses, [302, *[410] * 9])
        self.assertEqual(SecurityEvent.objects.filter(kind=Kind.RECOVERED).count(), 1)
        self.assertEqual([(each.to[0], each.subject) for each in mail.outbox], [RESET])
