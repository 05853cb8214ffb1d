from itertools import pairwise

from django.core import mail

from testing.cast import PASSWORD
from users.models import User
from users.tests.test_throttle import ELSEWHERE, HOME, ThrottleTestCase


class SignUps(ThrottleTestCase):
    def register(self, number, ip=HOME, **changes):
        data = {"username": f"User{number}", "email": f"user{number}@example.com"}
        passwords = {"password1": PASSWORD, "password2": PASSWORD}
        return self.post("/register/", ip, **{**data, **passwords, **changes})

    def test_twenty_an_hour_and_place(self):
        for number in range(20):
            self.assertLetIn(self.register(number))
        self.assertThrottled(self.register(20), 60)
        self.assertFalse(User.objects.filter(username="User20").exists())
        self.assertLetIn(self.register(20, ip=ELSEWHERE))
        self.age(hours=1)
        self.assertLetIn(self.register(21))

    def test_finding_out_who_has_an_account_counts(self):
        for number in range(20):
            response = self.register(number, email=self.taken(number), password2="")
            self.assertContains(response, "That email is taken.")
        for email in ["bob@example.com", "nobody@example.com", "no address", ""]:
            response = self.register(20, email=email, password2="")
            self.assertThrottled(response, 60)
            self.assertNotContains(response, "taken", status_code=429)

    def test_so_does_trying_to_move_to_it(self):
        self.client.force_login(self.bob)
        for number in range(20):
            response = self.post("/account/email/", email=self.taken(number))
            self.assertContains(response, "That email is taken.")
        for email in ["alice@example.com", "no address", ""]:
            self.assertThrottled(self.post("/account/email/", email=email), 60)

    def test_beyond_the_limit_a_free_email_is_told_from_no_taken_one(self):
        self.client.force_login(self.bob)
        for number in range(20):
            self.post("/account/email/", email=self.taken(number))
        self.assertThrottled(self.post("/account/email/", email="nobody@example.com"), 60)

    def test_five_an_hour_and_address_fill_no_mailbox(self):
        for number in range(5):
            self.assertLetIn(self.register(number, email="dave@example.com"))
            User.objects.get(email="dave@example.com").delete()
        self.assertThrottled(self.register(6, email="dave@example.com"), 60)

    def taken(self, number):
        """Return the address of a member, one of four in turn."""
        name = f"Member{number % 4}"
        User.objects.get_or_create(username=name, email=f"{name.lower()}@example.com")
        return f"{name.lower()}@example.com"

    def test_slips_of_the_keyboard_do_not(self):
        for number in range(25):
            response = self.register(number, username="Alice", password2="")
            self.assertEqual(response.status_code, 200)
        self.assertLetIn(self.register(0))


class Mails(ThrottleTestCase):
    def test_five_resets_an_hour_and_address_known_or_not(self):
        for email in ["alice@example.com", "nobody@example.com"]:
            for number in range(5):
                response = self.post("/password-reset/", f"198.51.100.{number}", email=email)
                self.assertLetIn(response)
            response = self.post("/password-reset/", ELSEWHERE, email=email)
            self.assertThrottled(response, 60)
            self.assertNotContains(response, "set a new password", status_code=429)

    def test_twenty_an_hour_and_place(self):
        for number in range(20):
            self.assertLetIn(self.post("/password-reset/", email=f"user{number}@example.com"))
        self.assertThrottled(self.post("/password-reset/", email="user20@example.com"), 60)

    def test_strangers_who_ask_for_resets_do_not_stop_a_confirmation(self):
        self.client.force_login(self.alice)
        for _ in range(5):
            self.assertLetIn(self.post("/password-reset/", ELSEWHERE, email="alice@example.com"))
        for _ in range(5):
            self.assertLetIn(self.post("/account/email/send/"))
        self.assertThrottled(self.post("/account/email/send/"), 60)

    def test_login_does_not_clear_the_count(self):
        for _ in range(5):
            self.assertLetIn(self.post("/password-reset/", email="alice@example.com"))
        self.assertLetIn(self.try_password(password=PASSWORD))
        self.assertThrottled(self.post("/password-reset/", email="alice@example.com"), 60)

    def test_confirmation_that_has_to_wait_can_still_be_sent(self):
        with self.settings(EMAIL_VERIFICATION_REQUIRED=True):
            self.try_password(password=PASSWORD)
            with self.settings(MAILS_PER_IP_PER_HOUR=1):
                self.post("/password-reset/", email="bob@example.com")
                self.assertThrottled(self.post("/account/email/send/"), 60)
            self.assertLetIn(self.post("/account/email/send/"))
        self.assertEqual(mail.outbox[-1].to, ["alice@example.com"])

    def test_mails_of_all_kinds_count_by_place(self):
        self.client.force_login(self.alice)
        for _ in range(5):
            self.assertLetIn(self.post("/account/email/send/"))
        for number in range(15):
            self.assertLetIn(self.post("/password-reset/", email=f"user{number}@example.com"))
        self.assertThrottled(self.post("/password-reset/", email="user15@example.com"), 60)

    def test_notices_of_new_passwords_fill_no_mailbox(self):
        self.client.force_login(self.alice)
        passwords = [f"unusual sentence {number}" for number in range(7)]
        self.alice.set_password(passwords[0])
        self.alice.save()
        self.client.force_login(self.alice)
        for old, new in pairwise(passwords[:6]):
            data = {"old_password": old, "new_password1": new, "new_password2": new}
            self.assertLetIn(self.post("/account/password/", **data))
        data = {"new_password1": passwords[6], "new_password2": passwords[6]}
        response = self.post("/account/password/", old_password=passwords[5], **data)
        self.assertThrottled(response, 60)
        self.alice.refresh_from_db()
        self.assertTrue(self.alice.check_password(passwords[5]))

    def test_questions_for_ever_new_addresses_do_not_fill_the_own_mailbox(self):
        self.client.force_login(self.alice)
        for number in range(5):
            response = self.post(
                "/account/email/", f"198.51.100.{number}", email=f"new{number}@example.com"
            )
            self.assertLetIn(response)
        response = self.post("/account/email/", ELSEWHERE, email="new5@example.com")
        self.assertThrottled(response, 60)

    def test_nobody_fills_the_mailbox_of_somebody_else(self):
        self.client.force_login(self.alice)
        data = {"email": "victim@example.com"}
        for _ in range(3):
            self.assertLetIn(self.post("/account/email/", **data))
        self.client.force_login(self.bob)
        for _ in range(2):
            self.assertLetIn(self.post("/account/email/", ELSEWHERE, **data))
        self.assertThrottled(self.post("/account/email/", ELSEWHERE, **data), 60)
        recipients = [message.to[0] for message in mail.outbox]
        self.assertEqual(recipients.count("victim@example.com"), 5)
