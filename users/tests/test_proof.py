"""Who must have a second factor, and the proof that the admin asks for."""

import re
from unittest.mock import patch

from django.conf import settings
from django.core import mail
from django.test import override_settings
from django.utils import timezone

from testing.authenticator import Authenticator
from testing.cast import PASSWORD, FactorTestCase
from users import second_factor
from users.models import Passkey, RecoveryCode, User
from users.proof import NEW_CODES_FIRST, NOTHING_CHANGED, SECOND_FACTOR_FIRST
from users.views.security import LAST_ONE

CLOSED = ["/", "/about/", "/account/", "/account/password/", "/account/data/"]
OPEN = ["/account/confirm/", "/account/security/app/", "/logout/"]


class WhoMust(FactorTestCase):
    """Carol is staff, Alice and Bob are not."""

    def setUp(self):
        super().setUp()
        self.carol.email_confirmed_at = timezone.now()
        self.carol.save()

    def assertLedToSetUp(self, user, led):
        self.client.force_login(user)
        for url in [*CLOSED, "/admin/", "/admin/users/user/"] if user.is_staff else CLOSED:
            with self.subTest(url, user=user):
                response = self.client.get(url)
                away = response.status_code == 302 and response.url == "/account/security/"
                self.assertEqual(away, led)

    def test_nobody(self):
        with override_settings(SECOND_FACTOR_REQUIRED="nobody"):
            self.assertLedToSetUp(self.carol, False)
            self.assertLedToSetUp(self.alice, False)

    def test_staff(self):
        with override_settings(SECOND_FACTOR_REQUIRED="staff"):
            self.assertLedToSetUp(self.carol, True)
            self.assertLedToSetUp(self.alice, False)
            self.give_app(self.carol)
            self.assertLedToSetUp(User.objects.get(pk=self.carol.pk), False)

    @override_settings(SECOND_FACTOR_REQUIRED="everybody")
    def test_everybody_and_what_is_open_meanwhile(self):
        self.assertLedToSetUp(self.alice, True)
        for url in OPEN:
            self.assertEqual(self.client.get(url).status_code, 200)
        self.assertContains(self.client.get("/account/", follow=True), SECOND_FACTOR_FIRST)
        options = self.ask("/account/security/passkeys/add/options/")
        data = {"credential": self.passkey.make(options), "name": "Phone"}
        self.client.post("/account/security/passkeys/add/", data)
        self.assertLedToSetUp(self.alice, True)  # it waits for the codes
        codes = self.client.post("/account/security/codes/").context["codes"]
        self.client.post("/account/security/codes/", {"codes": "x", "code": codes[0]})
        self.assertLedToSetUp(User.objects.get(pk=self.alice.pk), False)

    @override_settings(SECOND_FACTOR_REQUIRED="everybody")
    def test_forms_do_nothing_meanwhile(self):
        self.client.force_login(self.alice)
        new = {
            "new_password1": "another unusual sentence",
            "new_password2": "another unusual sentence",
        }
        for url, data in [
            ("/account/", {"username": "Else"}),
            ("/account/data/", {"sure": "on"}),
            ("/account/password/", {"old_password": PASSWORD, **new}),
            ("/account/sessions/end-others/", {}),
        ]:
            self.assertRedirects(self.client.post(url, data), "/account/security/")
        self.alice.refresh_from_db()
        self.assertEqual(self.alice.username, "Alice")
        self.assertTrue(self.alice.check_password(PASSWORD))

    @override_settings(SECOND_FACTOR_REQUIRED="everybody")
    def test_last_factor_is_not_removed_and_another_is(self):
        passkey = self.give_passkey(self.alice)
        self.give_app(self.alice)
        self.client.force_login(self.alice)
        self.client.post("/account/security/app/remove/")
        url = f"/account/security/passkeys/{passkey.pk}/remove/"
        self.assertContains(self.client.post(url, follow=True), LAST_ONE)
        self.assertTrue(User.objects.get(pk=self.alice.pk).has_second_factor)
        self.assertMailed(("alice@example.com", "Your second factor has changed"))

    @override_settings(SECOND_FACTOR_REQUIRED="everybody")
    def test_costs_a_query_once_a_session(self):
        self.give_passkey(self.alice)
        self.client.force_login(self.alice)
        self.client.get("/about/")
        with self.assertNumQueries(3):  # the session, its member, and the sidebar's
            self.client.get("/about/")

    def test_without_a_cookie_no_page_looks_for_a_session(self):
        with self.assertNumQueries(1):  # the sidebar's
            self.client.get("/about/")


class LastRecoveryCode(FactorTestCase):
    def setUp(self):
        super().setUp()
        self.app = self.give_app(self.alice)
        code = self.give_codes(self.alice)[0]
        RecoveryCode.objects.exclude(digest=second_factor.digest(code.replace("-", ""))).delete()
        self.log_in()
        self.client.post("/login/verify/", {"code": code})
        self.assertLoggedInAs(self.alice)

    def test_leads_to_new_ones_and_nowhere_else(self):
        response = self.client.get("/account/", follow=True)
        self.assertRedirects(response, "/account/security/codes/")
        self.assertContains(response, NEW_CODES_FIRST)

    def test_does_not_go_round_in_circles_without_a_factor(self):
        self.client.post("/account/security/app/remove/")
        self.assertEqual(self.client.get("/account/").status_code, 200)


class AdminProof(FactorTestCase):
    USERS = "/admin/users/user/"

    def setUp(self):
        super().setUp()
        self.client.force_login(self.carol)
        later = timezone.now().timestamp() + settings.ADMIN_PROOF_SECONDS - 60
        self.clock = self.enterContext(patch("users.sessions.time.time", return_value=later))

    def let_the_hour_pass(self):
        self.clock.return_value += 120

    def test_counts_for_an_hour_and_is_asked_for_then(self):
        self.assertEqual(self.client.get(self.USERS).status_code, 200)
        self.let_the_hour_pass()
        response = self.client.get(f"{self.USERS}?q=alice")
        confirm = "/account/confirm/?next=/admin/users/user/%3Fq%3Dalice"
        self.assertRedirects(response, confirm)
        response = self.client.post(confirm, {"password": PASSWORD})
        self.assertRedirects(response, f"{self.USERS}?q=alice")

    def test_form_that_comes_too_late_changes_nothing_and_keeps_what_was_typed(self):
        self.let_the_hour_pass()
        url = f"{self.USERS}{self.alice.pk}/change/"
        typed = "\nAlice & <Co>"
        data = {"username": typed, "email": "x@example.com", "groups": ["1", "2"]}
        response = self.client.post(url, {**data, "csrfmiddlewaretoken": "secret"})
        self.assertContains(response, "Nothing has been saved yet", status_code=403)
        self.assertContains(response, f'action="{url}"', status_code=403)
        self.assertNotContains(response, ">secret<", status_code=403)
        sent = re.findall(r'<textarea name="(\w+)" hidden>\n(.*?)</textarea>', response.text, re.S)
        self.assertEqual(
            sent,
            [
                ("username", "\nAlice &amp; &lt;Co&gt;"),
                ("email", "x@example.com"),
                ("groups", "1"),
                ("groups", "2"),
            ],
        )
        self.alice.refresh_from_db()
        self.assertEqual(self.alice.email, "alice@example.com")

    def test_logging_out_needs_none(self):
        self.let_the_hour_pass()
        self.assertRedirects(self.client.post("/admin/logout/"), "/")
        self.assertLoggedOut()

    def test_members_who_are_no_staff_are_told_so(self):
        self.client.force_login(self.bob)
        self.let_the_hour_pass()
        self.assertRedirects(
            self.client.get("/admin/"), "/admin/login/?next=/admin/", target_status_code=403
        )

    def test_page_of_the_site_asks_sooner(self):
        response = self.client.post("/account/sessions/end-others/", follow=True)
        self.assertRedirects(response, "/account/confirm/?next=/account/sessions/")
        self.assertContains(response, NOTHING_CHANGED)


class Waiting(FactorTestCase):
    def test_factor_that_waits_does_not_outlive_the_password(self):
        self.client.force_login(self.alice)
        options = self.ask("/account/security/passkeys/add/options/")
        data = {"credential": self.passkey.make(options), "name": "Phone"}
        self.client.post("/account/security/passkeys/add/", data)
        self.assertTrue(self.alice.passkeys.exists())
        self.alice.set_password("another unusual sentence")
        self.alice.save()
        self.assertFalse(self.alice.passkeys.exists())

    def test_what_a_thief_has_begun_is_not_finished_by_the_owners_codes(self):
        thief = self.log_in_elsewhere(self.alice)
        options = self.ask("/account/security/passkeys/add/options/", thief)
        data = {"credential": self.passkey.make(options), "name": "Thief's"}
        thief.post("/account/security/passkeys/add/", data)
        self.client.force_login(self.alice)
        options = self.ask("/account/security/passkeys/add/options/")
        data = {"credential": Authenticator().make(options), "name": "Mine"}
        self.client.post("/account/security/passkeys/add/", data)
        codes = self.client.post("/account/security/codes/").context["codes"]
        self.client.post("/account/security/codes/", {"codes": "x", "code": codes[0]})
        self.assertEqual([each.name for each in self.alice.passkeys.all()], ["Mine"])

    def test_staff_remove_it_too(self):
        self.give_passkey(self.alice).delete()
        Passkey.objects.create(user=self.alice, name="x", credential_id=b"x", credential=b"x")
        second_factor.remove_all(None, self.alice)
        self.assertFalse(self.alice.passkeys.exists())


class Limits(FactorTestCase):
    """What one member can have, and make this site write and mail."""

    def setUp(self):
        super().setUp()
        self.give_passkey(self.alice)
        self.client.force_login(self.alice)

    def add(self):
        options = self.ask("/account/security/passkeys/add/options/")
        data = {"credential": Authenticator().make(options), "name": "More"}
        return self.client.post("/account/security/passkeys/add/", data)

    def test_twenty_changes_an_hour(self):
        with override_settings(FACTOR_CHANGES_PER_MEMBER_PER_HOUR=2):
            statuses = [self.add().status_code for _ in range(3)]
        self.assertEqual(statuses, [302, 302, 429])
        self.assertEqual(self.alice.passkeys.count(), 3)
        self.assertEqual(len(mail.outbox), 2)

    def test_twenty_passkeys(self):
        with patch("users.second_factor.PASSKEYS_PER_MEMBER", 2):
            self.assertEqual([self.add().status_code for _ in range(2)], [302, 200])
        self.assertEqual(self.alice.passkeys.count(), 2)

    def test_passkeys_log_in_and_prove_as_often_as_passwords(self):
        with override_settings(LOGINS_PER_EMAIL_AND_IP_PER_15_MINUTES=3):
            for _ in range(2):
                data = {"credential": self.passkey.answer(self.ask())}
                self.assertEqual(
                    self.client.post("/account/confirm/passkey/", data).status_code, 302
                )
            self.client.logout()
            self.assertEqual(self.log_in_with_passkey().status_code, 302)
            self.client.logout()
            self.assertEqual(self.log_in_with_passkey().status_code, 429)
        self.assertLoggedOut()

    def test_name_has_no_second_line(self):
        passkey = self.alice.passkeys.get()
        url = f"/account/security/passkeys/{passkey.pk}/"
        self.client.post(url, {"name": "Phone\r\nhttps://evil.example/"})
        passkey.refresh_from_db()
        self.assertEqual(passkey.name, "Phone  https://evil.example/")


class Meanwhile(FactorTestCase):
    """The account is taken back while a request of the thief's is on its way."""

    def test_nothing_is_added_or_removed_and_the_thief_is_out(self):
        passkey = self.give_passkey(self.alice)
        url = f"/account/security/passkeys/{passkey.pk}/remove/"
        add = {"name": "Thief's"}
        for name, path, data in [
            ("remove", url, {}),
            ("make_codes", "/account/security/codes/", {}),
            ("take_challenge", "/account/security/passkeys/add/", add),
        ]:
            self.client.force_login(User.objects.get(pk=self.alice.pk))
            options = self.ask("/account/security/passkeys/add/options/")
            add["credential"] = Authenticator().make(options)
            with patch.object(second_factor, name, self.after_taking_back(name)):
                self.assertRedirects(self.client.post(path, data), "/login/")
            self.assertLoggedOut()
        self.assertEqual([*Passkey.objects.live()], [passkey])
        self.assertFalse(RecoveryCode.objects.exists())

    def after_taking_back(self, name):
        """Return the function `name`, which runs when somebody else has set a password."""
        function = getattr(second_factor, name)

        def take_back_first(*args):
            alice = User.objects.get(pk=self.alice.pk)
            alice.set_password("another unusual sentence")
            alice.save()
            return function(*args)

        return take_back_first


@override_settings(SECOND_FACTORS_OFFERED=False)
class NotOffered(FactorTestCase):
    ADD = [f"/account/security/{page}/" for page in ["app", "passkeys/add", "passkeys/add/options"]]

    def test_no_page_shows_or_adds_one(self):
        self.assertNotContains(self.client.get("/login/"), "passkey")
        self.client.force_login(self.alice)
        page = self.client.get("/account/security/")
        self.assertContains(page, "Recent activity")
        self.assertNotContains(page, "Passkeys")
        for url in self.ADD:
            self.assertEqual(self.client.get(url).status_code, 404)
            self.assertEqual(self.client.post(url).status_code, 404)

    def test_who_has_one_is_asked_for_it(self):
        app = self.give_app(self.alice)
        self.assertRedirects(self.log_in(), "/login/verify/?next=/")
        self.client.post("/login/verify/", {"code": self.code(app)})
        self.assertLoggedInAs(self.alice)
