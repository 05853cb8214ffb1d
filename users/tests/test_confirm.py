"""The door behind which the account is changed: is it still you?"""

import time
from unittest.mock import patch

from django.conf import settings
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher
from django.test import override_settings

from blog.models import Post
from testing.cast import PASSWORD, CastTestCase, MailTestCase
from users.forms import NOT_YOURS
from users.models import AuthenticatorApp, Passkey, SecurityEvent, Session, User
from users.proof import NOTHING_CHANGED
from users.sessions import PROOF_KEY
from users.tests.test_access import (
    ACTIONS_WITH_PROOF,
    PAGES,
    PAGES_WITH_PROOF,
    AccessTestCase,
)
from users.tests.test_throttle import ELSEWHERE, ThrottleTestCase


class ConfirmTestCase(MailTestCase):
    """Alice has logged in too long ago to be let in without a proof."""

    def setUp(self):
        super().setUp()
        self.client.force_login(self.alice)
        self.forget_proof()

    def forget_proof(self):
        session = self.client.session
        session[PROOF_KEY] -= settings.PROOF_SECONDS
        session.save()

    def confirm(self, password=PASSWORD, next_url=""):
        url = f"/account/confirm/?next={next_url}" if next_url else "/account/confirm/"
        return self.client.post(url, {"password": password})

    def assertProved(self):
        self.assertEqual(self.client.get("/account/email/").status_code, 200)

    def assertNotProved(self):
        response = self.client.get("/account/email/")
        self.assertRedirects(response, "/account/confirm/?next=/account/email/")


class ConfirmGet(ConfirmTestCase):
    def test_asks_for_the_password(self):
        response = self.client.get("/account/confirm/")
        self.assertContains(response, "<h1>Is it still you?</h1>", html=True)
        self.assertContains(response, "logged in as Alice")
        self.assertEqual(list(response.context["form"].fields), ["password"])
        self.assertContains(response, 'autocomplete="current-password"')

    def test_is_no_proof(self):
        self.client.get("/account/confirm/")
        self.assertNotProved()

    def test_stranger_logs_in_first(self):
        self.client.logout()
        response = self.client.get("/account/confirm/")
        self.assertRedirects(response, "/login/?next=/account/confirm/")


class ConfirmPost(ConfirmTestCase):
    def test_right_password_leads_back_under_a_new_session_key(self):
        before = self.client.session
        response = self.confirm(next_url="/account/sessions/")
        self.assertRedirects(response, "/account/sessions/")
        self.assertNotEqual(self.client.session.session_key, before.session_key)
        self.assertFalse(Session.objects.filter(pk=before.digest).exists())
        self.assertLoggedInAs(self.alice)
        self.assertProved()

    def test_wrong_password_is_a_form_error_and_no_proof(self):
        before = self.client.session.session_key
        response = self.confirm("wrong", "/account/sessions/")
        self.assertEqual(response.context["form"].errors, {"password": [NOT_YOURS]})
        self.assertEqual(self.client.session.session_key, before)
        self.assertNotProved()

    def test_password_of_somebody_else_is_a_wrong_one(self):
        self.bob.set_password("password of Bob alone")
        self.bob.save()
        response = self.confirm("password of Bob alone")
        self.assertEqual(response.context["form"].errors, {"password": [NOT_YOURS]})

    def test_no_password_is_no_attempt(self):
        with patch.object(BCryptSHA256PasswordHasher, "encode") as encode:
            response = self.confirm("")
        self.assertEqual(list(response.context["form"].errors), ["password"])
        encode.assert_not_called()
        self.assertFalse(SecurityEvent.objects.exists())
        self.assertNotProved()

    def test_blanks_around_a_password_count(self):
        self.alice.set_password(f" {PASSWORD}")
        self.alice.save()
        self.client.force_login(self.alice)
        self.forget_proof()
        self.assertEqual(list(self.confirm().context["form"].errors), ["password"])
        self.assertNotProved()
        self.confirm(f" {PASSWORD}")
        self.assertProved()

    def test_leads_never_off_the_site_nor_back_to_itself(self):
        for url in [
            "",
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example/",
            "%23",
            "javascript:alert(1)",
            "/account/confirm/",
        ]:
            with self.subTest(url):
                self.assertRedirects(self.confirm(next_url=url), "/account/")

    def test_sends_no_mail(self):
        self.confirm()
        self.confirm("wrong")
        self.assertMailed()

    def test_other_sessions_of_the_member_are_not_proved(self):
        other = self.log_in_elsewhere(self.alice)
        session = other.session
        session[PROOF_KEY] -= settings.PROOF_SECONDS
        session.save()
        self.confirm()
        self.assertEqual(other.get("/account/email/").status_code, 302)

    def test_login_is_a_proof(self):
        self.client.logout()
        self.log_in()
        self.assertProved()


class ConfirmThrottle(ThrottleTestCase):
    """A session that was left open is no way to guess the password."""

    def confirm(self, password, ip="192.0.2.1"):
        return self.post("/account/confirm/", ip, password=password)

    def test_wrong_ones_count_together_with_those_at_the_login(self):
        self.fail(5)
        self.client.force_login(self.alice)
        for _ in range(5):
            self.assertContains(self.confirm("wrong"), NOT_YOURS)
        with patch.object(BCryptSHA256PasswordHasher, "encode") as encode:
            self.assertThrottled(self.confirm(PASSWORD), 15)
        encode.assert_not_called()
        self.client.logout()
        self.assertThrottled(self.try_password(password=PASSWORD), 15)

    @override_settings(LOGINS_PER_EMAIL_AND_IP_PER_15_MINUTES=3)
    def test_right_ones_count_as_well(self):
        self.assertLetIn(self.try_password(password=PASSWORD))
        self.client.force_login(self.alice)
        for _ in range(2):
            self.assertLetIn(self.confirm(PASSWORD))
        self.assertThrottled(self.confirm(PASSWORD), 15)
        self.assertLetIn(self.confirm(PASSWORD, ELSEWHERE))


class WithoutProof(AccessTestCase):
    def setUp(self):
        self.client.force_login(self.alice)
        self.leave_open()

    def leave_open(self):
        """Let the proof of the login be over."""
        session = self.client.session
        session[PROOF_KEY] -= settings.PROOF_SECONDS
        session.save()

    def everything(self):
        """Return all rows that a member could change, as text."""
        self.client.get("/")  # which notes the visit
        models = [User, Session, Passkey, AuthenticatorApp, SecurityEvent, Post]
        return str([list(model.objects.order_by("pk").values()) for model in models])

    def test_page_asks_for_it_and_comes_back(self):
        for url, page in PAGES_WITH_PROOF.items():
            with self.subTest(url):
                response = self.client.get(url)
                self.assertRedirects(response, f"/account/confirm/?next={page}")
                self.assertNotContains(self.client.get("/about/"), NOTHING_CHANGED)

    def test_post_asks_for_it_says_so_and_changes_nothing(self):
        other = self.log_in_elsewhere(self.alice)
        self.alice.pending_email = "new@example.com"
        self.alice.save()
        data = {"email": "newer@example.com", "sure": "on", "name": "Mine", "code": "123456"}
        end = f"/account/sessions/{other.session.digest}/end/"
        before = self.everything()
        for url, page in {
            **PAGES_WITH_PROOF,
            **ACTIONS_WITH_PROOF,
            end: "/account/sessions/",
        }.items():
            with self.subTest(url):
                response = self.client.post(url, data, follow=True)
                self.assertRedirects(response, f"/account/confirm/?next={page}")
                self.assertContains(response, NOTHING_CHANGED, count=1)
                self.assertEqual(self.everything(), before)

    def test_other_pages_do_not_ask(self):
        for url in PAGES:
            with self.subTest(url):
                self.assertEqual(self.client.get(url).status_code, 200)

    def test_session_of_before_there_were_proofs_has_none(self):
        session = self.client.session
        del session[PROOF_KEY]
        session.save()
        response = self.client.get("/account/email/")
        self.assertRedirects(response, "/account/confirm/?next=/account/email/")

    def test_whoever_logs_in_again_needs_none(self):
        AuthenticatorApp.objects.all().delete()  # or there is none to add
        self.client.force_login(self.alice)
        for url in PAGES_WITH_PROOF:
            with self.subTest(url):
                self.assertEqual(self.client.get(url).status_code, 200)


class ProofGrowsOld(CastTestCase):
    def status_after(self, seconds):
        with patch("users.sessions.time.time", return_value=self.now + seconds):
            return self.client.get("/account/email/").status_code

    def setUp(self):
        self.client.force_login(self.alice)
        self.now = self.client.session[PROOF_KEY]

    def test_after_the_seconds_of_the_setting(self):
        self.assertEqual(settings.PROOF_SECONDS, 15 * 60)
        self.assertEqual(self.status_after(15 * 60 - 1), 200)
        self.assertEqual(self.status_after(15 * 60), 302)

    @override_settings(PROOF_SECONDS=60)
    def test_setting_counts(self):
        self.assertEqual(self.status_after(59), 200)
        self.assertEqual(self.status_after(60), 302)

    def test_no_visit_makes_it_younger(self):
        for minutes in [5, 10, 14]:
            self.assertEqual(self.status_after(minutes * 60), 200)
        self.assertEqual(self.status_after(16 * 60), 302)

    def test_password_makes_it_young_again(self):
        later = time.time() + 14 * 60
        with patch("users.sessions.time.time", return_value=later):
            self.client.post("/account/confirm/", {"password": PASSWORD})
        self.assertEqual(self.status_after(28 * 60), 200)
        self.assertEqual(self.status_after(30 * 60), 302)
