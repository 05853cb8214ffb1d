"""
Mallory comes first, with the victim's email, and waits for the victim to use the account.

The known forms of such attacks, after Sudhodanan and Paverd, "Pre-hijacked accounts", 2022. Two
of them need a login through another site, of which there is none here: the classic-federated merge,
and the identity provider that does not verify.
"""

from django.test import Client, override_settings

from testing.cast import PASSWORD, MailTestCase
from users.models import User

VICTIM, MALLORY = "victim@example.com", "mallory@example.com"
MALLORYS_PASSWORD = "waiting for somebody"


class PreHijackingTestCase(MailTestCase):
    """`self.client` is the victim's browser, `self.mallory` Mallory's."""

    def setUp(self):
        super().setUp()
        self.mallory = Client()

    def register(self, email=VICTIM):
        """Let Mallory register `email` and log in; return the path of the link that is mailed."""
        passwords = {"password1": MALLORYS_PASSWORD, "password2": MALLORYS_PASSWORD}
        data = {"username": "Victim", "email": email, **passwords}
        self.assertRedirects(self.mallory.post("/register/", data), "/login/")
        self.log_in_as_mallory(email)
        return self.link()

    def log_in_as_mallory(self, email=VICTIM):
        credentials = {"username": email, "password": MALLORYS_PASSWORD}
        return self.mallory.post("/login/", credentials)

    def ask_to_move(self, email):
        """Let Mallory ask to move to `email`; return the path of the link that is mailed there."""
        self.mallory.post("/account/email/", {"email": email})
        return self.link()

    def take_over(self):
        """Let the victim, who is told that the email is taken, reset the password."""
        self.client.post("/password-reset/", {"email": VICTIM})
        page = self.client.get(self.link(), follow=True).request["PATH_INFO"]
        passwords = {"new_password1": PASSWORD, "new_password2": PASSWORD}
        self.assertEqual(self.client.post(page, passwords).status_code, 302)

    def assertMalloryIsOut(self):
        """Assert that the account is the victim's, and that Mallory gets nowhere near it."""
        user = User.objects.get(email=VICTIM)
        self.assertTrue(user.email_confirmed_at)
        self.assertTrue(user.check_password(PASSWORD))
        self.assertEqual(self.mallory.get("/account/").status_code, 302)
        self.assertEqual(self.log_in_as_mallory().status_code, 200)
        self.assertIsNone(user.pending_email)
        self.assertRedirects(self.log_in(VICTIM), "/")


class Confirming(PreHijackingTestCase):
    def test_victim_who_presses_confirm_makes_no_account_of_mallorys_look_like_theirs(self):
        link = self.register()
        self.client.get(link)  # a mail scanner
        for data in [{}, {"password": PASSWORD}]:
            self.assertEqual(self.client.post(link, data).status_code, 200)
        self.client.force_login(self.alice)  # the victim's other account
        self.client.post(link, {"password": PASSWORD})
        self.assertIsNone(User.objects.get(email=VICTIM).email_confirmed_at)

    def test_nor_does_a_link_with_which_mallory_moves_to_the_victims_email(self):
        self.register(MALLORY)
        link = self.ask_to_move(VICTIM)
        for data in [{}, {"password": PASSWORD}]:
            self.assertEqual(self.client.post(link, data).status_code, 200)
        self.assertFalse(User.objects.filter(email=VICTIM).exists())
        # And the email is not reserved: the victim registers.
        passwords = {"password1": PASSWORD, "password2": PASSWORD}
        self.client.post("/register/", {"username": "Vic", "email": VICTIM, **passwords})
        self.client.post(self.link(), {"password": PASSWORD})
        self.assertEqual(self.mallory.post(link).status_code, 409)
        self.mallory.post("/logout/")  # from an account that is Mallory's own
        self.assertMalloryIsOut()


class UnexpiredSession(PreHijackingTestCase):
    def test_mallorys_session_ends_with_the_victims_reset(self):
        self.register()
        self.assertEqual(self.mallory.get("/account/").status_code, 200)
        self.take_over()
        self.assertMalloryIsOut()


class TrojanIdentifier(PreHijackingTestCase):
    """The unexpired email change as well: Mallory asks for it before, and confirms it after."""

    def test_mallorys_link_is_dead_after_the_victims_reset(self):
        self.register()
        link = self.ask_to_move(MALLORY)
        self.take_over()
        for browser in [self.mallory, self.client]:
            for password in [MALLORYS_PASSWORD, PASSWORD]:
                response = browser.post(link, {"password": password})
                self.assertEqual(response.status_code, 410)
        self.assertMalloryIsOut()

    def test_reset_of_the_email_that_waits_resets_nothing(self):
        self.register()
        self.ask_to_move(MALLORY)
        self.take_over()
        self.client.post("/password-reset/", {"email": MALLORY})
        self.assertFalse(User.objects.filter(email=MALLORY).exists())
        self.assertMalloryIsOut()


class NonVerifying(PreHijackingTestCase):
    """Nobody proves that an email is theirs before they log in with it."""

    def test_reset_link_that_mallory_asked_for_goes_to_the_victim_and_dies_with_the_reset(self):
        self.register()
        self.mallory.post("/password-reset/", {"email": VICTIM})
        link = self.link()
        self.take_over()
        self.assertContains(self.mallory.get(link, follow=True), "This link does not work")
        self.assertMalloryIsOut()

    @override_settings(EMAIL_VERIFICATION_REQUIRED=True)
    def test_mallory_who_waits_at_the_login_gets_nowhere_after_the_reset(self):
        link = self.register()  # and the right password, which waits for the confirmation
        self.take_over()
        self.mallory.post("/account/email/send/")
        self.mallory.post(link, {"password": MALLORYS_PASSWORD})
        self.assertMalloryIsOut()
