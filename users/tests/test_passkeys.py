"""Passkeys, made and used by an authenticator in software, and everything that is no passkey."""

import json
from unittest.mock import patch

from django.conf import settings
from django.core import mail
from django.test import Client, override_settings
from django.utils import timezone
from fido2.cose import CoseKey
from fido2.utils import websafe_decode, websafe_encode

from testing.authenticator import Authenticator
from testing.cast import PASSWORD, FactorTestCase
from users.models import Kind, Passkey, SecurityEvent, User
from users.second_factor import CHALLENGE_SECONDS
from users.views import security, verify

OPTIONS = "/account/security/passkeys/add/options/"
ADD = "/account/security/passkeys/add/"


class PasskeyTestCase(FactorTestCase):
    def add(self, authenticator=None, name="Phone", client=None):
        client = client or self.client
        answer = (authenticator or self.passkey).make(self.ask(OPTIONS, client))
        return client.post(ADD, {"credential": answer, "name": name})


class Adding(PasskeyTestCase):
    def setUp(self):
        super().setUp()
        self.client.force_login(self.alice)

    def test_first_one_waits_until_a_recovery_code_is_typed_back(self):
        self.assertRedirects(self.add(), "/account/security/codes/")
        self.assertMailed()
        self.assertFalse(User.objects.get(pk=self.alice.pk).has_second_factor)
        self.assertContains(self.client.get("/account/security/"), "Not in use yet")
        codes = self.client.post("/account/security/codes/").context["codes"]
        self.assertEqual(len(codes), 10)
        self.client.post("/account/security/codes/", {"codes": " ".join(codes), "code": codes[4]})
        self.assertTrue(User.objects.get(pk=self.alice.pk).has_second_factor)
        self.assertIn("Passkey “Phone”: added", mail.outbox[0].body)
        self.assertMailed(("alice@example.com", "Your second factor has changed"))

    def test_further_ones_count_at_once(self):
        self.give_passkey(self.alice)
        self.assertRedirects(self.add(Authenticator(), "Key"), "/account/security/")
        self.assertEqual(Passkey.objects.live(user=self.alice).count(), 2)
        self.assertMailed(("alice@example.com", "Your second factor has changed"))

    def test_browser_is_asked_to_verify_to_remember_and_not_to_make_two(self):
        self.give_passkey(self.alice)
        options = self.ask(OPTIONS)
        self.assertEqual(options["rp"], {"id": "localhost", "name": settings.SITE_NAME})
        selection = options["authenticatorSelection"]
        self.assertEqual(selection["userVerification"], "preferred")
        self.assertEqual(selection["residentKey"], "preferred")
        excluded = [each["id"] for each in options["excludeCredentials"]]
        self.assertEqual(excluded, [websafe_encode(self.passkey.id)])
        self.assertGreaterEqual(len(websafe_decode(options["challenge"])), 16)

    def test_renamed_and_removed_with_the_recovery_codes(self):
        passkey = self.give_passkey(self.alice)
        self.give_codes(self.alice)
        url = f"/account/security/passkeys/{passkey.pk}/"
        self.assertRedirects(self.client.post(url, {"name": "Desk"}), "/account/security/")
        self.assertContains(self.client.get("/account/security/"), "Desk")
        self.assertNotContains(self.client.post(url, {"name": "Desk"}, follow=True), "a new name")
        self.assertContains(self.client.post(url, {"name": "Table"}, follow=True), "a new name")
        self.client.post(url, {"name": "Desk"})
        self.assertEqual(self.client.post(url, {"name": ""}).status_code, 200)
        for _ in range(2):  # a double click
            self.client.post(f"{url}remove/")
        self.assertFalse(User.objects.get(pk=self.alice.pk).has_second_factor)
        self.assertNotContains(self.client.get("/account/security/"), "Desk")
        self.assertNotContains(self.client.get("/account/security/"), "recovery codes")
        self.assertMailed(("alice@example.com", "Your second factor has changed"))

    def test_one_that_waits_is_removed_without_a_word(self):
        self.add()
        passkey = Passkey.objects.get()
        self.client.post(f"/account/security/passkeys/{passkey.pk}/remove/")
        self.assertFalse(Passkey.objects.exists())
        self.assertMailed()

    def test_those_of_others_are_not_there(self):
        passkey = self.give_passkey(self.bob)
        url = f"/account/security/passkeys/{passkey.pk}/"
        self.assertEqual(self.client.get(url).status_code, 404)
        for action in [url, f"{url}remove/"]:
            self.assertEqual(self.client.post(action, {"name": "Mine"}).status_code, 404)
        self.assertEqual(Passkey.objects.live(user=self.bob).get().name, "Laptop")

    def test_nobody_adds_one_that_is_there_already(self):
        self.give_passkey(self.bob)
        self.assertContains(self.add(), security.PASSKEY_REFUSED)
        self.assertFalse(self.alice.passkeys.exists())

    def test_only_with_a_confirmed_email(self):
        User.objects.filter(pk=self.alice.pk).update(email_confirmed_at=None)
        for url in [ADD, OPTIONS, "/account/security/app/"]:
            with self.subTest(url):
                response = self.client.post(url, follow=True)
                self.assertRedirects(response, "/account/security/")
                self.assertContains(response, "Both need a confirmed email.")
                self.assertNotContains(response, ADD)

    def test_of_an_odd_size(self):
        for size in [15, 1024]:
            self.passkey.id = bytes(size)
            self.assertContains(self.add(), security.PASSKEY_REFUSED)

    def test_of_an_algorithm_that_nobody_asked_for(self):
        unknown = CoseKey.parse({1: 2, 3: -999})
        with patch("testing.authenticator.ES256.from_cryptography_key", return_value=unknown):
            self.assertContains(self.add(), security.PASSKEY_REFUSED)

    def test_answers_that_are_none(self):
        number = len([*spoiled(json.loads(self.passkey.make(self.ask(OPTIONS))))])
        with override_settings(PASSKEY_FAILURES_PER_IP_PER_15_MINUTES=10**6):
            for index in range(number + len(HOPELESS)):
                # Each to a challenge of its own, which it would answer if it were whole.
                good = json.loads(self.passkey.make(self.ask(OPTIONS)))
                answer = [*spoiled(good), *HOPELESS][index]
                with self.subTest(answer[:80]):
                    response = self.client.post(ADD, {"credential": answer, "name": "Phone"})
                    self.assertContains(response, security.PASSKEY_REFUSED)
        self.assertFalse(Passkey.objects.exists())


HOPELESS = [
    "",
    "x",
    "null",
    "[]",
    "{}",
    "1",
    '"x"',
    '{"a": ' * 5_000,
    "[" * 100_000,
    '"\\ud800"',
    "9" * 5000,
]


def spoiled(answer):
    """Yield the JSON of `answer` with each of its parts missing, cut, or of another kind."""
    for part, name in [
        *((answer, name) for name in ["rawId", "response"]),
        *((answer["response"], name) for name in answer["response"] if name != "userHandle"),
    ]:
        kept = part.pop(name)
        yield json.dumps(answer)
        wrong = [None, 7, [], {}, "", "!", websafe_encode(b"x"), websafe_encode(bytes(5_000))]
        if isinstance(kept, str):
            wrong.append(kept[:-4])
            if name != "attestationObject":  # of which nothing is signed, nor read after its end
                wrong.append(kept + "AAAA")
        for value in wrong:
            part[name] = value
            yield json.dumps(answer)
        part[name] = kept


class LoggingIn(PasskeyTestCase):
    def setUp(self):
        super().setUp()
        self.give_passkey(self.alice)

    def assertRefused(self, response, words=verify.PASSKEY_REFUSED):
        self.assertEqual(response.status_code, 302)
        self.assertLoggedOut()
        self.assertContains(self.client.get(response.url), words)

    def test_alone_with_nothing_typed(self):
        self.assertRedirects(self.log_in_with_passkey(next="/account/"), "/account/")
        self.assertLoggedInAs(self.alice)
        self.assertTrue(Passkey.objects.get().last_used)
        event = SecurityEvent.objects.get()  # the challenge is used up
        self.assertEqual((event.kind, event.user), (Kind.LOGIN, self.alice))

    def test_session_is_a_new_one_and_ends_with_the_browser(self):
        self.ask(alone="yes")
        before = self.client.session.session_key
        self.log_in_with_passkey()
        self.assertNotEqual(self.client.session.session_key, before)
        self.assertTrue(self.client.session.get_expire_at_browser_close())

    def test_next_never_leads_off_the_site(self):
        self.assertRedirects(self.log_in_with_passkey(next="https://evil.example/"), "/")

    def test_strangers_page_makes_no_session_and_the_button_one_for_ten_minutes(self):
        self.client.get("/login/")
        self.assertNotIn(settings.SESSION_COOKIE_NAME, self.client.cookies)
        self.assertEqual(self.ask(alone="yes")["userVerification"], "required")
        self.assertEqual(self.client.session.get_expiry_age(), CHALLENGE_SECONDS)

    def test_without_user_verification_it_is_refused_alone_and_counts_after_the_password(self):
        self.passkey.verifies = False
        self.assertRefused(self.log_in_with_passkey())
        self.log_in(next_url="/about/", remember="on")
        options = self.ask()
        self.assertEqual(options["userVerification"], "preferred")
        allowed = [each["id"] for each in options["allowCredentials"]]
        self.assertEqual(allowed, [websafe_encode(self.passkey.id)])
        data = {"credential": self.passkey.answer(options), "next": "/about/"}
        self.assertRedirects(self.client.post("/login/passkey/", data), "/about/")
        self.assertLoggedInAs(self.alice)
        self.assertEqual(self.client.session.get_expiry_age(), settings.REMEMBER_ME_SECONDS)

    def test_after_the_password_of_one_the_passkey_of_another_is_none(self):
        bobs = Authenticator()
        self.give_passkey(self.bob, bobs)
        self.log_in()
        answer = bobs.answer(self.ask())
        response = self.client.post("/login/passkey/", {"credential": answer})
        self.assertRefused(response)
        self.assertIn("/login/verify/", response.url)

    def test_deactivated_and_unconfirmed_members_stay_out(self):
        User.objects.filter(pk=self.alice.pk).update(is_active=False)
        self.assertRefused(self.log_in_with_passkey(), "This account is inactive")
        User.objects.filter(pk=self.alice.pk).update(is_active=True, email_confirmed_at=None)
        with override_settings(EMAIL_VERIFICATION_REQUIRED=True):
            self.assertRefused(self.log_in_with_passkey(), "Please confirm your email first")
        self.log_in_with_passkey()
        self.assertLoggedInAs(self.alice)

    def test_removed_one_is_refused(self):
        Passkey.objects.update(removed=timezone.now())
        self.assertRefused(self.log_in_with_passkey())
        self.assertFalse(SecurityEvent.objects.filter(user=self.alice).exists())

    def test_one_that_waits_for_recovery_codes_is_refused(self):
        Passkey.objects.update(added=None)
        self.assertRefused(self.log_in_with_passkey())

    def test_count_that_goes_back_is_refused_and_written_down(self):
        self.passkey.counts = True
        self.log_in_with_passkey()
        self.client.post("/logout/")
        self.passkey.count = 0  # the copy of a thief, which is one answer behind
        with self.assertLogs("users.second_factor", "WARNING") as logs:
            self.assertRefused(self.log_in_with_passkey())
        self.assertIn("A count that went back", logs.output[0])
        refused = SecurityEvent.objects.get(kind=Kind.PASSKEY_REFUSED)
        self.assertEqual(refused.user, self.alice)
        self.passkey.counts = False  # nor one that counts no more
        self.passkey.count = 0
        self.assertRefused(self.log_in_with_passkey())
        self.passkey.count = 7
        self.log_in_with_passkey()
        self.assertLoggedInAs(self.alice)

    def test_challenge_is_used_once_whatever_the_answer(self):
        answer = self.passkey.answer(self.ask(alone="yes"))
        data = {"credential": answer, "alone": "yes"}
        self.assertRefused(self.client.post("/login/passkey/", {**data, "credential": "x"}))
        self.assertRefused(self.client.post("/login/passkey/", data))

    def test_answer_is_not_taken_twice_by_two_copies_of_a_session(self):
        data = {"credential": self.passkey.answer(self.ask(alone="yes")), "alone": "yes"}
        with patch(
            "users.sessions.SessionStore.pop", lambda session, key, default: session.get(key)
        ):
            self.client.post("/login/passkey/", data)
            self.assertLoggedInAs(self.alice)
            second = Client()
            second.post("/passkey/options/", {"alone": "yes"})
            state = dict(self.client.session)["passkey challenge"]
            session = second.session
            session["passkey challenge"] = state
            session.save()
            response = second.post("/login/passkey/", data)
        self.assertEqual(response.url, "/login/?next=/")
        self.assertNotIn("_auth_user_id", second.session)

    def test_answers_without_a_challenge_write_nothing(self):
        for credential in ["", self.passkey.answer(self.ask(client=Client(), alone="yes"))]:
            events = SecurityEvent.objects.count()
            self.assertRefused(self.client.post("/login/passkey/", {"credential": credential}))
            self.assertEqual(SecurityEvent.objects.count(), events)

    def test_challenge_of_another_browser_or_an_old_one(self):
        other = self.passkey.answer(self.ask(client=Client(), alone="yes"))
        self.ask(alone="yes")
        data = {"credential": other, "alone": "yes"}
        self.assertRefused(self.client.post("/login/passkey/", data))
        data["credential"] = self.passkey.answer(self.ask(alone="yes"))
        later = timezone.now().timestamp() + CHALLENGE_SECONDS + 1
        with patch("users.second_factor.time.time", return_value=later):
            self.assertRefused(self.client.post("/login/passkey/", data))

    def test_challenge_for_a_second_step_is_none_for_a_login_with_nothing_else(self):
        self.log_in()
        self.passkey.verifies = False
        data = {"credential": self.passkey.answer(self.ask()), "alone": "yes"}
        self.assertRefused(self.client.post("/login/passkey/", data))

    def test_foreign_origin_is_refused(self):
        for origin in ["https://evil.example", "http://localhost", "http://localhost:8001"]:
            self.passkey.origin = origin
            self.assertRefused(self.log_in_with_passkey())

    def test_answers_that_are_none(self):
        self.bobs = Authenticator()
        self.give_passkey(self.bob, self.bobs)
        with override_settings(PASSKEY_FAILURES_PER_IP_PER_15_MINUTES=10**6):
            for index in range(len(self.bad_answers())):
                answer = self.bad_answers()[index]
                with self.subTest(answer[:80]):
                    data = {"credential": answer, "alone": "yes"}
                    self.assertRefused(self.client.post("/login/passkey/", data))

    def bad_answers(self):
        """Return answers to a fresh challenge, each of which would log in if it were whole."""
        options = self.ask(alone="yes")
        good, bobs = (json.loads(each.answer(options)) for each in (self.passkey, self.bobs))
        swapped = [{**good, "response": bobs["response"]}, {**bobs, "response": good["response"]}]
        for name in ["userHandle", "signature"]:
            response = {**good["response"], name: bobs["response"][name]}
            swapped.append({**good, "response": response})
        return [*map(json.dumps, swapped), *spoiled(good), *HOPELESS]

    def test_megabyte_of_answer_is_refused_before_it_is_read(self):
        response = self.client.post("/login/passkey/", {"credential": "x" * 10**6})
        self.assertEqual(response.status_code, 400)

    def test_key_that_somebody_spoiled_in_the_database_is_refused(self):
        Passkey.objects.update(credential=b"x")
        self.assertRefused(self.log_in_with_passkey())

    def test_whoever_is_logged_in_goes_on(self):
        self.client.force_login(self.bob)
        self.assertRedirects(self.client.post("/login/passkey/", {"next": "/about/"}), "/about/")
        self.assertLoggedInAs(self.bob)

    def test_challenges_without_an_answer_are_limited(self):
        with override_settings(PASSKEY_FAILURES_PER_IP_PER_15_MINUTES=3):
            for _ in range(3):
                self.log_in_with_passkey()  # answered, they do not count
                self.client.post("/logout/")
            for _ in range(3):
                self.ask(alone="yes")
            response = self.client.post("/passkey/options/", {"alone": "yes"})
            self.assertEqual(response.status_code, 429)

    def test_account_that_is_gone(self):
        options = self.ask(alone="yes")
        User.objects.get(pk=self.alice.pk).delete()
        data = {"credential": self.passkey.answer(options), "alone": "yes"}
        self.assertRefused(self.client.post("/login/passkey/", data))


class Proving(PasskeyTestCase):
    def setUp(self):
        super().setUp()
        self.give_passkey(self.alice)
        self.client.force_login(self.alice)

    def test_passkey_is_the_proof_and_leads_back(self):
        key = self.client.session.session_key
        data = {"credential": self.passkey.answer(self.ask()), "next": "/account/data/"}
        self.assertRedirects(self.client.post("/account/confirm/passkey/", data), "/account/data/")
        self.assertNotEqual(self.client.session.session_key, key)
        self.assertTrue(SecurityEvent.objects.filter(kind=Kind.FACTOR_CONFIRMED).exists())

    def test_password_is_none_for_whoever_has_a_factor(self):
        response = self.client.post("/account/confirm/", {"password": PASSWORD})
        self.assertEqual(list(response.context["form"].errors), ["code"])

    def test_bad_answer_proves_nothing(self):
        later = timezone.now().timestamp() + settings.PROOF_SECONDS + 1
        with patch("users.sessions.time.time", return_value=later):
            self.client.post("/account/confirm/passkey/", {"credential": "x", "next": "/about/"})
            response = self.client.get("/account/data/")
        self.assertRedirects(response, "/account/confirm/?next=/account/data/", 302, 200)
