from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from math import log2
from threading import Barrier
from unittest.mock import patch

from asgiref.sync import async_to_sync
from django.contrib.auth import SESSION_KEY, get_user, login
from django.db import OperationalError, connection
from django.test import Client, RequestFactory, TransactionTestCase, override_settings, tag
from django.utils import timezone

from blog_project.clients import device_name
from testing.cast import PASSWORD, CastTestCase
from users.models import Session, User
from users.sessions import SessionStore, track_activity

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class SessionsTestCase(CastTestCase):
    def setUp(self):
        self.client.force_login(self.alice)
        self.client.get("/", headers={"user-agent": FIREFOX})

    def sessions(self):
        return self.client.get("/account/sessions/").context["object_list"]


class SessionsGet(SessionsTestCase):
    def test_lists_device_address_and_this_one(self):
        self.log_in_elsewhere(self.alice)
        response = self.client.get("/account/sessions/")
        self.assertContains(response, "Firefox on Linux")
        self.assertContains(response, "127.0.0.1")
        self.assertContains(response, "Unknown device")
        self.assertContains(response, "This device", count=1)

    def test_last_seen_comes_first_whichever_is_this_one(self):
        other = self.log_in_elsewhere(self.alice)
        now = timezone.now()
        for client, seen in [(self.client, now), (other, now + timedelta(seconds=5))]:
            self.alice.sessions.filter(pk=client.session.digest).update(last_seen=seen)
        digests = [session.pk for session in self.sessions()]
        self.assertEqual(digests, [other.session.digest, self.client.session.digest])
        page = self.client.get("/account/sessions/").text
        self.assertLess(page.index("Unknown device"), page.index("This device"))

    def test_shows_neither_keys_nor_the_sessions_of_others(self):
        self.log_in_elsewhere(self.bob)
        response = self.client.get("/account/sessions/")
        self.assertEqual(len(response.context["object_list"]), 1)
        self.assertNotContains(response, self.client.session.session_key)

    def test_expired_sessions_are_not_listed(self):
        self.log_in_elsewhere(self.alice)
        other = self.alice.sessions.exclude(pk=self.client.session.digest)
        other.update(expire_date=timezone.now())
        self.assertEqual(len(self.sessions()), 1)

    def test_long_user_agent_is_cut(self):
        client = self.log_in_elsewhere(self.bob)
        client.get("/account/sessions/")
        with patch("users.sessions.LAST_SEEN_SECONDS", 0):
            client.get("/", headers={"user-agent": "<script>" * 1_000})
        self.assertEqual(len(self.bob.sessions.get().user_agent), 255)

    def test_row_can_be_decoded(self):
        session = self.alice.sessions.get()
        self.assertEqual(session.get_decoded()["_auth_user_id"], str(self.alice.pk))


class SessionKey(CastTestCase):
    def test_whoever_reads_the_table_logs_in_as_nobody(self):
        self.client.force_login(self.alice)
        key = self.client.cookies["sessionid"].value
        row = self.alice.sessions.get()
        self.assertEqual(row.pk, sha256(key.encode()).hexdigest())
        for value in Session.objects.values_list().get():
            self.assertNotIn(key, str(value))
        thief = Client()
        thief.cookies["sessionid"] = row.pk
        self.assertRedirects(thief.get("/account/"), "/login/?next=/account/")
        self.assertEqual(async_to_sync(SessionStore(row.pk).aload)(), {})
        self.assertEqual(async_to_sync(SessionStore(key).aload)(), SessionStore(key).load())
        thief.cookies["sessionid"] = key
        self.assertEqual(thief.get("/account/").status_code, 200)

    def test_row_of_before_that_is_named_by_its_key_is_nobodys(self):
        self.client.force_login(self.alice)
        key = self.client.cookies["sessionid"].value
        self.alice.sessions.update(session_key=key)
        self.assertRedirects(self.client.get("/account/"), "/login/?next=/account/")

    def test_async_code_reads_writes_and_ends_the_same(self):
        session = SessionStore()
        async_to_sync(session.acreate)()
        async_to_sync(session.aset)("seen", "before")
        async_to_sync(session.asave)()
        key = session.session_key
        self.assertEqual(SessionStore(key)["seen"], "before")
        self.assertTrue(async_to_sync(session.aexists)(key))
        async_to_sync(session.adelete)()
        self.assertFalse(session.exists(key))

    def test_no_key_is_given_out_twice(self):
        session = SessionStore()
        session.create()
        self.assertTrue(session.exists(session.session_key))
        taken = session.session_key
        with patch.object(SessionStore, "_get_new_session_key", side_effect=[taken, "x" * 32]):
            another = SessionStore()
            another.create()
        self.assertEqual(another.session_key, "x" * 32)

    def test_nobody_chooses_one(self):
        self.client.cookies["sessionid"] = "chosen" * 5
        self.log_in()
        self.assertNotEqual(self.client.cookies["sessionid"].value, "chosen" * 5)

    def test_nobody_guesses_one(self):
        key = SessionStore()._get_new_session_key()
        self.assertRegex(key, r"\A[a-z0-9]+\Z")
        self.assertGreater(len(key) * log2(36), 128)  # bits


class SessionEnd(SessionsTestCase):
    def end(self, session):
        return self.client.post(f"/account/sessions/{session.pk}/end/", follow=True)

    def test_ends_one_at_its_next_request(self):
        elsewhere, third = self.log_in_elsewhere(self.alice), self.log_in_elsewhere(self.alice)
        session = self.alice.sessions.get(pk=elsewhere.session.digest)
        self.assertContains(self.end(session), "That device is logged out")
        self.assertRedirects(elsewhere.get("/account/"), "/login/?next=/account/")
        self.assertEqual(third.get("/account/").status_code, 200)
        self.assertLoggedInAs(self.alice)

    def test_ends_all_others(self):
        elsewhere, bobs = self.log_in_elsewhere(self.alice), self.log_in_elsewhere(self.bob)
        self.client.post("/account/sessions/end-others/")
        self.assertRedirects(elsewhere.get("/account/"), "/login/?next=/account/")
        self.assertEqual(bobs.get("/account/").status_code, 200)
        self.assertLoggedInAs(self.alice)

    def test_session_of_another_member_or_of_nobody_is_left_alone(self):
        self.log_in_elsewhere(self.bob)
        self.end(self.bob.sessions.get())
        for name in ["x", "%00", "x" * 5_000]:
            response = self.client.post(f"/account/sessions/{name}/end/")
            self.assertIn(response.status_code, [302, 404])
        self.client.post(f"/account/sessions/{self.client.session.session_key}/end/")
        self.assertTrue(self.bob.sessions.exists())
        self.assertLoggedInAs(self.alice)

    def test_nothing_ends_by_get(self):
        self.log_in_elsewhere(self.alice)
        for path in ["end-others", f"{self.alice.sessions.first().pk}/end"]:
            self.assertEqual(self.client.get(f"/account/sessions/{path}/").status_code, 405)
        self.assertEqual(self.alice.sessions.count(), 2)

    def test_deactivated_member_is_out_everywhere_at_once(self):
        self.alice.is_active = False
        self.alice.save()
        self.assertFalse(self.alice.sessions.exists())
        self.assertRedirects(self.client.get("/account/"), "/login/?next=/account/")


class ManySessions(SessionsTestCase):
    """A member has at most 50 (ASVS 7.1.2)."""

    def add(self, number, user=None, **columns):
        """Add sessions, each seen a minute before the one that was added before it."""
        now = timezone.now()
        Session.objects.bulk_create(
            Session(
                session_key=f"{index}-{'-'.join(columns)}-of-{user or self.alice}",
                user=user or self.alice,
                user_agent=f"Browser {index}",
                **{
                    "last_seen": now - timedelta(minutes=index),
                    "expire_date": now + timedelta(days=1),
                    **columns,
                },
            )
            for index in range(1, number + 1)
        )

    def keys(self, user=None):
        return set((user or self.alice).sessions.values_list("pk", flat=True))

    def test_one_more_ends_the_one_that_was_seen_last_longest_ago(self):
        self.add(49)
        self.add(60, self.bob)
        before = self.keys()
        new = Client()
        new.post("/login/", {"username": "alice@example.com", "password": PASSWORD})
        oldest = "49--of-Alice"
        self.assertEqual(self.keys(), before - {oldest} | {new.session.digest})
        self.assertEqual(new.get("/account/").status_code, 200)
        self.assertLoggedInAs(self.alice)
        self.assertEqual(len(self.keys(self.bob)), 60)  # until he logs in again

    def test_fewer_than_that_all_stay(self):
        self.add(48)
        before = self.keys()
        new = self.log_in_elsewhere(self.alice)
        self.assertEqual(self.keys(), before | {new.session.digest})

    def test_those_that_are_over_and_those_never_seen_go_first(self):
        self.add(3, expire_date=timezone.now())
        self.add(3, last_seen=None)
        self.add(48)
        self.log_in_elsewhere(self.alice)
        self.assertEqual(self.alice.sessions.exclude(last_seen=None).count(), 50)
        self.assertEqual(len(self.keys()), 50)

    def test_nothing_ends_but_at_a_login(self):
        self.add(60)
        with patch("users.sessions.LAST_SEEN_SECONDS", 0), patch("users.sessions.timezone") as zone:
            zone.now.return_value = timezone.now() + timedelta(seconds=2)
            self.client.get("/")
        self.assertEqual(len(self.keys()), 61)

    def test_page_costs_the_same_for_any_number(self):
        costs = []
        self.add(60)
        for more in [0, 1000]:
            self.add(more, since=timezone.now())
            with (
                self.assertNumQueries(4),  # the session, its member, the page's and the sidebar's
                patch("users.models.device_name", wraps=device_name) as named,
            ):
                response = self.client.get("/account/sessions/")
            self.assertContains(response, "This device", count=1)
            costs.append((named.call_count, response.text.count("<form")))
        self.assertEqual(*costs)

    def test_staff_see_no_more_of_them(self):
        self.add(60)
        self.client.force_login(self.carol)
        page = self.client.get(f"/admin/users/user/{self.alice.pk}/change/")
        self.assertContains(page, ", last seen ", count=50)


@tag("slow")
class LoginsAtTheSameTime(TransactionTestCase):
    @override_settings(SESSIONS_PER_MEMBER=5)
    def test_leave_no_more_than_one_after_the_other(self):
        alice = User.objects.create(username="Alice", email="alice@example.com")
        all_ready = Barrier(20, timeout=30)

        def log_in(number):
            request = RequestFactory().get("/")
            request.session = SessionStore()
            all_ready.wait()
            try:
                track_activity(lambda request: login(request, alice))(request)
                request.session.save()
            finally:
                connection.close()

        with ThreadPoolExecutor(20) as browsers:
            list(browsers.map(log_in, range(20)))
        self.assertEqual(alice.sessions.count(), 5)


class LastSeen(SessionsTestCase):
    def get_after(self, seconds):
        now = timezone.now() + timedelta(seconds=seconds)
        with patch("users.sessions.timezone.now", return_value=now):
            self.client.get("/")
        return int(now.timestamp())

    def test_is_written_once_a_minute_and_the_rest_stays(self):
        before = self.alice.sessions.get()
        with self.assertNumQueries(4):  # the session, its member, the posts and the sidebar's
            self.get_after(58)
        with self.assertNumQueries(7):  # and one write, in a transaction of its own
            seen = self.get_after(61)
        after = self.alice.sessions.get()
        self.assertEqual(int(after.last_seen.timestamp()), seen)
        self.assertEqual(after.since, before.since)

    def test_address_is_the_one_of_the_connection_if_there_is_one(self):
        for address, ip in [("203.0.113.9", "203.0.113.9"), ("", None)]:
            with patch("users.sessions.LAST_SEEN_SECONDS", 0):
                self.client.get("/", REMOTE_ADDR=address)
            self.assertEqual(self.alice.sessions.get().ip, ip)

    def test_strangers_get_no_session(self):
        client = Client()
        client.get("/")
        self.assertNotIn("sessionid", client.cookies)


class Lifetime(CastTestCase):
    """On the server, which counts: the cookie is the browser's to keep."""

    def setUp(self):
        self.now = timezone.now()

    def visit_after(self, **time):
        """Return the status of the account page so long after the last visit."""
        self.now += timedelta(**time)
        with patch("django.utils.timezone.now", return_value=self.now):
            return self.client.get("/account/").status_code

    def test_twelve_hours_after_the_last_visit(self):
        self.log_in()
        for _ in range(3):
            self.assertEqual(self.visit_after(hours=11, minutes=59), 200)
        self.assertEqual(self.visit_after(hours=12, minutes=1), 302)

    def test_two_weeks_after_the_last_visit_if_remembered(self):
        self.log_in(remember="on")
        self.assertEqual(self.visit_after(days=13, hours=23), 200)
        self.assertEqual(self.visit_after(days=14, minutes=2), 302)

    def test_thirty_days_after_the_login_at_the_latest(self):
        for remember in [{"remember": "on"}, {}]:
            with self.subTest(remember):
                self.now = timezone.now()
                self.log_in(**remember)
                for _ in range(59):
                    self.assertEqual(self.visit_after(hours=11, minutes=59), 200)
                self.assertEqual(self.visit_after(hours=11, minutes=59), 200)
                self.assertEqual(self.visit_after(hours=1, minutes=1), 302)
                self.client.post("/logout/")

    def test_a_new_password_does_not_make_it_longer(self):
        self.log_in(remember="on")
        self.assertEqual(self.visit_after(days=13), 200)
        self.assertEqual(self.visit_after(days=13), 200)
        new = "another unusual sentence"
        with patch("django.utils.timezone.now", return_value=self.now):
            self.client.post(
                "/account/password/",
                {"old_password": PASSWORD, "new_password1": new, "new_password2": new},
            )
        self.assertEqual(self.visit_after(days=3), 200)
        self.assertEqual(self.visit_after(days=2), 302)


class Privacy(CastTestCase):
    def test_nobody_keeps_a_page_that_knows_the_member(self):
        self.client.force_login(self.carol)
        for url in ["/", "/about/", "/nope/", "/account/", "/logout/", "/admin/", "/login/"]:
            with self.subTest(url):
                self.assertEqual(self.client.get(url)["Cache-Control"], "private, no-store")
        response = self.client.post("/")
        self.assertEqual(
            (response.status_code, response["Cache-Control"]), (405, "private, no-store")
        )

    def test_pages_that_know_nobody_may_be_kept(self):
        for url in ["/", "/about/", "/nope/"]:
            self.assertNotIn("no-store", self.client.get(url).get("Cache-Control", ""))

    def test_pictures_may_be_kept_by_a_member_too(self):
        self.client.force_login(self.alice)
        with patch("users.views.account.default_storage.open", return_value=BytesIO(b"")):
            response = self.client.get(f"/media/pictures/{'0' * 32}.jpg")
        self.assertIn("public", response["Cache-Control"])


class DatabaseAway(CastTestCase):
    """Each look at it may take seconds: one is enough, and the answer is as whole as any."""

    def test_is_asked_once_and_the_answer_has_its_headers_and_its_line_in_the_log(self):
        self.client.force_login(self.alice)
        self.client.raise_request_exception = False
        away = OperationalError("gone away")
        for url in ["/", "/account/", "/login/", "/logout/", "/nope/"]:
            with (
                self.subTest(url),
                patch.object(connection, "cursor", side_effect=away) as cursor,
                self.assertLogs("django.request"),
                self.assertLogs("blog_project.middleware") as log,
            ):
                response = self.client.get(url)
                self.assertEqual((response.status_code, cursor.call_count), (503, 1))
                self.assertIn("Content-Security-Policy", response)
                self.assertIn(response["X-Request-ID"], log.output[0])


class Member(CastTestCase):
    """Whose session it is."""

    def test_session_that_becomes_anothers_has_another_member(self):
        self.client.force_login(self.alice)
        self.assertContains(self.client.get("/account/"), "<h1>Alice</h1>", html=True)
        request = RequestFactory().get("/")
        request.session = SessionStore(self.client.session.session_key)
        self.assertEqual(get_user(request), self.alice)
        login(request, self.bob)
        self.assertEqual(get_user(request), self.bob)

    def test_new_session_has_its_member_at_once(self):
        request = RequestFactory().get("/")
        request.session = SessionStore()
        login(request, self.bob)
        self.assertEqual(get_user(request), self.bob)

    def test_deactivated_member_is_nobody(self):
        self.client.force_login(self.alice)
        User.objects.filter(pk=self.alice.pk).update(is_active=False)
        self.assertRedirects(self.client.get("/account/"), "/login/?next=/account/")

    def test_members_take_turns_in_one_thread(self):
        self.client.force_login(self.alice)
        bob = Client()
        bob.force_login(self.bob)
        for _ in range(2):
            self.assertContains(self.client.get("/account/"), "<h1>Alice</h1>", html=True)
            self.assertContains(bob.get("/account/"), "<h1>Bob</h1>", html=True)


class SessionOfADeletedMember(TransactionTestCase):
    def test_is_saved_all_the_same_and_is_a_strangers(self):
        session = SessionStore()
        session.create()
        session[SESSION_KEY] = "999999"
        session.save()
        self.client.cookies["sessionid"] = session.session_key
        self.assertRedirects(self.client.get("/account/"), "/login/?next=/account/")
