from unittest.mock import patch

from django.contrib.auth.models import Permission
from django.core import mail
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from users.admin import UserEditForm
from users.events import record
from users.models import Kind, SecurityEvent, User
from users.tests.test_events import EventTestCase


class WhatStaffDo(EventTestCase):
    """Written for the member, without the address and browser of the staff."""

    def setUp(self):
        super().setUp()
        self.client.force_login(self.carol)
        self.url = f"/admin/users/user/{self.alice.pk}"

    def test_email_changed_and_both_emails_are_told(self):
        data = {"username": "Alice", "email": "new@example.com", "is_active": "on"}
        for same in ["alice@example.com", " Alice@Example.com "]:
            self.client.post(f"{self.url}/change/", {**data, "email": same})
            self.assertHappened()
            self.assertMailed()
        self.client.post(f"{self.url}/change/", data)
        self.assertHappened(Kind.EMAIL_CHANGED, user=self.alice, email="new@example.com", ip=None)
        self.assertIn("is now new@example.com. It was alice@example.com.", mail.outbox[0].body)
        subject = "Your email has changed"
        self.assertMailed(("alice@example.com", subject), ("new@example.com", subject))

    def test_username_changed_and_the_member_is_told(self):
        data = {"username": "Alicia", "email": "alice@example.com", "is_active": "on"}
        self.client.post(f"{self.url}/change/", {**data, "username": "Bob"})
        self.assertMailed()
        self.client.post(f"{self.url}/change/", data)
        self.assertIn(
            "The username of your account is now Alicia. It was Alice.", mail.outbox[0].body
        )
        self.assertMailed(("alice@example.com", "Your username has changed"))
        self.client.post(f"{self.url}/change/", data)
        self.assertMailed()

    def test_what_changed_meanwhile_stays(self):
        def meanwhile(form):
            User.objects.filter(pk=self.alice.pk).update(password="new", picture="new.jpg")
            return clean(form)

        clean = UserEditForm.clean
        data = {"username": "Alicia", "email": "alice@example.com", "is_active": "on"}
        with patch.object(UserEditForm, "clean", meanwhile):
            self.client.post(f"{self.url}/change/", data)
        self.alice.refresh_from_db()
        who = (self.alice.username, self.alice.password, self.alice.picture.name)
        self.assertEqual(who, ("Alicia", "new", "new.jpg"))

    def test_member_added_has_not_moved(self):
        data = {"username": "Dave", "email": "dave@example.com"}
        self.client.post("/admin/users/user/add/", data)
        self.assertTrue(User.objects.filter(username="Dave").exists())
        self.assertHappened()

    def test_link_to_set_a_password_sent(self):
        self.client.post(f"{self.url}/password/")
        self.assertHappened(Kind.RESET_REQUESTED, user=self.alice, ip=None)
        self.assertMailed(("alice@example.com", "Set a new password"))

    def test_password_page_of_nobody_is_not_found(self):
        for pk in ["999999", "x", "_00"]:
            response = self.client.post(f"/admin/users/user/{pk}/password/")
            self.assertEqual(response.status_code, 404)

    def test_sessions_ended(self):
        data = {"action": "end_sessions", "_selected_action": [self.alice.pk]}
        self.client.post("/admin/users/user/", data)
        self.assertHappened()
        self.log_in_elsewhere(self.alice)
        self.client.post("/admin/users/user/", data)
        self.assertHappened(Kind.SESSION_ENDED, user=self.alice, ip=None)

    def test_accounts_deleted(self):
        self.client.post(f"{self.url}/delete/", {"post": "yes"})
        self.assertHappened(Kind.ACCOUNT_DELETED, ip=None)
        data = {"action": "delete_selected", "_selected_action": [self.bob.pk], "post": "yes"}
        self.client.post("/admin/users/user/", data)
        self.assertHappened(Kind.ACCOUNT_DELETED, email="bob@example.com", ip=None)
        self.assertEqual(User.objects.count(), 1)


class WhatStaffRead(EventTestCase):
    def setUp(self):
        super().setUp()
        self.log_in(password="wrong")
        self.log_in(email="bob@example.com")

    def test_staff_search_and_filter_them_and_see_those_of_one_user(self):
        self.client.force_login(self.carol)
        for query, users in [
            ({}, [self.bob, self.alice]),
            ({"q": "alice@"}, [self.alice]),
            ({"q": "Bob"}, [self.bob]),
            ({"q": "127.0.0"}, [self.bob, self.alice]),
            ({"q": "192.0.2"}, []),
            ({"kind__exact": "login failed"}, [self.alice]),
            ({"user__id__exact": self.bob.pk}, [self.bob]),
        ]:
            with self.subTest(query):
                response = self.client.get("/admin/users/securityevent/", query)
                self.assertEqual([event.user for event in response.context["cl"].queryset], users)
        self.assertTrue(response.context["cl"].date_hierarchy)

    def test_list_takes_the_same_queries_however_many(self):
        self.client.force_login(self.carol)
        self.client.get("/admin/")
        numbers = []
        for _ in range(2):
            with CaptureQueriesContext(connection) as queries:
                self.client.get("/admin/users/securityevent/")
            numbers.append(len(queries))
            for user in [self.alice, self.bob, self.carol]:
                record(RequestFactory().get("/"), Kind.LOGOUT, user=user)
        self.assertEqual(*numbers)

    def test_page_of_an_event_says_what_happened(self):
        self.client.force_login(self.carol)
        event = SecurityEvent.objects.latest("pk")
        url = f"/admin/users/securityevent/{event.pk}/change/"
        self.assertContains(self.client.get(url), "Logged in: bob@example.com")

    def test_page_of_a_user_leads_to_theirs(self):
        self.client.force_login(self.carol)
        self.assertContains(
            self.client.get(f"/admin/users/user/{self.bob.pk}/change/"),
            f'href="/admin/users/securityevent/?user__id__exact={self.bob.pk}"',
        )

    def test_nobody_writes_them(self):
        event = SecurityEvent.objects.first()
        for user, status in [(self.carol, 403), (self.staff_who_may("change", "delete"), 403)]:
            self.client.force_login(user)
            for url in ["add/", f"{event.pk}/change/", f"{event.pk}/delete/"]:
                response = self.client.post(f"/admin/users/securityevent/{url}", {"post": "yes"})
                self.assertEqual(response.status_code, status, url)
            data = {"action": "delete_selected", "_selected_action": [event.pk], "post": "yes"}
            self.client.post("/admin/users/securityevent/", data)
        self.assertEqual(SecurityEvent.objects.filter(pk=event.pk).count(), 1)

    def test_staff_without_permission_do_not_read_them(self):
        self.client.force_login(self.staff_who_may("view", model="user"))
        self.assertEqual(self.client.get("/admin/users/securityevent/").status_code, 403)

    def staff_who_may(self, *verbs, model="securityevent"):
        codenames = [f"{verb}_{model}" for verb in verbs]
        user = User.objects.create_user(f"Dave{len(verbs)}", f"dave{len(verbs)}@example.com")
        user.is_staff = True
        user.save()
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        return user
