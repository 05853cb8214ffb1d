from django.contrib.auth import SESSION_KEY, get_user, login
from django.test import Client, RequestFactory

from blog_project.tests.cast import CastTestCase
from users.backends import SessionBackend
from users.sessions import SessionStore, current


class SessionsMember(CastTestCase):
    def setUp(self):
        self.client.force_login(self.alice)
        self.backend = SessionBackend()

    def open(self):
        session = SessionStore(self.client.session.session_key)
        self.assertEqual(session[SESSION_KEY], str(self.alice.pk))

    def test_comes_with_the_session(self):
        self.open()
        with self.assertNumQueries(0):
            self.assertEqual(self.backend.get_user(self.alice.pk), self.alice)

    def test_session_of_another_request_says_nothing(self):
        self.open()
        with self.assertNumQueries(1):
            self.assertEqual(self.backend.get_user(self.bob.pk), self.bob)
        current.set(None)
        with self.assertNumQueries(1):
            self.assertEqual(self.backend.get_user(self.alice.pk), self.alice)

    def test_session_that_becomes_anothers_has_another_member(self):
        request = RequestFactory().get("/")
        request.session = SessionStore(self.client.session.session_key)
        self.assertEqual(get_user(request), self.alice)
        login(request, self.bob)
        self.assertEqual(get_user(request), self.bob)
        self.assertEqual(self.backend.get_user(self.bob.pk), self.bob)

    def test_new_session_has_its_member_at_once(self):
        request = RequestFactory().get("/")
        request.session = SessionStore()
        login(request, self.bob)
        self.assertEqual(get_user(request), self.bob)

    def test_row_decides_whose_it_is(self):
        session = SessionStore(self.client.session.session_key)
        session[SESSION_KEY] = str(self.bob.pk)
        self.assertIsNone(self.backend.get_user(self.bob.pk))

    def test_deactivated_member_is_nobody(self):
        type(self.alice).objects.filter(pk=self.alice.pk).update(is_active=False)
        self.open()
        self.assertIsNone(self.backend.get_user(self.alice.pk))

    def test_members_take_turns_in_one_thread(self):
        bob = Client()
        bob.force_login(self.bob)
        for _ in range(2):
            self.assertContains(self.client.get("/account/"), "<h1>Alice</h1>", html=True)
            self.assertContains(bob.get("/account/"), "<h1>Bob</h1>", html=True)
            self.assertNotContains(Client().get("/"), "Logout")
