import json
from datetime import timedelta
from unittest.mock import patch

from django.test import RequestFactory
from django.utils import timezone

from testing.cast import PASSWORD, MailTestCase
from users.events import new_event, record
from users.models import Kind, SecurityEvent, User

NEW_PASSWORD = "another unusual sentence"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class EventTestCase(MailTestCase):
    def assertHappened(self, *kinds, user=None, email="alice@example.com", ip="127.0.0.1"):
        """Assert that exactly `kinds` happened since the last call, to `user` with `email`."""
        events = SecurityEvent.objects.order_by("pk")
        self.assertEqual([event.kind for event in events], [*kinds])
        for event in events:
            self.assertEqual((event.user, event.email), (user, email), event.kind)
            self.assertEqual((event.ip, event.network), (ip, ip))
            self.assertLess(timezone.now() - event.time, timedelta(minutes=1))
        events.delete()


class WhatIsWritten(EventTestCase):
    def test_registered(self):
        data = {"username": "Dave", "email": "Dave@Example.com"}
        self.client.post("/register/", {**data, "password1": PASSWORD, "password2": PASSWORD})
        dave = User.objects.get(username="Dave")
        self.assertHappened(Kind.REGISTERED, user=dave, email="dave@example.com")
        self.client.force_login(dave)
        self.client.post(self.link())
        self.assertHappened(Kind.EMAIL_CONFIRMED, user=dave, email="dave@example.com")

    def test_registration_with_an_address_that_somebody_has(self):
        self.client.post("/register/", {"username": "Dave", "email": "ALICE@example.com"})
        self.assertHappened(Kind.SIGNUP_REFUSED, user=self.alice)
        self.client.post("/register/", {"username": "Alice", "email": "dave@example.com"})
        self.assertHappened()

    def test_login_and_logout(self):
        self.client.post(
            "/login/",
            {"username": " Alice@Example.com ", "password": PASSWORD},
            headers={"user-agent": FIREFOX},
        )
        self.assertEqual(SecurityEvent.objects.get().device, "Firefox on Linux")
        self.client.post("/logout/")
        self.assertHappened(Kind.LOGIN, Kind.LOGOUT, user=self.alice)
        self.client.post("/logout/")
        self.assertHappened()

    def test_login_that_fails(self):
        self.log_in(password="wrong")
        self.assertHappened(Kind.LOGIN_FAILED, user=self.alice)
        self.log_in(email="Nobody@example.com")
        self.assertHappened(Kind.LOGIN_FAILED, email="nobody@example.com")
        self.bob.is_active = False
        self.bob.save()
        self.log_in(email="bob@example.com")
        self.assertHappened(Kind.LOGIN_FAILED, user=self.bob, email="bob@example.com")

    def test_login_that_waits_for_the_confirmation_of_the_address(self):
        with self.settings(EMAIL_VERIFICATION_REQUIRED=True):
            self.log_in()
        self.assertHappened(Kind.PASSWORD_CONFIRMED, user=self.alice)
        self.client.post("/account/email/send/")
        self.assertHappened(Kind.CONFIRMATION_REQUESTED, user=self.alice)

    def test_form_without_a_password_is_no_attempt(self):
        for data in [{"username": "alice@example.com"}, {"password": PASSWORD}, {}]:
            self.client.post("/login/", data)
        self.assertHappened()

    def test_password_given_again_as_a_proof(self):
        self.client.force_login(self.alice)
        self.client.post("/account/confirm/", {"password": "wrong"})
        self.assertHappened(Kind.CURRENT_PASSWORD_REFUSED, user=self.alice)
        self.client.post("/account/confirm/", {"password": PASSWORD})
        self.assertHappened(Kind.PASSWORD_CONFIRMED, user=self.alice)

    def test_password_changed(self):
        self.client.force_login(self.alice)
        data = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
        self.client.post("/account/password/", {**data, "old_password": "wrong"})
        self.assertHappened(Kind.CURRENT_PASSWORD_REFUSED, user=self.alice)
        self.client.post("/account/password/", {**data, "old_password": PASSWORD})
        self.assertHappened(Kind.PASSWORD_CHANGED, user=self.alice)

    def test_password_that_was_right_is_no_failure_whatever_comes_after(self):
        self.client.force_login(self.alice)
        self.client.raise_request_exception = False
        data = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
        with (
            patch.object(User, "save", side_effect=ValueError("oh")),
            self.assertLogs("django.request"),
        ):
            self.client.post("/account/password/", {**data, "old_password": PASSWORD})
        self.assertHappened(Kind.PASSWORD_CONFIRMED, user=self.alice)

    def test_sign_up_that_lost_a_race_counts_since_it_hashed(self):
        data = {"username": "Dave", "email": "dave@example.com"}
        passwords = {"password1": PASSWORD, "password2": PASSWORD}

        def set_password(user, password):  # somebody else is quicker meanwhile
            User.objects.bulk_create([User(username="Dave", email="other@example.com")])
            user.password = "hashed"

        with patch.object(User, "set_password", set_password):
            response = self.client.post("/register/", {**data, **passwords})
        self.assertContains(response, "That username is taken.")
        self.assertHappened(Kind.SIGNUP_REFUSED, email="dave@example.com")

    def test_password_reset(self):
        self.client.post("/password-reset/", {"email": "Alice@example.com"})
        self.assertHappened(Kind.RESET_REQUESTED, user=self.alice)
        response = self.client.get(self.link(), follow=True)
        data = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
        self.client.post(response.request["PATH_INFO"], data)
        self.assertHappened(Kind.RESET_COMPLETED, user=self.alice)
        self.client.post("/password-reset/", {"email": "nobody@example.com"})
        self.assertHappened(Kind.RESET_REQUESTED, email="nobody@example.com")

    def test_email_changed(self):
        self.client.force_login(self.alice)
        self.client.post("/account/email/", {"email": "new@example.com"})
        new = SecurityEvent.objects.get(email="new@example.com")
        self.assertEqual((new.kind, new.user), (Kind.CONFIRMATION_REQUESTED, self.alice))
        new.delete()
        self.assertHappened(Kind.CONFIRMATION_REQUESTED, user=self.alice)
        self.client.post(self.link())
        self.assertHappened(Kind.EMAIL_CHANGED, user=self.alice, email="new@example.com")

    def test_session_ended(self):
        self.client.force_login(self.alice)
        self.client.get("/")
        other = self.log_in_elsewhere(self.alice)
        self.client.post(f"/account/sessions/{other.session.digest}/end/")
        self.assertHappened(Kind.SESSION_ENDED, user=self.alice)
        self.client.post("/account/sessions/x/end/")
        self.client.post("/account/sessions/end-others/")
        self.assertHappened()
        self.log_in_elsewhere(self.alice)
        self.client.post("/account/sessions/end-others/")
        self.assertHappened(Kind.SESSION_ENDED, user=self.alice)

    def test_account_deleted_and_what_was_written_stays_without_the_member(self):
        self.log_in()
        self.client.post("/account/data/", {"sure": "on"})
        self.assertHappened(Kind.LOGIN, Kind.ACCOUNT_DELETED)

    def test_nothing_of_a_password_a_token_or_a_cookie(self):
        self.log_in(password="my wrong secret")
        self.log_in()
        self.client.post("/password-reset/", {"email": "alice@example.com"})
        link = self.link()
        response = self.client.get(link, follow=True)
        data = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
        with self.assertLogs("django.security.auth") as logs:
            self.client.post(response.request["PATH_INFO"], data)
        written = str(list(SecurityEvent.objects.values_list())) + str(logs.output)
        self.assertIn("reset used", written)
        for secret in ["my wrong secret", PASSWORD, NEW_PASSWORD, link.split("/")[-2]]:
            self.assertNotIn(secret, written)
        for cookie in self.client.cookies.values():
            if cookie.value:
                self.assertNotIn(cookie.value, written)

    def test_password_in_the_wrong_field_is_kept_as_a_digest(self):
        with self.assertLogs("django.security.auth") as logs:
            for typed in [PASSWORD, PASSWORD, "another"]:
                self.log_in(email=typed)
        emails = [event.email for event in SecurityEvent.objects.order_by("pk")]
        self.assertRegex(emails[0], r"\Ano email: [0-9a-f]{16}\Z")
        self.assertEqual(emails[0], emails[1])
        self.assertNotEqual(emails[0], emails[2])
        self.assertNotIn(PASSWORD, str(logs.output))

    def test_address_has_no_control_characters(self):
        self.client.post("/register/", {"email": "a\x00b\x1b@example.com"})
        self.client.post("/account/email/", {"email": "a\x00b\x1b@example.com"})
        self.assertHappened()
        event = new_event(RequestFactory().get("/"), Kind.LOGIN, email="a\x00b\x1b@example.com")
        self.assertEqual(event.email, "a b @example.com")

    def test_address_is_cut(self):
        self.log_in(email="x" * 300 + "@example.com")
        self.assertHappened(Kind.LOGIN_FAILED, email="x" * 254)


class WhatIsLogged(EventTestCase):
    def logged(self, **request):
        request = RequestFactory().get("/", **request)
        with self.assertLogs("django.security.auth", "INFO") as logs:
            record(request, Kind.LOGIN, user=self.alice)
        return logs.records[0].getMessage()

    def test_one_line_of_json_each(self):
        line = json.loads(self.logged(headers={"user-agent": FIREFOX}))
        self.assertEqual(line.pop("time"), SecurityEvent.objects.get().time.isoformat())
        self.assertEqual(
            line,
            {
                "event": "login",
                "user": self.alice.pk,
                "email": "alice@example.com",
                "ip": "127.0.0.1",
                "browser": FIREFOX,
            },
        )

    def test_nobody_forges_a_line_or_colours_a_terminal(self):
        for agent in ['x\r\n{"event": "login"}', "\x1b[2J\x1b]0;x\x07", "\x7f\x85\u2028\u202e"]:
            with self.subTest(agent):
                self.assertRegex(self.logged(headers={"user-agent": agent}), r"\A[ -~]+\Z")

    def test_typed_address_is_escaped_too(self):
        with self.assertLogs("django.security.auth", "INFO") as logs:
            self.log_in(email="a\r\nb\x1b[2J\x7f@example.com")
        self.assertRegex(logs.records[0].getMessage(), r"\A[ -~]+\Z")

    def test_nothing_is_logged_that_is_rolled_back(self):
        with patch("django.db.transaction.on_commit"), self.assertNoLogs("django.security.auth"):
            record(RequestFactory().get("/"), Kind.LOGIN, user=self.alice)


class WhoReadsThem(EventTestCase):
    def setUp(self):
        super().setUp()
        User.objects.filter(pk=self.bob.pk).update(email_confirmed_at=timezone.now())
        self.log_in(password="wrong")
        self.log_in(email="bob@example.com")

    def test_members_see_their_own_on_the_security_page(self):
        response = self.client.get("/account/security/", headers={"user-agent": FIREFOX})
        self.assertContains(response, "<strong>Logged in</strong> with Unknown device at 127.0.0.1")
        self.assertNotContains(response, "Password refused")

    def test_whoever_registered_your_email_does_not_learn_where_you_are(self):
        User.objects.filter(pk=self.bob.pk).update(email_confirmed_at=None)
        owner = RequestFactory().get("/", REMOTE_ADDR="192.0.2.77")
        record(owner, Kind.LOGIN_FAILED, user=self.bob)
        record(owner, Kind.RESET_REQUESTED, user=self.bob)
        self.assertNotContains(self.client.get("/account/security/"), "192.0.2.77")
        self.assertNotContains(self.client.get("/account/data/download/"), "192.0.2.77")
        User.objects.filter(pk=self.bob.pk).update(email_confirmed_at=timezone.now())
        self.assertContains(self.client.get("/account/security/"), "192.0.2.77")
        self.assertContains(self.client.get("/account/data/download/"), "192.0.2.77")

    def test_members_take_their_own_with_them(self):
        events = self.client.get("/account/data/download/").json()["events"]
        self.assertEqual([event["kind"] for event in events], ["login"])
        self.assertEqual(set(events[0]), {"kind", "time", "email", "ip", "user_agent"})
        record(RequestFactory().get("/"), Kind.LOGOUT, user=self.bob)
        with patch("users.export.MAX_EVENTS", 1):
            events = self.client.get("/account/data/download/").json()["events"]
        self.assertEqual([event["kind"] for event in events], ["logout"])

    def test_what_staff_did_shows_no_browser(self):
        record(None, Kind.SESSION_ENDED, user=self.bob)
        self.assertContains(
            self.client.get("/account/security/"), "<strong>Session ended</strong>\n"
        )

    def test_guesses_push_no_login_off_the_page(self):
        for number in range(30):
            request = RequestFactory().get("/", REMOTE_ADDR=f"192.0.2.{number}")
            record(request, Kind.RESET_REQUESTED, user=self.bob)
            record(request, Kind.LOGIN_FAILED, user=self.bob)
        response = self.client.get("/account/security/")
        self.assertContains(
            response,
            "<strong>Password refused</strong> with Unknown device at 192.0.2.29",
        )
        self.assertContains(response, "anybody can cause this", count=15)
        self.assertContains(response, "<strong>Logged in</strong>")

    def from_place(self, number, kind):
        """Write down that `kind` happened to Bob, in a browser at the IP address `number`."""
        request = RequestFactory().get("/", REMOTE_ADDR=f"192.0.2.{number}")
        return record(request, kind, user=self.bob)

    def activity(self):
        """Return what the page of security lists: pairs of what happened and how often."""
        activity = self.client.get("/account/security/").context["activity"]
        return [(event.kind, event.times) for event in activity]

    def test_the_fifteen_newest_come_first(self):
        for number in range(17):
            self.from_place(number, Kind.LOGOUT)
        activity = self.client.get("/account/security/").context["activity"]
        ips = [event.ip for event in activity]
        self.assertEqual(ips, [f"192.0.2.{n}" for n in range(16, 1, -1)])

    def test_what_repeats_in_one_browser_is_one_entry(self):
        SecurityEvent.objects.all().delete()
        for number in [1, 1, 2, 1, 1, 1]:
            self.from_place(number, Kind.LOGIN_FAILED)
        failed = Kind.LOGIN_FAILED
        self.assertEqual(self.activity(), [(failed, 3), (failed, 1), (failed, 2)])
        self.assertContains(self.client.get("/account/security/"), "</strong> 3 times with")

    def test_what_takes_a_session_is_not_what_anybody_can_cause(self):
        anybody = "anybody can cause this"
        for kind, times in [(Kind.LOGIN_FAILED, 1), (Kind.CURRENT_PASSWORD_REFUSED, 0)]:
            SecurityEvent.objects.all().delete()
            self.from_place(1, kind)
            with self.subTest(kind):
                response = self.client.get("/account/security/")
                self.assertContains(response, kind.label)
                self.assertContains(response, anybody, count=times)

    def test_step_from_which_the_same_browser_went_on_is_left_out(self):
        SecurityEvent.objects.all().delete()
        for kind in [Kind.PASSWORD_ACCEPTED, Kind.LOGIN, Kind.NEW_BROWSER]:
            self.from_place(1, kind)
        self.assertEqual(self.activity(), [(Kind.LOGIN, 1)])

    def test_right_password_of_whoever_did_not_get_further_is_shown(self):
        SecurityEvent.objects.all().delete()
        self.from_place(66, Kind.PASSWORD_ACCEPTED)
        self.from_place(1, Kind.LOGIN)
        self.assertEqual(self.activity(), [(Kind.LOGIN, 1), (Kind.PASSWORD_ACCEPTED, 1)])

    def test_time_is_relative_with_the_exact_one_in_the_title(self):
        SecurityEvent.objects.update(time=timezone.now() - timedelta(hours=2))
        page = self.client.get("/account/security/")
        self.assertRegex(page.text, r'title="\w+ \d+, \d{4}, \d\d:\d\d \(UTC\)">2\xa0hours ago<')
